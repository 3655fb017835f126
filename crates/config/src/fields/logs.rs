//! PM2's log files, and how long is kept what apps write.

use super::{Group, Shape, Table, acted, unacted};

const FILE: Shape = Shape::Text;

pub(super) const GROUP: Group = Group {
    title: "Log files",
    about: "What apps write is kept and shown by `eco logs` without any of these: no file is written unless one is \
            asked for. The files are copies for others to read, written by the log daemon: they never hold an app up, \
            and each line is in them once, whoever is killed meanwhile. A relative path counts from `cwd`, `~` is the \
            home, folders are made, and `/dev/null` is no file. With several instances each has its own: `api.log` \
            becomes `api-0.log`, `api-1.log` and so on, unless `merge_logs` says otherwise. A file that is new to an \
            app begins with what it writes from then on.",
    fields: &[
        acted("out_file", FILE, "A file for stdout.")
            .also(&["out", "output", "out_log"])
            .expecting("a path")
            .otherwise("none"),
        acted("error_file", FILE, "A file for stderr.")
            .also(&["error", "err", "err_file", "err_log"])
            .expecting("a path")
            .otherwise("none"),
        acted(
            "log_file",
            Shape::Either(&[Shape::Text, Shape::Flag]),
            "A file for both, by the time of the lines. `true` names none, and does nothing.",
        )
        .also(&["log"])
        .expecting("a path")
        .otherwise("none"),
        acted(
            "merge_logs",
            Shape::Flag,
            "All instances write to one file.",
        )
        .also(&["combine_logs"])
        .default("false"),
        acted(
            "log_type",
            Shape::OneOf(&["raw", "json"]),
            "`raw`: the bytes as they were written. `json`: an object for each line with `message`, `timestamp`, `type` \
             (`out` or `err`), `process_id`, `app_name`, `instance` and `run`.",
        )
        .expecting("\"raw\" or \"json\"")
        .default("\"raw\""),
        acted(
            "log_date_format",
            Shape::Text,
            "The time of each line, before it, in day.js' tokens such as `YYYY-MM-DD HH:mm:ss.SSS Z`; what stands in \
             `[brackets]` is taken as it is. It is the time at which the line came, in the zone of the host.",
        )
        .expecting("a format such as \"YYYY-MM-DD HH:mm:ss\"")
        .otherwise("no times"),
        acted(
            "time",
            Shape::Flag,
            "As `log_date_format: 'YYYY-MM-DDTHH:mm:ss'`, where there is none.",
        )
        .default("false"),
        acted(
            "log_rotate",
            Shape::Either(&[Shape::Flag, Shape::Object(LOG_ROTATE)]),
            "When these files are put aside and begun anew; `false`: never. One that is put aside has the time at its \
             end, in UTC: `api.log.20261126T064254.120Z`, and then `.gz`.",
        )
        .expecting("an object such as { size: '10M', keep: 30 }, or false")
        .default("{}"),
        acted(
            "disable_logs",
            Shape::Flag,
            "Nothing of what the app writes is kept or shown: it writes to `/dev/null`.",
        )
        .default("false"),
        acted(
            "max_log_size",
            Shape::Size,
            "How much of what the app writes is kept for `eco logs`, all instances together; the oldest goes first.",
        )
        .otherwise("no limit of its own"),
        acted(
            "max_log_age",
            Shape::Duration,
            "How long what the app writes is kept for `eco logs`.",
        )
        .expecting("a time such as \"7d\"")
        .otherwise("no limit of its own"),
        acted(
            "log_overflow",
            Shape::OneOf(&["wait", "drop"]),
            "What follows when the disk does not take what the app writes. `wait`: the app waits once its pipe is full, and \
             nothing is lost. `drop`: it goes on, and what it writes is dropped and counted: `eco logs` shows a gap.",
        )
        .expecting("\"wait\" or \"drop\"")
        .default("\"wait\""),
        unacted("hosts", Shape::Anything, "Which hosts the app runs on."),
    ],
};

/// The fields of `log_rotate`.
pub const LOG_ROTATE: Table = Table(&[Group {
    title: "`log_rotate`",
    about: "When log files are put aside.",
    fields: &[
        acted(
            "size",
            Shape::Size,
            "A file is put aside before it holds more than this.",
        )
        .also(&["max_size"])
        .expecting("a size such as \"10M\"")
        .default("\"50M\""),
        acted(
            "every",
            Shape::Duration,
            "A file is put aside this long after it was begun.",
        )
        .expecting("a time such as \"1d\"")
        .otherwise("by its size alone"),
        acted(
            "keep",
            Shape::Whole(1),
            "How many are kept of those put aside; the oldest goes first.",
        )
        .also(&["retain"])
        .default("10"),
        acted(
            "compress",
            Shape::Flag,
            "Those put aside are compressed, for `zcat` and `zgrep`.",
        )
        .default("true"),
    ],
}]);
