//! A small writer of the layout, and a client of the daemon.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use eco_home::notes::{self, Note};
use eco_home::runs::{RunId, Stream};
use eco_home::{Daemon, Home};
use eco_proto::log::v1 as pb;
use eco_proto::log::v1::log_client::LogClient;
use tempfile::TempDir;
use tokio::sync::{mpsc, oneshot};
use tonic::transport::Channel;

use crate::daemon::Manner;
use crate::hot::{Item, Place, Reader, Tail, survey};
use crate::query::{self, After, Query};
use crate::tail::Bell;

/// What a test waits at most for what must come.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

pub(super) fn run_id(app: &str, run: u64) -> RunId {
    RunId {
        host: "box".to_owned(),
        environment: "dev".to_owned(),
        app: app.to_owned(),
        instance: 0,
        run,
    }
}

/// Writes one stream of a run as the keeper does.
pub(super) struct Writer {
    folder: PathBuf,
    stream: Stream,
    number: u32,
    end: u64,
    /// Of the last note.
    time: u64,
}

impl Writer {
    pub(super) fn new(runs: &Path, run: &RunId, stream: Stream) -> Self {
        let folder = run.folder(runs);
        std::fs::create_dir_all(&folder).expect("made");
        File::create(folder.join(stream.fifo())).expect("made");
        Self {
            folder,
            stream,
            number: 0,
            end: 0,
            time: 0,
        }
    }

    /// A stream that has ended with these chunks, one segment for each.
    pub(super) fn ended(
        runs: &Path,
        run: &RunId,
        stream: Stream,
        segments: &[&[(&[u8], u64)]],
    ) -> Self {
        let mut writer = Self::new(runs, run, stream);
        for chunks in segments {
            writer.rotate();
            for (bytes, time) in *chunks {
                writer.write(bytes, *time);
            }
        }
        writer.end();
        writer
    }

    pub(super) fn segment(&self) -> PathBuf {
        self.folder.join(self.stream.segment(self.number))
    }

    pub(super) fn times(&self) -> PathBuf {
        self.folder.join(self.stream.times(self.number))
    }

    pub(super) fn place(&self) -> Place {
        Place::new(self.folder.clone(), self.stream)
    }

    pub(super) fn rotate(&mut self) {
        self.number += 1;
        append(&self.times(), &notes::head(self.end));
        append(&self.segment(), &[]);
    }

    pub(super) fn write(&mut self, bytes: &[u8], time: u64) {
        self.write_bytes(bytes);
        self.note(self.end, time);
    }

    pub(super) fn write_bytes(&mut self, bytes: &[u8]) {
        if self.number == 0 {
            self.rotate();
        }
        append(&self.segment(), bytes);
        self.end += bytes.len() as u64;
    }

    pub(super) fn note(&mut self, end: u64, time: u64) {
        self.time = time;
        append(&self.times(), &Note { end, time }.encode());
    }

    /// When the segment last changed, unix ns.
    pub(super) fn changed(&self) -> u64 {
        let metadata = std::fs::metadata(self.segment()).expect("there");
        let changed = metadata.modified().expect("known");
        let since = changed.duration_since(std::time::UNIX_EPOCH);
        eco_home::clock::nanos(since.expect("later"))
    }

    /// Sets when the segment last changed, unix ns.
    pub(super) fn change_at(&self, time: u64) {
        let segment = OpenOptions::new().append(true).open(self.segment());
        let changed = std::time::UNIX_EPOCH + Duration::from_nanos(time);
        segment.expect("opened").set_modified(changed).expect("set");
    }

    /// The FIFO goes; the files last changed when the last note says, or there is nothing in them.
    pub(super) fn end(&self) {
        if self.time > 0 {
            let changed = std::time::UNIX_EPOCH + Duration::from_nanos(self.time);
            for number in 1..=self.number {
                let path = self.folder.join(self.stream.segment(number));
                // One that is not there was sealed meanwhile.
                if let Ok(segment) = OpenOptions::new().append(true).open(path) {
                    segment.set_modified(changed).expect("set");
                }
            }
        }
        std::fs::remove_file(self.folder.join(self.stream.fifo())).expect("removed");
    }
}

