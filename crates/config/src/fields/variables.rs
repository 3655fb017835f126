//! What an app finds in its environment.

use super::{Group, Shape, acted};

pub(super) const GROUP: Group = Group {
    title: "Variables",
    about: "An app has the variables of the shell that started it (as its file leaves them in `process.env`), those \
            of `env_file`, those of `env`, and those of one `env_NAME` block; of one name the last counts. The block \
            is the one of `--env NAME`, or else the one that is named like the environment: `env_production` for the \
            apps of `production`.",
    fields: &[
        acted(
            "env",
            Shape::Variables,
            "Variables by name. Numbers and flags become texts, objects JSON; `null` is none at all.",
        )
        .default("{}"),
        acted(
            "env_file",
            Shape::Either(&[Shape::Text, Shape::List(&Shape::Text)]),
            "Files of `NAME=value` lines, counted from the folder of the file, read at each start. Of several, later \
             ones win.",
        )
        .also(&["env_files"])
        .expecting("a path or a list of paths")
        .default("[]"),
        acted("port", Shape::Port, "The variable `PORT`, unless `env` has one.").otherwise("none"),
        acted(
            "filter_env",
            Shape::Either(&[Shape::Flag, Shape::Text, Shape::List(&Shape::Text)]),
            "What is not inherited from the shell: a text is the name of one variable, a list holds parts of names, and \
             `true` means all.",
        )
        .expecting("true, a variable's name, or a list of parts of names")
        .default("false"),
    ],
};
