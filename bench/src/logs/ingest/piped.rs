//! Sides that are a program behind a pipe, or no program at all.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::race::{Race, Sample};
use crate::failure::Failure;
use crate::home::own_program;
use crate::logs::scene::{self, Process};

/// Who takes the lines.
#[derive(Clone, Debug)]
pub(super) enum Collector {
    /// Nobody: the writer has the file.
    File,
    /// A program that copies stdin to stdout.
    Filter(Vec<String>),
    /// A program that keeps a folder: the words before its path.
    Keeper(Vec<String>),
}

impl Collector {
    pub(super) fn splice() -> Result<Self, Failure> {
        let program = own_program()?.display().to_string();
        Ok(Self::Filter(vec![program, "work".into(), "splice".into()]))
    }

    /// Puts one of them behind a writer.
    fn join(&self, path: &Path) -> Result<(Stdio, Option<Process>), Failure> {
        let (words, output) = match self {
            Self::File => return Ok((file(path)?, None)),
            Self::Filter(words) => (words.clone(), file(path)?),
            Self::Keeper(words) => {
                let folder = [path.display().to_string()];
                (words.iter().cloned().chain(folder).collect(), Stdio::null())
            }
        };
        let (read, write) = std::io::pipe().map_err(|error| Failure::new("make a pipe", error))?;
        let collector = Process::new(command(&words).stdin(read).stdout(output))?;
        Ok((write.into(), Some(collector)))
    }

    fn prepare(&self, path: &Path) -> Result<(), Failure> {
        match self {
            Self::File | Self::Filter(_) => Ok(()),
            Self::Keeper(_) => {
                std::fs::create_dir(path).map_err(Failure::at("make", path))?;
                // svlogd's, and nobody else's: never to rotate.
                let config = path.join("config");
                std::fs::write(&config, "s0\nn0\n").map_err(Failure::at("write", &config))
            }
        }
    }

    fn files(&self, path: &Path) -> Vec<PathBuf> {
        match self {
            Self::File | Self::Filter(_) => vec![path.to_owned()],
            // What is full has a name of its time, which sorts before this one.
            Self::Keeper(_) => {
                scene::files(path, |name| name.starts_with('@') || name == "current")
            }
        }
    }

    pub(super) fn run(&self, race: &Race) -> Result<Sample, Failure> {
        let path = |name: &str| race.folder.join(format!("{name}.log"));
        let (mut writers, mut collectors) = (Vec::new(), Vec::new());
        for name in &race.names {
            self.prepare(&path(name))?;
            let (output, collector) = self.join(&path(name))?;
            writers.push(Process::new(
                Command::new(own_program()?)
                    .args(race.words(name))
                    .stdin(Stdio::null())
                    .stdout(output),
            )?);
            collectors.extend(collector);
        }
        let begun = race.begin()?;
        for writer in writers {
            writer.ended()?;
        }
        let mut cpu = 0.0;
        for collector in collectors {
            cpu += collector.ended()?.as_secs_f64();
        }
        let seconds = Race::seconds_since(begun);
        let found = race.count_all(|name| self.files(&path(name)))?;
        Ok(Sample {
            seconds,
            cpu,
            found,
            ..Sample::default()
        })
    }
}

fn file(path: &Path) -> Result<Stdio, Failure> {
    File::create(path)
        .map(Stdio::from)
        .map_err(Failure::at("make", path))
}

fn command(words: &[String]) -> Command {
    let mut words = words.iter();
    let mut command = Command::new(words.next().map_or("", String::as_str));
    command.args(words);
    command
}
