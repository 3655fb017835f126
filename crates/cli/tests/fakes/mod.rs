//! Daemons that do as a test says, at the sockets of a home of its own.

mod agent;
mod log;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread::JoinHandle;

use eco_cli::{Captured, Surroundings, Ui};
use eco_home::{Daemon, Home, socket};
use tokio::net::UnixListener;
use tokio::sync::oneshot;
use tokio_stream::wrappers::UnixListenerStream;
use tonic::transport::server::Router;

pub use agent::{FakeAgent, Said, instance, outcome, spoken};
pub use log::{FakeLog, Written};

/// A home, and a working directory beside it.
pub struct World {
    pub folder: tempfile::TempDir,
    pub home: Home,
}

impl World {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let home = Home::find(Some(&folder.path().join("home")), None).expect("found");
        home.prepare().expect("prepared");
        std::fs::create_dir(folder.path().join("work")).expect("made");
        Self { folder, home }
    }

    pub fn work(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    /// Surroundings in which a missing agent cannot be started.
    pub fn surroundings(&self) -> Surroundings {
        let home = self.home.root().to_string_lossy().into_owned();
        Surroundings {
            variables: BTreeMap::from([("ECO_HOME".to_owned(), home)]),
            working_directory: self.work(),
            launch: Box::new(|_, _| panic!("nothing is to be started")),
            stdin: Box::new(|| Box::new(std::io::empty())),
        }
    }

    /// Runs a command line to its end.
    pub async fn run(&self, line: &[&str]) -> Ran {
        self.run_in(&self.surroundings(), line).await
    }

    /// The same, where the command sees a terminal.
    pub async fn run_on_terminal(&self, line: &[&str]) -> Ran {
        let captured = Ui::captured_terminal();
        self.run_with(captured, &self.surroundings(), line).await
    }

    pub async fn run_in(&self, surroundings: &Surroundings, line: &[&str]) -> Ran {
        self.run_with(Ui::captured(), surroundings, line).await
    }

    async fn run_with(
        &self,
        (mut ui, captured): (Ui, Captured),
        surroundings: &Surroundings,
        line: &[&str],
    ) -> Ran {
        let arguments = std::iter::once("eco").chain(line.iter().copied());
        let code = eco_cli::run(arguments.map(Into::into), surroundings, &mut ui).await;
        Ran {
            code: format!("{code:?}"),
            captured,
        }
    }
}

/// What a command line led to.
pub struct Ran {
    code: String,
    captured: Captured,
}

impl Ran {
    /// Checks the exit code; shows everything when it is another.
    #[track_caller]
    pub fn ended_with(&self, code: u8) -> &Self {
        let expected = format!("{:?}", std::process::ExitCode::from(code));
        assert_eq!(self.code, expected, "{}\n{}", self.out(), self.err());
        self
    }

    pub fn out(&self) -> String {
        self.captured.stdout()
    }

    pub fn err(&self) -> String {
        self.captured.stderr()
    }
}

/// A server that dies when it is dropped, its connections with it.
pub struct Server {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub fn start(home: &Home, daemon: Daemon, router: Router) -> Self {
        let path = home.socket(daemon);
        let (stop, stopped) = oneshot::channel();
        let (ready, is_ready) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(async move {
                let listener = socket::bind(&path).expect("bound");
                listener.set_nonblocking(true).expect("set");
                let listener = UnixListener::from_std(listener).expect("taken over");
                ready.send(()).expect("the test waits");
                let serving = router.serve_with_incoming(UnixListenerStream::new(listener));
                tokio::select! {
                    served = serving => served.expect("served"),
                    _ = stopped => {}
                }
            });
        });
        is_ready.recv().expect("listening");
        Self {
            stop: Some(stop),
            thread: Some(thread),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the server did not panic");
        }
    }
}

/// A child that lives until its handle is dropped.
pub fn patient_child() -> std::process::Child {
    Command::new("cat")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("spawned")
}
