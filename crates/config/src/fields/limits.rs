//! What an instance may use of its host.

use super::{Group, Shape, Table, acted};

pub(super) const GROUP: Group = Group {
    title: "Limits",
    about: "",
    fields: &[acted(
        "limits",
        Shape::Object(LIMITS),
        "What an instance may use of its host.",
    )
    .expecting("an object such as { memory: '512M', cpu: 0.5 }")
    .default("{}")],
};

/// The fields of `limits`.
pub const LIMITS: Table = Table(&[Group {
    title: "`limits`",
    about: "Limits of one instance with all of its processes.",
    fields: &[
        acted(
            "memory",
            Shape::Size,
            "Memory; beyond it the kernel ends a process of the instance.",
        )
        .expecting("a size such as \"512M\"")
        .otherwise("no limit"),
        acted(
            "cpu",
            Shape::Either(&[Shape::Number, Shape::Text]),
            "Processor time: `0.5` and `'50%'` are half a processor.",
        )
        .expecting("a number of processors such as 0.5, or a share of one such as \"50%\"")
        .otherwise("no limit"),
        acted("tasks", Shape::Whole(1), "Processes and threads.")
            .also(&["pids"])
            .otherwise("no limit"),
        acted("open_files", Shape::Whole(1), "Open files of each process.")
            .also(&["nofile"])
            .otherwise("no limit"),
    ],
}]);
