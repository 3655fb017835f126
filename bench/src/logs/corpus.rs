//! Logs of five apps to search in: as plain files, packed by zstd, and in a home of eco's, written by apps as in life and
//! sealed.

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use super::scene::{self, Process};
use super::text::{self, Range, Shape};
use super::{Plan, stored};
use crate::clock;
use crate::failure::Failure;
use crate::home::{self, Home};
use crate::spread::real;
use crate::{say, usage};

const FEEDING: Duration = Duration::from_secs(600);
const SEALING: Duration = Duration::from_secs(900);
const PATIENCE: Duration = Duration::from_secs(30);
/// What keeps all that is written.
const BOUNDS: &str =
    "[logs]\nmax_total_size = \"1 TiB\"\nmax_app_size = \"1 TiB\"\nmin_free_disk = \"1 GiB\"\n";

/// The apps' logs.
pub(super) struct Corpus {
    pub(super) home: Home,
    pub(super) apps: Vec<App>,
    /// Processor seconds of sealing for a gigabyte; `None`: it was done before anybody looked.
    pub(super) sealing: Option<f64>,
    // The last to go: the home is in it.
    folder: tempfile::TempDir,
}

/// One app's.
pub(super) struct App {
    pub(super) shape: Shape,
    pub(super) plain: PathBuf,
    pub(super) size: u64,
    range: Range,
}

impl Corpus {
    /// Makes about so many bytes: the plain files, and the home with all of it sealed.
    pub(super) fn new(plan: &Plan, bytes: u64) -> Result<Self, Failure> {
        let folder = scene::folder(plan)?;
        say::line(&format!("writing {:.2} GB", real(bytes) / 1e9));
        let share = bytes / Shape::ALL.len() as u64;
        let apps = thread::scope(|scope| {
            let writers = Shape::ALL.map(|shape| {
                let path = folder.path().join(format!("{}.log", shape.name()));
                scope.spawn(move || App::written(shape, share, path))
            });
            let ended = writers.into_iter().map(|writer| {
                let ended = writer.join();
                ended.unwrap_or_else(|_| Err(Failure::new("write logs", "a thread panicked")))
            });
            ended.collect::<Result<Vec<_>, Failure>>()
        })?;
        let home = Home::within(&folder.path().join("eco"))?;
        let mut corpus = Self {
            home,
            apps,
            sealing: None,
            folder,
        };
        corpus.feed()?;
        corpus.sealing = corpus.seal()?;
        Ok(corpus)
    }

    fn marks(&self, app: &App) -> PathBuf {
        self.folder
            .path()
            .join(format!("{}.marks", app.shape.name()))
    }

    /// Has apps write the files.
    fn feed(&self) -> Result<(), Failure> {
        say::line("having apps of eco write it");
        let bounds = self.home.home();
        fs::create_dir_all(&bounds).map_err(Failure::at("make", &bounds))?;
        let bounds = bounds.join("eco.toml");
        fs::write(&bounds, BOUNDS).map_err(Failure::at("write", &bounds))?;
        let app = |app: &App| {
            let Range { from, to } = app.range;
            let [plain, marks] =
                [&app.plain, &self.marks(app)].map(|path| path.display().to_string());
            let words = [
                "work".into(),
                "replay".into(),
                plain,
                from.to_string(),
                to.to_string(),
                marks,
            ];
            home::app(app.shape.name(), &words)
        };
        let apps = self.apps.iter().map(app).collect::<Result<Vec<_>, _>>()?;
        let begun = clock::ticks();
        self.home.start(&apps)?;
        clock::wait_until("all of it is stored", FEEDING, || {
            clock::pause(Duration::from_millis(50));
            self.apps.iter().all(|app| self.written(app) == app.size)
        })?;
        say::line(&format!("stored after {:.1} s", seconds_since(begun)));
        Ok(())
    }

    fn written(&self, app: &App) -> u64 {
        self.run_folder(app)
            .map_or(0, |folder| stored::written(&folder))
    }

