//! What `eco list --json` says.

use serde_json::Value;

/// One instance.
#[derive(Clone, Debug)]
pub struct Instance(Value);

impl Instance {
    /// Returns a field.
    ///
    /// # Panics
    /// When there is no such field.
    #[track_caller]
    #[must_use]
    pub fn field(&self, name: &str) -> &Value {
        self.0
            .get(name)
            .unwrap_or_else(|| panic!("no field {name} in {}", self.0))
    }

    /// Returns a field that holds text, "" where it is null.
    #[track_caller]
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        self.field(name).as_str().unwrap_or_default()
    }

    /// Returns a field that holds a number.
    ///
    /// # Panics
    /// When it holds none.
    #[track_caller]
    #[must_use]
    pub fn number(&self, name: &str) -> u64 {
        let value = self.field(name);
        value
            .as_u64()
            .unwrap_or_else(|| panic!("{name} is {value} in {}", self.0))
    }

    /// Returns its process.
    ///
    /// # Panics
    /// When it has none.
    #[track_caller]
    #[must_use]
    pub fn pid(&self) -> i32 {
        i32::try_from(self.number("pid")).expect("a pid is small")
    }

    /// Returns its status.
    #[must_use]
    pub fn status(&self) -> &str {
        self.text("status")
    }

    /// Returns `environment/name`.
    #[must_use]
    pub fn full_name(&self) -> String {
        format!("{}/{}", self.text("env"), self.text("name"))
    }
}

/// All of a list.
#[derive(Clone, Debug)]
pub struct Instances(Vec<Instance>);

impl Instances {
    pub(crate) fn new(document: Value) -> Self {
        let Value::Array(all) = document else {
            panic!("an array was promised: {document}");
        };
        Self(all.into_iter().map(Instance).collect())
    }

    /// Finds the only instance of an app by `name` or `environment/name`.
    ///
    /// # Panics
    /// When there is none, or several.
    #[track_caller]
    #[must_use]
    pub fn one(&self, name: &str) -> &Instance {
        let mut found = self
            .0
            .iter()
            .filter(|one| one.text("name") == name || one.full_name() == name);
        match (found.next(), found.next()) {
            (Some(only), None) => only,
            (None, _) | (Some(_), Some(_)) => panic!("not exactly one {name} in {:?}", self.0),
        }
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> &[Instance] {
        &self.0
    }

    /// Their `environment/name`.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.0.iter().map(Instance::full_name).collect()
    }

    /// The names and processes of those that run.
    #[must_use]
    pub fn pids(&self) -> Vec<(String, u64, i32)> {
        self.0
            .iter()
            .filter(|one| !one.field("pid").is_null())
            .map(|one| (one.full_name(), one.number("instance"), one.pid()))
            .collect()
    }

    /// Whether all of them are of this status.
    #[must_use]
    pub fn are_all(&self, status: &str) -> bool {
        self.0.iter().all(|one| one.status() == status)
    }
}
