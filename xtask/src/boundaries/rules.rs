//! The boundaries, and the exceptions to them.

/// Lines that a file may have.
pub(super) const LONGEST: usize = 600;
/// Lines that a file of tests may have.
pub(super) const LONGEST_OF_TESTS: usize = 900;

/// What only some may name.
pub(super) struct Rule {
    /// The names, as they stand in code.
    pub(super) names: &'static [&'static str],
    /// Where the rule holds: beginnings of paths.
    pub(super) within: &'static [&'static str],
    /// Where it does not: beginnings of paths, each with its reason.
    pub(super) but: &'static [(&'static str, &'static str)],
    /// Whether tests are held to it.
    pub(super) tests: Tests,
    /// What is told of a crossing.
    pub(super) says: &'static str,
}

/// Whether a rule holds for tests.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Tests {
    /// It does.
    Held,
    /// It does not: tests time themselves, and read what programs said.
    Free,
}

impl Rule {
    /// Whether the rule holds in a file.
    pub(super) fn is_about(&self, path: &str) -> bool {
        let is_free = self.tests == Tests::Free && is_test(path);
        !is_free
            && self.within.iter().any(|part| path.starts_with(part))
            && !self.but.iter().any(|(part, _)| path.starts_with(part))
    }
}

/// Whether a file holds nothing but tests.
pub(super) fn is_test(path: &str) -> bool {
    path.contains("/tests/") || path.ends_with("/tests.rs") || path.starts_with("tests/e2e/")
}

const CRATES: &[&str] = &["crates/"];
const PURE: &[&str] = &["crates/agentd/src/machine/", "crates/agentd/src/fleet/"];
const HANDS: &[&str] = &[
    "crates/agentd/src/hands/",
    "crates/agentd/src/bin/eco-keeper.rs",
];

/// All of them.
pub(super) const RULES: &[Rule] = &[
    Rule {
        names: &["tonic::"],
        within: CRATES,
        but: &[
            ("crates/proto/", "holds the generated services"),
            (
                "crates/home/src/connect.rs",
                "keeper of connections: the one place that opens them",
            ),
            ("crates/agentd/src/rpc/", "the agent's service"),
            (
                "crates/agentd/src/daemon.rs",
                "puts the service on its socket",
            ),
            (
                "crates/agentd/src/feed.rs",
                "the agent as a client of the log daemon",
            ),
            ("crates/logd/src/rpc/", "the log daemon's service"),
            (
                "crates/logd/src/daemon.rs",
                "puts the service on its socket",
            ),
            ("crates/logd/src/tests/", "ask the service as a client does"),
            ("crates/cli/src/client/", "the command as a client of both"),
            ("crates/cli/tests/", "stand in for the services"),
        ],
        tests: Tests::Held,
        says: "only rpc/ and client/ speak gRPC",
    },
    Rule {
        names: &["sled::"],
        within: CRATES,
        but: &[("crates/agentd/src/store/", "the state")],
        tests: Tests::Held,
        says: "only the store knows how the state is kept",
    },
    Rule {
        names: &["rquickjs::"],
        within: CRATES,
        but: &[("crates/config/src/eval/", "evaluates files")],
        tests: Tests::Held,
        says: "only config/eval runs JavaScript",
    },
    Rule {
        names: &["oxc_"],
        within: CRATES,
        but: &[(
            "crates/config/src/eval/typescript/oxc.rs",
            "takes the types away",
        )],
        tests: Tests::Held,
        says: "only one file reads TypeScript",
    },
    Rule {
        names: &[
            "println!",
            "print!",
            "eprintln!",
            "eprint!",
            "dbg!",
            "stdout()",
            "stderr()",
        ],
        within: &["crates/", "xtask/"],
        but: &[
            ("crates/cli/src/ui.rs", "the terminal's only writer"),
            ("xtask/src/say.rs", "the tasks' only writer"),
            (
                "crates/config/examples/",
                "prints what a task writes to a file",
            ),
            (
                "crates/home/src/own_log.rs",
                "the daemons' logs are their stderr",
            ),
            (
                "crates/agentd/src/bin/eco-agentd.rs",
                "asks whether its log is a terminal",
            ),
            ("crates/proto/build.rs", "speaks to cargo"),
            ("xtask/src/boundaries", "this check and its tests"),
        ],
        tests: Tests::Free,
        says: "only ui.rs writes to the terminal",
    },
    Rule {
        names: &[
            "tokio::",
            "std::fs",
            "std::net",
            "std::process",
            "std::thread",
            "clock::",
        ],
        within: PURE,
        but: &[],
        tests: Tests::Held,
        says: "machine and fleet are pure: time and facts are handed in",
    },
    Rule {
        names: &["tokio::", "tonic::", "eco_config::", "sled::", "tracing::"],
        within: HANDS,
        but: &[],
        tests: Tests::Held,
        says: "the keeper stays small: one thread, no gRPC, no configuration",
    },
    Rule {
        names: &["Instant::now", "SystemTime::now"],
        within: CRATES,
        but: &[(
            "crates/config/src/eval/",
            "the limit of an evaluation's time",
        )],
        tests: Tests::Free,
        says: "only home's clock reads the time",
    },
];
