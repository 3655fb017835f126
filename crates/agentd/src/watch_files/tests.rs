//! The eyes, with real files and a kernel that can be told to refuse.

use std::fs;
use std::io;
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use eco_config::spec::{Links, WatchPolicy};
use eco_home::clock;
use nix::errno::Errno;
use tokio::sync::watch;

use super::Watching;
use super::eyes::{Eyes, Order, Pace, Sights, Statuses};
use super::kernel::Kernel;
use super::scope::Scope;
use super::tree::Source;
use crate::fleet::apply::Application;
use crate::fleet::{By, Fleet};
use crate::os::inotify::{Event, Telling, Watch, What};
use crate::resolve::Root;

/// How long what is waited for may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// Looks follow each other closely, so that no test waits for them.
const HASTE: Pace = Pace {
    look_every: Duration::from_millis(5),
    ask_every: Duration::from_millis(5),
};

/// What goes wrong with the kernel.
#[derive(Debug, Default)]
struct Faults {
    refuses: bool,
    loses: bool,
    /// The thread that hears of it does not survive it.
    ends: bool,
}

/// The kernel, when nothing is wrong with it.
#[derive(Debug, Default)]
struct Faulty {
    kernel: Kernel,
    faults: Arc<Mutex<Faults>>,
    /// One of its watches, to tell of a loss with.
    last: Option<Watch>,
}

impl Source for Faulty {
    type Watch = Watch;

    fn add(&mut self, folder: &Path, telling: Telling) -> io::Result<Watch> {
        if self.faults.lock().expect("sound").refuses {
            return Err(Errno::ENOSPC.into());
        }
        let watch = self.kernel.add(folder, telling)?;
        self.last = Some(watch);
        Ok(watch)
    }

    fn remove(&mut self, watch: Watch) {
        self.kernel.remove(watch);
    }

    fn read(&mut self) -> io::Result<Vec<Event<Watch>>> {
        let ends = self.faults.lock().expect("sound").ends;
        assert!(!ends, "the thread is to end");
        let events = self.kernel.read()?;
        let mut faults = self.faults.lock().expect("sound");
        if events.is_empty() || !faults.loses {
            return Ok(events);
        }
        // What was told is lost, and that something was is told instead.
        faults.loses = false;
        let lost = self.last.map(|watch| Event {
            watch,
            name: None,
            what: What::Lost,
        });
        Ok(lost.into_iter().collect())
    }

    fn end(&self) -> Option<BorrowedFd<'_>> {
        self.kernel.end()
    }
}

/// A folder that is watched.
struct Stage {
    folder: tempfile::TempDir,
    eyes: Eyes,
    sights: Arc<Sights>,
    statuses: watch::Receiver<Arc<Statuses>>,
    faults: Arc<Mutex<Faults>>,
    scope: Arc<Scope>,
}

impl Stage {
    fn new(polling: Option<Duration>, faults: Faults) -> Self {
        let folder = tempfile::tempdir().expect("made");
        let app = folder.path().join("app");
        fs::create_dir_all(app.join("src")).expect("made");
        fs::write(app.join("src/a"), "x").expect("written");
        let scope = Scope {
            base: app.clone(),
            roots: vec![Root {
                written: String::new(),
                path: app,
                only: None,
            }],
            ignore: None,
            left_out: Vec::new(),
            links: Links::Followed,
            polling,
            depth: None,
            home: folder.path().join("home"),
        };
        let kernel = Faulty {
            faults: Arc::new(Mutex::new(faults)),
            ..Faulty::default()
        };
        let (tell, statuses) = watch::channel(Arc::default());
        let (sights, faults) = (Arc::new(Sights::default()), Arc::clone(&kernel.faults));
        let eyes = Eyes::with(kernel, HASTE, Arc::clone(&sights), tell).expect("opened");
        let scope = Arc::new(scope);
        eyes.order(Order::Watch(Arc::clone(&scope)));
        Self {
            folder,
            eyes,
            sights,
            statuses,
            faults,
            scope,
        }
    }

    /// Waits until the status of the scope is so.
    async fn status_is(&mut self, is_so: impl Fn(&super::Status) -> bool) -> super::Status {
        let scope = Arc::clone(&self.scope);
        let statuses = self
            .statuses
            .wait_for(|all| all.get(&scope).is_some_and(&is_so));
        let statuses = tokio::time::timeout(PATIENCE, statuses).await;
        let statuses = statuses
            .expect("it comes in time")
            .expect("the eyes are open");
        statuses.get(&self.scope).expect("there").clone()
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.folder.path().join("app").join(name);
        fs::create_dir_all(path.parent().expect("below")).expect("made");
        fs::write(path, text).expect("written");
    }

    /// Waits for the next change, and returns which came first.
    async fn sees(&self) -> PathBuf {
        let news = async {
            loop {
                if let Some((path, _)) = self.sights.take().remove(&self.scope) {
                    let app = self.folder.path().join("app");
                    return path.strip_prefix(app).expect("below").to_owned();
                }
                self.sights.news.notified().await;
            }
        };
        tokio::time::timeout(PATIENCE, news)
            .await
            .expect("it is seen")
    }
}

#[tokio::test]
async fn a_change_is_seen_and_a_scope_that_is_forgotten_is_not() {
    let mut stage = Stage::new(None, Faults::default());
    let status = stage.status_is(|status| status.folders == 2).await;
    assert_eq!((status.looks_every, status.problem), (None, None));
    stage.write("src/a", "y");
    assert_eq!(stage.sees().await, PathBuf::from("src/a"));
    stage.eyes.order(Order::Forget(Arc::clone(&stage.scope)));
    let gone = stage.statuses.wait_for(|all| all.is_empty());
    let gone = tokio::time::timeout(PATIENCE, gone).await.expect("in time");
    drop(gone.expect("the eyes are open"));
    stage.write("src/a", "z");
    assert!(stage.sights.take().is_empty());
}

