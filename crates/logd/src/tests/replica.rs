//! What is received of other hosts' runs, file by file.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use eco_home::notes::{self, Note};
use eco_home::runs::{RunId, SEGMENT_BYTES, Stream};
use tempfile::TempDir;

use super::world::{Writer, read_all, shown};
use crate::chunk::{Ack, Chunk, Standing, StreamId, Then};
use crate::disk::{Disk, DiskFile, Real};
use crate::hot::{Item, Life, Loss, Lost, Place, survey};
use crate::replica::{Durability, ReceiveError, Receiver, Session};
use crate::tail::Bell;

fn runs() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

fn receiver(runs: &Path) -> Arc<Receiver> {
    let (host, bell) = ("near".to_owned(), Arc::default());
    Arc::new(Receiver::new(
        runs.to_owned(),
        host,
        Durability::Process,
        bell,
    ))
}

fn id(app: &str) -> StreamId {
    StreamId {
        run: RunId {
            host: "far".to_owned(),
            environment: "dev".to_owned(),
            app: app.to_owned(),
            instance: 0,
            run: 1,
        },
        stream: Stream::Out,
    }
}

/// A chunk with notes about its bytes that end there.
fn chunk(app: &str, offset: u64, bytes: &[u8], notes: &[(u64, u64)]) -> Chunk {
    Chunk {
        offset,
        bytes: bytes.to_vec(),
        notes: notes
            .iter()
            .map(|&(end, time)| Note { end, time })
            .collect(),
        ..Chunk::question(id(app))
    }
}

fn ended(chunk: Chunk) -> Chunk {
    Chunk {
        then: Then::End,
        ..chunk
    }
}

#[track_caller]
fn take(session: &mut Session, chunk: Chunk) -> (u64, Standing) {
    let acks = session.take(&[chunk]).expect("taken");
    let [Ack { end, standing, .. }] = &acks[..] else {
        panic!("{acks:?} is not one answer");
    };
    (*end, standing.clone())
}

#[track_caller]
fn refused(answer: (u64, Standing)) -> String {
    match answer.1 {
        Standing::Refused(why) => why,
        Standing::Open | Standing::Ended => panic!("{answer:?} is no refusal"),
    }
}

fn place(runs: &Path, id: &StreamId) -> Place {
    Place::new(id.run.folder(runs), id.stream)
}

#[test]
fn lines_have_the_times_of_their_source_and_what_is_gone_there_is_a_gap() {
    let runs = runs();
    let mut session = Session::new(receiver(runs.path()));
    let id = id("api");
    assert_eq!(
        take(&mut session, Chunk::question(id.clone())),
        (0, Standing::Open)
    );
    let first = chunk("api", 0, b"one\ntwo\n", &[(4, 100), (8, 200)]);
    assert_eq!(take(&mut session, first), (8, Standing::Open));
    assert_eq!(
        survey(&place(runs.path(), &id)).expect("looked at").life,
        Life::Written
    );
    let behind = Chunk {
        gone: 12,
        ..chunk("api", 20, b"three\n", &[(26, 150)])
    };
    assert_eq!(take(&mut session, behind), (26, Standing::Open));
    let end = Chunk {
        gone: 4,
        ..ended(chunk("api", 30, b"", &[]))
    };
    assert_eq!(take(&mut session, end), (30, Standing::Ended));
    let told = [
        (0, 100, "one".to_owned()),
        (4, 200, "two".to_owned()),
        (8, 0, "<12 gone>".to_owned()),
        (20, 150, "three".to_owned()),
        (26, 0, "<4 gone>".to_owned()),
    ];
    let place = place(runs.path(), &id);
    assert_eq!(shown(&read_all(&place)), told);
    let survey = survey(&place).expect("looked at");
    assert_eq!((survey.life, survey.changed), (Life::Ended, 200));
}

