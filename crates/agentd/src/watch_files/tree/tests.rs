//! Trees of real files, and the kernel's own words about them.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::sync::Mutex;

use eco_config::spec::Links;
use nix::errno::Errno;

use super::*;
use crate::resolve::Root;
use crate::watch_files::kernel::Kernel;
use crate::watch_files::scope::Scope;

const ID: ScopeId = ScopeId(1);

/// A folder whose `app` is watched.
struct Stage {
    folder: tempfile::TempDir,
    trees: Trees<Kernel>,
}

impl Stage {
    /// Watches `root` below a folder that has these files.
    fn new(root: &str, files: &[&str]) -> Self {
        Self::with(root, files, |_| {})
    }

    fn with(root: &str, files: &[&str], change: impl FnOnce(&mut Scope)) -> Self {
        let folder = tempfile::tempdir().expect("made");
        let mut stage = Self {
            folder,
            trees: Trees::new(Kernel::default()),
        };
        for file in files {
            stage.write(file);
        }
        let mut scope = stage.scope(root);
        change(&mut scope);
        stage.watch(ID, scope);
        stage
    }

    fn scope(&self, root: &str) -> Scope {
        let path = self.path(root);
        Scope {
            base: path.clone(),
            roots: vec![Root {
                written: root.to_owned(),
                path,
                only: None,
            }],
            ignore: None,
            left_out: Vec::new(),
            links: Links::Followed,
            polling: None,
            depth: None,
            home: self.path("home"),
        }
    }

    fn watch(&mut self, id: ScopeId, scope: Scope) {
        let (judge, bad) = Judge::new(Arc::new(scope));
        assert_eq!(bad, []);
        self.trees.watch(id, &Arc::new(judge)).expect("watched");
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("below")).expect("made");
        fs::write(path, "x").expect("written");
    }

    fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).expect("renamed");
    }

    /// What changed since the last call, each once, below the stage's folder.
    fn changes(&mut self) -> Vec<String> {
        let mut all = self.changes_of_all();
        all.retain(|(id, _)| *id == ID);
        let mut names: Vec<String> = all.into_iter().map(|(_, name)| name).collect();
        names.dedup();
        names
    }

    fn changes_of_all(&mut self) -> Vec<(ScopeId, String)> {
        let mut changes = Vec::new();
        loop {
            let events = self.trees.source_mut().read().expect("read");
            if events.is_empty() {
                return changes;
            }
            for event in events {
                let taken = self.trees.take(&event);
                assert!(taken.failed.is_empty(), "{:?}", taken.failed);
                for (id, path) in taken.changes {
                    let name = path.strip_prefix(self.folder.path()).expect("below");
                    changes.push((id, name.display().to_string()));
                }
            }
        }
    }

    fn folders(&self) -> usize {
        self.trees.extent(ID).expect("watched").folders
    }
}

#[test]
fn changes_are_seen_at_every_depth_and_what_is_left_out_is_not_even_watched() {
    let mut stage = Stage::new(
        "app",
        &[
            "app/src/deep/er/a.js",
            "app/node_modules/x/y/z.js",
            "app/.git/objects/aa/bb",
        ],
    );
    // app, src, deep, er.
    assert_eq!(stage.folders(), 4);
    stage.write("app/src/deep/er/a.js");
    stage.write("app/node_modules/x/y/z.js");
    stage.write("app/.env");
    assert_eq!(stage.changes(), ["app/src/deep/er/a.js"]);
    fs::remove_file(stage.path("app/src/deep/er/a.js")).expect("removed");
    assert_eq!(stage.changes(), ["app/src/deep/er/a.js"]);
}

#[test]
fn a_new_folder_is_watched_with_all_that_came_with_it() {
    let mut stage = Stage::new("app", &["app/a"]);
    stage.write("app/new/inner/b");
    stage.write("app/node_modules/x/y");
    assert!(!stage.changes().is_empty());
    stage.write("app/new/inner/b");
    stage.write("app/node_modules/x/y");
    assert_eq!(stage.changes(), ["app/new/inner/b"]);
    assert_eq!(stage.folders(), 3);
}

#[test]
fn a_folder_that_moves_is_known_by_its_new_name_and_one_that_leaves_is_forgotten() {
    let mut stage = Stage::new("app", &["app/old/inner/a", "app/b"]);
    stage.rename("app/old", "app/new");
    assert_eq!(stage.changes(), ["app/old", "app/new"]);
    stage.write("app/new/inner/a");
    assert_eq!(stage.changes(), ["app/new/inner/a"]);
    stage.rename("app/new", "elsewhere");
    assert_eq!(stage.changes(), ["app/new"]);
    stage.write("elsewhere/inner/a");
    assert_eq!(stage.changes(), [""; 0]);
    assert_eq!(stage.folders(), 1);
    stage.rename("elsewhere", "app/back");
    assert_eq!(stage.changes(), ["app/back"]);
    stage.write("app/back/inner/a");
    assert_eq!(stage.changes(), ["app/back/inner/a"]);
}

