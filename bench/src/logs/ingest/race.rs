//! One measurement of one side: writers that wait for their word, and what became of their lines.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::clock;
use crate::failure::Failure;
use crate::logs::scene::{self, Word};
use crate::spread::real;
use crate::work::{Form, Found, LINE, Numbered};

/// The longest time that writers may take to come, and to write.
const PATIENCE: Duration = Duration::from_secs(120);

/// What does not come for so long, in ns, comes no more.
const LOST_AFTER: u64 = 3_000_000_000;

/// What is written, and where.
pub(super) struct Race {
    pub(super) folder: PathBuf,
    pub(super) names: Vec<String>,
    /// Lines of each writer.
    pub(super) lines: u64,
    form: Form,
    go: Word,
}

/// What was measured.
#[derive(Clone, Debug, Default)]
pub(super) struct Sample {
    pub(super) seconds: f64,
    /// Processor seconds of all collectors.
    pub(super) cpu: f64,
    /// The same, of each by its name, where there are several.
    pub(super) of_each: Vec<(&'static str, f64)>,
    pub(super) found: Found,
    /// Processor seconds of sealing, where something was sealed.
    pub(super) sealing: Option<f64>,
}

impl Race {
    pub(super) fn new(
        folder: &Path,
        writers: u64,
        lines: u64,
        form: Form,
    ) -> Result<Self, Failure> {
        let go = Word::new(folder)?;
        let ready = folder.join("ready");
        fs::create_dir(&ready).map_err(Failure::at("make", &ready))?;
        Ok(Self {
            folder: folder.to_owned(),
            names: (0..writers).map(|number| format!("w{number}")).collect(),
            lines: lines / writers,
            form,
            go,
        })
    }

    /// The words that make this program the writer of that name.
    pub(super) fn words(&self, name: &str) -> Vec<String> {
        let lines = self.lines.to_string();
        let (go, ready) = (
            self.go.path(),
            self.folder.join("ready").display().to_string(),
        );
        let words = ["work", "write", name, &lines, self.form.word(), &go, &ready];
        words.map(str::to_owned).to_vec()
    }

    /// Gives the word once all writers are there; tells when that was.
    pub(super) fn begin(&self) -> Result<u64, Failure> {
        let ready = self.folder.join("ready");
        clock::wait_until("all writers are there", PATIENCE, || {
            scene::files(&ready, |_| true).len() == self.names.len()
        })?;
        // What was started before is to be at rest.
        clock::pause(Duration::from_millis(50));
        let begun = clock::ticks();
        self.go.give(self.names.len())?;
        Ok(begun)
    }

    /// Bytes that are written in all.
    pub(super) fn bytes(&self) -> u64 {
        self.lines * LINE * self.names.len() as u64
    }

    /// Waits until all bytes are stored, or no more come: then lines are lost. Tells when the last came.
    pub(super) fn await_bytes(&self, stored: impl Fn() -> u64) -> Result<u64, Failure> {
        let all = self.bytes();
        let (mut most, mut at) = (0, clock::ticks());
        clock::wait_until("no more lines are stored", PATIENCE, || {
            let now = stored();
            if now > most {
                (most, at) = (now, clock::ticks());
            }
            now >= all || clock::ticks() - at > LOST_AFTER
        })?;
        Ok(at)
    }

    /// Counts the lines of a writer in files.
    pub(super) fn count(&self, name: &str, files: &[PathBuf]) -> Result<Found, Failure> {
        let mut all: Box<dyn Read> = Box::new(io::empty());
        for path in files {
            all = Box::new(all.chain(File::open(path).map_err(Failure::at("open", path))?));
        }
        self.count_in(name, all)
    }

    pub(super) fn count_in(&self, name: &str, stored: impl Read) -> Result<Found, Failure> {
        let found = Numbered::new(name).count(self.lines, stored);
        found.map_err(|error| Failure::new(format!("read the lines of {name}"), error))
    }

    /// Counts the lines of all writers.
    pub(super) fn count_all(&self, files: impl Fn(&str) -> Vec<PathBuf>) -> Result<Found, Failure> {
        let mut sum = Found::default();
        for name in &self.names {
            let found = self.count(name, &files(name))?;
            sum.lost += found.lost;
            sum.strange += found.strange;
        }
        Ok(sum)
    }

    /// Seconds since then.
    pub(super) fn seconds_since(begun: u64) -> f64 {
        Self::seconds(begun, clock::ticks())
    }

    pub(super) fn seconds(begun: u64, ended: u64) -> f64 {
        Duration::from_nanos(ended - begun).as_secs_f64()
    }

    pub(super) fn million_lines(&self) -> f64 {
        real(self.lines * self.names.len() as u64) / 1e6
    }
}
