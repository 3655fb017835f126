//! What who types a verb of PM2's that eco has not is to do instead.

use clap::error::{ContextKind, ContextValue, ErrorKind};

const INSTEAD: [(&[&str], &str); 17] = [
    (
        &["jlist", "prettylist"],
        "`eco list --json` is for programs",
    ),
    (
        &["monit", "imonit", "dashboard", "dash"],
        "`eco list --metrics` and `eco logs -f` show what there is to see, side by side",
    ),
    (
        &["reload", "gracefulReload"],
        "`eco restart` replaces instances; without a gap is not there yet",
    ),
    (
        &["startOrRestart", "startOrReload", "startOrGracefulReload"],
        "`eco restart FILE` starts what is not there, and `eco apply FILE` touches only what differs",
    ),
    (
        &["startup", "unstartup"],
        "after a reboot the first `eco` command brings everything up; a unit of the init system is not there yet",
    ),
    (
        &["cleardump"],
        "nothing is dumped: `eco delete` forgets apps",
    ),
    (
        &["logrotate"],
        "eco puts log files aside itself, as `log_rotate` says, and its own need no rotation from outside",
    ),
    (
        &["set", "get", "unset", "multiset", "conf"],
        "there is no store of settings: they stand in ecosystem files and variables",
    ),
    (&["ecosystem"], "`eco init` writes a file to begin with"),
    (&["examples"], "`eco VERB --help` has examples"),
    (
        &["deploy", "pull", "forward", "backward"],
        "eco changes no sources: deploy with git or a tool for it, then `eco apply`",
    ),
    (
        &["serve", "expose"],
        "run a file server as an app: `eco start 'python3 -m http.server 8080'`",
    ),
    (
        &[
            "install",
            "uninstall",
            "module:install",
            "module:update",
            "module:generate",
            "package",
            "publish",
        ],
        "eco has no modules: what is to run beside the apps is an app",
    ),
    (
        &[
            "link",
            "unlink",
            "plus",
            "register",
            "login",
            "logout",
            "open",
            "monitor",
            "unmonitor",
        ],
        "PM2's paid service has no place in eco; `eco events -f --json` and `eco list --json` feed others",
    ),
    (
        &["report", "slist", "sysinfos"],
        "`eco ping`, `eco list --metrics` and `eco describe` tell of eco and its apps",
    ),
    (
        &["profile:cpu", "profile:mem", "inspect"],
        "`eco start SCRIPT --interpreter-args=--inspect` opens node's own inspector",
    ),
    (
        &["updatePM2", "deepUpdate"],
        "`eco update` replaces the daemons",
    ),
];

/// Puts what to do instead in the place of verbs that are merely spelled alike.
pub(crate) fn advised(mut refusal: clap::Error) -> clap::Error {
    let instead = match (refusal.kind(), refusal.get(ContextKind::InvalidSubcommand)) {
        (ErrorKind::InvalidSubcommand, Some(ContextValue::String(verb))) => instead(verb),
        _ => None,
    };
    if let Some(instead) = instead {
        refusal.remove(ContextKind::SuggestedSubcommand);
        let tips = ContextValue::StyledStrs(vec![instead.into()]);
        refusal.insert(ContextKind::Suggested, tips);
    }
    refusal
}

fn instead(verb: &str) -> Option<&'static str> {
    let (_, instead) = INSTEAD.iter().find(|(verbs, _)| verbs.contains(&verb))?;
    Some(instead)
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::*;
    use crate::args::Cli;

    fn told(verb: &str) -> String {
        let refusal = Cli::try_parse_from(["eco", verb]).expect_err("no such verb");
        advised(refusal).render().to_string()
    }

    #[test]
    fn a_verb_of_pm2_s_is_answered_by_what_to_do_instead() {
        let text = told("jlist");
        assert!(
            text.contains("tip: `eco list --json` is for programs"),
            "{text}"
        );
        assert!(!text.contains("similar"), "{text}");
    }

    #[test]
    fn a_slip_of_the_fingers_is_answered_by_what_is_spelled_alike() {
        let text = told("strat");
        assert!(text.contains("'start'"), "{text}");
    }

    #[test]
    fn no_verb_of_eco_s_is_among_them() {
        let command = Cli::command();
        let mut verbs = command.get_subcommands();
        assert!(verbs.all(|verb| {
            verb.get_name_and_visible_aliases()
                .iter()
                .all(|name| instead(name).is_none())
        }));
        for (verbs, _) in INSTEAD {
            for verb in verbs {
                assert!(Cli::try_parse_from(["eco", verb]).is_err(), "{verb}");
            }
        }
    }
}