#[test]
fn an_editor_that_saves_by_renaming_changes_the_file() {
    let mut stage = Stage::new("app", &["app/a.js"]);
    stage.write("app/.a.js.swp");
    stage.rename("app/.a.js.swp", "app/a.js");
    assert_eq!(stage.changes(), ["app/a.js"]);
}

#[test]
fn a_root_that_is_deleted_and_made_again_is_watched_again() {
    let mut stage = Stage::new("app/src", &["app/src/a"]);
    for _ in 0..2 {
        fs::remove_dir_all(stage.path("app/src")).expect("removed");
        assert!(stage.changes().contains(&"app/src".to_owned()));
        assert_eq!(stage.folders(), 0);
        stage.write("app/src/x/b");
        assert!(stage.changes().contains(&"app/src".to_owned()));
        stage.write("app/src/x/b");
        assert_eq!(stage.changes(), ["app/src/x/b"]);
    }
}

#[test]
fn a_root_that_is_not_there_yet_is_waited_for_from_afar() {
    let mut stage = Stage::new("app/gen/src", &["other/a"]);
    assert_eq!(stage.folders(), 0);
    stage.write("other/b");
    stage.write("app/unrelated");
    assert_eq!(stage.changes(), [""; 0]);
    stage.write("app/gen/src/a");
    assert!(stage.changes().contains(&"app/gen/src".to_owned()));
    stage.write("app/gen/src/a");
    assert_eq!(stage.changes(), ["app/gen/src/a"]);
}

#[test]
fn a_folder_above_the_root_that_is_exchanged_is_noticed() {
    let mut stage = Stage::new("app/src", &["app/src/a", "next/src/a"]);
    stage.rename("app", "last");
    stage.rename("next", "app");
    assert!(stage.changes().contains(&"app/src".to_owned()));
    stage.write("last/src/a");
    assert_eq!(stage.changes(), [""; 0]);
    stage.write("app/src/a");
    assert_eq!(stage.changes(), ["app/src/a"]);
}

#[test]
fn a_link_on_the_way_that_leads_elsewhere_is_followed_there() {
    let stage = Stage::new("unwatched", &["v1/src/a", "v2/src/a"]);
    symlink(stage.path("v1"), stage.path("current")).expect("linked");
    let mut stage = stage;
    let scope = stage.scope("current/src");
    stage.watch(ID, scope);
    stage.write("v1/src/a");
    assert_eq!(stage.changes(), ["current/src/a"]);
    symlink(stage.path("v2"), stage.path("next")).expect("linked");
    stage.rename("next", "current");
    assert_eq!(stage.changes(), ["current/src"]);
    stage.write("v1/src/a");
    assert_eq!(stage.changes(), [""; 0]);
    stage.write("v2/src/a");
    assert_eq!(stage.changes(), ["current/src/a"]);
}

#[test]
fn links_are_followed_and_a_circle_ends() {
    let folder = Stage::new("none", &["lib/deep/a", "conf/b"]);
    fs::create_dir(folder.path("app")).expect("made");
    symlink(folder.path("lib"), folder.path("app/lib")).expect("linked");
    symlink(folder.path("app"), folder.path("app/circle")).expect("linked");
    symlink(folder.path("conf/b"), folder.path("app/b")).expect("linked");
    let mut stage = folder;
    let scope = stage.scope("app");
    stage.watch(ID, scope);
    stage.write("lib/deep/a");
    stage.write("conf/b");
    stage.write("conf/c");
    assert_eq!(stage.changes(), ["app/lib/deep/a", "app/b"]);
    // app, lib, deep.
    assert_eq!(stage.folders(), 3);
    symlink(folder_of(&stage), stage.path("app/late")).expect("linked");
    assert_eq!(stage.changes(), ["app/late"]);
    stage.write("conf/d/e");
    stage.write("conf/d/e");
    assert!(stage.changes().contains(&"app/late/d".to_owned()));

    let mut plain = stage.scope("app");
    plain.links = Links::Plain;
    stage.watch(ID, plain);
    stage.write("lib/deep/a");
    assert_eq!(stage.changes(), [""; 0]);
}

fn folder_of(stage: &Stage) -> PathBuf {
    stage.path("conf")
}

#[test]
fn a_single_file_is_watched_over_renames_and_its_neighbours_are_not() {
    let mut stage = Stage::new("app/server.js", &["app/server.js", "app/other.js"]);
    stage.write("app/other.js");
    assert_eq!(stage.changes(), [""; 0]);
    stage.write("app/server.js");
    assert_eq!(stage.changes(), ["app/server.js"]);
    stage.rename("app/other.js", "app/server.js");
    assert_eq!(stage.changes(), ["app/server.js"]);
    fs::remove_file(stage.path("app/server.js")).expect("removed");
    assert_eq!(stage.changes(), ["app/server.js"]);
    stage.write("app/server.js");
    assert_eq!(stage.changes(), ["app/server.js"]);
}

