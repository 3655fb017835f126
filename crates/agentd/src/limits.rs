//! What keeps the limits of an instance on this host, in words: pure.
//!
//! A cgroup counts all processes of a run together. Where the keeper can make none, or one that cannot limit what is asked
//! for, the kernel's limits of single processes come nearest, and a person is told the difference. The keeper's
//! `hands/limits.rs` is what does as it is said here.

use eco_config::spec::Limits;

/// Where runs have cgroups of their own, and what those can limit. The keeper tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Groups {
    /// The folder that they are in.
    pub folder: String,
    /// The names of limits that they keep.
    pub keeps: Vec<&'static str>,
}

/// Whose processes are limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// Root, whom the kernel lets have any number of processes.
    Root,
    /// Somebody else.
    Other,
}

/// A limit and what keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// What is limited.
    pub name: &'static str,
    /// How much there may be.
    pub value: String,
    /// What keeps it.
    pub by: Keeper,
}

/// What keeps a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeper {
    /// The run's cgroup: all of its processes count together.
    Group,
    /// A limit of each process.
    EachProcess,
    /// A limit of each process that counts all of its user's.
    User,
    /// Nothing can.
    Nothing,
}

impl Keeper {
    /// A fragment that fits behind a colon.
    #[must_use]
    pub const fn how(self) -> &'static str {
        match self {
            Self::Group => "all processes together, by a cgroup",
            Self::EachProcess => "each process by itself",
            Self::User => "all processes of the user together, those of other apps too",
            Self::Nothing => "not applied, no cgroup can be made for it here",
        }
    }
}

/// The name of the limit of memory.
pub const MEMORY: &str = "memory";
/// The name of the limit of processor time.
pub const CPU: &str = "cpu";
/// The name of the limit of processes and threads.
pub const TASKS: &str = "tasks";
/// The name of the limit of open descriptors.
const OPEN_FILES: &str = "open_files";

/// All limits that were asked for, each with what keeps it.
#[must_use]
pub fn kept(limits: &Limits, groups: &Groups, owner: Owner) -> Vec<Kept> {
    let else_by = |name: &'static str, otherwise| {
        if groups.keeps.contains(&name) {
            Keeper::Group
        } else {
            otherwise
        }
    };
    let of_user = match owner {
        Owner::Root => Keeper::Nothing,
        Owner::Other => Keeper::User,
    };
    let one = |name, value: Option<String>, by| value.map(|value| Kept { name, value, by });
    let cpu = limits.cpu_millis.map(processors);
    [
        one(
            MEMORY,
            limits.memory.map(size),
            else_by(MEMORY, Keeper::EachProcess),
        ),
        one(CPU, cpu, else_by(CPU, Keeper::Nothing)),
        one(
            TASKS,
            limits.tasks.map(|count| count.to_string()),
            else_by(TASKS, of_user),
        ),
        one(
            OPEN_FILES,
            limits.open_files.map(|count| count.to_string()),
            Keeper::EachProcess,
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What a person should know who asked for these limits, each a full sentence.
#[must_use]
pub fn notes(kept: &[Kept]) -> Vec<String> {
    let notes = kept.iter().filter_map(|Kept { name, value, by }| {
        match by {
            Keeper::Group => None,
            Keeper::EachProcess if *name == OPEN_FILES => None,
            Keeper::EachProcess => Some(format!(
                "The {name} limit ({value}) holds for each process by itself and not for all of the app's together: no \
                 cgroup that limits {name} can be made here."
            )),
            Keeper::User => Some(format!(
                "The {name} limit ({value}) counts all processes of the user, those of other apps too: no cgroup that \
                 limits {name} can be made here."
            )),
            Keeper::Nothing => Some(format!(
                "The {name} limit ({value}) is not applied: no cgroup that limits {name} can be made here."
            )),
        }
    });
    notes.collect()
}

/// Bytes as people write them in a file.
#[must_use]
pub fn size(bytes: u64) -> String {
    let units = [(30, "G"), (20, "M"), (10, "K")];
    units
        .into_iter()
        .find(|(shift, _)| bytes >> shift > 0 && bytes.trailing_zeros() >= *shift)
        .map_or_else(
            || format!("{bytes} bytes"),
            |(shift, unit)| format!("{}{unit}", bytes >> shift),
        )
}

/// Thousandths of a processor, as a number of processors.
fn processors(millis: u32) -> String {
    let text = format!("{}.{:03}", millis / 1000, millis % 1000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Limits {
        Limits {
            memory: Some(512 << 20),
            cpu_millis: Some(1500),
            tasks: Some(64),
            open_files: Some(1024),
        }
    }

    fn by(groups: &[&'static str], owner: Owner) -> Vec<(&'static str, Keeper)> {
        let groups = Groups {
            folder: "/cg".to_owned(),
            keeps: groups.to_vec(),
        };
        let kept = kept(&all(), &groups, owner);
        kept.into_iter().map(|kept| (kept.name, kept.by)).collect()
    }

    #[test]
    fn a_cgroup_keeps_what_it_can_and_the_rest_is_kept_as_well_as_may_be() {
        use Keeper::{EachProcess, Group, Nothing, User};
        let files = (OPEN_FILES, EachProcess);
        assert_eq!(
            by(&[MEMORY, CPU, TASKS], Owner::Root),
            [(MEMORY, Group), (CPU, Group), (TASKS, Group), files]
        );
        assert_eq!(
            by(&[TASKS], Owner::Other),
            [(MEMORY, EachProcess), (CPU, Nothing), (TASKS, Group), files]
        );
        assert_eq!(
            by(&[], Owner::Other),
            [(MEMORY, EachProcess), (CPU, Nothing), (TASKS, User), files]
        );
    }

    #[test]
    fn root_may_have_any_number_of_processes_without_a_cgroup() {
        assert!(by(&[], Owner::Root).contains(&(TASKS, Keeper::Nothing)));
    }

    #[test]
    fn only_what_is_not_as_it_was_asked_for_is_told() {
        let of = |groups: &Groups| notes(&kept(&all(), groups, Owner::Other));
        let all_of_them = Groups {
            folder: "/cg".to_owned(),
            keeps: vec![MEMORY, CPU, TASKS],
        };
        assert!(of(&all_of_them).is_empty());
        let without = of(&Groups::default());
        assert_eq!(without.len(), 3);
        assert_eq!(
            without.get(1).map(String::as_str),
            Some("The cpu limit (1.5) is not applied: no cgroup that limits cpu can be made here.")
        );
        let nothing = kept(&Limits::default(), &Groups::default(), Owner::Root);
        assert!(nothing.is_empty());
    }

    #[test]
    fn sizes_and_shares_are_told_as_they_are_written() {
        assert_eq!(size(512 << 20), "512M");
        assert_eq!(size(3 << 30), "3G");
        assert_eq!(size((1 << 20) + 1), "1048577 bytes");
        assert_eq!(size(0), "0 bytes");
        assert_eq!(processors(500), "0.5");
        assert_eq!(processors(2000), "2");
        assert_eq!(processors(10), "0.01");
    }
}
