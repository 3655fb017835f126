//! Dependencies to and from their messages.

use eco_proto::agent::v1 as pb;
use eco_proto::agent::v1::dependency::On;

use crate::spec::{AppName, Condition, Dependency};

use super::{InvalidSpec, not};

impl From<&Dependency> for pb::Dependency {
    fn from(dependency: &Dependency) -> Self {
        let on = match dependency {
            Dependency::App { name, condition } => On::App(pb::DependencyOnApp {
                name: name.to_string(),
                condition: match condition {
                    Condition::Started => pb::DependencyCondition::Started,
                    Condition::Ready => pb::DependencyCondition::Ready,
                    Condition::Completed => pb::DependencyCondition::Completed,
                }
                .into(),
            }),
            Dependency::Tcp(address) => On::Tcp(address.clone()),
            Dependency::Http(url) => On::Http(url.clone()),
        };
        Self { on: Some(on) }
    }
}

impl TryFrom<pb::Dependency> for Dependency {
    type Error = InvalidSpec;

    fn try_from(dependency: pb::Dependency) -> Result<Self, InvalidSpec> {
        match dependency.on.ok_or(InvalidSpec::Missing("dependency"))? {
            On::App(app) => Ok(Self::App {
                condition: match app.condition() {
                    pb::DependencyCondition::Started => Condition::Started,
                    pb::DependencyCondition::Completed => Condition::Completed,
                    pb::DependencyCondition::Ready | pb::DependencyCondition::Unspecified => {
                        Condition::Ready
                    }
                },
                name: AppName::new(&app.name).map_err(not(&app.name))?,
            }),
            On::Tcp(address) => Ok(Self::Tcp(address)),
            On::Http(url) => Ok(Self::Http(url)),
        }
    }
}
