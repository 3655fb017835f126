//! What was flushed.

use std::collections::BTreeMap;

use eco_proto::log::v1 as pb;
use serde::Serialize;

use super::line::Origin;

/// What was taken away of one stream. The field names are a contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Flushed {
    pub(crate) host: String,
    pub(crate) environment: String,
    pub(crate) name: String,
    pub(crate) instance: u32,
    pub(crate) run: u64,
    pub(crate) stream: Option<&'static str>,
    /// Bytes of output.
    pub(crate) bytes: u64,
    /// Bytes that the disk has back.
    pub(crate) freed_bytes: u64,
    /// Why it has not all of them.
    pub(crate) problem: Option<String>,
}

impl From<pb::Flushed> for Flushed {
    fn from(flushed: pb::Flushed) -> Self {
        let origin = Origin::from(flushed.source.unwrap_or_default());
        Self {
            stream: origin.stream_name(),
            host: origin.host,
            environment: origin.environment,
            name: origin.app,
            instance: origin.instance,
            run: origin.run,
            bytes: flushed.bytes,
            freed_bytes: flushed.freed,
            problem: Some(flushed.problem).filter(|problem| !problem.is_empty()),
        }
    }
}

/// Bytes of output, and bytes that the disk has back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sum {
    pub(crate) bytes: u64,
    pub(crate) freed: u64,
}

impl Sum {
    fn add(&mut self, one: &Flushed) {
        self.bytes = self.bytes.saturating_add(one.bytes);
        self.freed = self.freed.saturating_add(one.freed_bytes);
    }
}

/// Adds up by app, `environment/name`, in the order of the names.
pub(crate) fn by_app(all: &[Flushed]) -> BTreeMap<String, Sum> {
    let mut apps: BTreeMap<String, Sum> = BTreeMap::new();
    for one in all {
        let app = format!("{}/{}", one.environment, one.name);
        apps.entry(app).or_default().add(one);
    }
    apps
}
