//! Apps by the clock: replaced, begun again, and left down when somebody said so.

use eco_tests::{TestEnv, app, wait_until};
use serde_json::{Value, json};

const EACH_SECOND: &str = "* * * * * *";

fn scheduled(app: &Value, pattern: &str) -> Value {
    let mut app = app.as_object().expect("an app is an object").clone();
    app.insert("cron_restart".to_owned(), json!(pattern));
    // Online before it is replaced.
    app.insert("min_uptime".to_owned(), json!(10));
    Value::Object(app)
}

/// An app that ends as soon as it has said so, and is not restarted.
fn job() -> Value {
    let mut job = app("job", &["out:done"]);
    let fields = job.as_object_mut().expect("an app is an object");
    fields.insert("autorestart".to_owned(), json!(false));
    scheduled(&job, EACH_SECOND)
}

#[test]
fn an_app_is_replaced_at_its_time_and_the_pattern_is_told_as_the_cause() {
    let env = TestEnv::started(&json!([scheduled(&app("a", &["wait"]), EACH_SECOND)]));
    let first = env.list().one("a").pid();
    wait_until("it is another process", || {
        let list = env.list();
        let pid = list.one("a").field("pid").as_i64();
        pid.is_some_and(|pid| pid != i64::from(first))
    });
    wait_until("its first end is told", || {
        let described = env.describe("a");
        let cause = described.pointer("/exits/0/cause").and_then(Value::as_str);
        cause.is_some_and(|cause| cause.contains("cron `* * * * * *`"))
    });
    let described = env.describe("a");
    assert!(
        described
            .get("next_scheduled_at")
            .is_some_and(Value::is_string)
    );
    let text = env.eco(&["describe", "a"]).ok().stdout;
    assert!(text.contains("next by cron"), "{text}");
}

#[test]
fn a_job_that_ends_begins_again_at_its_time_until_it_is_stopped() {
    let env = TestEnv::new();
    let other = scheduled(&app("other", &["wait"]), EACH_SECOND);
    env.ecosystem("dev", &json!([job(), other]));
    drop(env.eco(&["start", "dev"]).ok());
    let done = || env.logs("job").len();
    wait_until("it was done three times", || done() >= 3);
    drop(env.eco(&["stop", "job"]).ok());
    let next = env.describe("job").get("next_scheduled_at").cloned();
    assert_eq!(next, Some(Value::Null));
    let before = done();
    // Were it begun again, it would be within three of the other's seconds.
    let restarts = || env.list().one("other").number("restarts");
    let begun = restarts();
    wait_until("three seconds have passed by the other's clock", || {
        restarts() >= begun + 3
    });
    assert_eq!(done(), before);
    drop(env.eco(&["start", "job"]).ok());
    wait_until("the clock means it again", || done() >= before + 2);
}

#[test]
fn a_job_that_ended_rests_with_the_others_and_its_clock_goes_on_when_they_are_back() {
    let env = TestEnv::new();
    let other = scheduled(&app("other", &["wait"]), EACH_SECOND);
    let mut seldom = scheduled(&job(), "0 0 1 1 *");
    seldom["name"] = json!("seldom");
    env.ecosystem("dev", &json!([job(), seldom, other]));
    drop(env.eco(&["start", "dev"]).ok());
    let done = || env.logs("job").len();
    wait_until("both have ended", || {
        done() >= 1 && env.list().one("seldom").status() == "stopped"
    });
    drop(env.eco(&["kill"]).ok());
    let before = done();
    drop(env.eco(&["start", "other"]).ok());
    let restarts = || env.list().one("other").number("restarts");
    wait_until("three seconds have passed by the other's clock", || {
        restarts() >= 3
    });
    assert_eq!(done(), before);
    let is_due = |name: &str| {
        let next = env.describe(name).get("next_scheduled_at").cloned();
        next != Some(Value::Null)
    };
    assert!(!is_due("seldom"));
    drop(env.eco(&["resurrect"]).ok());
    wait_until("the clock means it again", || done() >= before + 2);
    assert!(is_due("seldom"));
    assert_eq!(env.logs("seldom").len(), 1);
}

#[test]
fn what_was_due_while_there_was_no_agent_is_not_made_up_for() {
    let env = TestEnv::started(&json!([scheduled(&app("a", &["wait"]), "0 0 1 1 *")]));
    let before = env.list();
    env.slay(env.daemons().agent);
    let after = env.list();
    assert_eq!(before.pids(), after.pids());
    let described = env.describe("a");
    let next = described.get("next_scheduled_at").and_then(Value::as_str);
    assert!(
        next.is_some_and(|next| next.contains("-01-01T00:00:00")),
        "{next:?}"
    );
}

#[test]
fn a_time_zone_says_when_a_day_begins() {
    let env = TestEnv::new();
    let at_midnight = |name: &str, zone: &str| {
        let mut app = scheduled(&app(name, &["wait"]), "0 0 1 1 *");
        app["cron_timezone"] = json!(zone);
        app
    };
    let west = at_midnight("west", "Etc/GMT+5");
    env.ecosystem("dev", &json!([at_midnight("east", "Asia/Kolkata"), west]));
    drop(env.eco(&["start", "dev"]).ok());
    let next = |name: &str| {
        let described = env.describe(name);
        let next = described.get("next_scheduled_at").and_then(Value::as_str);
        next.map(str::to_owned).unwrap_or_default()
    };
    assert!(next("east").contains("-12-31T18:30:00"), "{}", next("east"));
    assert!(next("west").contains("-01-01T05:00:00"), "{}", next("west"));
}

#[test]
fn a_pattern_that_is_none_is_told_before_anything_is_started() {
    let env = TestEnv::new();
    env.ecosystem(
        "dev",
        &json!([scheduled(&app("a", &["wait"]), "61 * * * *")]),
    );
    env.eco(&["start", "dev"]).fails(1, &["cron_restart"]);
}
