use std::fmt::Write as _;

use super::*;

/// Every state × every input, printed: a change of behaviour shows as a change of this table.
#[test]
fn the_whole_table() {
    insta::assert_snapshot!(table(&policy(), &INPUTS));
}

/// Where a sign is asked for, only the passing of time means something else.
#[test]
fn the_table_of_one_that_has_to_show_a_sign() {
    let wake = INPUTS.last().expect("there are inputs");
    insta::assert_snapshot!(table(&asked_to_be_ready(), std::slice::from_ref(wake)));
}

fn states() -> Vec<(&'static str, State)> {
    let by_itself = Ending::ByItself {
        how: Ended::Code(1),
        lived: 5000 * MS,
    };
    let since = 10 * MS;
    vec![
        ("stopped", State::Stopped),
        (
            "spawning",
            State::Spawning {
                replace: Replace::No,
            },
        ),
        (
            "spawning, out of date",
            State::Spawning {
                replace: Replace::Yes(Turn::InOrder),
            },
        ),
        ("launching", State::Launching { pid: 7, since }),
        ("online", State::Online { pid: 7, since }),
        (
            "ending, asked",
            State::Ending {
                pid: 7,
                ending: Ending::Asked(Turn::InOrder),
                kill_at: 90 * MS,
            },
        ),
        (
            "ending by itself",
            State::Ending {
                pid: 7,
                ending: by_itself,
                kill_at: 90 * MS,
            },
        ),
        ("waiting", State::Waiting { until: 90 * MS }),
        ("errored", State::Errored),
    ]
}

type Input = (&'static str, fn(&mut Machine) -> Option<Effect>);

const NOW: Tick = Duration::from_secs(6);

const INPUTS: [Input; 17] = [
    ("start", |machine| {
        machine.command(NOW, Command::Start(Turn::InOrder))
    }),
    ("start at once", |machine| {
        machine.command(NOW, Command::Start(Turn::AtOnce))
    }),
    ("stop", |machine| machine.command(NOW, Command::Stop)),
    ("restart", |machine| {
        machine.command(NOW, Command::Restart(Turn::InOrder))
    }),
    ("restart at once", |machine| {
        machine.command(NOW, Command::Restart(Turn::AtOnce))
    }),
    ("hold", |machine| machine.command(NOW, Command::Hold)),
    ("resurrect", |machine| {
        machine.command(NOW, Command::Resurrect)
    }),
    ("spawned", |machine| machine.fact(NOW, 1, spawned(8, NOW))),
    ("spawn failed", |machine| {
        machine.fact(NOW, 1, Fact::SpawnFailed)
    }),
    ("ready", |machine| machine.fact(NOW, 1, Fact::Ready)),
    ("ill", |machine| machine.fact(NOW, 1, Fact::Ill)),
    ("ended", |machine| machine.fact(NOW, 1, ended(1, NOW))),
    ("ended, leaving", |machine| {
        machine.fact(NOW, 1, ended_leaving(1, NOW))
    }),
    ("gone", |machine| machine.fact(NOW, 1, Fact::Gone)),
    ("of another run", |machine| machine.fact(NOW, 2, Fact::Gone)),
    ("proceed", |machine| machine.proceed(NOW)),
    ("wake", |machine| machine.wake(NOW)),
];

fn table(policy: &Policy, inputs: &[Input]) -> String {
    let mut table = String::new();
    for want in [Want::Up, Want::Down, Want::Held] {
        for (name, state) in states() {
            writeln!(table, "{name}, want {want:?}").expect("a string");
            for (input, apply) in inputs {
                let saved = Saved {
                    want,
                    state,
                    run: 1,
                    strikes: 0,
                    attempts: 0,
                    restarts: 0,
                };
                let mut machine = Machine::restore(policy.clone(), saved);
                let effect = apply(&mut machine);
                let effect = effect.map_or(String::new(), |effect| format!("  ! {effect:?}"));
                let after = format!("{:?} {:?}", machine.want(), machine.state());
                writeln!(table, "    {input:<15} {after}{effect}").expect("a string");
            }
        }
    }
    table
}
