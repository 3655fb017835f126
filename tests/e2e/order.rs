//! Apps begin after what they need and end before it, whoever dies meanwhile.

use std::fs;

use eco_tests::{Signal, TestEnv, app, free_port, kill, wait_until};
use serde_json::{Value, json};

/// What the apps of a test note, each line at once.
struct Story {
    file: String,
}

impl Story {
    fn of(env: &TestEnv) -> Self {
        Self {
            file: env.path("story"),
        }
    }

    fn lines(&self) -> Vec<String> {
        let text = fs::read_to_string(&self.file).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    fn begin_anew(&self) {
        fs::write(&self.file, "").expect("it can be written");
    }

    /// The app rests at its end until it is let go.
    fn hold(&self, name: &str) {
        fs::write(format!("{}.{name}", self.file), "").expect("it can be written");
    }

    fn let_go(&self, name: &str) {
        fs::remove_file(format!("{}.{name}", self.file)).expect("it is there");
    }

    /// A service that notes when it begins, listens and leaves.
    fn service(&self, name: &str, before: &[&str], needs: &[&str]) -> Value {
        let port = free_port().to_string();
        let (begins, leaves) = (self.note(&format!("{name} begins")), self.leaves(name));
        let (listens, listen) = (
            self.note(&format!("{name} listens")),
            format!("listen:{port}"),
        );
        let mut actions = vec![begins.as_str(), &leaves];
        actions.extend(before);
        actions.extend([listens.as_str(), &listen, "wait"]);
        let fields = json!({
            "env": { "PORT": port },
            "depends_on": needs,
            "kill_timeout": 30_000,
            "listen_timeout": 30_000,
        });
        with(app(name, &actions), fields)
    }

    fn note(&self, text: &str) -> String {
        format!("note:{}:{text}", self.file)
    }

    fn leaves(&self, name: &str) -> String {
        format!("leave:{}:{name}", self.file)
    }

    /// `web` needs `api`, and `api` needs `db`, which goes on as `before` says.
    fn chain(&self, before: &[&str]) -> Value {
        json!([
            self.service("web", &[], &["api"]),
            self.service("api", &[], &["db"]),
            self.service("db", before, &[])
        ])
    }
}

/// The app with more fields.
fn with(mut app: Value, fields: Value) -> Value {
    let (Some(all), Value::Object(more)) = (app.as_object_mut(), fields) else {
        panic!("both are objects");
    };
    all.extend(more);
    app
}

const RISEN: [&str; 6] = [
    "db begins",
    "db listens",
    "api begins",
    "api listens",
    "web begins",
    "web listens",
];
const ENDED: [&str; 6] = [
    "web told", "web gone", "api told", "api gone", "db told", "db gone",
];

#[test]
fn a_chain_comes_up_in_order_and_goes_in_the_order_turned_round() {
    let env = TestEnv::new();
    let story = Story::of(&env);
    env.ecosystem("dev", &story.chain(&[]));
    drop(env.eco(&["start", "dev"]).ok());
    assert_eq!(story.lines(), RISEN);

    story.begin_anew();
    drop(env.eco(&["stop", "dev"]).ok());
    assert_eq!(story.lines(), ENDED);

    story.begin_anew();
    let started = env.eco(&["start", "web"]).ok();
    started.tells(&["dev/db: Started too: dev/api depends on it."]);
    assert_eq!(story.lines(), RISEN);

    story.begin_anew();
    drop(env.eco(&["restart", "all"]).ok());
    let risen: Vec<_> = story
        .lines()
        .into_iter()
        .filter(|line| !line.ends_with("told") && !line.ends_with("gone"))
        .collect();
    assert_eq!(risen, RISEN);

    story.begin_anew();
    drop(env.eco(&["kill"]).ok());
    assert_eq!(story.lines(), ENDED);
}

#[test]
fn an_agent_that_dies_in_the_middle_of_a_start_changes_no_order() {
    let env = TestEnv::new();
    let story = Story::of(&env);
    let go = env.path("go");
    env.ecosystem("dev", &story.chain(&[&format!("file:{go}")]));
    drop(env.eco(&["start", "dev", "--no-wait"]).ok());
    wait_until("the first has begun", || story.lines() == ["db begins"]);
    let list = env.list();
    assert_eq!(list.one("web").status(), "launching");
    assert_eq!(
        list.one("web").text("cause"),
        "waits for dev/api to be ready"
    );
    env.slay(env.daemons().agent);
    assert_eq!(env.list().one("api").status(), "launching");
    fs::write(go, "").expect("it can be written");
    wait_until("all are up", || env.list().are_all("online"));
    assert_eq!(story.lines(), RISEN);
}

#[test]
fn an_agent_that_dies_in_the_middle_of_a_stop_changes_no_order() {
    let env = TestEnv::new();
    let story = Story::of(&env);
    env.ecosystem("dev", &story.chain(&[]));
    drop(env.eco(&["start", "dev"]).ok());
    story.begin_anew();
    story.hold("web");
    drop(env.eco(&["stop", "dev", "--no-wait"]).ok());
    wait_until("the last is told", || story.lines() == ["web told"]);
    let list = env.list();
    assert_eq!(list.one("db").status(), "stopping");
    let cause = list.one("api").text("cause").to_owned();
    assert!(
        cause.ends_with("; waits for dev/web to end, which depends on it"),
        "{cause}"
    );
    env.slay(env.daemons().agent);
    assert_eq!(env.list().one("api").status(), "stopping");
    story.let_go("web");
    wait_until("all are down", || env.list().are_all("stopped"));
    assert_eq!(story.lines(), ENDED);
}

#[test]
fn after_a_loss_of_all_processes_everything_comes_up_in_order() {
    let env = TestEnv::new();
    let story = Story::of(&env);
    env.ecosystem("dev", &story.chain(&[]));
    drop(env.eco(&["start", "dev"]).ok());
    env.pull_the_plug();
    story.begin_anew();
    wait_until("all are up again", || env.list().are_all("online"));
    assert_eq!(story.lines(), RISEN);
    let described = env.describe("db");
    let cause = &described["exits"][0]["cause"];
    assert_eq!(
        *cause,
        json!("lost with all processes of eco"),
        "{described}"
    );
}

#[test]
fn a_service_begins_when_a_oneshot_has_done_its_work_and_not_when_it_failed() {
    let env = TestEnv::new();
    let story = Story::of(&env);
    let file = env.path("schema");
    let mut job = app(
        "migrate",
        &[&format!("file:{file}"), &story.note("migrated")],
    );
    job["oneshot"] = json!(true);
    let mut web = story.service("web", &[], &[]);
    web["depends_on"] = json!({ "migrate": "completed" });
    env.ecosystem("dev", &json!([job, web]));
    fs::write(&file, "").expect("it can be written");
    let started = env.eco(&["start", "dev"]).ok();
    started.tells(&["dev/migrate: completed (exited with code 0 after "]);
    assert_eq!(story.lines(), ["migrated", "web begins", "web listens"]);
    assert_eq!(env.list().one("migrate").status(), "stopped");

    drop(env.eco(&["stop", "web"]).ok());
    let mut broken = app("migrate", &["err:no such table", "exit:3"]);
    broken["oneshot"] = json!(true);
    let mut web = story.service("web", &[], &[]);
    web["depends_on"] = json!({ "migrate": "completed" });
    env.ecosystem("dev", &json!([broken, web]));
    story.begin_anew();
    env.eco(&["start", "dev"]).fails(
        1,
        &[
            "dev/migrate: errored: failed (exited with code 3 after ",
            "dev/web: waits for dev/migrate to complete, which is errored",
            "no such table",
        ],
    );
    assert_eq!(story.lines(), Vec::<String>::new());
    let cause = env.list().one("web").text("cause").to_owned();
    assert!(cause.starts_with("waits for dev/migrate"), "{cause}");
}

#[test]
fn who_starts_what_waits_for_one_that_is_stopped_meanwhile_is_told_how_to_go_on() {
    let env = TestEnv::new();
    let story = Story::of(&env);
    let go = env.path("go");
    env.ecosystem("dev", &story.chain(&[&format!("file:{go}")]));
    let mut starting = env.follow(&["start", "dev"]);
    wait_until("the first has begun", || story.lines() == ["db begins"]);
    drop(env.eco(&["stop", "db"]).ok());
    wait_until("the start has failed", || starting.code() == Some(1));
    let told = starting.told();
    for words in [
        "dev/api: waits for dev/db to be ready, which is stopped (stopped by ",
        "dev/web: waits for dev/api to be ready, which waits itself",
        "it begins as soon as that is so",
    ] {
        assert!(told.contains(words), "{words} is not told:\n{told}");
    }
    fs::write(go, "").expect("it can be written");
    drop(env.eco(&["start", "db"]).ok());
    wait_until("all are up", || env.list().are_all("online"));
}

#[test]
fn who_stops_what_others_need_is_told_and_who_needs_nothing_may_be_started_alone() {
    let env = TestEnv::new();
    let story = Story::of(&env);
    let pair = [
        story.service("api", &[], &["db"]),
        story.service("db", &[], &[]),
    ];
    env.ecosystem("dev", &json!(pair));
    drop(env.eco(&["start", "dev"]).ok());
    let stopped = env.eco(&["stop", "db"]).ok();
    stopped.tells(&["dev/db: dev/api depends on it and stays up."]);
    drop(env.eco(&["restart", "api", "--no-deps"]).ok());
    let list = env.list();
    assert_eq!(
        (list.one("api").number("run"), list.one("db").status()),
        (2, "stopped")
    );
    drop(env.eco(&["restart", "api"]).ok());
    assert!(env.list().are_all("online"));
}

#[test]
fn what_could_never_begin_is_refused() {
    let env = TestEnv::new();
    let needing = |name: &str, needs: &[&str]| {
        let mut app = app(name, &["wait"]);
        app["depends_on"] = json!(needs);
        app
    };
    env.ecosystem(
        "dev",
        &json!([needing("api", &["database"]), needing("web", &[])]),
    );
    env.eco(&["start", "dev", "--only", "api"]).fails(
        1,
        &["dev/api", "depends_on", "there is no app dev/database"],
    );
    env.ecosystem(
        "dev",
        &json!([needing("api", &["web"]), needing("web", &[])]),
    );
    drop(env.eco(&["start", "dev"]).ok());
    env.ecosystem("dev", &json!([needing("web", &["api"])]));
    env.eco(&["start", "dev"])
        .fails(1, &["it waits for itself: web → api → web"]);
    // An app that is killed while it is needed is simply back.
    kill(env.list().one("web").pid(), Signal::SIGKILL);
    wait_until("it is back", || env.list().one("web").number("run") == 2);
}
