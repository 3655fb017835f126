//! Fields of PM2's that have nothing to act on here, and why.

use super::{Field, Group, Shape, Standing};

const AGENT: &str =
    "it is for the agent that PM2 loads into node programs, and eco loads nothing into an app";
const GIT: &str = "eco does not look at version control";

pub(super) const GROUP: Group = Group {
    title: "Fields for PM2 alone",
    about: "PM2 files may have them; they change nothing here, and nothing is missing.",
    fields: &[
        nothing("pmx", AGENT),
        nothing("automation", AGENT),
        nothing("trace", AGENT),
        nothing("disable_trace", AGENT),
        nothing("deep_monitoring", AGENT),
        nothing("event_loop_inspector", AGENT),
        nothing("v8", AGENT),
        nothing("io", AGENT),
        nothing("vizion", GIT),
        nothing("post_update", GIT),
        nothing("install_url", "it is for PM2's own modules"),
        nothing(
            "kill_retry_time",
            "eco is told when a process ends, and does not look again and again",
        ),
        nothing(
            "force",
            "two apps of one name would be one app: give the other one a name of its own",
        ),
        nothing(
            "write",
            "eco writes nothing beside your files; `eco config` shows what a file comes to",
        ),
        nothing("windows_hide", "there are no windows to hide on Linux"),
    ],
};

const fn nothing(name: &'static str, why: &'static str) -> Field {
    Field::new(name, Standing::NoEffect(why), Shape::Anything, why)
}
