//! How a process shows which run it belongs to, wherever it went.

use eco_home::cgroup::fingerprint;
use eco_home::launch::RUN_MARK;
use eco_proto::keeper::v1::RunKey;

/// What marks the processes of a run: who it is, and a number that no run of another home or another boot has. A later
/// keeper makes the same of what the agent tells it.
pub(crate) fn mark(key: &RunKey, run_dir: &[u8], boot_id: &str) -> Vec<u8> {
    let number = number(run_dir, boot_id);
    format!("{RUN_MARK}={}@{number:016x}", name(key)).into_bytes()
}

/// A number that no run of another home or another boot has.
pub(super) fn number(run_dir: &[u8], boot_id: &str) -> u64 {
    fingerprint(run_dir.iter().chain(boot_id.as_bytes()))
}

/// The run as people write it; a NUL, which no environment can hold, is left out.
pub(super) fn name(key: &RunKey) -> String {
    let RunKey {
        environment,
        app,
        instance,
        run,
    } = key;
    format!("{environment}/{app}/{instance}/{run}").replace('\0', "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_names_the_run_and_differs_by_home_and_boot() {
        let key = RunKey {
            environment: "dev".to_owned(),
            app: "api".to_owned(),
            instance: 2,
            run: 7,
        };
        let marked = mark(&key, b"/home/a", "boot");
        assert!(marked.starts_with(b"ECO_RUN_ID=dev/api/2/7@"));
        assert_eq!(marked, mark(&key, b"/home/a", "boot"));
        assert_ne!(marked, mark(&key, b"/home/b", "boot"));
        assert_ne!(marked, mark(&key, b"/home/a", "later"));
    }
}
