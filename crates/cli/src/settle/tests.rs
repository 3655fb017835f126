use eco_proto::agent::v1::{By, Exit, Health};

use super::*;

const T0: Duration = Duration::from_secs(100);

fn instance(status: Status, run: u64) -> Instance {
    Instance {
        environment: "dev".to_owned(),
        name: "api".to_owned(),
        status: status.into(),
        run,
        cause: "exited with code 3".to_owned(),
        ..Instance::default()
    }
}

fn waiting(goal: Goal, run: u64) -> Settling {
    Settling::new(vec![Awaited::new("dev", "api", 0, goal, run)])
}

fn verdict(settling: &Settling) -> Option<Verdict> {
    settling.awaited()[0].verdict.clone()
}

#[test]
fn a_run_that_stays_online_is_up_only_after_a_moment() {
    let mut settling = waiting(Goal::Up, 2);
    settling.observe(&[instance(Status::Online, 2)], T0);
    assert_eq!(verdict(&settling), None);
    assert_eq!(settling.deadline(), Some(T0 + STEADY));
    assert_eq!(settling.wake(T0 + STEADY).len(), 1);
    assert_eq!(verdict(&settling), Some(Verdict::Up));
    assert!(settling.is_done());
}

#[test]
fn one_that_is_up_by_time_and_by_no_sign_of_its_own_has_a_remark() {
    let mut settling = waiting(Goal::Up, 2);
    let silent = Instance {
        uptime_ms: Some(9000),
        cause: "online; did not say that it is ready within 3.0 s".to_owned(),
        ..instance(Status::Online, 2)
    };
    settling.observe(&[silent], T0);
    assert_eq!(verdict(&settling), Some(Verdict::Up));
    let remark = settling.awaited()[0].remark.as_deref();
    assert_eq!(remark, Some("did not say that it is ready within 3.0 s"));
}

#[test]
fn the_agent_s_uptime_counts_for_that_moment() {
    let mut settling = waiting(Goal::Up, 2);
    let old = Instance {
        uptime_ms: Some(9000),
        ..instance(Status::Online, 2)
    };
    settling.observe(&[old], T0);
    assert_eq!(verdict(&settling), Some(Verdict::Up));
}

#[test]
fn an_earlier_run_decides_nothing() {
    for status in [Status::Online, Status::Errored, Status::Stopped] {
        let mut settling = waiting(Goal::Up, 2);
        settling.observe(&[instance(status, 1)], T0);
        assert_eq!(verdict(&settling), None, "{status:?}");
        assert_eq!(settling.deadline(), None);
    }
}

#[test]
fn a_run_that_ends_within_the_moment_is_not_up() {
    let mut settling = waiting(Goal::Up, 2);
    settling.observe(&[instance(Status::Online, 2)], T0);
    settling.observe(&[instance(Status::Online, 3)], T0 + STEADY / 2);
    assert_eq!(settling.wake(T0 + STEADY).len(), 0);
    settling.observe(&[instance(Status::Errored, 3)], T0 + STEADY);
    assert_eq!(
        verdict(&settling),
        Some(Verdict::Failed("errored: exited with code 3".to_owned()))
    );
}

#[test]
fn three_unstable_ends_of_this_request_keep_failing() {
    let mut settling = waiting(Goal::Up, 5);
    let waiting_with = |run| Instance {
        unstable_restarts: 3,
        ..instance(Status::WaitingRestart, run)
    };
    settling.observe(&[waiting_with(5)], T0);
    assert_eq!(verdict(&settling), None, "the count is of earlier runs");
    settling.observe(&[waiting_with(7)], T0);
    assert_eq!(
        verdict(&settling),
        Some(Verdict::KeepsFailing("exited with code 3".to_owned()))
    );
}

#[test]
fn one_whose_probe_ended_it_keeps_failing_at_once() {
    let mut settling = waiting(Goal::Up, 5);
    let ended_by_its_probe = |run| Instance {
        last_exit: Some(Exit {
            run,
            by: Some(By {
                who: Who::Probe.into(),
                ..By::default()
            }),
            ..Exit::default()
        }),
        ..instance(Status::Launching, run + 1)
    };
    settling.observe(&[ended_by_its_probe(4)], T0);
    assert_eq!(verdict(&settling), None, "that was before");
    settling.observe(&[ended_by_its_probe(5)], T0);
    assert_eq!(
        verdict(&settling),
        Some(Verdict::KeepsFailing("exited with code 3".to_owned()))
    );
}

#[test]
fn a_job_that_ends_well_has_not_failed() {
    let mut settling = waiting(Goal::Up, 1);
    let ended = Instance {
        last_exit: Some(Exit {
            run: 1,
            how: Some(How::Code(0)),
            ..Exit::default()
        }),
        ..instance(Status::Stopped, 1)
    };
    settling.observe(&[ended], T0);
    assert!(verdict(&settling).is_some_and(|verdict| !verdict.is_failure()));
}

