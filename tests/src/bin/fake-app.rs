//! An app that does as it is told, so that a test can say in one line how a service behaves.
//!
//! Each argument is an action, carried out in turn; the app ends with code 0 after the last.
//!
//! | action | what it does |
//! | --- | --- |
//! | `out:TEXT`, `err:TEXT` | writes a line |
//! | `part:TEXT` | writes to stdout without a newline |
//! | `bytes:HEX` | writes these bytes to stdout |
//! | `lines:N` | writes numbered lines as fast as it can |
//! | `lines:N:MS` | writes numbered lines, resting between them |
//! | `until:FILE` | writes numbered lines in bursts until the file is there, then `end` |
//! | `facts` | writes a line of JSON: its arguments, folder, user, group and variables |
//! | `env:NAME`, `cwd` | writes `NAME=value`, or the working directory |
//! | `listen:PORT` | takes connections at a port of 127.0.0.1, and fails as services do when it is taken |
//! | `http:PORT:FILE` | answers at a port of 127.0.0.1 as the file says: see `eco_tests::serve` |
//! | `notify:WORDS` | says it through `NOTIFY_SOCKET` |
//! | `alive:FILE` | says `WATCHDOG=1` through `NOTIFY_SOCKET`, again and again, until the file is there |
//! | `file:FILE` | rests until the file is there |
//! | `once:FILE` | makes the file and goes on; where it was there already, forgets the remaining actions and waits |
//! | `ignore` | cannot be ended by SIGINT and SIGTERM any more |
//! | `polite` | says `bye` and exits with code 0 at SIGINT or SIGTERM |
//! | `slow:MS` | takes as long to end after SIGINT or SIGTERM |
//! | `note:FILE:TEXT` | adds a line to a file that several apps write |
//! | `leave:FILE:NAME` | at SIGINT or SIGTERM notes `NAME told`, rests while FILE.NAME is there, notes `NAME gone` and exits with code 0 |
//! | `setsid` | leaves its session and process group |
//! | `child:A,B` | starts a child that carries out these actions |
//! | `allocate:BYTES` | touches as much memory |
//! | `open:N`, `threads:N` | holds as many files open, or has as many more threads |
//! | `rest:MS`, `wait` | does nothing, for a while or for good |
//! | `exit:CODE`, `die:SIGNAL` | ends |

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, Command, ExitCode};
use std::str::FromStr;
use std::time::Duration;

use nix::sys::signal::{SigSet, Signal};

/// What makes an end of the app: its exit code, or a reason to fail.
type Step = Result<Option<u8>, Box<dyn std::error::Error>>;

/// Numbered lines between two rests of `until`.
const BURST: u64 = 20;

