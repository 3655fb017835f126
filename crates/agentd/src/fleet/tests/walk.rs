//! Random walks against a model keeper: connections break, agents and keepers die, apps crash; nothing is ever done twice or
//! out of order, and what is wanted comes to pass once the world rests.

mod world;

use proptest::prelude::*;

use super::super::wait::Wait;
use super::*;
use crate::machine::Want;
use world::{Disk, World};

#[derive(Clone, Debug)]
enum Step {
    Act(Verb, u32),
    Apply {
        which: usize,
        instances: u32,
        script: u8,
    },
    Scale(u32),
    Hold,
    Resurrect,
    /// The clock says that an app is due.
    Due {
        which: usize,
    },
    /// A run is to be replaced, since its files changed or since it does not live well.
    Replace {
        which: u32,
        by: By,
    },
    /// The keeper takes an order.
    Obey {
        fails: bool,
    },
    /// The agent takes a message.
    Hear,
    Connect,
    Break,
    KillAgent,
    KillKeeper,
    /// A leader ends by itself.
    Crash {
        which: u32,
        code: i32,
        leaves: bool,
    },
    /// What a leader left ends.
    Vanish(u32),
    Pass(u16),
    /// Writes are refused from now on, or taken again.
    Disk(Disk),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let verb = prop_oneof![
        2 => Just(START),
        2 => Just(RESTART),
        1 => Just(Verb::Stop),
        1 => Just(Verb::Delete)
    ];
    let step = prop_oneof![
        3 => (verb, any::<u32>()).prop_map(|(verb, which)| Step::Act(verb, which)),
        3 => (0..4_usize, 1..4_u32, 0..2_u8)
            .prop_map(|(which, instances, script)| Step::Apply { which, instances, script }),
        1 => (1..4_u32).prop_map(Step::Scale),
        1 => Just(Step::Hold),
        1 => Just(Step::Resurrect),
        1 => (0..4_usize).prop_map(|which| Step::Due { which }),
        1 => (any::<u32>(), prop_oneof![Just(By::Watch), Just(By::Probe)])
            .prop_map(|(which, by)| Step::Replace { which, by }),
        9 => (0..8_u8).prop_map(|die| Step::Obey { fails: die == 0 }),
        9 => Just(Step::Hear),
        4 => Just(Step::Connect),
        1 => Just(Step::Break),
        1 => Just(Step::KillAgent),
        1 => Just(Step::KillKeeper),
        2 => (any::<u32>(), 0..2_i32, any::<bool>())
            .prop_map(|(which, code, leaves)| Step::Crash { which, code, leaves }),
        2 => any::<u32>().prop_map(Step::Vanish),
        2 => (0..2500_u16).prop_map(Step::Pass),
        2 => prop_oneof![Just(Disk::Full), Just(Disk::HasRoom)].prop_map(Step::Disk),
    ];
    prop::collection::vec(step, 1..120)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_wanted_comes_to_pass_and_nothing_is_done_twice(steps in steps()) {
        let mut world = World::new();
        for step in steps {
            world.step(step);
        }
        world.rest();
        let mut wanted = BTreeSet::new();
        for (key, _, slot) in world.stage.fleet.slots() {
            let state = slot.machine.state();
            match slot.machine.want() {
                Want::Up if state == State::Errored => {}
                // Nothing is let wait for ever, but for what somebody has to do something about.
                Want::Up if state == State::Stopped => {
                    let waits = world.stage.fleet.waits(&key);
                    prop_assert!(waits.iter().any(Wait::is_stuck), "{key}: {waits:?}");
                }
                Want::Up => {
                    prop_assert!(matches!(state, State::Online { .. }), "{key}: {state:?}");
                    wanted.insert(key.run(slot.machine.run()));
                }
                Want::Down | Want::Held => prop_assert_eq!(state, State::Stopped),
            }
        }
        let alive: BTreeSet<_> = world.processes.keys().cloned().collect();
        prop_assert_eq!(&alive, &wanted);
        let known: BTreeSet<_> = world.table.keys().cloned().collect();
        prop_assert_eq!(&known, &wanted, "runs that are over and not forgotten");

        world.step(Step::Hold);
        world.rest();
        prop_assert!(world.stage.fleet.is_at_rest());
        prop_assert!(world.processes.is_empty() && world.table.is_empty());
    }

    #[test]
    fn an_end_is_remembered_once(steps in steps()) {
        let mut world = World::new();
        for step in steps {
            world.step(step);
        }
        world.rest();
        for (key, _, slot) in world.stage.fleet.slots() {
            let runs: Vec<_> = slot.exits.iter().map(|exit| exit.run).collect();
            prop_assert!(runs.windows(2).all(|pair| pair[0] > pair[1]), "{key}: {runs:?}");
        }
    }

    #[test]
    fn the_run_that_an_outcome_names_is_the_one_that_comes_up(steps in steps(), verb in prop_oneof![Just(START), Just(RESTART)]) {
        let mut world = World::new();
        for step in steps {
            world.step(step);
        }
        // The keeper is met, all it said is heard, and nothing fails from here on.
        world.meet();
        let (now, keys) = (world.stage.now, world.stage.fleet.keys());
        let outcomes = world.stage.fleet.act(now, &By::ann(), verb, &keys);
        world.check_turns();
        world.commit();
        world.rest();
        for outcome in outcomes {
            let slot = world.stage.fleet.slot(&outcome.slot).expect("it stays");
            let is_stuck = world.stage.fleet.waits(&outcome.slot).iter().any(Wait::is_stuck);
            if outcome.action != Action::Unchanged && !is_stuck {
                prop_assert_eq!(slot.machine.run(), outcome.run);
            }
        }
    }
}
