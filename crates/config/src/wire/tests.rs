//! What leaves as a message comes back the same.

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;

use super::*;
use crate::spec::{
    Check, Condition, Dependency, IgnoreField, IgnoreRule, Ignored, IllAction, Keeping, Limits,
    LineKind, Links, Liveness, Overflow, Probe, Readiness, ReadyPolicy, RestartDelay,
    RestartPolicy, RestartWhen, Rotation, Sharing, StopPolicy, StopReach, StopWords, WatchPolicy,
};

fn duration() -> impl Strategy<Value = Duration> {
    any::<u64>().prop_map(Duration::from_millis)
}

fn path() -> impl Strategy<Value = PathBuf> {
    "/[a-zé ./]{0,20}".prop_map(PathBuf::from)
}

fn variables() -> impl Strategy<Value = std::collections::BTreeMap<String, String>> {
    btree_map("[A-Z_]{1,8}", ".{0,8}", 0..4)
}

fn interpreter() -> impl Strategy<Value = Interpreter> {
    prop_oneof![
        Just(Interpreter::ByExtension),
        Just(Interpreter::None),
        "[a-z]{1,8}".prop_filter_map("not a name", |name| {
            (name != NO_INTERPRETER).then_some(Interpreter::Named(name))
        }),
    ]
}

fn restart() -> impl Strategy<Value = RestartPolicy> {
    let delay = prop_oneof![
        Just(RestartDelay::Default),
        duration().prop_map(RestartDelay::Fixed),
        duration().prop_map(RestartDelay::Growing),
    ];
    let when = prop_oneof![
        Just(RestartWhen::Always),
        Just(RestartWhen::OnFailure),
        Just(RestartWhen::Never),
    ];
    let codes = vec(any::<i32>(), 0..3);
    (when, duration(), any::<u32>(), delay, codes).prop_map(
        |(when, min_uptime, max_unstable, delay, stop_exit_codes)| RestartPolicy {
            when,
            min_uptime,
            max_unstable,
            delay,
            stop_exit_codes,
        },
    )
}

fn watch() -> impl Strategy<Value = WatchPolicy> {
    let links = prop_oneof![Just(Links::Followed), Just(Links::Plain)];
    let ignore = option::of(vec(ignore_rule(), 0..3));
    let (paths, polling) = (vec(".{0,8}", 0..3), option::of(duration()));
    (
        paths,
        ignore,
        duration(),
        links,
        polling,
        any::<Option<u32>>(),
    )
        .prop_map(
            |(paths, ignore, delay, links, polling, depth)| WatchPolicy {
                paths,
                ignore,
                delay,
                links,
                polling,
                depth,
            },
        )
}

fn ignore_rule() -> impl Strategy<Value = IgnoreRule> {
    let what = prop_oneof![
        ".{0,8}".prop_map(Ignored::Pattern),
        ".{0,8}".prop_map(Ignored::Expression),
    ];
    let field = prop_oneof![
        Just(IgnoreField::IgnoreWatch),
        Just(IgnoreField::WatchOptions),
    ];
    (what, field).prop_map(|(what, field)| IgnoreRule { what, field })
}

fn check() -> impl Strategy<Value = Check> {
    let ranges = vec((any::<u16>(), any::<u16>()), 0..3);
    prop_oneof![
        vec(".{0,8}", 0..3).prop_map(Check::Exec),
        ".{0,8}".prop_map(Check::Tcp),
        (".{0,8}", ranges).prop_map(|(url, statuses)| Check::Http { url, statuses }),
        ".{0,8}".prop_map(Check::Log),
        Just(Check::Notify),
        Just(Check::Output),
    ]
}

prop_compose! {
    fn probe()(
        check in check(),
        (interval, timeout, start_period) in (duration(), duration(), duration()),
        (successes, failures) in (1..u32::MAX, 1..u32::MAX),
    ) -> Probe {
        Probe { check, interval, timeout, start_period, successes, failures }
    }
}

fn readiness() -> impl Strategy<Value = Readiness> {
    (probe(), option::of(duration())).prop_map(|(probe, within)| Readiness { probe, within })
}

fn liveness() -> impl Strategy<Value = Liveness> {
    let action = prop_oneof![
        Just(IllAction::Restart),
        Just(IllAction::Stop),
        Just(IllAction::Mark),
    ];
    (probe(), action).prop_map(|(probe, action)| Liveness { probe, action })
}

fn dependency() -> impl Strategy<Value = Dependency> {
    let condition = prop_oneof![
        Just(Condition::Started),
        Just(Condition::Ready),
        Just(Condition::Completed),
    ];
    prop_oneof![
        ("[a-z]{1,8}", condition).prop_map(|(name, condition)| Dependency::App {
            name: AppName::new(&name).unwrap(),
            condition,
        }),
        ".{0,8}".prop_map(Dependency::Tcp),
        ".{0,8}".prop_map(Dependency::Http),
    ]
}