    /// Where eco keeps what an app wrote.
    pub(super) fn run_folder(&self, app: &App) -> Option<PathBuf> {
        let is_its = |folder: &PathBuf| {
            folder
                .iter()
                .rev()
                .nth(2)
                .is_some_and(|name| name == app.shape.name())
        };
        self.home.run_folders().into_iter().find(is_its)
    }

    /// Waits until it is sealed, and tells what that cost. The daemon rests after each round, and begins anew with one.
    fn seal(&self) -> Result<Option<f64>, Failure> {
        let begun = clock::ticks();
        clock::wait_until("the apps have ended", PATIENCE, || {
            self.home
                .run_folders()
                .iter()
                .all(|folder| stored::is_ended(folder))
        })?;
        clock::pause(stored::SETTLED);
        let folders = self.home.run_folders();
        let sealed = || {
            folders
                .iter()
                .map(|folder| stored::sealed_bytes(folder))
                .sum::<u64>()
        };
        let before = sealed();
        self.home.renew_logd()?;
        clock::wait_until("all of it is sealed", SEALING, || {
            clock::pause(Duration::from_millis(100));
            folders.iter().all(|folder| stored::is_all_sealed(folder))
        })?;
        say::line(&format!("sealed after {:.1} s", seconds_since(begun)));
        let gigabytes = real(sealed().saturating_sub(before)) / 1e9;
        let cpu = usage::yielding(self.home.logd()?).as_secs_f64();
        Ok((gigabytes > 0.0).then(|| cpu / gigabytes))
    }

    /// When the lines of the range were written: since, until, as eco takes times.
    pub(super) fn range_of(&self, app: &App) -> Result<[String; 2], Failure> {
        let path = self.marks(app);
        let text = fs::read_to_string(&path).map_err(Failure::at("read", &path))?;
        let marks: Vec<u64> = text
            .split_whitespace()
            .filter_map(|mark| mark.parse().ok())
            .collect();
        match *marks {
            [since, until] => {
                Ok([since, until].map(|mark| format!("@{}.{:03}", mark / 1000, mark % 1000)))
            }
            _ => Err(Failure::new("read when the range was written", text)),
        }
    }

    /// The app whose range is known.
    pub(super) fn ranged(&self) -> Result<&App, Failure> {
        let first = self.apps.first();
        first.ok_or_else(|| Failure::new("find the first app", "there is none"))
    }

    /// Ends the apps and the daemons, and removes all files.
    pub(super) fn take_down(self) -> Result<(), Failure> {
        self.home.take_down()
        // The folder goes with the rest of this.
    }

    pub(super) fn size(&self) -> u64 {
        self.apps.iter().map(|app| app.size).sum()
    }
}

impl App {
    fn written(shape: Shape, size: u64, plain: PathBuf) -> Result<Self, Failure> {
        let file = File::create(&plain).map_err(Failure::at("make", &plain))?;
        let mut to = BufWriter::with_capacity(1 << 20, file);
        let range = text::write(shape, size, &mut to).map_err(Failure::at("write", &plain))?;
        let flushed = to
            .into_inner()
            .map_err(|error| Failure::new("write logs", error));
        drop(flushed?);
        let size = scene::size([&plain]);
        Ok(Self {
            shape,
            plain,
            size,
            range,
        })
    }

    /// Packs it by a program that writes to stdout.
    pub(super) fn packed(
        &self,
        program: &Path,
        words: &[&str],
        extension: &str,
    ) -> Result<PathBuf, Failure> {
        let path = self.plain.with_added_extension(extension);
        let file = File::create(&path).map_err(Failure::at("make", &path))?;
        let mut command = Command::new(program);
        command.args(words).arg(&self.plain).stdout(file);
        Process::new(&mut command)?.ended()?;
        Ok(path)
    }
}

fn seconds_since(begun: u64) -> f64 {
    Duration::from_nanos(clock::ticks() - begun).as_secs_f64()
}