#[test]
fn scopes_share_what_they_watch_and_one_may_go() {
    let mut stage = Stage::new("app", &["app/src/a", "app/b"]);
    let other = ScopeId(2);
    let scope = stage.scope("app/src");
    stage.watch(other, scope);
    stage.write("app/src/a");
    let ids: Vec<ScopeId> = stage.changes_of_all().into_iter().map(|it| it.0).collect();
    assert!(ids.contains(&ID) && ids.contains(&other));
    stage.trees.forget(ID);
    stage.write("app/src/a");
    stage.write("app/b");
    let left = stage.changes_of_all();
    assert!(
        left.iter()
            .all(|(id, name)| *id == other && name == "app/src/a")
    );
    assert!(!left.is_empty());
}

#[test]
fn a_new_time_is_a_change_and_a_new_mode_is_none() {
    let mut stage = Stage::new("app", &["app/a"]);
    let path = stage.path("app/a");
    let file = fs::File::options().write(true).open(&path).expect("opened");
    let touch = |at: std::time::Duration| {
        let at = std::time::UNIX_EPOCH + at;
        let times = fs::FileTimes::new().set_accessed(at).set_modified(at);
        file.set_times(times).expect("set");
    };
    touch(std::time::Duration::from_secs(1));
    assert_eq!(stage.changes(), [""; 0]);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("set");
    assert_eq!(stage.changes(), [""; 0]);
    touch(clock::unix());
    assert_eq!(stage.changes(), ["app/a"]);
}

#[test]
fn a_file_that_is_only_read_or_held_open_is_no_change() {
    let mut stage = Stage::new("app", &["app/a"]);
    drop(fs::read(stage.path("app/a")).expect("read"));
    drop(
        fs::File::options()
            .write(true)
            .open(stage.path("app/a"))
            .expect("opened"),
    );
    assert_eq!(stage.changes(), [""; 0]);
}

#[test]
fn a_depth_ends_what_is_watched() {
    let stage = Stage::with("app", &["app/a/b/c/d"], |scope| scope.depth = Some(1));
    assert_eq!(stage.folders(), 2);
}

#[test]
fn what_eco_itself_writes_is_not_watched() {
    let stage = Stage::with("app", &["app/.eco/runs/x", "app/a"], |scope| {
        scope.home = scope.base.join(".eco");
        scope.ignore = Some(Vec::new());
    });
    assert_eq!(stage.folders(), 1);
}

/// A source that refuses after some folders, and knows what it watches.
#[derive(Default)]
struct Full {
    most: usize,
    watched: Mutex<Vec<usize>>,
    next: usize,
}

impl Source for Full {
    type Watch = usize;

    fn add(&mut self, _: &Path, _: Telling) -> io::Result<usize> {
        let mut watched = self.watched.lock().expect("sound");
        if watched.len() >= self.most {
            return Err(Errno::ENOSPC.into());
        }
        self.next += 1;
        watched.push(self.next);
        Ok(self.next)
    }

    fn remove(&mut self, watch: usize) {
        self.watched
            .lock()
            .expect("sound")
            .retain(|one| *one != watch);
    }

    fn read(&mut self) -> io::Result<Vec<Event<usize>>> {
        Ok(Vec::new())
    }

    fn end(&self) -> Option<BorrowedFd<'_>> {
        None
    }
}

#[test]
fn a_scope_that_cannot_be_watched_wholly_leaves_nothing_behind() {
    let stage = Stage::new("app", &["app/a/b/c/d/e"]);
    let (judge, _) = Judge::new(Arc::new(stage.scope("app")));
    let judge = Arc::new(judge);
    let mut trees = Trees::new(Full {
        most: 7,
        ..Full::default()
    });
    let refused = trees.watch(ID, &judge).expect_err("too many");
    assert_eq!(refused.raw_os_error(), Some(nix::libc::ENOSPC));
    assert!(trees.source().watched.lock().expect("sound").is_empty());
    assert_eq!(trees.extent(ID), None);
    assert!(trees.places.is_empty());
}

#[test]
fn a_folder_that_comes_when_no_more_can_be_watched_is_a_change_and_told() {
    let stage = Stage::new("app", &["app/a"]);
    let (judge, _) = Judge::new(Arc::new(stage.scope("app")));
    let mut trees = Trees::new(Full {
        most: 100,
        ..Full::default()
    });
    trees.watch(ID, &Arc::new(judge)).expect("watched");
    let watch = *trees.scopes[&ID].folders.values().next().expect("one");
    trees.source_mut().most = 0;
    stage.write("app/new/b");
    let taken = trees.take(&Event {
        watch,
        name: Some("new".into()),
        what: What::Came(Kind::Folder),
    });
    assert_eq!((taken.changes.len(), taken.failed.len()), (1, 1));
    assert!(trees.source().watched.lock().expect("sound").is_empty());
}
