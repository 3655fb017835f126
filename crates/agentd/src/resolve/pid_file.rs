//! Where the pid files of an app are on this host.

use std::path::PathBuf;

use eco_config::spec::AppSpec;
use eco_home::numbered::numbered;

use super::search::{at_home, clean, meant_cwd};

/// The file that holds the pid of an instance; `None`: it has none.
///
/// The only instance of an app has the file that was written, of several each has one of its own: `api.pid` is
/// `api-0.pid`, `api-1.pid` and so on. One that is on its way out because fewer were asked for keeps its own.
#[must_use]
pub fn pid_file(spec: &AppSpec, instance: u32) -> Option<PathBuf> {
    let path = written(spec)?;
    if spec.instances == 1 && instance == 0 {
        Some(path)
    } else {
        Some(numbered(&path, instance))
    }
}

/// Those of all instances, also if their number was another.
#[must_use]
pub fn all_pid_files(spec: &AppSpec) -> Vec<PathBuf> {
    let path = written(spec);
    let each = |path: PathBuf| {
        let of_instances: Vec<PathBuf> =
            (0..spec.instances).map(|it| numbered(&path, it)).collect();
        std::iter::once(path).chain(of_instances)
    };
    path.into_iter().flat_map(each).collect()
}

/// Counts from the working directory.
fn written(spec: &AppSpec) -> Option<PathBuf> {
    let path = at_home(spec.pid_file.as_deref()?);
    Some(clean(&meant_cwd(spec).join(path)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::tests::spec;

    fn of(file: &str, instances: u32, instance: u32) -> String {
        let mut spec = spec("dev", "api");
        spec.cwd = Some("/srv/app".into());
        spec.pid_file = Some(file.into());
        spec.instances = instances;
        let path = pid_file(&spec, instance).expect("it has one");
        path.display().to_string()
    }

    #[test]
    fn it_counts_from_the_working_directory() {
        assert_eq!(of("run/api.pid", 1, 0), "/srv/app/run/api.pid");
        assert_eq!(of("../api.pid", 1, 0), "/srv/api.pid");
        assert_eq!(of("/run/api.pid", 1, 0), "/run/api.pid");
        let home = std::env::var("HOME").expect("whoever tests has a home");
        assert_eq!(of("~/api.pid", 1, 0), format!("{home}/api.pid"));
        assert_eq!(pid_file(&spec("dev", "api"), 0), None);
    }

    #[test]
    fn several_instances_have_a_file_each() {
        assert_eq!(of("api.pid", 2, 0), "/srv/app/api-0.pid");
        assert_eq!(of("api.v2.pid", 12, 11), "/srv/app/api.v2-11.pid");
        assert_eq!(of("pid", 2, 1), "/srv/app/pid-1");
        // Two were reduced to one, and this one has not ended yet.
        assert_eq!(of("api.pid", 1, 1), "/srv/app/api-1.pid");
    }
}