/// `dev/api`, whose files in this folder are watched.
fn watching(folder: &Path) -> Fleet {
    let mut spec = crate::environment::tests::spec("dev", "api");
    spec.cwd = Some(folder.to_owned());
    spec.watch = Some(WatchPolicy {
        paths: Vec::new(),
        ignore: None,
        delay: Duration::ZERO,
        links: Links::Followed,
        polling: None,
        depth: None,
    });
    let mut fleet = Fleet::default();
    fleet.apply(Duration::ZERO, &By::ann(), Application::of(vec![spec]));
    fleet
}

#[tokio::test]
async fn eyes_that_are_shut_are_noticed_and_opened_again_a_little_later() {
    let folder = tempfile::tempdir().expect("made");
    let fleet = watching(folder.path());
    let (tell, statuses) = watch::channel(Arc::default());
    let mut watching = Watching::new(folder.path().join("home"), tell.clone());
    let kernel = Faulty::default();
    kernel.faults.lock().expect("sound").ends = true;
    let eyes = Eyes::with(kernel, HASTE, Arc::clone(&watching.sights), tell).expect("opened");
    watching.eyes = Some(eyes);
    let told = tokio::time::timeout(PATIENCE, watching.sights.news.notified());
    told.await.expect("its end is told");
    watching.follow(&fleet);
    assert!(watching.eyes.is_none() && watching.ordered.is_empty());
    assert!(watching.pause().is_some(), "it is tried again");

    watching.open_at = Duration::ZERO;
    watching.follow(&fleet);
    assert_eq!((watching.ordered.len(), watching.pause()), (1, None));
    let mut statuses = statuses;
    let watched = statuses.wait_for(|all| all.values().any(|one| one.folders == 1));
    let watched = tokio::time::timeout(PATIENCE, watched);
    drop(watched.await.expect("in time").expect("the eyes are open"));
}

#[tokio::test]
async fn polling_sees_what_is_written_made_and_removed() {
    let mut stage = Stage::new(Some(Duration::from_millis(5)), Faults::default());
    let status = stage.status_is(|status| status.folders == 2).await;
    assert!(status.looks_every.is_some() && status.problem.is_none());
    stage.write("src/a", "longer");
    assert_eq!(stage.sees().await, PathBuf::from("src/a"));
    stage.write("src/b/c", "x");
    let first = stage.sees().await;
    assert!(first.starts_with("src"), "{first:?}");
    fs::remove_dir_all(stage.folder.path().join("app/src/b")).expect("removed");
    stage.status_is(|status| status.folders == 2).await;
    stage.write(".hidden", "x");
    stage.write("node_modules/x/y", "x");
    stage.write("last", "x");
    let last = Path::new("last");
    while stage.sees().await != last {}
}

#[tokio::test]
async fn where_the_kernel_refuses_files_are_looked_at_and_people_are_told() {
    let faults = Faults {
        refuses: true,
        ..Faults::default()
    };
    let mut stage = Stage::new(None, faults);
    let status = stage.status_is(|status| status.looks_every.is_some()).await;
    let problem = status.problem.expect("told");
    assert!(
        problem.contains("sudo sysctl fs.inotify.max_user_watches="),
        "{problem}"
    );
    stage.write("src/a", "longer");
    assert_eq!(stage.sees().await, PathBuf::from("src/a"));
    // The limit is raised: the kernel is asked again.
    stage.faults.lock().expect("sound").refuses = false;
    let status = stage.status_is(|status| status.looks_every.is_none()).await;
    assert_eq!(status.problem, None);
    stage.write("src/a", "longer than that");
    assert_eq!(stage.sees().await, PathBuf::from("src/a"));
}

#[tokio::test]
async fn a_folder_too_many_turns_a_watched_scope_into_one_that_is_looked_at() {
    let mut stage = Stage::new(None, Faults::default());
    stage.status_is(|status| status.folders == 2).await;
    stage.faults.lock().expect("sound").refuses = true;
    stage.write("src/new/b", "x");
    stage.sees().await;
    let status = stage.status_is(|status| status.looks_every.is_some()).await;
    assert!(status.problem.is_some());
}

#[tokio::test]
async fn what_was_lost_is_found_by_looking() {
    let mut stage = Stage::new(None, Faults::default());
    stage.status_is(|status| status.folders == 2).await;
    stage.faults.lock().expect("sound").loses = true;
    stage.write("src/a", "longer");
    assert_eq!(stage.sees().await, PathBuf::from("src/a"));
    stage.write("src/a", "even longer");
    assert_eq!(stage.sees().await, PathBuf::from("src/a"));
}

#[tokio::test]
async fn sights_of_a_burst_are_one_with_its_first_path_and_its_last_time() {
    let mut stage = Stage::new(None, Faults::default());
    stage.status_is(|status| status.folders == 2).await;
    for number in 0..500 {
        stage.write(&format!("src/{number}"), "x");
    }
    let written = clock::since_boot();
    let first = stage.sees().await;
    assert_eq!(first, PathBuf::from("src/0"));
    stage.write("last", "x");
    // Whatever of the burst was seen apart from its beginning, what came last is seen last.
    let mut last = written;
    while last <= written {
        if let Some((_, at)) = stage.sights.take().remove(&stage.scope) {
            last = at;
        } else {
            stage.sights.news.notified().await;
        }
    }
}
