//! Two log daemons, one of which ships to the other, both killed in turn while an app writes and both of them seal: each line
//! is there once, with its time, and what the app's disk refused is told once, with its reason.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex};
use std::time::Duration;

use eco_home::notes::{self, Note};
use eco_home::runs::{RunId, SHIPPED, Stream};
use eco_home::{Daemon, Home, clock, connect};
use eco_logd::hot::{Place, survey};
use eco_proto::log::v1 as pb;
use eco_proto::log::v1::log_client::LogClient;

const PATIENCE: Duration = Duration::from_secs(60);
const KILLS: u32 = 16;
/// Bytes that a line is filled up with: segments are large enough to be sealed.
const WIDTH: usize = 16;
/// Bytes that were dropped between two segments: behind a gap the replica begins a next one, too.
const DROPPED: u64 = 7;

/// A log daemon in a home of its own, killed when it is dropped.
struct Logd {
    home: PathBuf,
    args: Vec<String>,
    child: Child,
}

impl Logd {
    fn start(home: &Path, args: &[&str]) -> Self {
        let args: Vec<_> = args.iter().map(ToString::to_string).collect();
        Self {
            home: home.to_owned(),
            child: spawn(home, &args),
            args,
        }
    }

    /// SIGKILL, and a successor.
    fn kill(&mut self) {
        self.end();
        self.child = spawn(&self.home, &self.args);
    }

    fn end(&mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("reaped");
    }
}

impl Drop for Logd {
    fn drop(&mut self) {
        self.end();
    }
}

fn spawn(home: &Path, args: &[String]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_eco-logd"))
        .arg("--home")
        .arg(home)
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("run")
}

/// Waits until `holds`.
fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = clock::since_boot();
    while !holds() {
        assert!(
            clock::since_boot().saturating_sub(begun) < PATIENCE,
            "{what}"
        );
        pause();
    }
}

fn pause() {
    let guard = Mutex::new(());
    let idle = Condvar::new();
    let held = guard.lock().expect("sound");
    drop(
        idle.wait_timeout(held, Duration::from_millis(2))
            .expect("sound"),
    );
}

/// The line of that number.
fn line(number: u64) -> String {
    format!("line {number} {number:0WIDTH$}")
}

/// Writes numbered lines as the keeper does, a next segment now and then, until it is told to end.
fn write(folder: &Path, is_over: &AtomicBool) -> u64 {
    fs::create_dir_all(folder).expect("made");
    File::create(folder.join(Stream::Out.fifo())).expect("made");
    let append = |name: String| {
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(folder.join(name));
        file.expect("opened")
    };
    let (mut written, mut end) = (0_u64, 0);
    for number in 1.. {
        let mut times = append(Stream::Out.times(number));
        let head = match number {
            1 => notes::head(0),
            _ => notes::head_after_drop(end),
        };
        times.write_all(&head).expect("written");
        let mut segment = append(Stream::Out.segment(number));
        for _ in 0..100 {
            let lines: Vec<u8> = (written..written + 50)
                .flat_map(|n| format!("{}\n", line(n)).into_bytes())
                .collect();
            segment.write_all(&lines).expect("written");
            written += 50;
            end += lines.len() as u64;
            let time = clock::nanos(clock::unix());
            let note = Note { end, time }.encode();
            times.write_all(&note).expect("written");
            pause();
            if is_over.load(Ordering::Acquire) {
                fs::remove_file(folder.join(Stream::Out.fifo())).expect("removed");
                return written;
            }
        }
        end += DROPPED;
    }
    written
}

/// Has the writer end, also when the test fails.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// How far the replica is kept.
fn end(folder: &Path) -> u64 {
    let place = Place::new(folder.to_owned(), Stream::Out);
    survey(&place).expect("looked at").end()
}

/// Whether a segment of a run that lives is sealed.
fn is_sealed(folder: &Path) -> bool {
    folder.join(Stream::Out.sealed(1)).exists()
}

