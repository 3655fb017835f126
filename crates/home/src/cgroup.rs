//! Where processes are in the tree of cgroups (version 2), which keeper and launcher both look at.
//!
//! ```text
//! <where a group may be made>/          the root of the tree, or what a service manager handed over
//! ├── eco.daemons/                      the daemons, where limits need that nobody is left above
//! └── eco-<home>/                       one home's runs, made by its keeper
//!     └── dev:api:0:7/                  one run: its processes, and their limits
//! ```
//!
//! A daemon that an app launches begins its life in the app's own group, and would be ended with it: whoever launches one
//! takes it [out][leave].

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

/// What the names of homes' groups begin with.
const HOME: &str = "eco-";
/// Where the daemons are when nobody may be left above.
pub const DAEMONS: &str = "eco.daemons";
/// The members of a group: read for their pids, written to move a process in.
pub const PROCS: &str = "cgroup.procs";
/// Longer names are cut: a file's name has 255 bytes at the most.
const LONGEST: usize = 200;

/// The name of the group of the home in `root`: the same in every version, and no other home's.
#[must_use]
pub fn name_of_home(root: &Path) -> String {
    format!("{HOME}{:016x}", fingerprint(path_bytes(root)))
}

/// The name of the group of the run that keeps its output in `folder`.
#[must_use]
pub fn name_of_run(folder: &Path) -> String {
    let parts: Vec<_> = folder.iter().map(|part| part.to_string_lossy()).collect();
    let last = parts.get(parts.len().saturating_sub(4)..);
    let name = last.unwrap_or_default().join(":");
    if name.len() <= LONGEST {
        return name;
    }
    let kept: String = name.chars().take(LONGEST / 4).collect();
    format!("{kept}:{:016x}", fingerprint(path_bytes(folder)))
}

/// A number that tells what is named by these bytes from what is named by others: FNV-1a, which never changes, as the
/// standard library's hashes may.
#[must_use]
pub fn fingerprint<'a>(bytes: impl IntoIterator<Item = &'a u8>) -> u64 {
    let bytes = bytes.into_iter();
    bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn path_bytes(path: &Path) -> &[u8] {
    use std::os::unix::ffi::OsStrExt as _;
    path.as_os_str().as_bytes()
}

/// The tree of cgroups as this process sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    /// Which group of the tree stands at `point`.
    root: PathBuf,
    /// Where it is mounted.
    pub point: PathBuf,
}

impl Tree {
    /// Finds it among what is mounted; `None` where there is none.
    #[must_use]
    pub fn mounted() -> Option<Self> {
        Self::among(&fs::read_to_string("/proc/self/mountinfo").ok()?)
    }

    /// Finds it in the text of a mountinfo (proc(5)).
    fn among(mounts: &str) -> Option<Self> {
        mounts.lines().find_map(|line| {
            let (mount, about) = line.split_once(" - ")?;
            if about.split(' ').next() != Some("cgroup2") {
                return None;
            }
            let mut fields = mount.split(' ').skip(3);
            let mut path = || Some(PathBuf::from(unescape(fields.next()?)));
            Some(Self {
                root: path()?,
                point: path()?,
            })
        })
    }

    /// The folder of the group that a process (a pid, or `self`) is in; `None` when it is outside of what is mounted.
    #[must_use]
    pub fn group_of(&self, process: &str) -> Option<PathBuf> {
        self.group_in(&fs::read_to_string(format!("/proc/{process}/cgroup")).ok()?)
    }

    fn group_in(&self, groups: &str) -> Option<PathBuf> {
        let path = groups.lines().find_map(|line| line.strip_prefix("0::"))?;
        // That of a group which was removed meanwhile.
        let path = Path::new(path.strip_suffix(" (deleted)").unwrap_or(path));
        let below = path.strip_prefix(&self.root).ok()?;
        let is_inside = below
            .components()
            .all(|part| matches!(part, Component::Normal(_)));
        is_inside.then(|| self.point.join(below))
    }
}