pub(super) fn append(path: &Path, bytes: &[u8]) {
    let file = OpenOptions::new().create(true).append(true).open(path);
    file.expect("opened").write_all(bytes).expect("written");
}

/// All that is in an ended stream.
pub(super) fn read_all(place: &Place) -> Vec<Item> {
    let survey = survey(place).expect("surveyed");
    let end = survey.end();
    let mut reader = Reader::new(place.clone(), survey.extents, 0, end, Tail::Passed);
    std::iter::from_fn(|| reader.read().expect("read")).collect()
}

/// (offset, time, text) of the lines; gaps as text.
pub(super) fn shown(items: &[Item]) -> Vec<(u64, u64, String)> {
    let shown = items.iter().map(|item| match item {
        Item::Line {
            offset, time, text, ..
        } => (*offset, *time, String::from_utf8_lossy(text).into_owned()),
        Item::Gap { offset, bytes, .. } => (*offset, 0, format!("<{bytes} gone>")),
    });
    shown.collect()
}

pub(super) fn everything() -> Query {
    Query {
        filter: crate::catalog::Filter::default(),
        streams: Stream::BOTH.to_vec(),
        last: None,
        since: 0,
        until: u64::MAX,
        after: After::Nothing,
        sieve: None,
    }
}

/// The texts of the answer to `query`, each with the app, run and stream it is of; gaps as text.
pub(super) fn ask(runs: &Path, query: &Query) -> Vec<String> {
    let (sender, mut items) = mpsc::channel(10_000);
    query::answer(query, runs, &Bell::default(), sender);
    let mut names = vec![String::new()];
    let mut texts = Vec::new();
    while let Ok(item) = items.try_recv() {
        match item.expect("complete") {
            query::Item::Source { id, run, stream } => {
                assert_eq!(id as usize, names.len());
                names.push(format!("{}.{}.{}", run.app, run.run, stream.stem()));
            }
            query::Item::Lines(lines) => texts.extend(lines.iter().map(|line| {
                let text = String::from_utf8_lossy(&line.text);
                format!("{} {text}", names[line.source as usize])
            })),
            query::Item::CaughtUp => texts.push("--".to_owned()),
            query::Item::Gap { source, bytes, .. } => {
                texts.push(format!("{} <{bytes} gone>", names[source as usize]));
            }
            query::Item::Begun { .. } => panic!("only a follower hears of it"),
        }
    }
    assert_eq!(texts.pop().as_deref(), Some("--"));
    texts
}

/// A daemon in a home of its own, on a thread of its own.
pub(super) struct Served {
    pub(super) home: Home,
    folder: TempDir,
    manner: Manner,
    told: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Served {
    pub(super) fn start() -> Self {
        Self::start_as(Manner::default(), None)
    }

    /// One that serves in that manner, and whose `eco.toml` says this.
    pub(super) fn start_as(manner: Manner, settings: Option<&str>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        // What tests write came in 1970.
        let bounds = "[logs]\nmax_age = \"36500d\"\nmin_free_disk = 0\n";
        let settings = format!("{bounds}{}", settings.unwrap_or_default());
        std::fs::write(folder.path().join("eco.toml"), settings).expect("written");
        Self::serve(folder, manner)
    }

    fn serve(folder: TempDir, manner: Manner) -> Self {
        let home = Home::find(Some(folder.path()), None).expect("a home");
        let (told, when_told) = oneshot::channel();
        let (served, same) = (home.clone(), manner.clone());
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            let runtime = runtime.expect("a runtime");
            let ended = runtime.block_on(crate::daemon::run(&served, &manner, async {
                when_told.await.ok();
            }));
            ended.expect("served");
            runtime.shutdown_timeout(PATIENCE);
        });
        Self {
            home,
            folder,
            manner: same,
            told: Some(told),
            thread: Some(thread),
        }
    }

    pub(super) async fn client(&self) -> LogClient<Channel> {
        let path = self.home.socket(Daemon::Log);
        let connect = async {
            loop {
                match eco_home::connect::unix(path.clone()).await {
                    Ok(channel) => return LogClient::new(channel),
                    Err(_) => tokio::task::yield_now().await,
                }
            }
        };
        tokio::time::timeout(PATIENCE, connect)
            .await
            .expect("listens")
    }

    /// Tells it to end and waits until it has.
    pub(super) fn stop(mut self) {
        self.end();
    }

    /// Has another one serve the same home in the same manner, after `meanwhile`.
    pub(super) fn renew(mut self, meanwhile: impl FnOnce()) -> Self {
        self.end();
        meanwhile();
        Self::serve(self.folder, self.manner)
    }

    fn end(&mut self) {
        self.told.take();
        let thread = self.thread.take().expect("there until now");
        thread.join().expect("no panic");
    }
}