/// (offset, time, text) of each line that a daemon has, all of them of `host`, and where something was dropped.
async fn lines(home: &Path, host: &str) -> (Vec<(u64, u64, String)>, Vec<u64>) {
    let home = Home::find(Some(home), None).expect("a home");
    let channel = connect::unix(home.socket(Daemon::Log)).await;
    let mut client = LogClient::new(channel.expect("serves"));
    let answer = client.query(pb::QueryRequest::default()).await;
    let mut items = answer.expect("answered").into_inner();
    let (mut lines, mut gaps) = (Vec::new(), Vec::new());
    while let Some(item) = items.message().await.expect("complete") {
        match item.item.expect("known") {
            pb::query_item::Item::Source(source) => assert_eq!(source.host, host),
            pb::query_item::Item::Lines(some) => lines.extend(some.lines.into_iter().map(|line| {
                let text = String::from_utf8(line.text).expect("text");
                (line.offset, line.time_ns, text)
            })),
            pb::query_item::Item::CaughtUp(_) => {}
            pb::query_item::Item::Gap(gap) => {
                assert_eq!((gap.loss(), gap.bytes), (pb::Loss::Overflow, DROPPED));
                gaps.push(gap.offset);
            }
            pb::query_item::Item::Begun(begun) => panic!("{begun:?}"),
        }
    }
    (lines, gaps)
}

fn serves(home: &Path) -> bool {
    let home = Home::find(Some(home), None).expect("a home");
    std::os::unix::net::UnixStream::connect(home.socket(Daemon::Log)).is_ok()
}

#[tokio::test]
async fn each_line_is_kept_once_with_its_time_whoever_is_killed() {
    let folder = tempfile::tempdir().expect("a folder");
    let (edge, central) = (folder.path().join("edge"), folder.path().join("central"));
    fs::create_dir(&edge).expect("made");
    let port: SocketAddr = {
        let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
        listener.local_addr().expect("known")
    };
    // What is on this machine's disk besides is not this test's matter.
    let bounds = "[logs]\nmin_free_disk = 0\n";
    let settings = format!("{bounds}[ship]\nto = \"http://{port}\"\n");
    fs::write(edge.join("eco.toml"), settings).expect("written");
    fs::create_dir(&central).expect("made");
    let settings = format!("{bounds}listen = \"{port}\"\n");
    fs::write(central.join("eco.toml"), settings).expect("written");
    let run = RunId {
        host: "edge".to_owned(),
        environment: "dev".to_owned(),
        app: "api".to_owned(),
        instance: 0,
        run: 1,
    };
    let (source, replica) = (
        run.folder(&edge.join("runs")),
        run.folder(&central.join("runs")),
    );
    let mut receiver = Logd::start(&central, &["--host", "central"]);
    let mut sender = Logd::start(&edge, &["--host", "edge"]);
    let is_over = AtomicBool::new(false);
    let written = std::thread::scope(|scope| {
        let writing = scope.spawn(|| write(&source, &is_over));
        let over = Over(&is_over);
        for round in 0.. {
            if round >= KILLS && is_sealed(&source) && is_sealed(&replica) {
                break;
            }
            let before = end(&replica);
            wait_until("more is kept", || end(&replica) > before);
            if round % 2 == 0 {
                receiver.kill();
            } else {
                sender.kill();
            }
        }
        drop(over);
        writing.join().expect("no panic")
    });
    wait_until("all is kept", || replica.join(Stream::Out.ended()).exists());
    wait_until("both serve", || serves(&edge) && serves(&central));
    let (kept, gaps) = lines(&central, "edge").await;
    assert_eq!(kept.len() as u64, written);
    for (number, (_, _, text)) in kept.iter().enumerate() {
        assert_eq!(*text, line(number as u64));
    }
    assert!(!gaps.is_empty());
    assert_eq!((kept, gaps), lines(&edge, "edge").await);
    // Its other stream never began, which is known after a while; then nobody asks for it again.
    wait_until("it is noted", || source.join(SHIPPED).exists());
}
