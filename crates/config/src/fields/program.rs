//! What runs.

use super::{Group, Shape, acted};

const WHO: &str = "A name or a number; only root can run an app as somebody else.";

pub(super) const GROUP: Group = Group {
    title: "The program",
    about: "",
    fields: &[
        acted(
            "script",
            Shape::Text,
            "What runs: a path, or a command line when it holds a blank and names no file. A command line is given to a \
             shell. A relative path is looked for in `cwd`, in the folder of the file and those above it in the project, \
             and where the command was typed. A name without a slash may be a program on `PATH`.",
        )
        .also(&["exec", "cmd", "command"])
        .expecting("a path or a command line")
        .otherwise("required"),
        acted("name", Shape::Text, "What the app is called, once in its environment.")
            .expecting("a name")
            .otherwise("the script's name without its last extension"),
        acted("name_prefix", Shape::AnyText, "Put before the name.").default("\"\""),
        acted(
            "append_env_to_name",
            Shape::Flag,
            "With `--env NAME`, adds `-NAME` to the name.",
        )
        .default("false"),
        acted("namespace", Shape::Text, "A label to select apps by.")
            .expecting("a name")
            .default("\"default\""),
        acted("args", Shape::Words, "What the script is given.").default("[]"),
        acted(
            "cwd",
            Shape::Text,
            "The working directory. A relative one counts from the folder of the file, and where it is not found there \
             from the folder in which the command was typed. `~` is the home of the agent's user.",
        )
        .expecting("a path")
        .otherwise("the folder of the file"),
        acted(
            "interpreter",
            Shape::Text,
            "What runs the script: a path, or a name that is looked for in `node_modules/.bin` from the script upwards \
             and then on `PATH`. `none`: the script runs itself.",
        )
        .also(&["exec_interpreter"])
        .expecting("a program's name or path, or \"none\"")
        .otherwise("by the script's extension or its first line"),
        acted(
            "interpreter_args",
            Shape::Words,
            "What the interpreter is given before the script.",
        )
        .also(&["node_args"])
        .default("[]"),
        acted(
            "source_map_support",
            Shape::Flag,
            "Gives `--enable-source-maps` to node, where node itself runs the script.",
        )
        .default("false"),
        acted(
            "disable_source_map_support",
            Shape::Flag,
            "Takes `source_map_support` back.",
        )
        .default("false"),
        acted("uid", Shape::Account, WHO)
            .also(&["user", "username"])
            .expecting("a user's name or number")
            .otherwise("the agent's user"),
        acted("gid", Shape::Account, WHO)
            .also(&["group"])
            .expecting("a group's name or number")
            .otherwise("the user's group"),
        acted(
            "pid_file",
            Shape::Text,
            "A file that holds the number of the first process for as long as there is a run. A relative path counts from \
             `cwd`. With several instances each has its own: `api.pid` becomes `api-0.pid`, `api-1.pid` and so on. \
             Folders are made; a file that is there and holds something else is not replaced, and `eco describe` says \
             so.",
        )
        .also(&["pid"])
        .expecting("a path")
        .otherwise("none"),
    ],
};
