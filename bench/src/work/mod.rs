//! The small programs of the benchmarks: apps that write, and the cheapest collector.
//!
//! | words | what it does |
//! | --- | --- |
//! | `write NAME LINES block\|line GO READY` | waits for its word, then writes numbered lines |
//! | `splice` | moves stdin to stdout, and nothing else |
//! | `stamps COUNT MILLIS GO` | says that it is there, waits for its word, then writes lines that tell when they were written |
//! | `replay FILE FROM TO MARKS` | writes a file, and notes when the lines from FROM to TO were written |
//! | `noise KIND BYTES_PER_SECOND SECONDS GO` | waits for its word, then writes what loggers do not expect |

mod lines;
mod noise;
mod replay;

pub(crate) use lines::{Form, Found, LINE, Numbered};
pub(crate) use noise::KINDS;

use std::fs::File;
use std::io::{self, Read as _, Write};
use std::os::fd::AsFd as _;
use std::path::Path;
use std::time::Duration;

use nix::fcntl::{SpliceFFlags, splice};

use crate::clock;
use crate::failure::Failure;
use crate::options::{unknown, value};

/// Bytes that the bare loop asks for at once.
const SPLICED: usize = 1 << 20;

/// What `stamps` says first.
pub(crate) const HELLO: &str = "here we are";

/// Does what the words say.
pub(crate) fn run(words: &[&str]) -> Result<(), Failure> {
    match words {
        ["write", name, lines, form, go, ready] => write(
            &Numbered::new(name),
            value("LINES", lines)?,
            Form::read(form)?,
            Path::new(go),
            &Path::new(ready).join(name),
        ),
        ["splice"] => move_all(),
        ["stamps", count, millis, go] => stamps(
            value("COUNT", count)?,
            value("MILLIS", millis)?,
            Path::new(go),
        ),
        ["replay", file, from, to, marks] => replay::run(
            Path::new(file),
            value("FROM", from)?,
            value("TO", to)?,
            Path::new(marks),
        ),
        ["noise", kind, bytes, seconds, go] => noise::run(
            kind,
            value("BYTES_PER_SECOND", bytes)?,
            Duration::from_secs(value("SECONDS", seconds)?),
            Path::new(go),
        ),
        _ => Err(unknown(&words.join(" "))),
    }
}

/// Standard output as a file: no buffer and no lock between the benchmark and the system call.
fn output() -> Result<File, Failure> {
    let descriptor = io::stdout().as_fd().try_clone_to_owned();
    descriptor
        .map(File::from)
        .map_err(Failure::run("with a stdout"))
}

fn write(lines: &Numbered, count: u64, form: Form, go: &Path, ready: &Path) -> Result<(), Failure> {
    let mut output = output()?;
    // Who is not ready has not opened it.
    let go = File::open(go).map_err(Failure::at("open", go))?;
    File::create(ready).map_err(Failure::at("make", ready))?;
    await_word(go)?;
    let written = lines.write(count, form, &mut output);
    written.map_err(|error| Failure::new("write lines", error))
}

fn await_word(mut go: File) -> Result<(), Failure> {
    go.read_exact(&mut [0])
        .map_err(|error| Failure::new("await the word", error))
}

fn move_all() -> Result<(), Failure> {
    let (input, output) = (io::stdin(), io::stdout());
    loop {
        let moved = splice(
            &input,
            None,
            &output,
            None,
            SPLICED,
            SpliceFFlags::SPLICE_F_MOVE,
        );
        if moved.map_err(|errno| Failure::new("splice", errno))? == 0 {
            return Ok(());
        }
    }
}

fn stamps(count: u64, millis: u64, go: &Path) -> Result<(), Failure> {
    let mut output = output()?;
    let said = output
        .write_all(HELLO.as_bytes())
        .and_then(|()| output.write_all(b"\n"));
    said.map_err(|error| Failure::new("say hello", error))?;
    await_word(File::open(go).map_err(Failure::at("open", go))?)?;
    for number in 0..count {
        clock::pause(Duration::from_millis(millis));
        let line = format!("stamp {number} {}\n", clock::ticks());
        let written = output.write_all(line.as_bytes());
        written.map_err(|error| Failure::new("write a stamp", error))?;
    }
    Ok(())
}
