//! A receiver's disk that is full for a while, as the limit of a file's size, which is its process's own: nothing else may be
//! tested in this one.

use std::path::Path;
use std::sync::Arc;

use eco_home::notes::Note;
use eco_home::runs::{RunId, Stream};
use eco_logd::chunk::{Ack, Chunk, Standing, StreamId};
use eco_logd::hot::{Item, Place, Reader, Tail, survey};
use eco_logd::replica::{Durability, ReceiveError, Receiver, Session};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{SigSet, Signal};

const LEAST: u64 = 4096;

/// Lets `act` find no room in files.
fn without_room<T>(act: impl FnOnce() -> T) -> T {
    let (soft, hard) = getrlimit(Resource::RLIMIT_FSIZE).expect("told");
    setrlimit(Resource::RLIMIT_FSIZE, LEAST, hard).expect("lowered");
    let done = act();
    setrlimit(Resource::RLIMIT_FSIZE, soft, hard).expect("raised");
    done
}

fn session(runs: &Path) -> Session {
    let bell = Arc::default();
    let receiver = Receiver::new(
        runs.to_owned(),
        "near".to_owned(),
        Durability::Process,
        bell,
    );
    Session::new(Arc::new(receiver))
}

fn id() -> StreamId {
    StreamId {
        run: RunId {
            host: "far".to_owned(),
            environment: "dev".to_owned(),
            app: "api".to_owned(),
            instance: 0,
            run: 1,
        },
        stream: Stream::Out,
    }
}

/// Lines of ten bytes, from the `first` on, each with a note.
fn chunk(first: u64, count: u64) -> Chunk {
    let lines = first..first + count;
    Chunk {
        offset: first * 10,
        bytes: lines
            .clone()
            .flat_map(|n| format!("{n:09}\n").into_bytes())
            .collect(),
        notes: lines
            .map(|n| Note {
                end: (n + 1) * 10,
                time: n + 1,
            })
            .collect(),
        ..Chunk::question(id())
    }
}

/// How many lines are there; each has its number and its time.
fn lines(runs: &Path) -> u64 {
    let place = Place::new(id().run.folder(runs), id().stream);
    let survey = survey(&place).expect("looked at");
    let end = survey.end();
    let mut reader = Reader::new(place, survey.extents, 0, end, Tail::Passed);
    let mut count = 0;
    while let Some(item) = reader.read().expect("read") {
        let Item::Line { time, text, .. } = item else {
            panic!("{item:?} is no line");
        };
        assert_eq!(
            (time, text),
            (count + 1, format!("{count:09}").into_bytes())
        );
        count += 1;
    }
    count
}

#[test]
fn a_disk_that_was_full_goes_on_where_it_ended() {
    let mut mask = SigSet::empty();
    mask.add(Signal::SIGXFSZ);
    mask.thread_block().expect("blocked");
    let folder = tempfile::tempdir().expect("a folder");
    let runs = folder.path();
    // The notes have no room, then the bytes have not.
    for (first, count) in [(0, 300), (300, 900)] {
        let refused = without_room(|| session(runs).take(&[chunk(first, count)]));
        let error = refused.expect_err("there was room");
        assert!(matches!(error, ReceiveError::Write { .. }), "{error}");
        let mut session = session(runs);
        let asked = session.take(&[Chunk::question(id())]).expect("answered");
        let [Ack { end, standing, .. }] = &asked[..] else {
            panic!("{asked:?} is not one answer");
        };
        assert_eq!(*standing, Standing::Open);
        assert_eq!(
            (end % 10, lines(runs)),
            (0, end / 10),
            "what is kept is whole"
        );
        assert!(*end >= first * 10, "{end}");
        session.take(&[chunk(first, count)]).expect("there is room");
        assert_eq!(lines(runs), first + count);
    }
}
