//! What keeps a limit: pure.
//!
//! | limit | where the run's cgroup can | elsewhere |
//! | --- | --- | --- |
//! | memory | `memory.max`, of all its processes together, and no swap beyond it | `RLIMIT_DATA`, of each process |
//! | cpu | `cpu.max` | nothing can |
//! | tasks | `pids.max` | `RLIMIT_NPROC`, of the user, and not of root |
//! | open files | `RLIMIT_NOFILE`, of each process | the same |
//!
//! `RLIMIT_DATA` and not `RLIMIT_AS`: Node and others reserve much address space that they never touch, and do not start
//! without it.

use std::collections::BTreeSet;

use eco_proto::keeper::v1::Limits;
use nix::sys::resource::Resource;

use super::exec::FileLimit;

/// What a group can limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Controller {
    Memory,
    Cpu,
    Tasks,
}

impl Controller {
    pub(super) const ALL: [Self; 3] = [Self::Memory, Self::Cpu, Self::Tasks];

    /// The kernel's name for it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Cpu => "cpu",
            Self::Tasks => "pids",
        }
    }
}

/// A file of a group, and what is written to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Setting {
    pub(super) file: &'static str,
    pub(super) value: String,
    pub(super) where_missing: Missing,
}

/// What it means that the kernel has no such file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// The limit cannot be kept.
    Fails,
    /// It counts nothing of the kind.
    IsFine,
}

/// What is written to a run's group.
pub(super) fn of_group(limits: &Limits, can: &BTreeSet<Controller>) -> Vec<Setting> {
    let set = |file, value, where_missing| Setting {
        file,
        value,
        where_missing,
    };
    let mut settings = Vec::new();
    if let (Some(bytes), true) = (limits.memory_bytes, can.contains(&Controller::Memory)) {
        settings.push(set("memory.max", bytes.to_string(), Missing::Fails));
        // What the kernel swaps out would not count, so that the app would be slow instead of ended.
        settings.push(set("memory.swap.max", "0".to_owned(), Missing::IsFine));
    }
    if let (Some(millis), true) = (limits.cpu_millis, can.contains(&Controller::Cpu)) {
        settings.push(set("cpu.max", cpu_max(millis), Missing::Fails));
    }
    if let (Some(tasks), true) = (limits.tasks, can.contains(&Controller::Tasks)) {
        settings.push(set("pids.max", tasks.to_string(), Missing::Fails));
    }
    settings
}

/// Microseconds of processor time in each span of so many; the kernel takes no share below a millisecond.
fn cpu_max(millis: u32) -> String {
    const SHORT: u64 = 100_000;
    const LONG: u64 = 1_000_000;
    let millis = u64::from(millis).max(1);
    let span = if millis < 10 { LONG } else { SHORT };
    format!("{} {span}", millis * span / 1000)
}

/// What is set for each process of a run, as (resource, soft, hard). `files` is what apps have without a limit.
pub(super) fn of_each(
    limits: &Limits,
    can: &BTreeSet<Controller>,
    files: FileLimit,
) -> Vec<(Resource, u64, u64)> {
    let (soft, hard) = limits
        .open_files
        .map_or((files.soft, files.hard), |wanted| {
            let most = wanted.min(files.most);
            (most, most)
        });
    let mut bounds = vec![(Resource::RLIMIT_NOFILE, soft, hard)];
    let mut bound = |resource, limit: Option<u64>, controller| {
        if let (Some(limit), false) = (limit, can.contains(&controller)) {
            bounds.push((resource, limit, limit));
        }
    };
    bound(
        Resource::RLIMIT_DATA,
        limits.memory_bytes,
        Controller::Memory,
    );
    bound(
        Resource::RLIMIT_NPROC,
        limits.tasks.map(u64::from),
        Controller::Tasks,
    );
    bounds
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILES: FileLimit = FileLimit {
        soft: 1024,
        hard: 4096,
        most: 4096,
    };

    fn all() -> Limits {
        Limits {
            memory_bytes: Some(512 << 20),
            cpu_millis: Some(500),
            tasks: Some(64),
            open_files: Some(100),
        }
    }

    fn written(limits: &Limits, can: &[Controller]) -> Vec<(&'static str, String)> {
        let settings = of_group(limits, &can.iter().copied().collect());
        let pairs = settings.into_iter().map(|one| (one.file, one.value));
        pairs.collect()
    }

    #[test]
    fn a_group_that_can_keeps_all_but_the_open_files() {
        let expected = [
            ("memory.max", "536870912"),
            ("memory.swap.max", "0"),
            ("cpu.max", "50000 100000"),
            ("pids.max", "64"),
        ];
        let expected = expected.map(|(file, value)| (file, value.to_owned()));
        assert_eq!(written(&all(), &Controller::ALL), expected);
        let each = of_each(&all(), &Controller::ALL.into(), FILES);
        assert_eq!(each, [(Resource::RLIMIT_NOFILE, 100, 100)]);
    }

    #[test]
    fn what_the_group_cannot_keep_is_asked_of_each_process() {
        let can = [Controller::Tasks];
        assert_eq!(written(&all(), &can), [("pids.max", "64".to_owned())]);
        let each = of_each(&all(), &can.into(), FILES);
        let expected = [
            (Resource::RLIMIT_NOFILE, 100, 100),
            (Resource::RLIMIT_DATA, 512 << 20, 512 << 20),
        ];
        assert_eq!(each, expected);
        let none = of_each(&all(), &BTreeSet::new(), FILES);
        assert!(none.contains(&(Resource::RLIMIT_NPROC, 64, 64)));
    }

    #[test]
    fn without_limits_an_app_gets_its_own_limit_of_files_and_nothing_is_written() {
        let limits = Limits::default();
        let each = of_each(&limits, &BTreeSet::new(), FILES);
        assert_eq!(each, [(Resource::RLIMIT_NOFILE, 1024, 4096)]);
        assert!(written(&limits, &Controller::ALL).is_empty());
    }

    #[test]
    fn no_more_files_are_asked_for_than_may_be_given() {
        let limits = Limits {
            open_files: Some(1 << 40),
            ..Limits::default()
        };
        let each = of_each(&limits, &BTreeSet::new(), FILES);
        assert_eq!(each, [(Resource::RLIMIT_NOFILE, 4096, 4096)]);
    }

    #[test]
    fn a_small_share_of_a_processor_is_counted_over_a_longer_span() {
        assert_eq!(cpu_max(1), "1000 1000000");
        assert_eq!(cpu_max(0), "1000 1000000");
        assert_eq!(cpu_max(10), "1000 100000");
        assert_eq!(cpu_max(2500), "250000 100000");
    }
}
