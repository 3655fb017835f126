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
    launching: started by a person
    online: started by a person
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
    launching: started by a person
    online: started by a person
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
    story.act(Verb::Start);
    story.rise(2);
    story.act(Verb::Restart);
    story.end(2, How::Code(0), MS);
    story.rise(3);
    assert_eq!(
        story.ends(),
        ["stopped by a person", "restarted by a person"]
    );
    insta::assert_snapshot!(story.told(), @r"
    launching: started by a person
    online: started by a person
    stopping: stopped by a person
    stopped: stopped by a person
    launching: started by a person
    online: started by a person
    stopping: restarted by a person
    launching: restarted by a person
    online: restarted by a person
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
    launching: started by a person
    online: started by a person
    stopping: its specification changed
    launching: its specification changed
    online: its specification changed
    ");
}

#[test]
fn kill_and_resurrect() {
    let mut story = Story::begin();
    story.stage.fleet.hold(story.stage.now);
    story.note();
    story.end(1, How::Signal(SIGINT), MS);
    story.stage.fleet.resurrect(story.stage.now);
    story.note();
    story.rise(2);
    assert_eq!(story.ends(), ["put to rest by kill"]);
    insta::assert_snapshot!(story.told(), @r"
    launching: started by a person
    online: started by a person
    stopping: put to rest by kill
    stopped: put to rest by kill
    launching: resurrected by a person
    online: resurrected by a person
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
    launching: started by a person
    online: started by a person
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
    assert_eq!(story.ends(), ["stopped by a person"]);
    insta::assert_snapshot!(story.told(), @r"
    launching: started by a person
    online: started by a person
    stopping: stopped by a person
    stopped: stopped by a person
    ");
}

#[test]
fn a_wait_that_a_person_cuts_short() {
    let mut story = Story::begin();
    story.end(1, How::Code(3), MS);
    story.rise(2);
    story.end(2, How::Code(3), MS);
    story.act(Verb::Restart);
    story.rise(3);
    insta::assert_snapshot!(story.told(), @r"
    launching: started by a person
    online: started by a person
    launching: exited with code 3; restarted at once
    online: exited with code 3; restarted at once
    waiting: exited with code 3; next attempt after 100 ms
    launching: restarted by a person
    online: restarted by a person
    ");
}

#[test]
fn an_end_that_was_named_as_one() {
    let mut story = Story::begin();
    story.end(1, How::Code(7), MS);
    insta::assert_snapshot!(story.told(), @r"
    launching: started by a person
    online: started by a person
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
    story.stage.fleet.rise_after_boot();
    story.stage.meet(vec![]);
    story.note();
    story.rise(2);
    insta::assert_snapshot!(story.told(), @r"
    launching: started by a person
    online: started by a person
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