#[test]
fn what_has_ended_stays_so_for_whoever_asks() {
    let runs = runs();
    let receiver = receiver(runs.path());
    let mut session = Session::new(Arc::clone(&receiver));
    let all = ended(chunk("api", 0, b"all\n", &[(4, 1)]));
    assert_eq!(take(&mut session, all.clone()), (4, Standing::Ended));
    let late = chunk("api", 4, b"late\n", &[(9, 2)]);
    assert_eq!(take(&mut session, late), (4, Standing::Ended));
    let mut other = Session::new(receiver);
    assert_eq!(
        take(&mut other, Chunk::question(id("api"))),
        (4, Standing::Ended)
    );
    assert_eq!(read_all(&place(runs.path(), &id("api"))).len(), 1);
}

#[test]
fn a_torn_mark_of_the_end_is_none() {
    let runs = runs();
    let mut session = Session::new(receiver(runs.path()));
    let bytes = vec![b'x'; 123];
    take(&mut session, chunk("api", 0, &bytes, &[(123, 1)]));
    drop(session);
    let mark = id("api").run.folder(runs.path()).join(Stream::Out.ended());
    fs::write(mark, "12").expect("written");
    let mut session = Session::new(receiver(runs.path()));
    let asked = take(&mut session, Chunk::question(id("api")));
    assert_eq!(asked, (123, Standing::Open));
}

#[test]
fn of_a_chunk_that_is_known_in_part_the_rest_is_written() {
    let runs = runs();
    let mut session = Session::new(receiver(runs.path()));
    take(&mut session, chunk("api", 0, b"abcd", &[(2, 1), (4, 2)]));
    let more = chunk("api", 2, b"cdefgh", &[(3, 2), (6, 3), (8, 4)]);
    assert_eq!(take(&mut session, more), (8, Standing::Open));
    let folder = id("api").run.folder(runs.path());
    let bytes = fs::read(folder.join(Stream::Out.segment(1))).expect("read");
    assert_eq!(bytes, b"abcdefgh");
    let times = fs::read(folder.join(Stream::Out.times(1))).expect("read");
    let (records, _) = times.as_chunks::<{ notes::SIZE }>();
    let notes = records[1..].iter().map(|record| Note::decode(*record));
    let notes: Vec<_> = notes.map(|note| (note.end, note.time)).collect();
    assert_eq!(notes, [(2, 1), (4, 2), (6, 3), (8, 4)]);
}

#[test]
fn segments_end_where_the_layout_says() {
    let runs = runs();
    let mut session = Session::new(receiver(runs.path()));
    let piece = vec![b'x'; 1 << 20];
    let (mut end, pieces) = (0, SEGMENT_BYTES / (1 << 20) + 1);
    for _ in 0..pieces {
        let offset = end;
        end += piece.len() as u64;
        take(&mut session, chunk("api", offset, &piece, &[(end, 1)]));
    }
    let survey = survey(&place(runs.path(), &id("api"))).expect("looked at");
    let lengths: Vec<_> = survey.extents.iter().map(|extent| extent.length).collect();
    assert_eq!(lengths, [SEGMENT_BYTES, 1 << 20]);
}

#[test]
fn other_bytes_under_a_known_name_are_refused_and_its_neighbours_go_on() {
    let runs = runs();
    let mut session = Session::new(receiver(runs.path()));
    take(
        &mut session,
        chunk("api", 0, b"the first life\n", &[(15, 1)]),
    );
    take(&mut session, chunk("web", 0, b"x\n", &[(2, 1)]));
    let other = chunk("api", 4, b"other life and more\n", &[(24, 2)]);
    let why = refused(take(&mut session, other));
    assert!(
        why.contains("the bytes at offset 4 are not those that are kept here"),
        "{why}"
    );
    assert!(
        why.starts_with("keep out of \"dev\"/\"api\"/0 run 1 on \"far\": "),
        "{why}"
    );
    // It stays so in this call, whatever comes of it.
    refused(take(&mut session, chunk("api", 15, b"more\n", &[(20, 2)])));
    assert_eq!(
        take(&mut session, chunk("web", 2, b"y\n", &[(4, 1)])),
        (4, Standing::Open)
    );
    let kept = shown(&read_all(&place(runs.path(), &id("api"))));
    assert_eq!(kept, [(0, 1, "the first life".to_owned())]);
}

