//! What follows an end, and what makes one.

use super::{Group, Shape, acted};

pub(super) const GROUP: Group = Group {
    title: "Restarts",
    about: "After an end that nobody asked for the first restart is at once; then 100 ms pass, half as much again each time, \
            15 s at most, until the app has lived for 30 s.",
    fields: &[
        acted(
            "autorestart",
            Shape::Either(&[
                Shape::Flag,
                Shape::OneOf(&["always", "on-failure", "never", "no", "unless-stopped"]),
            ]),
            "After which ends a restart follows: `on-failure` means all but exit code 0. A `oneshot` app can have \
             `on-failure` or none.",
        )
        .also(&["restart_policy", "restart"])
        .expecting("true, false or \"on-failure\"")
        .otherwise("`true`; for a `oneshot` app `false`"),
        acted(
            "stop_exit_codes",
            Shape::Either(&[Shape::Whole(0), Shape::Text, Shape::List(&Shape::Either(&[Shape::Whole(0), Shape::Text]))]),
            "Exit codes after which no restart follows.",
        )
        .expecting("exit codes from 0 to 255")
        .default("[]"),
        acted(
            "min_uptime",
            Shape::Duration,
            "An end sooner than this is unstable. Without a port and a sign of readiness an app counts as up after it.",
        )
        .default("\"1s\""),
        acted("max_restarts", Shape::Whole(0), "Unstable ends in a row until the app is given up as errored.")
            .default("16"),
        acted("restart_delay", Shape::Duration, "The same wait before every restart.")
            .otherwise("growing, see above"),
        acted(
            "exp_backoff_restart_delay",
            Shape::Duration,
            "The first wait, which then grows by half each time, to 15 s. It counts before `restart_delay`.",
        )
        .otherwise("growing from 100 ms, see above"),
        acted(
            "max_memory_restart",
            Shape::Size,
            "An instance whose processes together hold more is replaced. 0: no limit.",
        )
        .default("0"),
        acted(
            "cron_restart",
            Shape::Either(&[Shape::AnyText, Shape::Whole(0), Shape::Flag]),
            "When the app is replaced by the clock: minute, hour, day of the month, month, day of the week, with seconds \
             before them if there are six. 0: never.",
        )
        .also(&["cron"])
        .expecting("a cron pattern such as \"0 3 * * *\"")
        .default("0"),
        acted("cron_timezone", Shape::Text, "The time zone that `cron_restart` is read in.")
            .also(&["timezone"])
            .expecting("the name of a time zone such as \"Europe/Berlin\"")
            .otherwise("the host's"),
    ],
};
