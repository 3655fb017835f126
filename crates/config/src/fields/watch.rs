//! What an app is replaced at a change of.

use super::{Field, Group, Shape, Standing, Table, acted};

pub(super) const GROUP: Group = Group {
    title: "Watch",
    about: "",
    fields: &[
        acted(
            "watch",
            Shape::Either(&[Shape::Flag, Shape::Text, Shape::List(&Shape::Text)]),
            "The app is replaced when its files have changed: `true` means the working directory, texts are files, folders \
             and globs in it.",
        )
        .expecting("true, false, a path or a list of paths")
        .default("false"),
        acted(
            "ignore_watch",
            RULES,
            "What does not count as a change, as the lines of a .gitignore say it; they count from the watched folder and \
             from the working directory, and the last that matches decides. `.git`, `node_modules` and `__pycache__` never \
             count unless a line such as `!node_modules` lets them in. `eco watch --explain` tells what comes of it.",
        )
        .expecting(RULE)
        .otherwise("what begins with a dot"),
        acted("watch_delay", Shape::Duration, "How long the files must rest after a change.").default("0"),
        acted("watch_options", Shape::Object(WATCH_OPTIONS), "Options of chokidar, as PM2 hands them on.")
            .expecting("an object of options")
            .default("{}"),
    ],
};

const RULES: Shape = Shape::Either(&[Shape::Text, Shape::List(&Shape::Text)]);
const RULE: &str = "patterns such as \"logs/\" or \"*.tmp\", or regular expressions";

/// The fields of `watch_options`.
pub const WATCH_OPTIONS: Table = Table(&[Group {
    title: "`watch_options`",
    about: "",
    fields: &[
        acted("ignored", RULES, "More of `ignore_watch`.").expecting(RULE),
        acted(
            "followSymlinks",
            Shape::Flag,
            "Whether links are what they lead to.",
        )
        .default("true"),
        acted(
            "usePolling",
            Shape::Flag,
            "Whether files are looked at again and again, for disks that tell of no change.",
        )
        .default("false"),
        acted("interval", Shape::Duration, "How often, with `usePolling`.").default("100"),
        acted(
            "depth",
            Shape::Whole(0),
            "How many folders deep is watched.",
        )
        .otherwise("all"),
        acted(
            "awaitWriteFinish",
            Shape::Either(&[Shape::Flag, Shape::Keyed(&Shape::Anything)]),
            "How long files must rest, by its `stabilityThreshold`.",
        )
        .expecting("true, false or an object")
        .default("false"),
        anyway("alwaysStat"),
        anyway("atomic"),
        anyway("binaryInterval"),
        anyway("ignoreInitial"),
        anyway("persistent"),
        unacted("cwd"),
        unacted("disableGlobbing"),
        unacted("ignorePermissionErrors"),
        unacted("useFsEvents"),
    ],
}]);

const fn anyway(name: &'static str) -> Field {
    let why = "it says how chokidar is to go about it, and eco does not use chokidar";
    Field::new(name, Standing::NoEffect(why), Shape::Anything, why)
}

const fn unacted(name: &'static str) -> Field {
    Field::new(
        name,
        Standing::NotActedOn,
        Shape::Anything,
        "An option of chokidar.",
    )
}
