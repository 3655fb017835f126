//! Asking by a program: it runs in the app's folder, with the app's variables, as the app's user.
//!
//! What it writes is read as it comes, so that it never waits for us, and all but the end is dropped. When it ends, or takes
//! too long, its whole group is killed: a check leaves nothing behind.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe::Receiver;
use tokio::process::{Child, Command};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::judge::Reply;
use crate::fleet::{How, span};
use crate::os::account::Account;
use crate::os::errand::{self, Group};
use crate::resolve;

/// What is kept of its output.
const KEPT: usize = 4096;
/// How long what it wrote last may take to arrive, when nothing of it is left.
const LAST_WORDS: Duration = Duration::from_millis(100);
/// Characters of its last line that are told.
const TOLD: usize = 200;

/// What a check shares with the app.
#[derive(Clone, Debug)]
pub(super) struct Scene {
    /// The working directory.
    pub(super) cwd: PathBuf,
    /// All variables.
    pub(super) variables: BTreeMap<String, String>,
    /// As whom; `None`: as we are.
    pub(super) account: Option<resolve::Account>,
}

/// Runs `words` once.
pub(super) async fn ask(words: &[String], scene: &Scene, timeout: Duration) -> Reply {
    let name = words.first().map_or("", String::as_str);
    let mut output = Tail::default();
    let ended = run(words, scene, timeout, &mut output).await;
    let (reply, how): (fn(String) -> Reply, String) = match ended {
        Ok(Some(status)) if status.success() => (Reply::Well, "exited with code 0".to_owned()),
        Ok(Some(status)) => (Reply::Failed, how(status).to_string()),
        Ok(None) => (
            Reply::Failed,
            format!("did not end within {}", span(timeout)),
        ),
        Err(error) => (Reply::Failed, format!("cannot be run: {error}")),
    };
    reply(match output.last_line() {
        Some(line) => format!("{name} {how}: {line}"),
        None => format!("{name} {how}"),
    })
}

fn how(status: ExitStatus) -> How {
    let signal = || status.signal().map(How::Signal);
    status
        .code()
        .map(How::Code)
        .or_else(signal)
        .unwrap_or(How::Unknown)
}

/// Runs it to its end; `None`: it was killed when the time was up.
async fn run(
    words: &[String],
    scene: &Scene,
    timeout: Duration,
    output: &mut Tail,
) -> io::Result<Option<ExitStatus>> {
    // Before there is a child, or its end might be missed.
    let mut ends = signal(SignalKind::child())?;
    let (mut child, mut pipe) = spawn(words, scene)?;
    let pid = child.id().and_then(|pid| i32::try_from(pid).ok());
    let group = Group::of(pid.ok_or(io::ErrorKind::NotFound)?);
    let ended = until_it_ends(&group, &mut ends, &mut pipe, output);
    let ended = tokio::time::timeout(timeout, ended).await;
    drop(group);
    // Who left the group may hold the pipe open.
    drop(tokio::time::timeout(LAST_WORDS, output.read_to_end(&mut pipe)).await);
    match ended {
        Ok(watched) => {
            watched?;
            child.wait().await.map(Some)
        }
        // Killed, and reaped when it is gone.
        Err(_) => Ok(None),
    }
}

/// Reads what the errand writes until its first process has ended, and is not reaped yet.
async fn until_it_ends(
    group: &Group,
    ends: &mut Signal,
    pipe: &mut Receiver,
    output: &mut Tail,
) -> io::Result<()> {
    let mut is_open = true;
    while !group.is_over()? {
        tokio::select! {
            _ = ends.recv() => {}
            read = output.read(pipe), if is_open => is_open = read? > 0,
        }
    }
    Ok(())
}

fn spawn(words: &[String], scene: &Scene) -> io::Result<(Child, Receiver)> {
    let (program, arguments) = words.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let account = scene.account.as_ref();
    let account = Account::find(account.map(|it| it.uid), account.map(|it| it.gid))
        .map_err(io::Error::other)?;
    let (read, write) = io::pipe()?;
    let mut command = std::process::Command::new(program);
    command
        .args(arguments)
        .current_dir(&scene.cwd)
        .env_clear()
        .envs(&scene.variables)
        .stdin(Stdio::null())
        .stdout(write.try_clone()?)
        .stderr(write);
    errand::prepare(&mut command, account);
    let child = Command::from(command).spawn()?;
    Ok((child, Receiver::from_owned_fd(read.into())?))
}

/// The end of what was read.
#[derive(Debug, Default)]
struct Tail {
    bytes: Vec<u8>,
}

