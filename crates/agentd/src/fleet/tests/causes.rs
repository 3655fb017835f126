//! What people read under "cause". Every line here is shown to somebody, so it must be true at the time it is shown.

use super::*;

/// The causes on the way of one app, with its state at that time.
struct Story {
    stage: Stage,
    lines: Vec<String>,
}

impl Story {
    fn begin() -> Self {
        let mut story = Self {
            stage: Stage::new(),
            lines: Vec::new(),
        };
        story.stage.apply(spec("dev", "api"));
        story.note();
        story.rise(1);
        story
    }

    fn note(&mut self) {
        let state = match self.stage.state() {
            State::Stopped => "stopped",
            State::Spawning { .. } | State::Launching { .. } => "launching",
            State::Online { .. } => "online",
            State::Ending { .. } => "stopping",
            State::Waiting { .. } => "waiting",
            State::Errored => "errored",
        };
        let line = format!("{state}: {}", self.stage.cause());
        if self.lines.last() != Some(&line) {
            self.lines.push(line);
        }
    }

    fn rise(&mut self, number: Run) {
        self.stage.rise(&api(number));
        self.note();
    }

    fn end(&mut self, number: Run, how: How, after: Duration) {
        self.stage.end(&api(number), how, after);
        self.note();
    }

    fn act(&mut self, verb: Verb) {
        self.stage.act(verb, &dev("api"));
        self.note();
    }

    fn pass(&mut self, time: Duration) {
        self.stage.pass(time);
        self.note();
    }

    fn told(self) -> String {
        self.lines.join("\n")
    }

    /// The ends that are remembered, oldest first.
    fn ends(&self) -> Vec<&str> {
        let exits = self.stage.slot(&dev("api")).exits.iter().rev();
        exits.map(|exit| exit.cause.as_str()).collect()
    }
}

const LONG: Duration = Duration::from_mins(1);

