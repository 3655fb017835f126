use proptest::prelude::*;

use super::*;

/// What the world may do next; it only reports what can be true in it.
#[derive(Clone, Copy, Debug)]
enum Step {
    Command(Command),
    Proceed,
    Wake,
    Spawn { fails: bool },
    Ready,
    Ill,
    End { leaves: bool },
    Vanish,
    Stale,
}

/// At most one run lives in it; signals reach only the living.
#[derive(Default)]
struct World {
    asked: Option<Run>,
    leader: Option<Run>,
    orphans: Option<Run>,
    pid: i32,
}

impl World {
    fn take(&mut self, effect: Option<Effect>) {
        match effect {
            Some(Effect::Spawn(run)) => {
                let alone = self.asked.is_none() && self.leader.is_none() && self.orphans.is_none();
                assert!(alone, "a second run");
                self.asked = Some(run);
            }
            Some(Effect::End(run) | Effect::Signal(run, _)) => {
                assert!(
                    self.leader.or(self.orphans) == Some(run),
                    "a signal to the dead"
                );
            }
            None => {}
        }
    }

    fn step(&mut self, machine: &mut Machine, now: Tick, step: Step) {
        let effect = match step {
            Step::Command(command) => machine.command(now, command),
            Step::Proceed => machine.proceed(now),
            Step::Wake => machine.wake(now),
            Step::Stale => machine.fact(now, Run::MAX, Fact::Gone),
            Step::Spawn { fails } => match self.asked.take() {
                Some(run) if fails => machine.fact(now, run, Fact::SpawnFailed),
                Some(run) => {
                    self.pid += 1;
                    self.leader = Some(run);
                    machine.fact(now, run, spawned(self.pid, now))
                }
                None => None,
            },
            Step::Ready => self
                .leader
                .and_then(|run| machine.fact(now, run, Fact::Ready)),
            Step::Ill => self
                .leader
                .and_then(|run| machine.fact(now, run, Fact::Ill)),
            Step::End { leaves } => match self.leader.take() {
                Some(run) if leaves => {
                    self.orphans = Some(run);
                    machine.fact(now, run, ended_leaving(1, now))
                }
                Some(run) => machine.fact(now, run, ended(1, now)),
                None => None,
            },
            Step::Vanish => self
                .orphans
                .take()
                .and_then(|run| machine.fact(now, run, Fact::Gone)),
        };
        self.take(effect);
    }
}

fn steps() -> impl Strategy<Value = Vec<(u16, Step)>> {
    let command = prop_oneof![
        turn().prop_map(Command::Start),
        Just(Command::Stop),
        turn().prop_map(Command::Restart),
        Just(Command::Hold),
        Just(Command::Resurrect)
    ];
    let step = prop_oneof![
        3 => command.prop_map(Step::Command),
        4 => Just(Step::Proceed),
        2 => Just(Step::Wake),
        3 => any::<bool>().prop_map(|fails| Step::Spawn { fails }),
        1 => Just(Step::Ready),
        1 => Just(Step::Ill),
        2 => any::<bool>().prop_map(|leaves| Step::End { leaves }),
        2 => Just(Step::Vanish),
        1 => Just(Step::Stale),
    ];
    prop::collection::vec((0..2000_u16, step), 1..80)
}

fn turn() -> impl Strategy<Value = Turn> {
    prop_oneof![Just(Turn::InOrder), Just(Turn::AtOnce)]
}

fn policies() -> impl Strategy<Value = Policy> {
    prop_oneof![Just(policy()), Just(asked_to_be_ready())]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_walk_is_safe_and_a_stop_settles_it(steps in steps(), policy in policies()) {
        let mut machine = Machine::new(policy, 0);
        let mut world = World::default();
        let mut now = MS;
        for (pause, step) in steps {
            now += MS * u32::from(pause);
            world.step(&mut machine, now, step);
        }
        for step in [
            Step::Command(Command::Stop),
            Step::Spawn { fails: false },
            Step::Proceed,
            Step::End { leaves: true },
            Step::Vanish,
        ] {
            world.step(&mut machine, now, step);
        }
        prop_assert_eq!(machine.state(), State::Stopped);
        prop_assert_eq!(machine.deadline(), None);
    }

    #[test]
    fn what_is_saved_and_restored_goes_on_as_if_nothing_had_been(
        steps in steps(), policy in policies(), cut in 0..80_usize
    ) {
        let (mut machine, mut world, mut now) = (Machine::new(policy.clone(), 0), World::default(), MS);
        for (at, (pause, step)) in steps.into_iter().enumerate() {
            now += MS * u32::from(pause);
            if at == cut {
                let restored = Machine::restore(policy.clone(), machine.saved());
                prop_assert_eq!(&restored, &machine);
                machine = restored;
            }
            world.step(&mut machine, now, step);
        }
    }
}