fn main() -> ExitCode {
    let actions: Vec<String> = std::env::args().skip(1).collect();
    let mut app = App::default();
    for action in &actions {
        match app.perform(action) {
            Ok(None) => {}
            Ok(Some(code)) => return ExitCode::from(code),
            Err(error) => {
                // Nobody may be there to be told.
                drop(writeln!(io::stderr(), "fake-app: {action}: {error}"));
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

/// What lives as long as the app does.
#[derive(Default)]
struct App {
    listeners: Vec<TcpListener>,
    children: Vec<Child>,
    memory: Vec<u8>,
    files: Vec<File>,
}

impl App {
    fn perform(&mut self, action: &str) -> Step {
        let (verb, rest) = action.split_once(':').unwrap_or((action, ""));
        match verb {
            "out" => writeln!(io::stdout(), "{rest}")?,
            "err" => writeln!(io::stderr(), "{rest}")?,
            "part" => say(rest.as_bytes())?,
            "bytes" => say(&bytes(rest)?)?,
            "lines" => lines(rest)?,
            "until" => until(Path::new(rest))?,
            "facts" => say(facts()?.as_bytes())?,
            "env" => {
                let value = std::env::var(rest).unwrap_or_else(|_| "(unset)".to_owned());
                writeln!(io::stdout(), "{rest}={value}")?;
            }
            "cwd" => writeln!(io::stdout(), "{}", std::env::current_dir()?.display())?,
            "listen" => self.listeners.push(listen(rest.parse()?)?),
            "http" => serve(rest)?,
            "notify" => notify(rest)?,
            "alive" => alive(Path::new(rest))?,
            "file" => wait_for(Path::new(rest)),
            "once" => {
                if Path::new(rest).exists() {
                    forever();
                }
                drop(File::create(rest)?);
            }
            "ignore" => ending_signals().thread_block()?,
            "polite" => polite(Duration::ZERO)?,
            "slow" => polite(Duration::from_millis(rest.parse()?))?,
            "note" => note(in_file(rest)?)?,
            "leave" => leave_in_turn(in_file(rest)?)?,
            "setsid" => drop(nix::unistd::setsid()?),
            "child" => self.children.push(
                Command::new(std::env::current_exe()?)
                    .args(rest.split(','))
                    .spawn()?,
            ),
            "open" => {
                let count: usize = rest.parse()?;
                let files = std::iter::repeat_with(|| File::open("/dev/null")).take(count);
                self.files.extend(files.collect::<io::Result<Vec<_>>>()?);
            }
            "threads" => {
                for _ in 0..rest.parse::<usize>()? {
                    drop(std::thread::Builder::new().spawn(|| forever())?);
                }
            }
            "allocate" => self.memory.resize(rest.parse()?, 1),
            "rest" => pause(Duration::from_millis(rest.parse()?)),
            "wait" => forever(),
            "exit" => return Ok(Some(rest.parse()?)),
            "die" => {
                nix::sys::signal::kill(nix::unistd::getpid(), Signal::from_str(rest)?)?;
                forever();
            }
            other => return Err(format!("no such action: {other}").into()),
        }
        Ok(None)
    }
}

fn wait_for(file: &Path) {
    while !file.exists() {
        pause(Duration::from_millis(2));
    }
}

fn say(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout();
    out.write_all(bytes)?;
    out.flush()
}

fn facts() -> Result<String, Box<dyn std::error::Error>> {
    let facts = serde_json::json!({
        "args": std::env::args().skip(1).collect::<Vec<_>>(),
        "cwd": std::env::current_dir()?,
        "uid": nix::unistd::getuid().as_raw(),
        "gid": nix::unistd::getgid().as_raw(),
        "env": std::env::vars().collect::<std::collections::BTreeMap<_, _>>(),
    });
    Ok(format!("{facts}\n"))
}

fn bytes(hex: &str) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let digits = hex.as_bytes().chunks(2);
    digits
        .map(|pair| Ok(u8::from_str_radix(std::str::from_utf8(pair)?, 16)?))
        .collect()
}

/// The lines that the tests' checker expects.
fn numbered(number: u64) -> String {
    format!(
        "{number} {}\n",
        "-".repeat(usize::try_from(number % 60).unwrap_or(0))
    )
}

fn lines(rest: &str) -> Result<(), Box<dyn std::error::Error>> {
    if let Some((count, every)) = rest.split_once(':') {
        let every = Duration::from_millis(every.parse()?);
        for number in 1..=count.parse()? {
            say(numbered(number).as_bytes())?;
            pause(every);
        }
        return Ok(());
    }
    let mut out = BufWriter::with_capacity(64 << 10, io::stdout());
    for number in 1..=rest.parse()? {
        out.write_all(numbered(number).as_bytes())?;
    }
    Ok(out.flush()?)
}

fn until(file: &Path) -> io::Result<()> {
    let mut number = 0;
    while !file.exists() {
        for _ in 0..BURST {
            number += 1;
            say(numbered(number).as_bytes())?;
        }
        pause(Duration::from_millis(4));
    }
    say(b"end\n")
}

fn listen(port: u16) -> Result<TcpListener, String> {
    TcpListener::bind(("127.0.0.1", port)).map_err(|error| {
        if error.kind() == io::ErrorKind::AddrInUse {
            format!("EADDRINUSE: address already in use 127.0.0.1:{port}")
        } else {
            error.to_string()
        }
    })
}

fn serve(rest: &str) -> Result<(), Box<dyn std::error::Error>> {
    let (port, file) = rest.split_once(':').ok_or("no file is named")?;
    Ok(eco_tests::serve(listen(port.parse()?)?, file.into())?)
}

fn alive(until: &Path) -> Result<(), Box<dyn std::error::Error>> {
    while !until.exists() {
        notify("WATCHDOG=1")?;
        pause(Duration::from_millis(20));
    }
    Ok(())
}

fn notify(words: &str) -> Result<(), Box<dyn std::error::Error>> {
    let socket = std::env::var_os("NOTIFY_SOCKET").ok_or("NOTIFY_SOCKET is not set")?;
    UnixDatagram::unbound()?.send_to(words.as_bytes(), socket)?;
    Ok(())
}

fn ending_signals() -> SigSet {
    [Signal::SIGINT, Signal::SIGTERM].into_iter().collect()
}

fn polite(rest: Duration) -> Result<(), Box<dyn std::error::Error>> {
    let signals = ending_signals();
    signals.thread_block()?;
    std::thread::Builder::new().spawn(move || {
        if signals.wait().is_ok() {
            pause(rest);
            drop(say(b"bye\n"));
            leave();
        }
    })?;
    Ok(())
}

/// Divides `FILE:TEXT`.
fn in_file(rest: &str) -> Result<(&str, &str), String> {
    rest.split_once(':')
        .ok_or_else(|| format!("no text in {rest}"))
}

/// Adds a line at once: several processes write the same file.
fn note((file, text): (&str, &str)) -> io::Result<()> {
    let mut story = File::options().create(true).append(true).open(file)?;
    story.write_all(format!("{text}\n").as_bytes())
}

fn leave_in_turn((file, name): (&str, &str)) -> Result<(), Box<dyn std::error::Error>> {
    let (file, name) = (file.to_owned(), name.to_owned());
    let signals = ending_signals();
    signals.thread_block()?;
    std::thread::Builder::new().spawn(move || {
        if signals.wait().is_ok() {
            drop(note((&file, &format!("{name} told"))));
            while Path::new(&format!("{file}.{name}")).exists() {
                pause(Duration::from_millis(2));
            }
            drop(note((&file, &format!("{name} gone"))));
            leave();
        }
    })?;
    Ok(())
}

#[expect(clippy::exit, reason = "the main thread is at rest and cannot return")]
fn leave() {
    std::process::exit(0);
}

fn forever() -> ! {
    loop {
        pause(Duration::from_secs(3600));
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a service that rests is what is played here; no test waits by it"
)]
fn pause(time: Duration) {
    std::thread::sleep(time);
}
