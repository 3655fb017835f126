//! Where the keeper makes cgroups, and what they can limit there.
//!
//! ```text
//!   places, the best first                  tried in turn; the one that can limit most is taken
//!   ├── the group the keeper is in          a service manager may have handed it over
//!   └── the root of the tree                where we are root
//!
//!   <place>/  cgroup.subtree_control: +memory +cpu +pids
//!   ├── eco.daemons/      made where the kernel wants nobody left in <place>, and only daemons of ours are
//!   └── eco-<home>/       all of a home: cgroup.subtree_control likewise
//!       └── <run>/        see `cgroup`
//! ```
//!
//! Nothing here is needed: without a place, or where a place hands no limits on, runs are known and limited as well as
//! can be without.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use eco_home::cgroup::{DAEMONS, PROCS, Tree, name_of_home, name_of_run};
use eco_home::{Daemon, Home};
use eco_proto::keeper::v1::{Groups, Limits};
use nix::unistd::geteuid;

use super::cgroup::{Cgroup, CgroupError};
use super::limits::{self, Controller};
use super::say::say;

/// What a group can hand on.
const CONTROLLERS: &str = "cgroup.controllers";
/// What a group hands on.
const HANDED_ON: &str = "cgroup.subtree_control";
/// A program's name as the kernel keeps it is cut to this.
const LONGEST_NAME: usize = 15;

/// Where this keeper makes groups.
#[derive(Debug)]
pub(super) struct Cgroups {
    tree: Tree,
    folder: PathBuf,
    can: BTreeSet<Controller>,
}

impl Cgroups {
    /// Finds the best place for the groups of `home`, and takes away what an earlier keeper left empty there.
    pub(super) fn find(home: &Home) -> Option<Self> {
        let tree = Tree::mounted()?;
        let own = tree.group_of("self")?;
        let name = name_of_home(home.root());
        let mut best: Option<Self> = None;
        for place in places(&own, &tree.point) {
            let Ok((folder, can)) = prepare(place, &name) else {
                continue;
            };
            if best
                .as_ref()
                .is_some_and(|best| best.can.len() >= can.len())
            {
                remove(&folder);
                continue;
            }
            if let Some(worse) = best.replace(Self {
                tree: tree.clone(),
                folder,
                can,
            }) {
                remove(&worse.folder);
            }
        }
        if let Some(cgroups) = &best {
            cgroups.sweep();
            say(format_args!("groups are in {}", cgroups.folder.display()));
        }
        best
    }

    /// What is told of it.
    pub(super) fn told(&self) -> Groups {
        Groups {
            folder: self.folder.display().to_string(),
            memory: self.can.contains(&Controller::Memory),
            cpu: self.can.contains(&Controller::Cpu),
            tasks: self.can.contains(&Controller::Tasks),
        }
    }

    /// What its groups can limit.
    pub(super) const fn can(&self) -> &BTreeSet<Controller> {
        &self.can
    }

    /// Makes the group of a new run. Without limits it only serves to know the members, and its absence is no failure.
    pub(super) fn make(&self, run: &Path, limits: &Limits) -> Result<Option<Cgroup>, CgroupError> {
        let settings = limits::of_group(limits, &self.can);
        match Cgroup::make(self.folder.join(name_of_run(run)), &settings) {
            Err(_) if settings.is_empty() => Ok(None),
            made => made.map(Some),
        }
    }

    /// Finds the group of a run of an earlier keeper, which may have made it elsewhere: where its first process is, or where
    /// this one would have made it.
    pub(super) fn find_group(&self, run: &Path, leader: i32) -> Option<Cgroup> {
        let name = name_of_run(run);
        let of_leader = self.tree.group_of(&leader.to_string());
        let by_name = |folder: &PathBuf| folder.file_name().is_some_and(|it| *it == *name);
        of_leader
            .filter(by_name)
            .or_else(|| Some(self.folder.join(&name)).filter(|folder| folder.is_dir()))
            .map(Cgroup::known)
    }

    /// Removes what is empty. The kernel removes no group that has members.
    fn sweep(&self) {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        entries.for_each(|entry| remove(&entry.path()));
    }

    /// Removes all that is empty, with the folder of all.
    pub(super) fn leave(&self) {
        self.sweep();
        remove(&self.folder);
    }
}

/// Files are left alone, and so is what is in use: both are refused.
fn remove(folder: &Path) {
    // Whoever comes next tries again.
    drop(fs::remove_dir(folder));
}

fn places<'a>(own: &'a Path, root: &'a Path) -> Vec<&'a Path> {
    // Where an earlier keeper sent the daemons; what was handed over is above.
    let own = match own.parent() {
        Some(above) if own.ends_with(DAEMONS) => above,
        Some(_) | None => own,
    };
    let is_other = own.components().ne(root.components());
    let at_root = (geteuid().is_root() && is_other).then_some(root);
    std::iter::once(own).chain(at_root).collect()
}

/// Makes the folder of all in `place`, and has all of its controllers handed down that can be.
fn prepare(place: &Path, name: &str) -> io::Result<(PathBuf, BTreeSet<Controller>)> {
    let folder = place.join(name);
    match fs::create_dir(&folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        Ok(()) | Err(_) => {}
    }
    hand_on(place);
    if !has_all(place, HANDED_ON) && make_room(place) {
        hand_on(place);
    }
    hand_on(&folder);
    let can = listed(&folder, HANDED_ON);
    Ok((folder, can))
}

