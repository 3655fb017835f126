//! Selectors: what is meant is touched, and nothing else.

use eco_tests::{Signal, TestEnv, app, free_port, is_free, kill, records, wait_until};
use serde_json::{Value, json};

const MDS: [&str; 3] = ["mds-fetcher", "mds-rest", "mds-webhooks"];

/// Three apps of one pattern, one of another name, all in namespaces.
fn market() -> Value {
    let mut apps: Vec<Value> = MDS
        .iter()
        .map(|name| app(name, &["lines:100000:5"]))
        .collect();
    for one in &mut apps {
        one["namespace"] = json!("market-data");
    }
    apps.push(app("public-api", &["lines:100000:5"]));
    Value::Array(apps)
}

fn pids(env: &TestEnv) -> Vec<i32> {
    let list = env.list();
    let named = |name: &&str| list.one(name).pid();
    MDS.iter().chain([&"public-api"]).map(named).collect()
}

#[test]
fn following_a_pattern_shows_those_apps_and_no_other_until_ctrl_c() {
    let env = TestEnv::started(&market());
    let mut follower = env.follow(&["logs", "-f", "mds-*", "--json"]);
    let names = |text: &str| {
        let mut names: Vec<String> = records(text)
            .into_iter()
            .map(|record| record.name)
            .collect();
        names.sort();
        names.dedup();
        names
    };
    wait_until("lines of all three", || names(&follower.text()).len() == 3);
    let seen = follower.count();
    wait_until("many more lines", || follower.count() > seen + 200);
    assert_eq!(names(&follower.text()), MDS);
    kill(follower.pid(), Signal::SIGINT);
    wait_until("the follower ends", || follower.code().is_some());
    assert_eq!(follower.code(), Some(0));
    assert!(env.list().are_all("online"));
}

#[test]
fn restarting_a_pattern_gives_exactly_those_apps_new_processes() {
    let env = TestEnv::started(&market());
    let before = pids(&env);
    drop(env.eco(&["restart", "mds-*"]).ok());
    let after = pids(&env);
    for (old, new) in before.iter().zip(&after).take(3) {
        assert_ne!(old, new);
    }
    assert_eq!(before.last(), after.last());
}

#[test]
fn stopping_a_pattern_frees_the_ports_before_it_returns_and_start_brings_the_stopped_back() {
    let env = TestEnv::new();
    let ports = [free_port(), free_port(), free_port()];
    let mut apps: Vec<Value> = MDS
        .iter()
        .zip(ports)
        .map(|(name, port)| {
            let mut one = app(
                name,
                &["rest:300", &format!("listen:{port}"), "polite", "wait"],
            );
            one["env"] = json!({ "PORT": port });
            one
        })
        .collect();
    apps.push(app("public-api", &["wait"]));
    env.ecosystem("dev", &Value::Array(apps));
    drop(env.eco(&["start", "dev"]).ok());
    assert!(
        !ports.iter().any(|port| is_free(*port)),
        "start waits for the ports"
    );
    let other = env.list().one("public-api").pid();
    drop(env.eco(&["stop", "mds-*"]).ok());
    assert!(ports.iter().all(|port| is_free(*port)));
    let list = env.list();
    assert!(MDS.iter().all(|name| list.one(name).status() == "stopped"));
    assert_eq!(
        env.logs("mds-rest").pop().map(|record| record.line),
        Some("bye".to_owned())
    );
    drop(env.eco(&["start", "mds-*"]).ok());
    assert!(!ports.iter().any(|port| is_free(*port)));
    assert_eq!(env.list().one("public-api").pid(), other);
}

