//! Copies against a model: whatever happens to the daemon and to the files, each line is there once.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use eco_home::notes::{self, Note};
use eco_home::runs::RunId;
use proptest::prelude::*;

use super::*;
use crate::settings::{Limits, Numbering, Rotation, Shape};

/// A run whose output a test writes as a keeper does, and the file it is copied to.
struct Stage {
    folder: tempfile::TempDir,
    mirrors: Mirrors,
    settings: Settings,
    written: u64,
}

impl Stage {
    fn new(rotation: Option<u64>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("mirrors")).expect("made");
        let app = AppLogs {
            environment: "dev".to_owned(),
            app: "api".to_owned(),
            files: vec![LogFile {
                path: folder.path().join("x.log"),
                out: true,
                err: true,
                numbering: Numbering::Alone,
            }],
            shape: Shape::default(),
            rotation: rotation.map(|size| Rotation {
                size,
                every: None,
                keep: 1_000_000,
                compress: false,
            }),
            limits: Limits::default(),
            before: BTreeMap::new(),
        };
        let settings = Settings {
            host: "box".to_owned(),
            apps: vec![app],
        };
        let mirrors = load(folder.path());
        mirrors.told().tell(settings.clone());
        let stage = Self {
            folder,
            mirrors,
            settings,
            written: 0,
        };
        fs::create_dir_all(stage.run()).expect("made");
        for stem in ["out", "err"] {
            fs::write(stage.run().join(format!("{stem}.fifo")), "").expect("made");
            fs::write(stage.run().join(format!("{stem}.0001")), "").expect("made");
            let times = stage.run().join(format!("{stem}.0001.times"));
            fs::write(times, notes::head(0)).expect("made");
        }
        stage
    }

    fn run(&self) -> PathBuf {
        let run = RunId {
            host: "box".to_owned(),
            environment: "dev".to_owned(),
            app: "api".to_owned(),
            instance: 0,
            run: 1,
        };
        run.folder(&self.folder.path().join("runs"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes bytes to a stream, with their note.
    fn write(&mut self, stem: &str, bytes: &[u8]) {
        let path = self.run().join(format!("{stem}.0001"));
        let mut file = OpenOptions::new().append(true).open(&path).expect("there");
        file.write_all(bytes).expect("written");
        let end = file.metadata().expect("there").len();
        self.written += 1;
        let time = 1_700_000_000_000_000_000 + self.written;
        let times = path.with_extension("0001.times");
        let mut times = OpenOptions::new().append(true).open(times).expect("there");
        times
            .write_all(&Note { end, time }.encode())
            .expect("written");
    }

    /// A numbered line, in two pieces where `halves`.
    fn line(&mut self, stem: &str, number: usize, halves: bool) {
        let line = format!("{stem} {number} {}\n", "-".repeat(number % 30));
        let (first, rest) = line.split_at(if halves { 4 } else { 0 });
        if halves {
            self.write(stem, first.as_bytes());
        }
        self.write(stem, rest.as_bytes());
    }

    fn turn(&mut self) {
        self.mirrors.looked_at = None;
        while self.mirrors.turn(0).is_busy {}
    }

    /// A daemon is killed, and another one comes.
    fn replace(&mut self) {
        self.mirrors = load(self.folder.path());
    }

    /// All that is in the file and in those that were put aside or moved, in order.
    fn copied(&self) -> String {
        let mut all: Vec<PathBuf> = fs::read_dir(self.folder.path())
            .expect("there")
            .map(|entry| entry.expect("read").path())
            .filter(|path| path.is_file())
            .collect();
        all.sort();
        let text = |path: &PathBuf| fs::read_to_string(path).expect("text");
        all.iter().map(text).collect()
    }
}

fn load(folder: &Path) -> Mirrors {
    Mirrors::load(folder.join("mirrors"), folder.join("runs"))
}

/// The numbers of a stream's lines, as they stand there.
fn of(stem: &str, text: &str) -> Vec<usize> {
    text.lines()
        .filter_map(|line| {
            let mut words = line.split(' ');
            (words.next()? == stem).then(|| words.next()?.parse().ok())?
        })
        .collect()
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Out,
    Err,
    Halves,
    Turn,
    Kill,
    /// Killed after the record was written, when so much of the batch was.
    KillWithin(u64),
    Reopen,
    MovedByOthers,
    /// Copied to another file, and cut off.
    CutByOthers,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => Just(Step::Out),
        4 => Just(Step::Err),
        2 => Just(Step::Halves),
        4 => Just(Step::Turn),
        3 => Just(Step::Kill),
        3 => (0..200_u64).prop_map(Step::KillWithin),
        1 => Just(Step::Reopen),
        1 => Just(Step::MovedByOthers),
        1 => Just(Step::CutByOthers),
    ]
}

/// What a daemon leaves that is killed between its record and the end of its batch; tells whether there was one.
fn tear(stage: &mut Stage, written: u64) -> bool {
    let path = stage.path("x.log");
    let before = fs::metadata(&path).map_or(0, |found| found.len());
    stage.turn();
    let Some(target) = stage.mirrors.targets.values().next() else {
        return false;
    };
    // The record that was written last before a batch is in one of the slots; the one after it is taken back.
    let stem = stage.path("mirrors").join(record::name(target.path()));
    let slots = [0, 1].map(|number| {
        let mut path = stem.clone().into_os_string();
        path.push(format!(".{number}"));
        PathBuf::from(path)
    });
    let pending = slots.iter().find(|path| {
        let bytes = fs::read(path).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        text.contains("\"pending\":{") && text.contains(&format!("\"length\":{before},"))
    });
    let after = fs::metadata(&path).map_or(0, |found| found.len());
    let is_torn = pending.is_some() && after > before;
    if let (Some(pending), true) = (pending, is_torn) {
        for other in slots.iter().filter(|other| *other != pending) {
            drop(fs::remove_file(other));
        }
        let file = OpenOptions::new().write(true).open(&path).expect("there");
        file.set_len((before + written).min(after)).expect("cut");
    }
    stage.replace();
    is_torn
}

fn check(steps: &[Step], rotation: Option<u64>) -> Result<(), TestCaseError> {
    let mut stage = Stage::new(rotation);
    let (mut outs, mut errs, mut moved) = (0, 0, 0);
    let mut is_torn = false;
    stage.turn();
    for step in steps {
        match step {
            Step::Out | Step::Halves => {
                outs += 1;
                stage.line("out", outs, matches!(step, Step::Halves));
            }
            Step::Err => {
                errs += 1;
                stage.line("err", errs, false);
            }
            Step::Turn => {
                is_torn = false;
                stage.turn();
            }
            Step::Kill => stage.replace(),
            // Where files are put aside meanwhile there is no one batch to be torn.
            Step::KillWithin(written) if rotation.is_none() => {
                is_torn = tear(&mut stage, *written);
            }
            Step::KillWithin(_) => stage.replace(),
            Step::Reopen => drop(stage.mirrors.reopen()),
            Step::MovedByOthers => {
                moved += 1;
                let to = stage.path(&format!("x.log.0-moved{moved:04}"));
                drop(fs::rename(stage.path("x.log"), to));
                stage.mirrors.reopen();
            }
            // Together with a death within a batch it leaves nobody to know what was in the file.
            Step::CutByOthers if is_torn => {}
            Step::CutByOthers => {
                moved += 1;
                let to = stage.path(&format!("x.log.0-moved{moved:04}"));
                if fs::copy(stage.path("x.log"), to).is_ok() {
                    fs::write(stage.path("x.log"), "").expect("cut");
                }
            }
        }
    }
    stage.turn();
    let text = stage.copied();
    let mut found = of("out", &text);
    found.sort_unstable();
    prop_assert_eq!(found, (1..=outs).collect::<Vec<_>>());
    let mut found = of("err", &text);
    found.sort_unstable();
    prop_assert_eq!(found, (1..=errs).collect::<Vec<_>>());
    prop_assert_eq!(text.lines().count(), outs + errs);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn each_line_is_there_once_whatever_happens(
        steps in prop::collection::vec(step(), 0..40),
        rotation in prop::option::of(20..200_u64),
    ) {
        check(&steps, rotation)?;
    }
}

#[test]
fn of_a_run_that_has_ended_all_is_copied_however_much_it_is() {
    let mut stage = Stage::new(None);
    let line = [vec![b'x'; 999], vec![b'\n']].concat();
    let text = [b"begins\n".to_vec(), line.repeat(9000)].concat();
    let (first, rest) = text.split_at(7);
    stage.write("err", first);
    stage.write("out", rest);
    for stem in ["out", "err"] {
        fs::remove_file(stage.run().join(format!("{stem}.fifo"))).expect("there");
    }
    stage.turn();
    let copied = fs::read(stage.path("x.log")).expect("there");
    assert_eq!((copied.len(), copied == text), (text.len(), true));
}

#[test]
fn a_batch_that_was_torn_is_written_again_as_a_whole() {
    for written in [0, 1, 5, 1000] {
        let mut stage = Stage::new(None);
        stage.line("out", 1, false);
        stage.turn();
        stage.line("out", 2, false);
        stage.line("err", 1, true);
        assert!(tear(&mut stage, written));
        stage.turn();
        assert_eq!(stage.copied(), "out 1 -\nout 2 --\nerr 1 -\n", "{written}");
    }
}

#[test]
fn what_is_known_and_damaged_is_no_reason_to_copy_anything_twice() {
    let mut stage = Stage::new(None);
    stage.turn();
    stage.line("out", 1, false);
    stage.turn();
    for entry in fs::read_dir(stage.path("mirrors")).expect("there") {
        let path = entry.expect("read").path();
        let is_record = !path.to_string_lossy().contains("settings");
        if is_record {
            fs::write(path, "damaged").expect("written");
        }
    }
    stage.replace();
    stage.turn();
    stage.line("out", 2, false);
    stage.turn();
    assert_eq!(of("out", &stage.copied()), [1, 2]);
}

#[test]
fn runs_that_were_there_before_the_settings_are_copied_from_then_on() {
    let mut stage = Stage::new(None);
    stage.line("out", 1, false);
    if let Some(app) = stage.settings.apps.first_mut() {
        app.before.insert(0, 1);
    }
    stage.mirrors.told().tell(stage.settings.clone());
    stage.turn();
    stage.line("out", 2, false);
    stage.turn();
    assert_eq!(of("out", &stage.copied()), [2]);
}

#[test]
fn limits_are_known_over_the_death_of_the_daemon() {
    let mut stage = Stage::new(None);
    let limits = Limits {
        size: Some(7),
        age: Some(Duration::from_secs(9)),
    };
    if let Some(app) = stage.settings.apps.first_mut() {
        app.limits = limits;
    }
    stage.mirrors.told().tell(stage.settings.clone());
    stage.turn();
    stage.replace();
    let told = stage.mirrors.told().now();
    assert_eq!(told.limits("dev", "api"), limits);
    assert_eq!(told.limits("dev", "other"), Limits::default());
}

#[test]
fn what_is_emptied_is_gone_and_what_comes_then_is_not() {
    let mut stage = Stage::new(None);
    stage.line("out", 1, false);
    stage.turn();
    let mut filter = Filter::default();
    filter.add("dev", "other", None, None).expect("a pattern");
    let ((), emptied) = stage.mirrors.empty(&filter, || ());
    assert!(emptied.is_empty());
    let ((), emptied) = stage.mirrors.empty(&Filter::default(), || ());
    assert_eq!(emptied.iter().map(|one| one.bytes).collect::<Vec<_>>(), [8]);
    assert_eq!(stage.copied(), "");
    stage.replace();
    stage.line("out", 2, false);
    stage.turn();
    assert_eq!(of("out", &stage.copied()), [2]);
}

#[test]
fn a_file_that_is_no_file_is_a_problem_and_its_lines_follow() {
    let mut stage = Stage::new(None);
    fs::create_dir(stage.path("x.log")).expect("made");
    stage.line("out", 1, false);
    stage.turn();
    let problem = stage.mirrors.reopen().pop().and_then(|file| file.problem);
    assert!(problem.is_some_and(|problem| problem.contains("x.log")));
    fs::remove_dir(stage.path("x.log")).expect("empty");
    stage.replace();
    stage.turn();
    assert_eq!(of("out", &stage.copied()), [1]);
}