fn limits() -> impl Strategy<Value = Limits> {
    any::<(Option<u64>, Option<u32>, Option<u32>, Option<u64>)>().prop_map(
        |(memory, cpu_millis, tasks, open_files)| Limits {
            memory,
            cpu_millis,
            tasks,
            open_files,
        },
    )
}

fn logs() -> impl Strategy<Value = Logs> {
    let rotation = (
        any::<u64>(),
        option::of(duration()),
        any::<u32>(),
        any::<bool>(),
    )
        .prop_map(|(size, every, keep, compress)| Rotation {
            size,
            every,
            keep,
            compress,
        });
    (
        (option::of(path()), option::of(path()), option::of(path())),
        (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>()),
        (option::of(".{0,8}"), option::of(rotation)),
        (any::<Option<u64>>(), option::of(duration())),
    )
        .prop_map(
            |(
                (out_file, error_file, log_file),
                (is_merged, is_json, is_off, is_dropped),
                (date_format, rotation),
                (max_size, max_age),
            )| Logs {
                out_file,
                error_file,
                log_file,
                sharing: if is_merged {
                    Sharing::Merged
                } else {
                    Sharing::Each
                },
                kind: if is_json {
                    LineKind::Json
                } else {
                    LineKind::Raw
                },
                date_format,
                rotation,
                keeping: if is_off {
                    Keeping::Nothing
                } else {
                    Keeping::All
                },
                overflow: if is_dropped {
                    Overflow::Drop
                } else {
                    Overflow::Wait
                },
                max_size,
                max_age,
            },
        )
}

fn schedule() -> impl Strategy<Value = Schedule> {
    (
        "[0-5]?[0-9] [*] [*] [*] [*]",
        option::of(Just("Europe/Berlin")),
    )
        .prop_map(|(pattern, zone)| Schedule::new(&pattern, zone).unwrap())
}

prop_compose! {
    fn spec()(
        (name, environment, namespace, script) in ("[a-z@/]{1,20}", "[a-z]{1,20}", ".{0,8}", ".{0,20}"),
        (arguments, interpreter_arguments) in (vec(".{0,8}", 0..3), vec(".{0,8}", 0..3)),
        (cwd, defined_in, invoked_in, defined_at) in (option::of(path()), path(), path(), path()),
        (interpreter, env, inherited_env) in (interpreter(), variables(), variables()),
        (instances, cluster, instance_var) in (1..u32::MAX, any::<bool>(), "[A-Z]{0,8}"),
        (increment_var, user, group) in (option::of(".{0,8}"), option::of(".{0,8}"), option::of(".{0,8}")),
        (restart, signal, kill_timeout, tree) in (restart(), any::<i32>(), duration(), any::<bool>()),
        (listen_timeout, wait_ready, autostart) in (duration(), any::<bool>(), any::<bool>()),
        (watch, max_memory, pid_file) in (option::of(watch()), any::<Option<u64>>(), option::of(path())),
        (env_files, oneshot, message) in (vec(path(), 0..3), any::<bool>(), any::<bool>()),
        (depends_on, readiness, liveness) in (vec(dependency(), 0..3), option::of(readiness()), option::of(liveness())),
        (schedule, limits, logs) in (option::of(schedule()), limits(), logs()),
    ) -> AppSpec {
        AppSpec {
            environment: EnvironmentName::new(&environment).unwrap(),
            name: AppName::new(&name).unwrap(),
            namespace, script, arguments, cwd, defined_in, invoked_in, defined_at, interpreter,
            interpreter_arguments, env, inherited_env, instances,
            exec_mode: if cluster { ExecMode::Cluster } else { ExecMode::Fork },
            instance_var, increment_var, user, group, restart,
            stop: StopPolicy {
                words: if message { StopWords::Message } else { StopWords::Signal },
                signal, kill_timeout,
                reach: if tree { StopReach::Tree } else { StopReach::Leader },
            },
            ready: ReadyPolicy { listen_timeout, wait_ready, probe: readiness },
            kind: if oneshot { Kind::Oneshot } else { Kind::Service },
            env_files, depends_on, liveness, schedule, limits, pid_file, logs,
            autostart, watch, max_memory,
        }
    }
}

#[test]
fn what_an_older_record_ignores_is_ignored_as_before() {
    let older = pb::WatchPolicy {
        ignore: vec!["**/.*".to_owned()],
        ..pb::WatchPolicy::default()
    };
    let rule = IgnoreRule {
        what: Ignored::Pattern("**/.*".to_owned()),
        field: IgnoreField::IgnoreWatch,
    };
    let read = WatchPolicy::from(older);
    assert_eq!(read.ignore, Some(vec![rule]));
    assert_eq!(
        (read.links, read.polling, read.depth),
        (Links::Followed, None, None)
    );
    assert_eq!(
        WatchPolicy::from(pb::WatchPolicy::default()).ignore,
        Some(vec![])
    );
}

proptest! {
    #[test]
    fn a_specification_survives_the_wire(spec in spec()) {
        prop_assert_eq!(AppSpec::try_from(pb::AppSpec::from(&spec)), Ok(spec));
    }
}
