//! What to do about a failure, judged by its kind, its words and the line it is in. Pure.

use crate::error::EvalFault;

/// Names that node puts into every program, and that are not there without it.
const GLOBALS: [&str; 28] = [
    "AbortController",
    "AbortSignal",
    "Blob",
    "BroadcastChannel",
    "Buffer",
    "Event",
    "EventTarget",
    "FormData",
    "Headers",
    "Intl",
    "MessageChannel",
    "Request",
    "Response",
    "TextDecoder",
    "TextEncoder",
    "URLSearchParams",
    "WebAssembly",
    "WebSocket",
    "atob",
    "btoa",
    "clearInterval",
    "clearTimeout",
    "crypto",
    "fetch",
    "setImmediate",
    "setInterval",
    "setTimeout",
    "structuredClone",
];

/// The name of node's that a program asked for in vain, by the message of its `ReferenceError`.
pub(super) fn global_of_node(message: &str) -> Option<&'static str> {
    let name = undefined(message)?;
    GLOBALS.into_iter().find(|global| *global == name)
}

/// What to say beside an error, judged by the line it is in.
pub(super) fn advice(fault: EvalFault, line: &str, message: &str) -> Option<String> {
    match fault {
        EvalFault::Syntax if line.contains("await ") => Some(
            "await is for async functions and for ES modules: a file that imports or exports"
                .to_owned(),
        ),
        EvalFault::Thrown => of_module(undefined(message)?),
        EvalFault::Syntax
        | EvalFault::Module
        | EvalFault::Node
        | EvalFault::Time
        | EvalFault::Memory
        | EvalFault::Depth
        | EvalFault::Result => None,
    }
}

/// What an ES module has for a name of `CommonJS`.
fn of_module(name: &str) -> Option<String> {
    let instead = match name {
        "require" => "import, or createRequire of node:module",
        "module" | "exports" => "export default",
        "__dirname" => "import.meta.dirname",
        "__filename" => "import.meta.filename",
        _ => return None,
    };
    Some(format!(
        "a file that imports or exports is an ES module: use {instead}"
    ))
}

fn undefined(message: &str) -> Option<&str> {
    let name = message.strip_suffix(" is not defined")?;
    Some(name.trim_matches('\''))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_node_has_is_told_from_what_nobody_has() {
        assert_eq!(global_of_node("Buffer is not defined"), Some("Buffer"));
        assert_eq!(global_of_node("'fetch' is not defined"), Some("fetch"));
        assert_eq!(global_of_node("Bufer is not defined"), None);
        assert_eq!(global_of_node("no Buffer"), None);
    }

    #[test]
    fn a_module_is_told_what_it_has_instead() {
        let advice = advice(EvalFault::Thrown, "", "'__dirname' is not defined");
        assert!(advice.is_some_and(|advice| advice.contains("import.meta.dirname")));
    }
}
