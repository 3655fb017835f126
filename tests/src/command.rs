//! Running `eco` to its end, with a limit.

use std::io::Read;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;

use serde_json::Value;

/// Looks at a running command before it is given up: about a minute.
const LOOKS: u32 = 4000;

/// What a command said, and how it ended.
#[derive(Clone, Debug)]
pub struct Output {
    /// What it printed as data.
    pub stdout: String,
    /// What it told people.
    pub stderr: String,
    /// Its exit code; -1: a signal.
    pub code: i32,
}

impl Output {
    /// Asserts success.
    ///
    /// # Panics
    /// When it failed.
    #[track_caller]
    #[must_use]
    pub fn ok(self) -> Self {
        assert_eq!(self.code, 0, "{self}");
        self
    }

    /// Asserts failure with an exit code, and that people were told all of `words`.
    ///
    /// # Panics
    /// When it ended otherwise.
    #[track_caller]
    pub fn fails(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, code, "{self}");
        self.tells(words);
    }

    /// Asserts that people were told all of `words`.
    ///
    /// # Panics
    /// When they were not.
    #[track_caller]
    pub fn tells(&self, words: &[&str]) {
        // Long messages are folded nowhere, so a word is found as it is.
        for word in words {
            assert!(self.stderr.contains(word), "{word:?} is not told\n{self}");
        }
    }

    /// Reads the data.
    ///
    /// # Panics
    /// When it is no JSON.
    #[track_caller]
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}\n{self}"))
    }
}

impl std::fmt::Display for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            stdout,
            stderr,
            code,
        } = self;
        write!(
            f,
            "exit code {code}\n-- stdout\n{stdout}\n-- stderr\n{stderr}"
        )
    }
}

/// Runs a command to its end, with nothing on stdin.
#[track_caller]
pub(crate) fn run(command: Command) -> Output {
    run_given(command, Stdio::null())
}

/// Runs a command to its end.
#[track_caller]
pub(crate) fn run_given(mut command: Command, stdin: Stdio) -> Output {
    let mut child = command
        .stdin(stdin)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program can be run");
    let stdout = collect(child.stdout.take());
    let stderr = collect(child.stderr.take());
    let status = end(&mut child);
    let output = Output {
        stdout: stdout.join().expect("reading does not panic"),
        stderr: stderr.join().expect("reading does not panic"),
        code: status.and_then(|status| status.code()).unwrap_or(-1),
    };
    assert!(status.is_some(), "{command:?} does not end\n{output}");
    output
}

fn end(child: &mut Child) -> Option<ExitStatus> {
    for _ in 0..LOOKS {
        if let Some(status) = child.try_wait().expect("the child is ours") {
            return Some(status);
        }
        crate::wait::rest();
    }
    drop(child.kill());
    drop(child.wait());
    None
}

fn collect(stream: Option<impl Read + Send + 'static>) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut stream) = stream {
            // What came before a failure is as good.
            drop(stream.read_to_end(&mut bytes));
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}
