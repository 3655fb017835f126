//! Why the kernel does not tell of changes any more, for people: which limit it is, what it is set to, and how to raise it.

use crate::os::inotify::Refusal;

/// A limit as it is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Setting {
    /// What sysctl calls it.
    name: &'static str,
    value: u64,
}

/// The limits as they are set; `None` where they cannot be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Limits {
    watches: Option<Setting>,
    instances: Option<Setting>,
}

impl Limits {
    pub(super) fn read() -> Self {
        Self {
            watches: smallest(["fs.inotify.max_user_watches", "user.max_inotify_watches"]),
            instances: smallest([
                "fs.inotify.max_user_instances",
                "user.max_inotify_instances",
            ]),
        }
    }
}

/// The one that counts: a container may have a limit of its own.
fn smallest(names: [&'static str; 2]) -> Option<Setting> {
    let read = |name: &'static str| {
        let path = format!("/proc/sys/{}", name.replace('.', "/"));
        let value = std::fs::read_to_string(path).ok()?.trim().parse().ok()?;
        Some(Setting { name, value })
    };
    let settings = names.into_iter().filter_map(read);
    settings.min_by_key(|setting| setting.value)
}

/// What happened and how it is mended, as sentences.
pub(super) fn message(refusal: &Refusal, limits: Limits) -> String {
    match refusal {
        Refusal::Folders => {
            let (most, raise) = told(limits.watches, "fs.inotify.max_user_watches", 524_288);
            format!(
                "The kernel lets a user watch {most} folders, and all of them are taken. {raise}"
            )
        }
        Refusal::Tellers => {
            let (most, raise) = told(limits.instances, "fs.inotify.max_user_instances", 1024);
            format!(
                "The kernel lets a user have {most} programs that watch, and there are as many. {raise}"
            )
        }
        Refusal::Descriptors => "The agent has as many descriptors open as it may (ulimit -n). \
                                 Raise that in a shell, and let another agent take over from there \
                                 with: eco update"
            .to_owned(),
        Refusal::Other(error) => format!("The kernel does not tell of changes: {error}."),
    }
}

/// The value of a limit, and the line that raises it.
fn told(setting: Option<Setting>, usual: &'static str, enough: u64) -> (String, String) {
    let name = setting.map_or(usual, |setting| setting.name);
    let most = setting.map_or_else(|| "only so many".to_owned(), |it| it.value.to_string());
    let more = setting.map_or(enough, |it| it.value.saturating_mul(2).max(enough));
    let raise = format!(
        "Raise {name} with: sudo sysctl {name}={more} (written into a file in /etc/sysctl.d it holds \
         after a boot, too)."
    );
    (most, raise)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(name: &'static str, value: u64) -> Limits {
        let setting = Some(Setting { name, value });
        Limits {
            watches: setting,
            instances: setting,
        }
    }

    #[test]
    fn the_message_names_the_limit_its_value_and_the_line_that_raises_it() {
        let few = limits("fs.inotify.max_user_watches", 8192);
        let watches = message(&Refusal::Folders, few);
        assert!(watches.contains("watch 8192 folders"), "{watches}");
        assert!(
            watches.contains("sudo sysctl fs.inotify.max_user_watches=524288 "),
            "{watches}"
        );
        let many = limits("user.max_inotify_watches", 1 << 20);
        assert!(message(&Refusal::Folders, many).contains("user.max_inotify_watches=2097152 "));
        let instances = message(
            &Refusal::Tellers,
            limits("fs.inotify.max_user_instances", 128),
        );
        assert!(
            instances.contains("fs.inotify.max_user_instances=1024 ") && instances.contains("128")
        );
        let unknown = message(&Refusal::Folders, Limits::default());
        assert!(unknown.contains("only so many") && unknown.contains("max_user_watches=524288"));
    }

    #[test]
    fn the_smaller_of_two_settings_counts() {
        let read = Limits::read();
        assert!(read.watches.is_some_and(|it| it.value > 0));
        assert!(read.instances.is_some_and(|it| it.value > 0));
        assert_eq!(smallest(["kernel.no_such_thing", "kernel.nor_such"]), None);
    }
}
