//! The variables an instance gets.
//!
//! Later ones win: the shell's that asked, the app's own, the ones that number it, the ones that name it.

use std::collections::BTreeMap;

use eco_config::spec::AppSpec;
use eco_home::launch::RUN_MARK;

/// Variables of whoever started the shell that asked, which would have an app speak to somebody else's supervisor, or to
/// a descriptor that it does not have.
const OTHERS: [&str; 6] = [
    "NODE_CHANNEL_FD",
    "NODE_CHANNEL_SERIALIZATION_MODE",
    "NODE_UNIQUE_ID",
    "NOTIFY_SOCKET",
    "WATCHDOG_PID",
    "WATCHDOG_USEC",
];

/// The variables of one instance. `PATH` is always there.
#[must_use]
pub fn variables(spec: &AppSpec, instance: u32, run: u64) -> BTreeMap<String, String> {
    let mut variables = spec.inherited_env.clone();
    for name in OTHERS {
        variables.remove(name);
    }
    // Python keeps lines back when it does not write to a terminal.
    variables.insert("PYTHONUNBUFFERED".to_owned(), "1".to_owned());
    variables.extend(spec.env.clone());
    variables.insert(spec.instance_var.clone(), instance.to_string());
    if let Some(name) = &spec.increment_var {
        let first = spec
            .env
            .get(name)
            .and_then(|value| value.trim().parse::<u64>().ok())
            .unwrap_or(0);
        variables.insert(
            name.clone(),
            first.saturating_add(u64::from(instance)).to_string(),
        );
    }
    let names = naming(spec, instance, run);
    variables.extend(names.map(|(name, value)| (name.to_owned(), value)));
    variables
        .entry("PATH".to_owned())
        .or_insert_with(|| "/usr/local/bin:/usr/bin:/bin".to_owned());
    variables
}