#[test]
fn a_crash_after_a_long_life() {
    let mut story = Story::begin();
    story.end(1, How::Signal(SIGKILL), LONG);
    story.rise(2);
    assert_eq!(story.ends(), ["killed by SIGKILL; restarted at once"]);
    insta::assert_snapshot!(story.told(), @r"
    launching: started by ann
    online: started by ann
    launching: killed by SIGKILL; restarted at once
    online: killed by SIGKILL; restarted at once
    ");
}

#[test]
fn short_lives_until_it_is_given_up() {
    let mut story = Story::begin();
    story.end(1, How::Code(3), MS);
    story.rise(2);
    story.end(2, How::Code(3), MS);
    story.pass(100 * MS);
    story.rise(3);
    story.end(3, How::Code(3), MS);
    assert_eq!(
        story.ends(),
        [
            "exited with code 3; restarted at once",
            "exited with code 3; next attempt after 100 ms",
            "exited with code 3; given up after 3 short lives in a row"
        ]
    );
    insta::assert_snapshot!(story.told(), @r"
    launching: started by ann
    online: started by ann
    launching: exited with code 3; restarted at once
    online: exited with code 3; restarted at once
    waiting: exited with code 3; next attempt after 100 ms
    launching: exited with code 3; next attempt after 100 ms
    online: exited with code 3; restarted after 100 ms
    errored: exited with code 3; given up after 3 short lives in a row
    ");
}

#[test]
fn a_person_stops_starts_and_restarts() {
    let mut story = Story::begin();
    story.act(Verb::Stop);
    story.end(1, How::Signal(SIGINT), MS);
    story.act(START);
    story.rise(2);
    story.act(RESTART);
    story.end(2, How::Code(0), MS);
    story.rise(3);
    assert_eq!(story.ends(), ["stopped by ann", "restarted by ann"]);
    insta::assert_snapshot!(story.told(), @r"
    launching: started by ann
    online: started by ann
    stopping: stopped by ann
    stopped: stopped by ann
    launching: started by ann
    online: started by ann
    stopping: restarted by ann
    launching: restarted by ann
    online: restarted by ann
    ");
}

#[test]
fn a_new_specification() {
    let mut story = Story::begin();
    let mut changed = spec("dev", "api");
    changed.script = "other.js".to_owned();
    story.stage.apply(changed);
    story.note();
    story.end(1, How::Signal(SIGINT), MS);
    story.rise(2);
    insta::assert_snapshot!(story.told(), @r"
    launching: started by ann
    online: started by ann
    stopping: its specification was changed by ann
    launching: its specification was changed by ann
    online: its specification was changed by ann
    ");
}

#[test]
fn kill_and_resurrect() {
    let mut story = Story::begin();
    story.stage.fleet.hold(story.stage.now, &By::ann());
    story.note();
    story.end(1, How::Signal(SIGINT), MS);
    story.stage.fleet.resurrect(story.stage.now, &By::ann());
    story.note();
    story.rise(2);
    assert_eq!(story.ends(), ["put to rest by ann"]);
    insta::assert_snapshot!(story.told(), @r"
    launching: started by ann
    online: started by ann
    stopping: put to rest by ann
    stopped: put to rest by ann
    launching: resurrected by ann
    online: resurrected by ann
    ");
}

#[test]
fn a_leader_that_leaves_processes_behind() {
    let mut story = Story::begin();
    let report = exited(How::Code(1), story.stage.now, Left::Processes);
    story.stage.report(&api(1), report);
    story.note();
    story.stage.report(&api(1), Report::Gone);
    story.note();
    story.rise(2);
    assert_eq!(story.ends(), ["exited with code 1; restarted at once"]);
    insta::assert_snapshot!(story.told(), @r"
    launching: started by ann
    online: started by ann
    stopping: exited with code 1; ending what it left
    launching: exited with code 1; restarted at once
    online: exited with code 1; restarted at once
    ");
}

#[test]
fn a_stop_that_the_leader_obeys_before_its_children() {
    let mut story = Story::begin();
    story.act(Verb::Stop);
    let report = exited(How::Signal(SIGINT), story.stage.now, Left::Processes);
    story.stage.report(&api(1), report);
    story.note();
    story.stage.report(&api(1), Report::Gone);
    story.note();
    assert_eq!(story.ends(), ["stopped by ann"]);
    insta::assert_snapshot!(story.told(), @r"
    launching: started by ann
    online: started by ann
    stopping: stopped by ann
    stopped: stopped by ann
    ");
}

#[test]
fn a_wait_that_a_person_cuts_short() {
    let mut story = Story::begin();
    story.end(1, How::Code(3), MS);
    story.rise(2);
    story.end(2, How::Code(3), MS);
    story.act(RESTART);
    story.rise(3);
    insta::assert_snapshot!(story.told(), @r"
    launching: started by ann
    online: started by ann
    launching: exited with code 3; restarted at once
    online: exited with code 3; restarted at once
    waiting: exited with code 3; next attempt after 100 ms
    launching: restarted by ann
    online: restarted by ann
    ");
}

#[test]
fn an_end_that_was_named_as_one() {
    let mut story = Story::begin();
    story.end(1, How::Code(7), MS);
    insta::assert_snapshot!(story.told(), @r"
    launching: started by ann
    online: started by ann
    stopped: exited with code 7; that is an end
    ");
}

#[test]
fn a_spawn_that_fails() {
    let mut stage = Stage::new();
    let mut once = spec("dev", "api");
    once.restart.max_unstable = 1;
    stage.apply(once);
    let failed = Report::SpawnFailed {
        why: "start /srv/app: Permission denied".to_owned(),
        at_unix: MS,
    };
    stage.report(&api(1), failed);
    assert_eq!(
        stage.cause(),
        "failed to start /srv/app: Permission denied; given up after 1 short life"
    );
}

#[test]
fn a_run_whose_end_nobody_saw() {
    let mut story = Story::begin();
    story.end(1, How::Unknown, LONG);
    story.rise(2);
    assert_eq!(
        story.stage.cause(),
        "ended, nobody knows how; restarted at once"
    );
}

#[test]
fn a_signal_without_a_name_and_a_wait_of_seconds() {
    let mut slow = spec("dev", "api");
    slow.restart.delay = eco_config::spec::RestartDelay::Fixed(Duration::from_millis(2500));
    let mut stage = Stage::new();
    stage.apply(slow);
    stage.rise(&api(1));
    stage.end(&api(1), How::Signal(64), LONG);
    assert_eq!(
        stage.cause(),
        "killed by signal 64; next attempt after 2.5 s"
    );
}

#[test]
fn an_app_that_was_only_registered() {
    let mut stage = Stage::new();
    stage.apply(AppSpec {
        autostart: false,
        ..spec("dev", "api")
    });
    assert_eq!(stage.cause(), "registered; autostart is off");
}

#[test]
fn a_host_that_booted() {
    let mut story = Story::begin();
    story.stage.fleet.rise_after(Loss::Host);
    story.stage.meet(vec![]);
    story.note();
    story.rise(2);
    insta::assert_snapshot!(story.told(), @r"
    launching: started by ann
    online: started by ann
    launching: started after the host booted
    online: started after the host booted
    ");
}

#[test]
fn a_cause_of_a_later_agent_is_the_one_of_the_earlier() {
    let mut story = Story::begin();
    story.end(1, How::Code(3), LONG);
    story.rise(2);
    let reports = vec![Report::Spawned(identity(&api(2), story.stage.now))];
    story.stage.meet(vec![(api(2), reports)]);
    assert_eq!(story.stage.cause(), "exited with code 3; restarted at once");
    story.stage.meet(vec![]);
    assert_eq!(story.stage.cause(), "exited with code 3; restarted at once");
}

/// Each run that is over: why it began, by whom, and by whom it ended.
fn lives(stage: &Stage) -> Vec<String> {
    let exits = stage.slot(&dev("api")).exits.iter().rev();
    exits
        .map(|exit| {
            let began = exit.began.as_ref().expect("it was written down");
            let at = began.at_unix.as_millis();
            format!(
                "{}: {} ({:?}, at {at} ms); {} ({:?})",
                exit.run, began.cause, began.by, exit.cause, exit.by
            )
        })
        .collect()
}

#[test]
fn every_life_tells_why_it_began_and_why_it_ended_and_whose_doing_that_was() {
    let mut story = Story::begin();
    story.end(1, How::Code(3), MS);
    story.rise(2);
    story.end(2, How::Code(3), MS);
    story.pass(100 * MS);
    story.rise(3);
    story.pass(1000 * MS);
    let held = "held 120 MiB, and may hold 100 MiB".to_owned();
    let stage = &mut story.stage;
    stage.fleet.too_large(stage.now, &api(3), held);
    story.end(3, How::Signal(SIGINT), MS);
    story.pass(150 * MS);
    story.rise(4);
    story.act(Verb::Stop);
    story.end(4, How::Signal(SIGINT), MS);
    insta::assert_snapshot!(lives(&story.stage).join("\n"), @r#"
    1: started by ann (Person("ann"), at 1010 ms); exited with code 3; restarted at once (Itself)
    2: exited with code 3; restarted at once (Itself, at 1011 ms); exited with code 3; next attempt after 100 ms (Itself)
    3: exited with code 3; restarted after 100 ms (Itself, at 1112 ms); held 120 MiB, and may hold 100 MiB; next attempt after 150 ms (Memory)
    4: held 120 MiB, and may hold 100 MiB; restarted after 150 ms (Memory, at 2263 ms); stopped by ann (Person("ann"))
    "#);
    story.act(START);
    let began = story.stage.slot(&dev("api")).began.clone();
    let began = began.expect("it was written down");
    assert_eq!(
        (began.cause.as_str(), began.by),
        ("started by ann", By::ann())
    );
    assert_eq!(began.at_unix, Duration::ZERO, "it is not there yet");
}

#[test]
fn a_run_that_could_not_be_begun_tells_why_it_should_have_been() {
    let mut stage = Stage::new();
    stage.apply(spec("dev", "api"));
    let why = "start it: no such file".to_owned();
    stage.report(&api(1), Report::SpawnFailed { why, at_unix: MS });
    insta::assert_snapshot!(lives(&stage).join("\n"), @r#"1: started by ann (Person("ann"), at 0 ms); failed to start it: no such file; next attempt after 100 ms (Itself)"#);
}

#[test]
fn what_is_wanted_after_a_boot_is_the_boots_doing() {
    let mut stage = Stage::online();
    stage.fleet.rise_after(Loss::Host);
    stage.meet(vec![]);
    let began = stage.slot(&dev("api")).began.clone();
    assert_eq!(began.map(|began| began.by), Some(By::Boot));
}

#[test]
fn a_run_that_was_lost_with_everything_is_remembered() {
    let mut stage = Stage::online();
    stage.fleet.rise_after(Loss::Processes);
    stage.meet(vec![]);
    insta::assert_snapshot!(
        lives(&stage).join("\n"),
        @r#"1: started by ann (Person("ann"), at 1010 ms); lost with all processes of eco (Boot)"#
    );
    assert_eq!(
        stage.cause(),
        "started after all processes of eco were lost"
    );
    assert_eq!(stage.slot(&dev("api")).machine.restarts(), 1);
    assert!(matches!(stage.state(), State::Spawning { .. }));
}