/// Hands every controller on that `group` has; one that is refused is found missing later.
fn hand_on(group: &Path) {
    let handed_on = listed(group, HANDED_ON);
    for controller in listed(group, CONTROLLERS).difference(&handed_on) {
        let asked = fs::OpenOptions::new()
            .append(true)
            .open(group.join(HANDED_ON));
        drop(asked.and_then(|mut file| write!(file, "+{}", controller.name())));
    }
}

fn has_all(group: &Path, file: &str) -> bool {
    listed(group, CONTROLLERS).is_subset(&listed(group, file))
}

/// The controllers named in a file of a group.
fn listed(group: &Path, file: &str) -> BTreeSet<Controller> {
    let text = fs::read_to_string(group.join(file)).unwrap_or_default();
    let names: BTreeSet<&str> = text.split_whitespace().collect();
    let is_named = |one: &Controller| names.contains(one.name());
    Controller::ALL.into_iter().filter(is_named).collect()
}

/// A group with members of its own hands nothing on: sends those that are eco's daemons one level down. Somebody
/// else's process is never moved, and then nothing is.
fn make_room(place: &Path) -> bool {
    let members = fs::read_to_string(place.join(PROCS)).unwrap_or_default();
    let members: Vec<&str> = members.lines().collect();
    if members.is_empty() || !members.iter().all(|pid| is_daemon(pid)) {
        return false;
    }
    let daemons = place.join(DAEMONS);
    if fs::create_dir(&daemons).is_err() && !daemons.is_dir() {
        return false;
    }
    let moved = |pid: &&str| fs::write(daemons.join(PROCS), pid).is_ok();
    members.iter().all(moved)
}

fn is_daemon(pid: &str) -> bool {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    [Daemon::Agent, Daemon::Keeper, Daemon::Log]
        .iter()
        .any(|one| one.program().get(..LONGEST_NAME).unwrap_or(one.program()) == name.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the kernel would show in a group.
    fn group(folder: &Path, controllers: &str, handed_on: &str) {
        fs::create_dir_all(folder).expect("made");
        for (file, text) in [(CONTROLLERS, controllers), (HANDED_ON, handed_on)] {
            fs::write(folder.join(file), text).expect("written");
        }
    }

    fn cgroups(folder: &Path, can: &[Controller]) -> Cgroups {
        Cgroups {
            tree: Tree::mounted().unwrap_or_default(),
            folder: folder.to_owned(),
            can: can.iter().copied().collect(),
        }
    }

    #[test]
    fn what_is_handed_on_by_all_above_can_be_limited() {
        let place = tempfile::tempdir().expect("a folder");
        let below = place.path().join("eco-x");
        group(
            place.path(),
            "cpuset cpu memory pids\n",
            "cpu memory pids\n",
        );
        group(&below, "cpu memory pids\n", "memory pids\n");
        let (folder, can) = prepare(place.path(), "eco-x").expect("a folder");
        assert_eq!(folder, below);
        assert_eq!(can, [Controller::Memory, Controller::Tasks].into());
        // The kernel would have added it to what is handed on.
        let asked = fs::read_to_string(below.join(HANDED_ON)).expect("there");
        assert_eq!(asked, "memory pids\n+cpu");
    }

    #[test]
    fn a_place_that_cannot_be_written_is_none() {
        assert!(prepare(Path::new("/proc"), "eco-x").is_err());
    }

    #[test]
    fn somebody_else_s_process_is_not_moved() {
        let place = tempfile::tempdir().expect("a folder");
        group(place.path(), "memory\n", "");
        let own = format!("{}\n", std::process::id());
        fs::write(place.path().join(PROCS), &own).expect("written");
        assert!(!make_room(place.path()));
        assert!(!place.path().join(DAEMONS).exists());
    }

    #[test]
    fn a_run_s_group_holds_its_limits_and_one_without_limits_may_be_missing() {
        let folder = tempfile::tempdir().expect("a folder");
        let cgroups = cgroups(folder.path(), &[Controller::Tasks]);
        let limits = Limits {
            tasks: Some(7),
            ..Limits::default()
        };
        let run = Path::new("/runs/box/dev/api/0/1");
        let at = folder.path().join("dev:api:0:1");
        fs::create_dir(&at).expect("made");
        fs::write(at.join("pids.max"), "").expect("written");
        let made = cgroups.make(run, &limits).expect("made");
        assert!(made.is_some());
        assert_eq!(fs::read_to_string(at.join("pids.max")).expect("there"), "7");
        let nowhere = self::cgroups(&folder.path().join("gone"), &[Controller::Tasks]);
        assert!(nowhere.make(run, &limits).is_err());
        assert!(matches!(nowhere.make(run, &Limits::default()), Ok(None)));
    }

    #[test]
    fn the_daemons_own_group_is_made_in_what_is_above_it() {
        let places = places(Path::new("/cg/unit/eco.daemons"), Path::new("/cg"));
        assert_eq!(places.first(), Some(&Path::new("/cg/unit")));
        assert_eq!(super::places(Path::new("/cg/"), Path::new("/cg")).len(), 1);
    }
}
