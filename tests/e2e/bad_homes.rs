//! Homes that cannot be used, and daemons that are not what they should be.

use std::fs;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use eco_proto::agent::v1::agent_server::{Agent, AgentServer};
use eco_proto::agent::v1::*;
use eco_tests::{TestEnv, app, wait_until};
use serde_json::json;
use tokio::sync::watch;
use tokio_stream::wrappers::UnixListenerStream;
use tonic::{Request, Response, Status, Streaming};

#[test]
fn a_home_that_cannot_be_made_is_told() {
    let env = TestEnv::new();
    env.write("flat", "a file, no folder");
    for home in [
        env.path("flat"),
        env.path("flat/below"),
        "/proc/eco".to_owned(),
    ] {
        let mut list = env.command(env.project(), &["list"]);
        list.env("ECO_HOME", &home);
        let words = [
            "failed to make the folder",
            &home,
            "Hint: make that folder writable",
        ];
        env.run(list).fails(4, &words);
    }
}

#[test]
fn a_state_folder_that_cannot_be_written_is_told() {
    let env = TestEnv::new();
    fs::create_dir_all(env.home()).expect("made");
    fs::write(env.home().join("state"), "a file, no folder").expect("written");
    let output = env.eco(&["list"]);
    output.fails(4, &["state", "Hint:"]);
    assert!(!output.stderr.contains("panic"), "{output}");
}

#[test]
fn a_state_folder_full_of_garbage_is_told_and_left_alone() {
    let env = TestEnv::started(&json!([app("a", &["wait"])]));
    drop(env.eco(&["kill"]).ok());
    let state = env.home().join("state");
    let garbage = vec![0xa5; 4096];
    for name in files(&state) {
        fs::write(&name, &garbage).expect("written");
    }
    let output = env.eco(&["list"]);
    output.fails(4, &["state", "Hint:"]);
    assert!(!output.stderr.contains("panic"), "{output}");
    for name in files(&state) {
        assert_eq!(
            fs::read(&name).expect("there"),
            garbage,
            "{}",
            name.display()
        );
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("it is there").flatten();
    let paths = entries.map(|entry| entry.path());
    paths.filter(|path| path.is_file()).collect()
}

#[test]
fn a_dead_socket_file_is_no_agent_and_in_nobody_s_way() {
    let env = TestEnv::new();
    drop(listen(&env));
    env.eco(&["ping"]).fails(4, &["no agent runs"]);
    drop(env.eco(&["list"]).ok());
    drop(env.eco(&["ping"]).ok());
}

/// Listens where the agent would.
fn listen(env: &TestEnv) -> UnixListener {
    let run = env.home().join("run");
    fs::create_dir_all(&run).expect("made");
    UnixListener::bind(run.join("agentd.sock")).expect("bound")
}

#[test]
fn an_agent_of_another_version_is_told_from_ours_and_an_update_replaces_it() {
    let env = TestEnv::new();
    let listener = listen(&env);
    let socket = env.home().join("run/agentd.sock");
    // It ends with the update, or with the test's process.
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(serve(listener, socket));
    });
    let words = ["0.0.7", eco_proto::VERSION, "eco update"];
    for args in [&["list"][..], &["stop", "all"], &["logs"]] {
        env.eco(args).fails(4, &words);
    }
    let updated = env.eco(&["update"]).ok();
    assert!(updated.stdout.contains("0.0.7"), "{updated}");
    wait_until("our own agent answers", || env.eco(&["list"]).code == 0);
}

/// Serves until it is told to end, as an agent does.
async fn serve(listener: UnixListener, socket: PathBuf) {
    let (end, mut ended) = watch::channel(false);
    listener.set_nonblocking(true).expect("it is a socket");
    let listener = tokio::net::UnixListener::from_std(listener).expect("it is a socket");
    let told = async move {
        drop(ended.wait_for(|ended| *ended).await);
        fs::remove_file(socket).expect("it is there");
    };
    tonic::transport::Server::builder()
        .add_service(AgentServer::new(Stranger { end }))
        .serve_with_incoming_shutdown(UnixListenerStream::new(listener), told)
        .await
        .expect("served");
}

/// An agent of a version long gone, which knows what all versions know.
struct Stranger {
    end: watch::Sender<bool>,
}

type Answer<T> = Result<Response<T>, Status>;

fn never<T>() -> Answer<T> {
    panic!("only Ping and Shutdown may be asked of an agent of another version");
}

#[tonic::async_trait]
impl Agent for Stranger {
    type WatchStream = tokio_stream::Empty<Result<ListReply, Status>>;

    async fn ping(&self, _: Request<PingRequest>) -> Answer<PingReply> {
        Ok(Response::new(PingReply {
            version: "0.0.7".to_owned(),
            host: "box".to_owned(),
            ..PingReply::default()
        }))
    }

    async fn shutdown(&self, request: Request<ShutdownRequest>) -> Answer<ShutdownReply> {
        assert!(
            !request.get_ref().stop_apps,
            "an update leaves the apps alone"
        );
        self.end.send_replace(true);
        Ok(Response::new(ShutdownReply::default()))
    }

    async fn apply(&self, _: Request<ApplyRequest>) -> Answer<ApplyReply> {
        never()
    }

    async fn plan(&self, _: Request<PlanRequest>) -> Answer<PlanReply> {
        never()
    }

    async fn act(&self, _: Request<ActRequest>) -> Answer<ActReply> {
        never()
    }

    async fn scale(&self, _: Request<ScaleRequest>) -> Answer<ScaleReply> {
        never()
    }

    async fn list(&self, _: Request<ListRequest>) -> Answer<ListReply> {
        never()
    }

    async fn describe(&self, _: Request<DescribeRequest>) -> Answer<DescribeReply> {
        never()
    }

    async fn explain_watch(&self, _: Request<ExplainWatchRequest>) -> Answer<ExplainWatchReply> {
        never()
    }

    async fn variables(&self, _: Request<VariablesRequest>) -> Answer<VariablesReply> {
        never()
    }

    async fn watch(&self, _: Request<ListRequest>) -> Answer<Self::WatchStream> {
        never()
    }

    type EventsStream = tokio_stream::Empty<Result<Event, Status>>;

    async fn events(&self, _: Request<EventsRequest>) -> Answer<Self::EventsStream> {
        never()
    }

    async fn trigger(&self, _: Request<TriggerRequest>) -> Answer<SpokenReply> {
        never()
    }

    async fn send(&self, _: Request<SendRequest>) -> Answer<SpokenReply> {
        never()
    }

    async fn attach(&self, _: Request<Streaming<AttachRequest>>) -> Answer<Spoken> {
        never()
    }

    async fn signal(&self, _: Request<SignalRequest>) -> Answer<SpokenReply> {
        never()
    }

    async fn resurrect(&self, _: Request<ResurrectRequest>) -> Answer<ActReply> {
        never()
    }

    async fn save(&self, _: Request<SaveRequest>) -> Answer<SaveReply> {
        never()
    }
}
