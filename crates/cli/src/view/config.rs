//! What a file comes to.

use std::path::Path;

use eco_proto::agent::v1::AppSpec;
use serde::Serialize;
use serde_json::{Map, Value};

use super::spec::fields;
use crate::redaction::Secrets;

/// A file's apps. The names of the fields are the contract of `eco config --json`, and those of an app are the fields of
/// an ecosystem file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Config {
    pub(crate) environment: String,
    pub(crate) file: String,
    pub(crate) apps: Vec<Map<String, Value>>,
}

/// Makes a view.
pub(crate) fn config(environment: &str, file: &Path, apps: &[AppSpec], secrets: Secrets) -> Config {
    Config {
        environment: environment.to_owned(),
        file: file.display().to_string(),
        apps: apps.iter().map(|app| fields(app, secrets)).collect(),
    }
}
