//! How an app is ended.

use super::{Group, Shape, acted};

pub(super) const GROUP: Group = Group {
    title: "Stop",
    about: "",
    fields: &[
        acted("kill_signal", Shape::Either(&[Shape::Whole(1), Shape::Text]), "The signal that asks an app to end.")
            .also(&["stop_signal"])
            .expecting("a signal such as \"SIGTERM\"")
            .default("\"SIGINT\""),
        acted("kill_timeout", Shape::Duration, "What is left after this time is killed.")
            .also(&["stop_grace"])
            .default("\"1600ms\""),
        acted(
            "shutdown_with_message",
            Shape::Flag,
            "Asks by the message `shutdown` over node's channel instead of by the signal, where there is a channel.",
        )
        .default("false"),
        acted(
            "treekill",
            Shape::Flag,
            "Whether all processes of the app are ended, or its first one alone: what that one leaves behind goes on.",
        )
        .default("true"),
    ],
};