#[test]
fn a_stream_has_one_sender_at_a_time() {
    let runs = runs();
    let receiver = receiver(runs.path());
    let mut first = Session::new(Arc::clone(&receiver));
    let mut second = Session::new(receiver);
    take(&mut first, chunk("api", 0, b"a\n", &[(2, 1)]));
    let why = refused(take(&mut second, Chunk::question(id("api"))));
    assert!(
        why.ends_with("another sender ships it at this moment"),
        "{why}"
    );
    assert_eq!(
        take(&mut second, Chunk::question(id("web"))),
        (0, Standing::Open)
    );
    assert_eq!(
        take(&mut first, chunk("api", 2, b"b\n", &[(4, 1)])),
        (4, Standing::Open)
    );
    drop(first);
    // Bytes are no question: only who asks anew may be taken in.
    refused(take(&mut second, chunk("api", 4, b"c\n", &[(6, 1)])));
    assert_eq!(
        take(&mut second, Chunk::question(id("api"))),
        (4, Standing::Open)
    );
}

#[test]
fn the_runs_of_this_host_are_its_keeper_s() {
    let runs = runs();
    let mut session = Session::new(receiver(runs.path()));
    let mut own = chunk("api", 0, b"x\n", &[(2, 1)]);
    own.id.run.host = "near".to_owned();
    let error = session.take(&[own]).expect_err("ours");
    assert!(
        matches!(&error, ReceiveError::Own(host) if host == "near"),
        "{error}"
    );
    // The same under another name, as after the host was renamed: one that is written, and one that has ended.
    for app in ["written", "ended"] {
        let writer = Writer::new(runs.path(), &id(app).run, Stream::Out);
        if app == "ended" {
            Writer::ended(runs.path(), &id(app).run, Stream::Out, &[&[(b"ours\n", 1)]]);
        }
        let mut session = Session::new(receiver(runs.path()));
        let why = refused(take(&mut session, chunk(app, 0, b"theirs\n", &[(7, 1)])));
        assert!(
            why.contains("belongs to a run of the receiving host itself"),
            "{why}"
        );
        drop(writer);
    }
}

#[test]
fn a_chunk_whose_predecessor_is_missing_ends_the_call() {
    let runs = runs();
    let receiver = receiver(runs.path());
    let mut session = Session::new(Arc::clone(&receiver));
    take(&mut session, chunk("api", 0, b"ab", &[(2, 1)]));
    let error = session
        .take(&[chunk("api", 4, b"ef", &[(6, 1)])])
        .expect_err("cd is missing");
    let told = error.to_string();
    assert!(told.contains("at 4: it is kept up to 2"), "{told}");
    // It may be taken up again at once.
    drop(session);
    let mut session = Session::new(receiver);
    assert_eq!(
        take(&mut session, Chunk::question(id("api"))),
        (2, Standing::Open)
    );
}

#[test]
fn what_the_disk_refuses_is_said_and_costs_nothing_that_is_kept() {
    let runs = runs();
    let receiver = receiver(runs.path());
    let mut session = Session::new(Arc::clone(&receiver));
    take(&mut session, chunk("api", 0, b"a\n", &[(2, 1)]));
    // A folder cannot be made where a file is.
    fs::create_dir_all(runs.path().join("far/dev")).expect("made");
    File::create(runs.path().join("far/dev/web")).expect("made");
    let error = session
        .take(&[Chunk::question(id("web"))])
        .expect_err("no folder");
    assert!(error.to_string().contains("far/dev/web"), "{error}");
    drop(session);
    let mut session = Session::new(receiver);
    assert_eq!(
        take(&mut session, Chunk::question(id("api"))),
        (2, Standing::Open)
    );
    let full = ReceiveError::Write {
        path: runs.path().to_owned(),
        source: std::io::ErrorKind::StorageFull.into(),
    };
    assert!(full.is_full() && !error.is_full());
}

