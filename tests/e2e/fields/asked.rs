//! How an app is asked whether it is up and well: what the tests of probes leave open.

use eco_tests::{TestEnv, app, free_port, wait_until};
use serde_json::{Value, json};

use super::merge;

/// The health of an app's only instance.
fn health(env: &TestEnv, name: &str, key: &str) -> String {
    let list = env.list();
    let health = list.one(name).field("health");
    health[key].as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_url_is_put_together_and_the_status_that_is_well_can_be_chosen() {
    let env = TestEnv::new();
    env.write("word", "404");
    let word = env.path("word");
    let served = |name: &str, port: u16, fields: &Value| {
        let mut served = app(name, &[&format!("http:{port}:{word}"), "wait"]);
        merge(&mut served, &json!({ "env": { "WEB": port } }));
        merge(&mut served, fields);
        served
    };
    let (by_parts, by_url, living) = (free_port(), free_port(), free_port());
    let url = format!("http://127.0.0.1:{by_url}/b");
    let parts = json!({ "port": "${WEB}", "path": "/a", "status": 200 });
    let alive = json!({ "port": living, "path": "/c", "status": "400-404" });
    env.ecosystem(
        "dev",
        &json!([
            served("parts", by_parts, &json!({ "readiness": { "http": parts, "interval": "50ms", "within": 0 } })),
            served("url", by_url, &json!({ "readiness": { "http": { "url": url, "status": [404] }, "interval": "50ms" } })),
            served("alive", living, &json!({ "liveness": { "http": alive, "interval": "50ms", "failures": 1, "action": "mark" } })),
        ]),
    );
    drop(env.eco(&["start", "dev", "--no-wait"]).ok());
    wait_until("404 is well where it was said to be", || {
        env.list().one("url").status() == "online" && health(&env, "alive", "verdict") == "healthy"
    });
    let answer = format!("http://127.0.0.1:{by_parts}/a answered 404");
    wait_until("the parts are asked", || {
        health(&env, "parts", "answer").contains(&answer)
    });
    assert_eq!(env.list().one("parts").status(), "launching");
    env.write("word", "200");
    wait_until("200 is well for one and ill for another", || {
        env.list().one("parts").status() == "online"
            && health(&env, "alive", "verdict") == "unhealthy"
    });
}

#[test]
fn how_often_is_asked_and_how_many_answers_count_can_be_chosen() {
    let env = TestEnv::new();
    let asked = |name: &str, end: &str| format!("echo >> {}; {end}", env.path(name));
    let times =
        |name: &str| std::fs::read_to_string(env.path(name)).map_or(0, |text| text.lines().count());
    let starting = |name: &str, end: &str, more: &Value| {
        let mut readiness =
            json!({ "exec": ["sh", "-c", asked(name, end)], "interval": "20ms", "within": 0 });
        merge(&mut readiness, more);
        let mut starting = app(name, &["wait"]);
        starting["readiness"] = readiness;
        starting
    };
    let running = |name: &str, more: &Value| {
        let mut liveness = json!({ "exec": ["sh", "-c", asked(name, "false")], "interval": "20ms", "action": "stop" });
        merge(&mut liveness, more);
        let mut running = app(name, &["wait"]);
        merge(
            &mut running,
            &json!({ "liveness": liveness, "min_uptime": 1 }),
        );
        running
    };
    env.ecosystem(
        "dev",
        &json!([
            starting("seldom", "false", &json!({ "interval": "1h" })),
            starting("three", "true", &json!({ "successes": 3 })),
            starting("never", "true", &json!({ "successes": 1_000_000 })),
            running("ill", &json!({ "failures": 2 })),
            running("lenient", &json!({ "failures": 1_000_000 })),
            running("young", &json!({ "failures": 1, "start_period": "1h" })),
            running("once", &json!({ "failures": 2, "interval": "1h" })),
        ]),
    );
    drop(env.eco(&["start", "dev", "--no-wait"]).ok());
    wait_until("enough answers decide", || {
        let list = env.list();
        list.one("three").status() == "online" && list.one("ill").status() == "stopped"
    });
    wait_until("the others were asked as often", || {
        ["never", "lenient", "young"]
            .iter()
            .all(|name| times(name) > 4)
            && times("seldom") > 0
            && times("once") > 0
    });
    let list = env.list();
    assert_eq!(
        (list.one("never").status(), list.one("seldom").status()),
        ("launching", "launching")
    );
    for name in ["lenient", "young", "once"] {
        assert_eq!(list.one(name).status(), "online", "{name}");
    }
    assert!(times("three") >= 3);
    assert_eq!((times("seldom"), times("once")), (1, 1));
}

#[test]
fn an_app_that_must_write_or_listen_is_ill_when_it_does_not() {
    let ill = |name: &str, liveness: &Value| {
        let mut ill = app(name, &["out:up", "wait"]);
        let mut all = json!({ "interval": "200ms", "failures": 2, "action": "stop" });
        merge(&mut all, liveness);
        ill["liveness"] = all;
        ill
    };
    let env = TestEnv::started(&json!([
        ill("silent", &json!({ "output": true })),
        ill("deaf", &json!({ "tcp": free_port() })),
    ]));
    for name in ["silent", "deaf"] {
        wait_until("it is stopped", || {
            env.list().one(name).status() == "stopped"
        });
        let list = env.list();
        assert!(
            list.one(name).text("cause").contains("not alive"),
            "{list:?}"
        );
    }
}