#[test]
fn what_matches_in_two_environments_is_refused_unless_it_is_qualified() {
    let env = TestEnv::started(&market());
    env.ecosystem("production", &market());
    drop(env.eco(&["start", "production"]).ok());
    let before = env.list().pids();
    let both = ["dev/mds-rest", "production/mds-rest"];
    for verb in ["stop", "restart", "delete", "start", "logs", "describe"] {
        env.eco(&[verb, "mds-rest"]).fails(1, &both);
    }
    assert_eq!(env.list().pids(), before);

    drop(env.eco(&["stop", "production/mds-rest"]).ok());
    drop(env.eco(&["stop", "-E", "production", "mds-fetcher"]).ok());
    let mut chosen = env.command(env.project(), &["stop", "mds-webhooks"]);
    chosen.env("ECO_ENVIRONMENT", "production");
    drop(env.run(chosen).ok());
    let list = env.list();
    for name in MDS {
        assert_eq!(list.one(&format!("dev/{name}")).status(), "online");
        assert_eq!(list.one(&format!("production/{name}")).status(), "stopped");
    }
    drop(env.eco(&["stop", "*/mds-*"]).ok());
    let list = env.list();
    assert!(
        MDS.iter()
            .all(|name| list.one(&format!("dev/{name}")).status() == "stopped")
    );
    assert_eq!(list.one("dev/public-api").status(), "online");
}

#[test]
fn ids_expressions_namespaces_and_files_select() {
    let env = TestEnv::started(&market());
    let listed = |selector: &str| {
        let document = env.eco(&["list", "--json", selector]).ok().json();
        let names = document.as_array().expect("an array").iter();
        let names = names.map(|one| one["name"].as_str().unwrap_or_default().to_owned());
        names.collect::<Vec<_>>()
    };
    let id = env.list().one("mds-rest").number("id").to_string();
    assert_eq!(listed(&id), ["mds-rest"]);
    assert_eq!(listed("/^mds-(rest|web)/"), ["mds-rest", "mds-webhooks"]);
    assert_eq!(listed("market-data"), MDS);
    assert_eq!(listed("dev/public-api"), ["public-api"]);
    assert_eq!(listed("all").len(), 4);
    assert_eq!(listed("dev").len(), 4);
    assert_eq!(listed("process-manager/dev/ecosystem.config.js").len(), 4);
}

#[test]
fn what_matches_nothing_is_refused_with_the_closest_names() {
    let env = TestEnv::started(&json!([app("mds-fetcher", &["wait"])]));
    let before = env.list().pids();
    for verb in [
        "stop", "restart", "start", "delete", "describe", "logs", "list",
    ] {
        let output = env.eco(&[verb, "mds-fetchr"]);
        output.fails(1, &["mds-fetchr", "did you mean dev/mds-fetcher?"]);
    }
    assert_eq!(env.list().pids(), before);
}

#[test]
fn a_deleted_app_is_gone_and_its_process_too() {
    let env = TestEnv::started(&json!([app("a", &["wait"]), app("b", &["wait"])]));
    let pid = env.list().one("a").pid();
    drop(env.eco(&["delete", "a"]).ok());
    assert!(!eco_tests::is_alive(pid));
    assert_eq!(env.list().names(), ["dev/b"]);
}

#[test]
fn a_known_name_is_the_app_also_in_a_folder_that_is_called_like_it() {
    let env = TestEnv::new();
    let apps = json!([app("shop", &["out:here", "wait"]), app("other", &["wait"])]);
    env.write("shop/ecosystem.config.json", &apps.to_string());
    let eco = |args: &[&str]| env.eco_in("shop", args).ok();
    drop(eco(&["start", "shop", "-E", "dev"]));
    let first = env.list();
    assert_eq!(first.names(), ["dev/other", "dev/shop"]);

    let lines = eco(&["logs", "shop"]).stdout;
    assert!(lines.contains("here"), "{lines}");
    drop(eco(&["restart", "shop"]));
    let second = env.list();
    assert_eq!(second.one("other").pid(), first.one("other").pid());
    assert_ne!(second.one("shop").pid(), first.one("shop").pid());
    drop(eco(&["stop", "shop"]));
    assert_eq!(env.list().pids().len(), 1);
    assert_eq!(env.list().one("other").pid(), first.one("other").pid());
    drop(eco(&["stop", "./", "-E", "dev"]));
    assert_eq!(env.list().pids(), []);
}