#[test]
fn names_lead_nowhere_else() {
    let folder = runs();
    let runs = folder.path().join("home/runs");
    fs::create_dir_all(&runs).expect("made");
    let mut session = Session::new(receiver(&runs));
    let mut evil = chunk("../../../evil", 0, b"x\n", &[(2, 1)]);
    evil.id.run.host = "..".to_owned();
    evil.id.run.environment = "/etc".to_owned();
    assert_eq!(take(&mut session, evil.clone()), (2, Standing::Open));
    assert!(evil.id.run.folder(&runs).starts_with(runs.join("%2E.")));
    let listed = |path: &Path| fs::read_dir(path).expect("listed").count();
    assert_eq!((listed(folder.path()), listed(&runs)), (1, 1));
}

#[test]
fn whoever_follows_is_rung_when_something_comes() {
    let runs = runs();
    let bell = Arc::new(Bell::default());
    let receiver = Receiver::new(
        runs.path().to_owned(),
        "near".to_owned(),
        Durability::Power,
        Arc::clone(&bell),
    );
    let mut session = Session::new(Arc::new(receiver));
    let before = bell.heard().expect("open");
    take(&mut session, chunk("api", 0, b"a\n", &[(2, 1)]));
    let begun = bell.heard().expect("open");
    assert_eq!(begun.news, before.news + 1);
    take(&mut session, chunk("api", 2, b"b\n", &[(4, 1)]));
    let grown = bell.heard().expect("open");
    assert!(grown != begun && grown.news == begun.news);
    take(&mut session, ended(chunk("api", 4, b"", &[])));
    assert_eq!(bell.heard().expect("open").news, grown.news + 1);
}

/// A disk that keeps nothing, or says so, once it is told to.
#[derive(Debug, Default)]
struct Failing {
    fails: AtomicBool,
    asked: AtomicUsize,
}

impl Disk for Failing {
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Real.create(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        Real.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        Real.remove(path)
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        Real.sync_folder(path)
    }

    fn sync_file(&self, _: &File) -> io::Result<()> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if self.fails.load(Ordering::SeqCst) {
            return Err(io::Error::from_raw_os_error(nix::libc::EIO));
        }
        Ok(())
    }
}

fn lasting(runs: &Path, durability: Durability, disk: &Arc<Failing>) -> Session {
    let (host, bell) = ("near".to_owned(), Arc::default());
    let receiver = Receiver::new(runs.to_owned(), host, durability, bell);
    let disk: Arc<Failing> = Arc::clone(disk);
    Session::new(Arc::new(receiver.on(disk)))
}

#[test]
fn what_the_disk_could_not_keep_is_not_acked_and_comes_again() {
    let runs = runs();
    let disk = Arc::new(Failing::default());
    let mut session = lasting(runs.path(), Durability::Power, &disk);
    session
        .take(&[chunk("api", 0, b"one\n", &[(4, 1)])])
        .expect("kept");
    disk.fails.store(true, Ordering::SeqCst);
    let two = chunk("api", 4, b"two\n", &[(8, 2)]);
    let error = session
        .take(std::slice::from_ref(&two))
        .expect_err("the disk fails");
    assert!(matches!(error, ReceiveError::Write { .. }), "{error}");
    drop(session);
    disk.fails.store(false, Ordering::SeqCst);
    let mut session = lasting(runs.path(), Durability::Power, &disk);
    let asked = session
        .take(&[Chunk::question(id("api"))])
        .expect("answered");
    assert_eq!(asked.first().map(|ack| ack.end), Some(4));
    disk.fails.store(true, Ordering::SeqCst);
    session
        .take(&[ended(two.clone())])
        .expect_err("the disk fails");
    drop(session);
    disk.fails.store(false, Ordering::SeqCst);
    let mut session = lasting(runs.path(), Durability::Power, &disk);
    let acks = session.take(&[ended(two)]).expect("kept");
    let all = acks.first().map(|ack| (ack.end, ack.standing.clone()));
    assert_eq!(all, Some((8, Standing::Ended)));
    let place = Place::new(id("api").run.folder(runs.path()), Stream::Out);
    let lines = shown(&read_all(&place));
    assert_eq!(lines, [(0, 1, "one".to_owned()), (4, 2, "two".to_owned())]);
}

