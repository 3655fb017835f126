//! PM2's log files.

use super::{Group, Shape, unacted};

const FILE: Shape = Shape::Either(&[Shape::AnyText, Shape::Flag]);

pub(super) const GROUP: Group = Group {
    title: "Log files",
    about: "What apps write is kept and shown by `eco logs`, without any of these.",
    fields: &[
        unacted("out_file", FILE, "A file for stdout.").also(&["out", "output", "out_log"]),
        unacted("error_file", FILE, "A file for stderr.")
            .also(&["error", "err", "err_file", "err_log"]),
        unacted("log_file", FILE, "A file for both.").also(&["log"]),
        unacted("merge_logs", Shape::Flag, "One file for all instances.").also(&["combine_logs"]),
        unacted(
            "log_type",
            Shape::AnyText,
            "`json`: one object for each line.",
        ),
        unacted(
            "log_date_format",
            Shape::AnyText,
            "The times before the lines.",
        ),
        unacted("time", Shape::Flag, "Times before the lines."),
        unacted(
            "disable_logs",
            Shape::Flag,
            "Keeps nothing of what the app writes.",
        ),
        unacted(
            "log_overflow",
            Shape::Anything,
            "What follows when the disk is full.",
        ),
        unacted("hosts", Shape::Anything, "Which hosts the app runs on."),
    ],
};
