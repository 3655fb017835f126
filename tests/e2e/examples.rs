//! The example tree itself, with its real services: one test, because its ports are fixed.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use eco_tests::{Instances, Output, Signal, TestEnv, is_free, kill, records, wait_until};
use serde_json::Value;

const DEV: [u16; 6] = [3000, 3001, 3002, 3003, 3004, 3005];
const PRODUCTION: [u16; 7] = [4000, 4001, 4101, 4102, 4103, 4104, 4105];
const MDS: [&str; 3] = ["mds-webhooks-kraken", "mds-rest-binance", "mds-fetcher"];

struct Tree {
    env: TestEnv,
    folder: PathBuf,
}

impl Tree {
    /// Checks what the services need before anything is started.
    fn new() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
        for needed in [
            "apps/node_modules/.bin/tsx",
            "apps/dist/public-api/src/server.js",
        ] {
            let path = folder.join(needed);
            assert!(
                path.exists(),
                "{} is missing: cargo xtask test installs and builds the examples' services",
                path.display()
            );
        }
        for port in DEV.into_iter().chain(PRODUCTION) {
            // Another checkout's run of this test, or a person's, may be about to end.
            wait_until(
                &format!("port {port}, which the examples use, is free"),
                || is_free(port),
            );
        }
        let folder = folder.canonicalize().expect("it is there");
        Self {
            env: TestEnv::new(),
            folder,
        }
    }

    #[track_caller]
    fn eco(&self, folder: &str, args: &[&str]) -> Output {
        self.env
            .run(self.env.command(&self.folder.join(folder), args))
            .ok()
    }

    fn list(&self) -> Instances {
        self.env.list()
    }
}

/// Asks a service how it is.
fn health(port: u16) -> Option<Value> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    stream
        .write_all(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        .ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let body = body.get(body.find('{')?..=body.rfind('}')?)?;
    head.contains(" 200 ")
        .then(|| serde_json::from_str(body).ok())?
}

fn all_are_well(ports: &[u16]) {
    for port in ports {
        wait_until(&format!("port {port} is well"), || health(*port).is_some());
    }
}

#[test]
fn the_example_tree_runs_twice_side_by_side_and_survives_what_may_happen() {
    let tree = Tree::new();
    drop(tree.eco(".", &["start", "dev"]));
    drop(tree.eco("apps/shared", &["start", "production"]));
    let all = tree.list();
    assert_eq!(all.all().len(), 13);
    assert!(all.are_all("online"), "{all:?}");
    all_are_well(&DEV);
    all_are_well(&PRODUCTION);
    parts_mean_the_same(&tree, &all);
    lines_flow_from_all(&tree);
    a_pattern_is_restarted(&tree);
    a_killed_service_is_back_at_its_port(&tree);
    the_agent_s_death_moves_nothing(&tree);
    drop(tree.eco(".", &["kill"]));
    assert!(DEV.into_iter().chain(PRODUCTION).all(is_free));
    assert_eq!(tree.env.processes(), [].into());
}

/// The same apps are found from the folders below, and nothing is started anew.
fn parts_mean_the_same(tree: &Tree, before: &Instances) {
    for (folder, target) in [
        ("process-manager/dev", "ecosystem.config.js"),
        (
            "process-manager/dev/market-data-simulator",
            "ecosystem.config.js",
        ),
        ("apps/public-api/src", "dev"),
    ] {
        tree.eco(folder, &["start", target])
            .tells(&["dev/mds-fetcher: unchanged"]);
        assert_eq!(tree.list().pids(), before.pids(), "{folder}");
    }
}

fn lines_flow_from_all(tree: &Tree) {
    wait_until("lines of all apps of both environments", || {
        let output = tree.env.eco(&["logs", "-n", "all", "--json"]).ok();
        let mut lines: BTreeMap<String, usize> = BTreeMap::new();
        for text in output.stdout.lines() {
            let value: Value = serde_json::from_str(text).expect("JSON");
            let source = ["environment", "name", "instance"].map(|field| value.get(field).cloned());
            *lines.entry(format!("{source:?}")).or_default() += 1;
        }
        lines.len() == 13 && lines.values().all(|count| *count >= 2)
    });
    let follower = tree
        .env
        .follow(&["logs", "-f", "-n", "0", "dev/mds-*", "--json"]);
    wait_until("the three are followed", || {
        let text = follower.text();
        MDS.iter().all(|name| text.contains(name))
    });
    assert!(
        records(&follower.text())
            .iter()
            .all(|record| MDS.contains(&record.name.as_str()))
    );
}

fn a_pattern_is_restarted(tree: &Tree) {
    let before = tree.list();
    tree.env
        .eco(&["restart", "mds-*"])
        .fails(1, &["dev/mds-fetcher", "production/mds-fetcher"]);
    drop(tree.eco(".", &["restart", "dev/mds-*"]));
    let after = tree.list();
    for (was, is) in before.all().iter().zip(after.all()) {
        let is_meant = was.text("env") == "dev" && MDS.contains(&was.text("name"));
        assert_eq!(was.pid() != is.pid(), is_meant, "{is:?}");
    }
    all_are_well(&DEV);
}

/// The process that eco began is tsx, and the one that listens is its child.
fn a_killed_service_is_back_at_its_port(tree: &Tree) {
    let before = tree.list().one("dev/mds-rest-binance").pid();
    let served_by = health(3002).and_then(|health| health.get("pid")?.as_i64());
    kill(before, Signal::SIGKILL);
    wait_until("it is back and another one serves", || {
        let now = health(3002).and_then(|health| health.get("pid")?.as_i64());
        now.is_some() && now != served_by
    });
    wait_until("it is online", || {
        tree.list().one("dev/mds-rest-binance").status() == "online"
    });
    let list = tree.list();
    assert_eq!(
        list.one("dev/mds-rest-binance").number("restarts"),
        2,
        "{list:?}"
    );
    let errors = tree
        .env
        .eco(&["logs", "dev/mds-rest-binance", "--err", "-n", "all"])
        .ok();
    assert!(!errors.stdout.contains("EADDRINUSE"), "{errors}");
}

fn the_agent_s_death_moves_nothing(tree: &Tree) {
    let before = tree.list();
    tree.env.slay(tree.env.daemons().agent);
    all_are_well(&DEV);
    let after = tree.list();
    assert_eq!(after.pids(), before.pids());
    for (was, is) in before.all().iter().zip(after.all()) {
        assert_eq!(was.field("started_at"), is.field("started_at"));
    }
}