/// A space in a path of a mountinfo is written `\040`.
fn unescape(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let code = behind.get(..3).filter(|_| *first == b'\\');
        let code = code.and_then(|digits| std::str::from_utf8(digits).ok());
        let code = code.and_then(|digits| u8::from_str_radix(digits, 8).ok());
        bytes.push(code.unwrap_or(*first));
        rest = code.and_then(|_| behind.get(3..)).unwrap_or(behind);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Takes the process `pid` out of a run's group, if it is in one: nothing to do is well done.
pub fn leave(pid: u32) -> io::Result<()> {
    let Some(group) = Tree::mounted().and_then(|tree| tree.group_of(&pid.to_string())) else {
        return Ok(());
    };
    let Some(outside) = outside(&group) else {
        return Ok(());
    };
    let enter = |group: &Path| fs::write(group.join(PROCS), pid.to_string());
    // Nobody may be in a group that hands limits on.
    enter(outside).or_else(|_| enter(&outside.join(DAEMONS)))
}

/// The group in which a home's group was made that holds `group`.
fn outside(group: &Path) -> Option<&Path> {
    let is_home = |path: &&Path| {
        let name = path.file_name().and_then(|name| name.to_str());
        let digits = name.and_then(|name| name.strip_prefix(HOME));
        digits.is_some_and(|digits| {
            digits.len() == 16 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
        })
    };
    group.ancestors().filter(is_home).last()?.parent()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
        30 25 0:26 / /sys/fs/cgroup/cpu rw,relatime shared:9 - cgroup cgroup rw,cpu\n\
        31 25 0:27 / /sys/fs/cgroup/uni\\040fied rw,relatime shared:10 - cgroup2 cgroup2 rw\n";

    #[test]
    fn the_tree_is_found_among_the_mounts_of_both_versions() {
        let tree = Tree::among(MOUNTS).expect("mounted");
        assert_eq!(tree.point, Path::new("/sys/fs/cgroup/uni fied"));
        assert_eq!(Tree::among(MOUNTS.lines().next().expect("a line")), None);
    }

    #[test]
    fn a_group_is_named_as_it_is_seen_from_the_mount() {
        let tree = |root: &str| Tree {
            root: root.into(),
            point: "/cg".into(),
        };
        let group = |root: &str, path: &str| {
            let text = format!("4:memory:/x\n0::{path}\n");
            tree(root).group_in(&text)
        };
        assert_eq!(group("/", "/a/b"), Some("/cg/a/b".into()));
        assert_eq!(group("/", "/"), Some("/cg/".into()));
        assert_eq!(group("/a", "/a/b (deleted)"), Some("/cg/b".into()));
        assert_eq!(group("/a", "/b"), None);
        assert_eq!(group("/", "/../b"), None);
        assert_eq!(tree("/").group_in("4:memory:/x\n"), None);
    }

    #[test]
    fn a_process_leaves_to_above_all_homes_it_is_below() {
        let home = name_of_home(Path::new("/home/me/.eco"));
        let run = format!("/cg/x/{home}/dev:api:0:7");
        assert_eq!(outside(Path::new(&run)), Some(Path::new("/cg/x")));
        let nested = format!("{run}/{home}/dev:api:0:1");
        assert_eq!(outside(Path::new(&nested)), Some(Path::new("/cg/x")));
        for free in ["/cg", "/cg/eco-x/y", "/cg/eco.daemons"] {
            assert_eq!(outside(Path::new(free)), None, "{free}");
        }
    }

    #[test]
    fn a_run_s_group_is_named_after_its_folder_and_a_long_name_is_cut() {
        let name = name_of_run(Path::new("/h/runs/box/dev/@acme%2Fapi/0/7"));
        assert_eq!(name, "dev:@acme%2Fapi:0:7");
        let long = |end: &str| name_of_run(&Path::new("/dev").join("é".repeat(120)).join(end));
        assert!(long("1").len() <= LONGEST);
        assert_ne!(long("1"), long("2"));
    }
}