/// The variables that name a run.
fn naming(spec: &AppSpec, instance: u32, run: u64) -> [(&'static str, String); 4] {
    [
        ("ECO_APP", spec.name.to_string()),
        ("ECO_ENVIRONMENT", spec.environment.to_string()),
        ("ECO_INSTANCE", instance.to_string()),
        ("ECO_RUN", run.to_string()),
    ]
}

/// What the first process of a run was given, as the kernel shows it: `NAME=VALUE`, each with a NUL behind it. `None`: that
/// is not what it was given any more, since not all variables that name the run are there. A program may write over them.
#[must_use]
pub fn given(
    shown: &[u8],
    spec: &AppSpec,
    (instance, run): (u32, u64),
) -> Option<BTreeMap<String, String>> {
    let pair = |variable: &str| {
        let (name, value) = variable.split_once('=')?;
        Some((name.to_owned(), value.to_owned()))
    };
    let given: BTreeMap<String, String> = std::str::from_utf8(shown)
        .ok()?
        .split('\0')
        .filter(|variable| !variable.is_empty())
        .map(pair)
        .collect::<Option<_>>()?;
    let is_there = |(name, value): &(&str, String)| given.get(*name) == Some(value);
    let is_all_there = naming(spec, instance, run).iter().all(is_there);
    is_all_there.then_some(given)
}

/// What a program may have of a run's variables that is not part of it: what leads to the run's own channel and socket is
/// taken away, and what marks its processes.
#[must_use]
pub fn for_a_guest(mut given: BTreeMap<String, String>) -> BTreeMap<String, String> {
    given.retain(|name, _| name != RUN_MARK && !OTHERS.contains(&name.as_str()));
    given
}

/// The TCP port that an instance is told to listen on, by a `PORT` of its own: it is ready when it does.
#[must_use]
pub fn expected_port(spec: &AppSpec, instance: u32) -> Option<u16> {
    let first: u16 = spec
        .env
        .get("PORT")?
        .trim()
        .parse()
        .ok()
        .filter(|port| *port > 0)?;
    match &spec.increment_var {
        Some(name) if name == "PORT" => first.checked_add(u16::try_from(instance).ok()?),
        Some(_) | None => Some(first),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use eco_proto::agent::v1 as pb;

    use super::*;

    /// An app as the tests of this crate take it: `app.js` in /srv, up again at once, given up after three short lives.
    pub(crate) fn spec(environment: &str, name: &str) -> AppSpec {
        let spec = pb::AppSpec {
            environment: environment.to_owned(),
            name: name.to_owned(),
            namespace: "default".to_owned(),
            script: "app.js".to_owned(),
            defined_in: "/srv".to_owned(),
            invoked_in: "/srv".to_owned(),
            defined_at: "/srv/ecosystem.config.js".to_owned(),
            instances: 1,
            instance_var: "NODE_APP_INSTANCE".to_owned(),
            restart: Some(pb::RestartPolicy {
                automatic: true,
                on_failure_only: false,
                min_uptime_ms: 1000,
                max_unstable: 3,
                delay: None,
                stop_exit_codes: vec![7],
            }),
            stop: Some(pb::StopPolicy {
                signal: 2,
                kill_timeout_ms: 1600,
                tree: true,
                message: false,
            }),
            ready: Some(pb::ReadyPolicy {
                listen_timeout_ms: 3000,
                wait_ready: false,
                probe: None,
            }),
            autostart: true,
            ..pb::AppSpec::default()
        };
        AppSpec::try_from(spec).expect("a sound specification")
    }

    fn with(name: &str, value: &str) -> AppSpec {
        let mut spec = spec("dev", "api");
        spec.env.insert(name.to_owned(), value.to_owned());
        spec
    }

    #[test]
    fn an_instance_is_told_who_it_is_and_nothing_can_overrule_that() {
        let mut spec = with("ECO_APP", "another");
        spec.inherited_env
            .insert("ECO_RUN".to_owned(), "99".to_owned());
        let variables = variables(&spec, 2, 5);
        let of = |name: &str| variables.get(name).map(String::as_str);
        assert_eq!(of("ECO_APP"), Some("api"));
        assert_eq!(of("ECO_ENVIRONMENT"), Some("dev"));
        assert_eq!(of("ECO_INSTANCE"), Some("2"));
        assert_eq!(of("ECO_RUN"), Some("5"));
        assert_eq!(of("NODE_APP_INSTANCE"), Some("2"));
    }

    #[test]
    fn the_apps_own_variables_win_over_the_shells() {
        let mut spec = with("MODE", "own");
        spec.inherited_env = BTreeMap::from([
            ("MODE".to_owned(), "shell".to_owned()),
            ("LANG".to_owned(), "C".to_owned()),
        ]);
        let variables = variables(&spec, 0, 1);
        assert_eq!(variables.get("MODE").map(String::as_str), Some("own"));
        assert_eq!(variables.get("LANG").map(String::as_str), Some("C"));
    }

    fn shown(variables: &BTreeMap<String, String>) -> Vec<u8> {
        variables
            .iter()
            .flat_map(|(name, value)| format!("{name}={value}\0").into_bytes())
            .collect()
    }

    #[test]
    fn what_a_process_was_given_is_read_as_the_kernel_shows_it() {
        let spec = spec("dev", "api");
        let mut then = variables(&spec, 0, 3);
        then.insert("MODE".to_owned(), "a=b".to_owned());
        assert_eq!(given(&shown(&then), &spec, (0, 3)), Some(then));
    }

    #[test]
    fn memory_that_was_written_over_or_is_another_runs_is_not_believed() {
        let spec = spec("dev", "api");
        let run = (0, 3);
        let all = variables(&spec, 0, 3);
        assert_eq!(given(b"", &spec, run), None);
        assert_eq!(given(b"worker: serving\0\0\0", &spec, run), None);
        assert_eq!(given(b"A=\xff\0", &spec, run), None);
        assert_eq!(given(&shown(&all), &spec, (0, 2)), None);
        assert_eq!(given(&shown(&all), &spec, (1, 3)), None);
    }

    #[test]
    fn a_guest_of_a_run_is_not_taken_for_one_of_its_processes() {
        let mut all = variables(&spec("dev", "api"), 0, 3);
        let own = all.clone();
        for name in OTHERS.into_iter().chain([RUN_MARK]) {
            all.insert(name.to_owned(), "7".to_owned());
        }
        assert_eq!(for_a_guest(all), own);
    }

    #[test]
    fn an_app_never_gets_the_channel_of_the_shell_that_asked() {
        let mut spec = spec("dev", "api");
        for name in OTHERS {
            spec.inherited_env.insert(name.to_owned(), "7".to_owned());
        }
        let variables = variables(&spec, 0, 1);
        assert!(OTHERS.iter().all(|name| !variables.contains_key(*name)));
    }

    #[test]
    fn python_hands_every_line_out_unless_the_app_says_otherwise() {
        let of = |spec: &AppSpec| variables(spec, 0, 1).remove("PYTHONUNBUFFERED");
        assert_eq!(of(&spec("dev", "api")).as_deref(), Some("1"));
        assert_eq!(of(&with("PYTHONUNBUFFERED", "")).as_deref(), Some(""));
    }

    #[test]
    fn there_is_always_a_path_and_a_given_one_is_kept() {
        let of = |spec: &AppSpec| variables(spec, 0, 1).remove("PATH");
        assert!(of(&spec("dev", "api")).is_some_and(|path| path.contains("/usr/bin")));
        assert_eq!(of(&with("PATH", "/opt/bin")).as_deref(), Some("/opt/bin"));
    }

    #[test]
    fn an_increment_var_counts_up_from_its_own_value_and_from_zero_without_one() {
        let of = |value: Option<&str>, instance| {
            let mut spec = spec("dev", "api");
            spec.increment_var = Some("PORT".to_owned());
            if let Some(value) = value {
                spec.env.insert("PORT".to_owned(), value.to_owned());
            }
            variables(&spec, instance, 1).remove("PORT").unwrap()
        };
        assert_eq!(of(Some(" 3000 "), 0), "3000");
        assert_eq!(of(Some("3000"), 2), "3002");
        assert_eq!(of(None, 2), "2");
        assert_eq!(of(Some("many"), 1), "1");
    }

    #[test]
    fn a_port_of_its_own_is_expected_and_grows_only_with_its_increment_var() {
        let mut spec = with("PORT", "3000");
        assert_eq!(expected_port(&spec, 2), Some(3000));
        spec.increment_var = Some("OTHER".to_owned());
        assert_eq!(expected_port(&spec, 2), Some(3000));
        spec.increment_var = Some("PORT".to_owned());
        assert_eq!(expected_port(&spec, 2), Some(3002));
    }

    #[test]
    fn what_is_no_port_is_not_waited_for() {
        for value in ["", "0", "65536", "http", "-1"] {
            assert_eq!(expected_port(&with("PORT", value), 0), None, "{value:?}");
        }
        let mut last = with("PORT", "65535");
        last.increment_var = Some("PORT".to_owned());
        assert_eq!(expected_port(&last, 1), None);
        let mut shell = spec("dev", "api");
        shell
            .inherited_env
            .insert("PORT".to_owned(), "3000".to_owned());
        assert_eq!(expected_port(&shell, 0), None);
    }
}