impl Tail {
    async fn read(&mut self, pipe: &mut Receiver) -> io::Result<usize> {
        let mut chunk = [0; KEPT];
        let count = pipe.read(&mut chunk).await?;
        self.add(chunk.get(..count).unwrap_or_default());
        Ok(count)
    }

    async fn read_to_end(&mut self, pipe: &mut Receiver) -> io::Result<()> {
        while self.read(pipe).await? > 0 {}
        Ok(())
    }

    fn add(&mut self, chunk: &[u8]) {
        self.bytes.extend_from_slice(chunk);
        let beyond = self.bytes.len().saturating_sub(KEPT);
        self.bytes.drain(..beyond);
    }

    /// The last line with something on it, fit for a terminal.
    fn last_line(&self) -> Option<String> {
        let text = String::from_utf8_lossy(&self.bytes);
        let line = text.lines().map(str::trim).rfind(|line| !line.is_empty())?;
        let shown = line.chars().filter(|letter| !letter.is_control());
        Some(shown.take(TOLD).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    fn scene() -> Scene {
        let variables = [("PATH", "/usr/bin:/bin"), ("WORD", "hello")];
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        Scene {
            cwd: PathBuf::from("/"),
            variables: variables.map(owned).into(),
            account: None,
        }
    }

    async fn sh(line: &str, timeout: Duration) -> Reply {
        let words = ["sh", "-c", line].map(str::to_owned);
        ask(&words, &scene(), timeout).await
    }

    #[tokio::test]
    async fn code_0_is_well_and_every_other_end_is_a_failure_with_the_last_line() {
        let well = sh("echo $WORD from $PWD; echo; true", LONG).await;
        assert_eq!(
            well,
            Reply::Well("sh exited with code 0: hello from /".to_owned())
        );
        let failed = sh("echo one; echo two >&2; exit 3", LONG).await;
        assert_eq!(
            failed,
            Reply::Failed("sh exited with code 3: two".to_owned())
        );
        let killed = sh("kill -9 $$", LONG).await;
        assert_eq!(killed, Reply::Failed("sh killed by SIGKILL".to_owned()));
    }

    #[tokio::test]
    async fn one_that_takes_too_long_is_killed_with_all_that_it_started() {
        let folder = tempfile::tempdir().expect("a folder");
        let pids = folder.path().join("pids");
        let line = format!(
            "sleep 1000 & echo $! $$ > {0}.new; mv {0}.new {0}; echo waiting; wait",
            pids.display()
        );
        // Long enough for the shell to have said who they are, on whatever host.
        let reply = sh(&line, Duration::from_secs(3)).await;
        let expected = "sh did not end within 3 s: waiting";
        assert_eq!(reply, Reply::Failed(expected.to_owned()));
        are_gone(&std::fs::read_to_string(&pids).expect("written")).await;
    }

    #[tokio::test]
    async fn what_one_that_ended_left_behind_is_killed_and_not_waited_for() {
        let reply = sh("sleep 1000 & echo $!", LONG).await;
        let Reply::Well(text) = reply else {
            panic!("{reply:?}")
        };
        are_gone(text.rsplit(' ').next().expect("a pid")).await;
    }

    #[tokio::test]
    async fn a_flood_of_output_is_read_and_not_kept() {
        let reply = sh(
            "head -c 5000000 /dev/zero | tr '\\0' x; echo; echo end",
            LONG,
        )
        .await;
        assert_eq!(reply, Reply::Well("sh exited with code 0: end".to_owned()));
    }

    #[tokio::test]
    async fn a_program_that_is_not_there_is_a_failure() {
        let words = ["no-such-program".to_owned()];
        let reply = ask(&words, &scene(), LONG).await;
        let Reply::Failed(text) = reply else {
            panic!("{reply:?}")
        };
        assert!(
            text.starts_with("no-such-program cannot be run: "),
            "{text}"
        );
    }

    #[test]
    fn a_line_for_a_terminal_is_short_and_harmless() {
        let mut tail = Tail::default();
        tail.add(&[b'y'; 2 * KEPT]);
        tail.add("\n\u{1b}[31mred\u{7} \u{fffd}\r\n \n".as_bytes());
        assert_eq!(tail.bytes.len(), KEPT);
        assert_eq!(tail.last_line().as_deref(), Some("[31mred \u{fffd}"));
        tail.add(&[b'y'; KEPT]);
        assert_eq!(tail.last_line().map(|line| line.len()), Some(TOLD));
    }

    /// Killed is not yet gone.
    async fn are_gone(pids: &str) {
        for pid in pids.split_whitespace() {
            let pid = pid.parse().expect("a pid");
            let lives = || crate::os::process::read(pid).is_some_and(|one| one.is_alive());
            while lives() {
                tokio::task::yield_now().await;
            }
        }
    }
}
