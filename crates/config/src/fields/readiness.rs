//! When an app starts, and when it counts as up.

use super::{Group, LIVENESS, READINESS, Shape, Table, acted};

/// The fields of what stands behind a name in `depends_on`.
pub const DEPENDENCY: Table = Table(&[Group {
    title: "`depends_on.NAME`",
    about: "",
    fields: &[
        acted("condition", CONDITION, "What the app must have come to.")
            .expecting(CONDITIONS)
            .default("\"ready\""),
    ],
}]);

const CONDITION: Shape = Shape::OneOf(&[
    "started",
    "ready",
    "completed",
    "service_started",
    "service_healthy",
    "service_completed_successfully",
]);
const CONDITIONS: &str = "\"started\", \"ready\" or \"completed\"";

pub(super) const GROUP: Group = Group {
    title: "Start, readiness and health",
    about: "",
    fields: &[
        acted(
            "autostart",
            Shape::Flag,
            "Whether the app is started when it is applied, or only made known.",
        )
        .default("true"),
        acted(
            "depends_on",
            Shape::Either(&[
                Shape::Text,
                Shape::List(&Shape::Text),
                Shape::Keyed(&Shape::Either(&[CONDITION, Shape::Object(DEPENDENCY)])),
            ]),
            "What must be so before the app starts: apps of its environment by name, `tcp://host:port` that takes \
             connections, `http://…` that answers with a status from 200 to 399. An app in a list must be ready; in an \
             object a name has its condition: `started`, `ready`, or `completed` for one that is meant to end.",
        )
        .expecting("names of apps and URLs, in a list or as the keys of an object")
        .default("[]"),
        acted(
            "oneshot",
            Shape::Flag,
            "The app is meant to end: exit code 0 completes it, and it is not started again.",
        )
        .default("false"),
        acted(
            "readiness",
            Shape::Object(READINESS),
            "The sign by which a starting instance is known to be up; without it there are `PORT` and `min_uptime`.",
        )
        .expecting("an object such as { http: 'http://127.0.0.1:3000/health' }")
        .otherwise("none"),
        acted(
            "wait_ready",
            Shape::Flag,
            "A starting instance is up when it says so itself, by the message `ready` over node's channel.",
        )
        .default("false"),
        acted(
            "listen_timeout",
            Shape::Duration,
            "An instance that lives counts as up after this, whatever it said. Where there is `readiness`, nothing counts \
             but that.",
        )
        .default("\"3s\""),
        acted(
            "liveness",
            Shape::Object(LIVENESS),
            "The sign by which a running instance is known to be well, and what follows when it is not.",
        )
        .expecting("an object such as { http: 'http://127.0.0.1:3000/health', action: 'restart' }")
        .otherwise("none"),
    ],
};
