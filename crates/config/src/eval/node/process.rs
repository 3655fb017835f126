//! Running node: what it may write and how long it may take is bounded.
//!
//! ```text
//! program ─▶ stdin ─▶ node ─┬─▶ stdout ─▶ a thread, up to the second mark ─▶ what is said · the answer
//!                           └─▶ stderr ─▶ a thread ─▶ what is said
//! ```
//!
//! It is ended once the answer is there, or the time is over. A process that the file has started and not waited for is
//! left to itself: it may be meant to live on.

use std::collections::BTreeMap;
use std::io::{self, Read, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use super::NODE_TIME_LIMIT;
use crate::eval::FILE_LIMIT;

/// What is waited for the rest of stderr, once node has ended.
const REST: Duration = Duration::from_millis(200);

/// Bytes that are read at once.
const CHUNK: usize = 1 << 16;

/// What node is to run.
pub(super) struct Run<'a> {
    pub(super) node: &'a Path,
    pub(super) flag: Option<&'a str>,
    pub(super) program: String,
    /// What stands before and behind the answer.
    pub(super) mark: &'a str,
    pub(super) cwd: &'a Path,
    pub(super) variables: &'a BTreeMap<String, String>,
}

/// What node wrote.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Written {
    /// What stood between the marks.
    pub(super) answer: Option<String>,
    /// All else on stdout.
    pub(super) out: String,
    /// What stood on stderr.
    pub(super) err: String,
}

/// Why there is nothing to read.
#[derive(Debug)]
pub(super) enum RunError {
    /// It cannot be run.
    Start(io::Error),
    /// It takes too long.
    Time,
    /// It writes too much.
    Output,
}

/// Runs node until it has answered or ended.
pub(super) fn run(run: Run<'_>) -> Result<Written, RunError> {
    let mut child = Command::new(run.node)
        .arg("--no-warnings")
        .args(run.flag)
        .arg("-")
        .env_clear()
        .envs(run.variables)
        .current_dir(run.cwd)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(RunError::Start)?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let program = run.program;
    std::thread::spawn(move || {
        if let Some(mut stdin) = stdin {
            // Node that ends before it has read everything says why by itself.
            stdin.write_all(program.as_bytes()).ok();
        }
    });
    let mark = run.mark.to_owned();
    let out = read(stdout, move |bytes, fresh| {
        // The second mark is the last that is written: only with it is all of it looked through.
        let from = bytes.len().saturating_sub(fresh + mark.len());
        let is_there = bytes
            .get(from..)
            .is_some_and(|end| split(end, mark.as_bytes()).is_some());
        is_there && between(bytes, mark.as_bytes()).is_some()
    });
    let err = read(stderr, |_, _| false);
    let out = out.recv_timeout(NODE_TIME_LIMIT);
    end(&mut child);
    let out = out.map_err(|_| RunError::Time)?;
    if out.len() as u64 > FILE_LIMIT {
        return Err(RunError::Output);
    }
    let err = err.recv_timeout(REST).unwrap_or_default();
    Ok(taken_apart(&out, &err, run.mark))
}

/// Ends a process that has answered, has ended or never will.
fn end(child: &mut Child) {
    child.kill().ok();
    child.wait().ok();
}

/// Reads in a thread of its own up to the end, to what is enough (asked with all bytes, and how many are fresh), or to
/// a little more than may be read.
fn read(
    stream: Option<impl Read + Send + 'static>,
    is_enough: impl Fn(&[u8], usize) -> bool + Send + 'static,
) -> Receiver<Vec<u8>> {
    let (send, receive) = mpsc::sync_channel(1);
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let mut chunk = vec![0; CHUNK];
        if let Some(mut stream) = stream {
            while let Ok(count @ 1..) = stream.read(&mut chunk) {
                bytes.extend_from_slice(chunk.get(..count).unwrap_or_default());
                if bytes.len() as u64 > FILE_LIMIT || is_enough(&bytes, count) {
                    break;
                }
            }
        }
        send.send(bytes).ok();
    });
    receive
}

fn taken_apart(out: &[u8], err: &[u8], mark: &str) -> Written {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match between(out, mark.as_bytes()) {
        Some((before, answer, behind)) => Written {
            answer: Some(text(answer)),
            out: text(&[before, behind].concat()),
            err: text(err),
        },
        None => Written {
            answer: None,
            out: text(out),
            err: text(err),
        },
    }
}

/// What stands before, between and behind two marks.
fn between<'a>(bytes: &'a [u8], mark: &[u8]) -> Option<(&'a [u8], &'a [u8], &'a [u8])> {
    let (before, rest) = split(bytes, mark)?;
    let (inside, behind) = split(rest, mark)?;
    Some((before, inside, behind))
}

fn split<'a>(bytes: &'a [u8], mark: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = bytes
        .windows(mark.len())
        .position(|window| window == mark)?;
    let (before, rest) = bytes.split_at_checked(at)?;
    Some((before, rest.get(mark.len()..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_what_stands_between_the_marks() {
        let written = taken_apart(b"said\n<m>{}<m>late", b"warned", "<m>");
        let expected = Written {
            answer: Some("{}".to_owned()),
            out: "said\nlate".to_owned(),
            err: "warned".to_owned(),
        };
        assert_eq!(written, expected);
    }

    #[test]
    fn half_an_answer_is_none() {
        for out in ["", "<m>", "<m>{}", "said"] {
            assert_eq!(
                taken_apart(out.as_bytes(), b"", "<m>").answer,
                None,
                "{out}"
            );
        }
    }
}