#[test]
fn a_batch_asks_the_disk_once_for_each_file_and_only_where_it_is_to_last() {
    let runs = runs();
    let batch: Vec<_> = (0..8)
        .map(|n| chunk("api", n * 2, b"x\n", &[(n * 2 + 2, 1)]))
        .collect();
    let disk = Arc::new(Failing::default());
    let mut session = lasting(runs.path(), Durability::Power, &disk);
    session.take(&batch).expect("kept");
    assert_eq!(disk.asked.load(Ordering::SeqCst), 2, "bytes and notes");
    let other = Arc::new(Failing::default());
    drop(session);
    let mut session = lasting(runs.path(), Durability::Process, &other);
    session
        .take(&[chunk("api", 16, b"y\n", &[(18, 1)])])
        .expect("kept");
    assert_eq!(other.asked.load(Ordering::SeqCst), 0);
}

#[test]
fn a_stream_goes_on_behind_a_sealed_segment_when_the_power_took_what_grew_behind_it() {
    let runs = runs();
    let receiver = receiver(runs.path());
    let mut session = Session::new(Arc::clone(&receiver));
    session
        .take(&[chunk("api", 0, b"one of eight\n", &[(13, 1)])])
        .expect("kept");
    let gap = Chunk {
        gone: 7,
        ..chunk("api", 20, b"two\n", &[(24, 2)])
    };
    session.take(std::slice::from_ref(&gap)).expect("kept");
    drop(session);
    let place = Place::new(id("api").run.folder(runs.path()), Stream::Out);
    let found = survey(&place).expect("surveyed");
    let [first] = crate::hot::sealable(&found)[..] else {
        panic!("{found:?}");
    };
    assert!(crate::hot::seal(&Real, &place, first, &|| false).expect("sealed"));
    for name in [Stream::Out.segment(2), Stream::Out.times(2)] {
        fs::remove_file(place.folder().join(name)).expect("removed");
    }
    let mut session = Session::new(receiver);
    let asked = session
        .take(&[Chunk::question(id("api"))])
        .expect("answered");
    assert_eq!(asked.first().map(|ack| ack.end), Some(13));
    session.take(&[ended(gap)]).expect("kept");
    let lines = shown(&read_all(&place));
    let expected = [
        (0, 1, "one of eight".to_owned()),
        (13, 0, "<7 gone>".to_owned()),
        (20, 2, "two".to_owned()),
    ];
    assert_eq!(lines, expected);
}

#[test]
fn why_bytes_are_gone_is_kept_but_not_that_somebody_had_them_go_elsewhere() {
    let runs = runs();
    let mut session = Session::new(receiver(runs.path()));
    session
        .take(&[chunk("api", 0, b"kept\n", &[(5, 1)])])
        .expect("kept");
    let lost = |from, to, why| Lost {
        from,
        to,
        time: 0,
        why,
    };
    let gap = Chunk {
        gone: 25,
        lost: vec![
            lost(5, 10, Loss::Flushed),
            lost(10, 20, Loss::Retention),
            lost(20, 30, Loss::Damaged),
        ],
        ..chunk("api", 30, b"two\n", &[(34, 2)])
    };
    session.take(&[gap]).expect("kept");
    let place = Place::new(id("api").run.folder(runs.path()), Stream::Out);
    let told: Vec<_> = read_all(&place)
        .iter()
        .map(|item| match item {
            Item::Line { offset, .. } => (*offset, None),
            Item::Gap { offset, loss, .. } => (*offset, Some(*loss)),
        })
        .collect();
    let expected = [
        (0, None),
        (5, Some(Loss::Unknown)),
        (10, Some(Loss::Retention)),
        (20, Some(Loss::Damaged)),
        (30, None),
    ];
    assert_eq!(told, expected);
    assert_eq!(survey(&place).expect("surveyed").losses.asked_from(9), 0);
}
