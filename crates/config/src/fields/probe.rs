//! How an app is asked whether it is up and well.

use super::{Field, Group, Shape, Standing, Table, acted};

const URL: &str = "a URL such as \"http://127.0.0.1:3000/health\"";
const COUNT: Shape = Shape::Whole(1);

const STATUS: Shape = Shape::Either(&[Shape::Whole(100), Shape::Text]);

/// The fields of a probe's `http`.
pub const HTTP: Table = Table(&[Group {
    title: "`http`",
    about: "Either `url`, or `port` with or without `path`, which is then asked of 127.0.0.1.",
    fields: &[
        acted(
            "url",
            Shape::Text,
            "What is asked with a GET; https is not spoken.",
        )
        .expecting(URL),
        acted(
            "port",
            Shape::Either(&[Shape::Port, Shape::Text]),
            "The port, which may be `${PORT}`.",
        )
        .expecting("a port"),
        acted("path", Shape::Text, "The path.")
            .expecting("a path such as \"/health\"")
            .otherwise("`/`"),
        acted(
            "status",
            Shape::Either(&[STATUS, Shape::List(&STATUS)]),
            "Which answers are well.",
        )
        .expecting("a status such as 200, a range such as \"200-299\", or a list of them")
        .otherwise("200 to 399"),
    ],
}]);

const ASKED_BY_HTTP: Field = acted(
    "http",
    Shape::Either(&[Shape::Text, Shape::Object(HTTP)]),
    "Asks a URL.",
)
.expecting(URL);

const ASKED_BY_TCP: Field = acted(
    "tcp",
    Shape::Either(&[Shape::Port, Shape::Text]),
    "Opens a connection: `3000`, `'${PORT}'`, `'127.0.0.1:5432'`.",
)
.expecting("a port, or a text such as \"127.0.0.1:5432\"");

const ASKED_BY_EXEC: Field = acted(
    "exec",
    Shape::Words,
    "Runs a program in the app's folder with the app's variables; exit code 0 is well.",
)
.expecting("a program and its arguments");

const TIMEOUT: Field = acted(
    "timeout",
    Shape::Duration,
    "An answer that takes longer is a failure.",
)
.default("\"3s\"");

const START_PERIOD: Field = acted(
    "start_period",
    Shape::Duration,
    "Failures this soon after the start do not count.",
)
.default("0");

const SUCCESSES: Field = acted(
    "successes",
    COUNT,
    "Answers in a row until it counts as well.",
)
.default("1");

const FAILURES: Field = acted(
    "failures",
    COUNT,
    "Failures in a row until it counts as ill.",
)
.default("3");

/// The fields of `readiness`.
pub const READINESS: Table = Table(&[Group {
    title: "`readiness`",
    about: "Exactly one of `http`, `tcp`, `exec`, `log` and `notify`. Texts may hold `${NAME}`, a variable of the instance.",
    fields: &[
        ASKED_BY_HTTP,
        ASKED_BY_TCP,
        ASKED_BY_EXEC,
        acted(
            "log",
            Shape::Text,
            "Waits for a line of output that matches. In JavaScript it may be a `/regular expression/`.",
        )
        .expecting("a regular expression"),
        acted(
            "notify",
            Shape::Flag,
            "Waits for `READY=1` at the socket that `NOTIFY_SOCKET` names, as systemd has it.",
        ),
        acted("interval", Shape::Duration, "From one answer to the next question.").default("\"1s\""),
        TIMEOUT,
        SUCCESSES,
        acted(
            "within",
            Shape::Duration,
            "An instance that is not up by then has failed to start. 0: it has all the time.",
        )
        .default("\"60s\""),
        by_time_alone("failures"),
        by_time_alone("start_period"),
    ],
}]);

/// A field that a sign of readiness has no use for.
const fn by_time_alone(name: &'static str) -> Field {
    let why = "how often it fails does not matter while an app starts, only `within`";
    Field::new(name, Standing::NoEffect(why), Shape::Anything, why)
}

/// The fields of `liveness`.
pub const LIVENESS: Table = Table(&[Group {
    title: "`liveness`",
    about: "Exactly one of `http`, `tcp`, `exec`, `notify`, `output` and `silence`. Texts may hold `${NAME}`, a variable of \
            the instance.",
    fields: &[
        ASKED_BY_HTTP,
        ASKED_BY_TCP,
        ASKED_BY_EXEC,
        acted(
            "notify",
            Shape::Flag,
            "Waits for `WATCHDOG=1` at the socket that `NOTIFY_SOCKET` names, at least once in each interval.",
        ),
        acted(
            "output",
            Shape::Flag,
            "Waits for output, at least once in each interval.",
        ),
        acted(
            "silence",
            Shape::Duration,
            "How long an instance may write nothing: short for `output` with this interval and one failure.",
        ),
        acted(
            "interval",
            Shape::Duration,
            "From one answer to the next question.",
        )
        .default("\"10s\""),
        TIMEOUT,
        START_PERIOD,
        SUCCESSES,
        FAILURES,
        acted(
            "action",
            Shape::OneOf(&["restart", "stop", "mark"]),
            "What is done about an ill instance. `mark`: it is shown as ill, and left alone.",
        )
        .expecting("\"restart\", \"stop\" or \"mark\"")
        .default("\"restart\""),
    ],
}]);