/// Reads an answer item by item, lines one by one.
pub(super) struct Listener {
    items: tonic::Streaming<pb::QueryItem>,
    lines: std::collections::VecDeque<pb::Line>,
    pub(super) sources: std::collections::BTreeMap<u32, pb::Source>,
}

#[derive(Debug, PartialEq)]
pub(super) enum Heard {
    Line(pb::Line),
    CaughtUp,
    Gap(pb::Gap),
    Begun(pb::Begun),
}

impl Listener {
    pub(super) async fn ask(client: &mut LogClient<Channel>, request: pb::QueryRequest) -> Self {
        let answer = client.query(request).await.expect("answered");
        Self {
            items: answer.into_inner(),
            lines: std::collections::VecDeque::new(),
            sources: std::collections::BTreeMap::new(),
        }
    }

    /// `None`: the answer is complete.
    pub(super) async fn next(&mut self) -> Result<Option<Heard>, tonic::Status> {
        use pb::query_item::Item;
        loop {
            if let Some(line) = self.lines.pop_front() {
                assert!(
                    self.sources.contains_key(&line.source),
                    "named before its lines"
                );
                return Ok(Some(Heard::Line(line)));
            }
            let item = tokio::time::timeout(PATIENCE, self.items.message());
            match item
                .await
                .expect("comes in time")?
                .map(|item| item.item.expect("known"))
            {
                None => return Ok(None),
                Some(Item::Source(source)) => {
                    assert!(
                        self.sources.insert(source.id, source).is_none(),
                        "named once"
                    );
                }
                Some(Item::Lines(lines)) => self.lines.extend(lines.lines),
                Some(Item::CaughtUp(_)) => return Ok(Some(Heard::CaughtUp)),
                Some(Item::Gap(gap)) => return Ok(Some(Heard::Gap(gap))),
                Some(Item::Begun(begun)) => return Ok(Some(Heard::Begun(begun))),
            }
        }
    }

    pub(super) async fn text(&mut self) -> String {
        match self.next().await.expect("goes on") {
            Some(Heard::Line(line)) => String::from_utf8(line.text).expect("text"),
            other => panic!("{other:?} is no line"),
        }
    }

    pub(super) async fn caught_up(&mut self) {
        assert_eq!(self.next().await.expect("goes on"), Some(Heard::CaughtUp));
    }
}

/// Waits until `holds`, without a runtime.
pub(super) fn wait_until(holds: impl Fn() -> bool) {
    let idle = Arc::new((std::sync::Mutex::new(()), std::sync::Condvar::new()));
    let start = eco_home::clock::since_boot();
    while !holds() {
        let waited = eco_home::clock::since_boot().saturating_sub(start);
        assert!(waited < PATIENCE, "in time");
        let guard = idle.0.lock().expect("sound");
        drop(
            idle.1
                .wait_timeout(guard, Duration::from_millis(2))
                .expect("sound"),
        );
    }
}
