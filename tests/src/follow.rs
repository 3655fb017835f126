//! A command that goes on: `eco logs -f`.

use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

type Lines = Arc<Mutex<Vec<String>>>;

/// A running command, and the lines that it printed so far.
#[derive(Debug)]
pub struct Follower {
    child: Child,
    lines: Lines,
    told: Lines,
    /// End when the command has closed what it writes to.
    collectors: [JoinHandle<()>; 2],
}

impl Follower {
    /// `stdin`: what it reads.
    pub(crate) fn new(mut command: Command, stdin: Stdio) -> Self {
        let mut child = command
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program can be run");
        let (lines, printing) = collect(child.stdout.take());
        let (told, telling) = collect(child.stderr.take());
        Self {
            child,
            lines,
            told,
            collectors: [printing, telling],
        }
    }

    /// Returns what came so far.
    #[must_use]
    pub fn text(&self) -> String {
        hold(&self.lines).join("\n")
    }

    /// Returns how many lines came so far.
    #[must_use]
    pub fn count(&self) -> usize {
        hold(&self.lines).len()
    }

    /// Returns the last line that came.
    #[must_use]
    pub fn last(&self) -> Option<String> {
        hold(&self.lines).last().cloned()
    }

    /// Returns what people were told so far.
    #[must_use]
    pub fn told(&self) -> String {
        hold(&self.told).join("\n")
    }

    /// Waits until the last line that came has `end` in it.
    ///
    /// # Panics
    /// When it does not come.
    #[track_caller]
    pub fn wait_for_end(&mut self, end: &str) {
        let (mut last, mut code) = (None, None);
        let has_come = crate::wait::comes(|| {
            (last, code) = (self.last(), self.code());
            last.as_ref().is_some_and(|line| line.contains(end))
        });
        assert!(
            has_come,
            "{end} does not come; the last line is {last:?}, the exit code {code:?}, and it was told:\n{}",
            self.told()
        );
    }

    /// Returns its process.
    ///
    /// # Panics
    /// Never: a pid is small.
    #[must_use]
    pub fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).expect("a pid is small")
    }

    /// Returns its exit code once it has ended and all that it said was taken.
    ///
    /// # Panics
    /// Never: the child is ours.
    pub fn code(&mut self) -> Option<i32> {
        let status = self.child.try_wait().expect("the child is ours");
        let is_taken = self.collectors.iter().all(JoinHandle::is_finished);
        status
            .filter(|_| is_taken)
            .map(|status| status.code().unwrap_or(-1))
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Reads lines for as long as they come, which is until the command ends, which it does with the follower.
fn collect(stream: Option<impl Read + Send + 'static>) -> (Lines, JoinHandle<()>) {
    let lines = Lines::default();
    let taken = Arc::clone(&lines);
    let stream = BufReader::new(stream.expect("it is piped"));
    let collector = std::thread::spawn(move || {
        for line in stream.lines().map_while(Result::ok) {
            hold(&taken).push(line);
        }
    });
    (lines, collector)
}

fn hold(lines: &Mutex<Vec<String>>) -> MutexGuard<'_, Vec<String>> {
    lines.lock().unwrap_or_else(PoisonError::into_inner)
}