#[test]
fn a_oneshot_is_waited_for_to_its_end() {
    let mut settling = waiting(Goal::Up, 1);
    let running = Instance {
        oneshot: true,
        uptime_ms: Some(9000),
        ..instance(Status::Online, 1)
    };
    settling.observe(std::slice::from_ref(&running), T0);
    assert_eq!((verdict(&settling), settling.deadline()), (None, None));
    let failed = Instance {
        status: Status::Errored.into(),
        ..running
    };
    settling.observe(&[failed], T0);
    assert!(verdict(&settling).is_some_and(|verdict| verdict.is_failure()));
}

fn waits_for(on: &str, stuck: bool) -> Instance {
    let wait = pb::Wait {
        on: on.to_owned(),
        text: format!("{on} to be ready"),
        stuck,
    };
    Instance {
        waits: vec![wait],
        ..instance(Status::Launching, 0)
    }
}

fn blocked(on: &str) -> Option<Verdict> {
    Some(Verdict::Blocked {
        on: on.to_owned(),
        cause: format!("waits for {on} to be ready"),
    })
}

#[test]
fn one_that_waits_is_waited_for_unless_it_waits_in_vain() {
    let mut settling = waiting(Goal::Up, 1);
    settling.observe(&[waits_for("dev/db", false)], T0);
    assert_eq!(verdict(&settling), None);
    settling.observe(&[waits_for("dev/db", true)], T0);
    assert_eq!(verdict(&settling), blocked("dev/db"));
}

#[test]
fn who_waits_for_one_that_keeps_failing_has_failed_too() {
    let awaited = |name| Awaited::new("dev", name, 0, Goal::Up, 1);
    let mut settling = Settling::new(vec![awaited("top"), awaited("api"), awaited("db")]);
    let called = |name: &str, instance| Instance {
        name: name.to_owned(),
        ..instance
    };
    let failing = Instance {
        unstable_restarts: 3,
        ..instance(Status::WaitingRestart, 3)
    };
    let seen = [
        called("top", waits_for("dev/api", false)),
        called("api", waits_for("dev/db", false)),
        called("db", failing),
    ];
    assert_eq!(settling.observe(&seen, T0).len(), 3);
    assert_eq!(verdict(&settling), blocked("dev/api"));
    assert!(settling.is_done());
}

#[test]
fn what_is_deleted_while_it_starts_has_failed() {
    let mut settling = waiting(Goal::Up, 1);
    settling.observe(&[], T0);
    assert!(verdict(&settling).is_some_and(|verdict| verdict.is_failure()));
}

#[test]
fn stopping_is_not_stopped() {
    let mut settling = waiting(Goal::Down, 4);
    settling.observe(&[instance(Status::Stopping, 4)], T0);
    assert_eq!(verdict(&settling), None);
    settling.observe(&[instance(Status::Stopped, 4)], T0);
    assert_eq!(verdict(&settling), Some(Verdict::Down));
}

#[test]
fn a_start_by_another_person_ends_the_wait_for_a_stop() {
    let mut settling = waiting(Goal::Down, 4);
    settling.observe(&[instance(Status::Online, 5)], T0);
    assert!(verdict(&settling).is_some_and(|verdict| verdict.is_failure()));
}

#[test]
fn gone_is_gone_only_from_the_list() {
    let mut settling = waiting(Goal::Gone, 4);
    settling.observe(&[instance(Status::Stopped, 4)], T0);
    assert_eq!(verdict(&settling), None);
    settling.observe(&[], T0);
    assert_eq!(verdict(&settling), Some(Verdict::Gone));
}

#[test]
fn one_that_is_online_and_not_well_is_up_with_a_remark() {
    let mut settling = waiting(Goal::Up, 1);
    let unwell = Instance {
        uptime_ms: Some(9000),
        health: Some(Health {
            verdict: health::Verdict::Unknown.into(),
            answer: "nothing listens on port 3000 yet".to_owned(),
            ..Health::default()
        }),
        ..instance(Status::Online, 1)
    };
    let settled = settling.observe(&[unwell], T0);
    assert_eq!(verdict(&settling), Some(Verdict::Up));
    let remark = settled[0].remark.as_deref();
    assert_eq!(remark, Some("nothing listens on port 3000 yet"));
}

#[test]
fn giving_up_says_what_was_seen_last() {
    let mut settling = waiting(Goal::Up, 1);
    let launching = Instance {
        cause: String::new(),
        ..instance(Status::Launching, 1)
    };
    settling.observe(&[launching], T0);
    settling.give_up();
    assert_eq!(
        verdict(&settling),
        Some(Verdict::TimedOut("launching".to_owned()))
    );
}
