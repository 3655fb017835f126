//! Why the kernel does not tell of changes any more, for people: which limit it is, what it is set to, and how to raise it.

use crate::os::inotify::Refusal;

/// The limits as they are set; `None` where they cannot be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Limits {
    pub(super) watches: Option<u64>,
    pub(super) instances: Option<u64>,
}

impl Limits {
    pub(super) fn read() -> Self {
        let of = |name: &str| {
            let path = format!("/proc/sys/fs/inotify/{name}");
            std::fs::read_to_string(path).ok()?.trim().parse().ok()
        };
        Self {
            watches: of("max_user_watches"),
            instances: of("max_user_instances"),
        }
    }
}

/// What happened and how it is mended, as sentences.
pub(super) fn message(refusal: &Refusal, limits: Limits) -> String {
    match refusal {
        Refusal::Folders => {
            let more = limits.watches.map_or(524_288, |now| (now * 2).max(524_288));
            format!(
                "The kernel lets a user watch {} folders (fs.inotify.max_user_watches), and all of them are taken. Raise \
                 it with: sudo sysctl fs.inotify.max_user_watches={more}",
                shown(limits.watches)
            )
        }
        Refusal::Tellers => {
            let more = limits.instances.map_or(1024, |now| (now * 2).max(1024));
            format!(
                "The kernel lets a user have {} programs that watch (fs.inotify.max_user_instances), and there are as \
                 many. Raise it with: sudo sysctl fs.inotify.max_user_instances={more}",
                shown(limits.instances)
            )
        }
        Refusal::Descriptors => {
            "The agent has as many descriptors open as it may (ulimit -n). Raise that in a shell, \
                                 and let another agent take over from there with: eco update"
                .to_owned()
        }
        Refusal::Other(error) => format!("The kernel does not tell of changes: {error}."),
    }
}

fn shown(limit: Option<u64>) -> String {
    limit.map_or_else(|| "only so many".to_owned(), |limit| limit.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_names_the_limit_its_value_and_the_line_that_raises_it() {
        let limits = Limits {
            watches: Some(8192),
            instances: Some(128),
        };
        let watches = message(&Refusal::Folders, limits);
        assert!(watches.contains("8192 folders"), "{watches}");
        assert!(
            watches.ends_with("sudo sysctl fs.inotify.max_user_watches=524288"),
            "{watches}"
        );
        let instances = message(&Refusal::Tellers, limits);
        assert!(instances.contains("max_user_instances") && instances.contains("128"));
        let many = Limits {
            watches: Some(1 << 20),
            ..limits
        };
        assert!(message(&Refusal::Folders, many).ends_with("=2097152"));
        assert!(message(&Refusal::Folders, Limits::default()).contains("only so many"));
    }
}
