//! Which environment the apps of a file belong to.
//!
//! Asked in this order; the answer depends on nothing but the file's path, so that the same file means the same apps from
//! wherever it is named:
//!
//! 1. `--environment`, or `ECO_ENVIRONMENT`.
//! 2. The folder below the nearest `process-manager`: `process-manager/dev/api/ecosystem.config.js` is of `dev`.
//! 3. The file's own folder, where its name is one that environments commonly have.
//! 4. `default`.

use std::path::Path;

/// The environment of what names none.
pub(crate) const DEFAULT: &str = "default";

const COMMON: [&str; 7] = [
    "dev",
    "development",
    "local",
    "prod",
    "production",
    "staging",
    "test",
];

/// The folder whose children are environments.
pub(crate) const PARENT: &str = "process-manager";

/// Returns the environment of the apps in `file`; `given` is what the person chose.
pub(crate) fn of_file(file: &Path, given: Option<&str>) -> String {
    given
        .or_else(|| below_parent(file))
        .or_else(|| folder_name(file).filter(|name| COMMON.contains(name)))
        .unwrap_or(DEFAULT)
        .to_owned()
}

fn below_parent(file: &Path) -> Option<&str> {
    let folder = file.parent()?;
    folder
        .ancestors()
        .find(|below| folder_name(below) == Some(PARENT))
        .and_then(|environment| environment.file_name()?.to_str())
}

/// The name of the folder that `path` is in.
fn folder_name(path: &Path) -> Option<&str> {
    path.parent()?.file_name()?.to_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(file: &str) -> String {
        of_file(Path::new(file), None)
    }

    #[test]
    fn a_service_s_file_is_of_the_environment_above_it() {
        assert_eq!(of("/p/process-manager/dev/ecosystem.config.js"), "dev");
        assert_eq!(of("/p/process-manager/qa/api/ecosystem.config.js"), "qa");
        assert_eq!(of("/p/process-manager/ecosystem.config.js"), "default");
    }

    #[test]
    fn the_nearest_parent_counts() {
        let file = "/process-manager/x/process-manager/dev/a/b/ecosystem.config.js";
        assert_eq!(of(file), "dev");
    }

    #[test]
    fn a_folder_with_a_common_name_is_an_environment_and_another_is_not() {
        assert_eq!(of("/p/staging/ecosystem.config.js"), "staging");
        assert_eq!(of("/p/api/ecosystem.config.js"), "default");
    }

    #[test]
    fn what_the_person_chose_wins() {
        let file = Path::new("/p/process-manager/dev/ecosystem.config.js");
        assert_eq!(of_file(file, Some("qa")), "qa");
    }
}
