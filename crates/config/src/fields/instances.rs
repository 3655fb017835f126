//! How many instances an app has.

use super::{Group, Shape, acted};

pub(super) const GROUP: Group = Group {
    title: "Instances",
    about: "An instance is one slot of an app, numbered from 0.",
    fields: &[
        acted(
            "instances",
            Shape::Either(&[Shape::Whole(-1024), Shape::OneOf(&["max"])]),
            "How many there are. 0 and `max`: one for each processor. -1: one for each processor but one.",
        )
        .expecting("a number or \"max\"")
        .default("1"),
        acted(
            "exec_mode",
            Shape::OneOf(&["fork", "cluster", "fork_mode", "cluster_mode"]),
            "Whether the instances share listening sockets. In this version they are processes of their own either way.",
        )
        .expecting("\"fork\" or \"cluster\"")
        .otherwise("`cluster` for several instances of a node program, `fork` for all others"),
        acted(
            "execute_command",
            Shape::Flag,
            "Several instances of a node program are processes of their own, too, unless `exec_mode` says otherwise.",
        )
        .default("false"),
        acted("instance_var", Shape::Text, "The variable that holds an instance's number.")
            .expecting("a variable's name")
            .default("\"NODE_APP_INSTANCE\""),
        acted(
            "increment_var",
            Shape::Text,
            "A variable that grows by one with each instance, from its value in `env`, or 0.",
        )
        .expecting("a variable's name")
        .otherwise("none"),
    ],
};
