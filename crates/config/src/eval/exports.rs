//! What a package lets others take from it: the `exports` of its `package.json`. Pure.

use serde_json::{Map, Value};

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asker {
    /// `require`.
    Require,
    /// `import`.
    Import,
}

impl Asker {
    /// The conditions that hold, the most telling first.
    const fn conditions(self) -> [&'static str; 4] {
        match self {
            Self::Require => ["node", "require", "module-sync", "default"],
            Self::Import => ["node", "import", "module-sync", "default"],
        }
    }
}

/// The file, relative to the package, that `exports` gives for a subpath: `.` or `./sub`.
pub(super) fn target(exports: &Value, subpath: &str, asker: Asker) -> Option<String> {
    let by_path = exports
        .as_object()
        .filter(|object| object.keys().any(|key| key.starts_with('.')));
    match by_path {
        None if subpath == "." => chosen(exports, "", asker),
        None => None,
        Some(paths) => match paths.get(subpath) {
            Some(value) => chosen(value, "", asker),
            None => by_pattern(paths, subpath, asker),
        },
    }
}

/// `"./features/*": "./lib/*.js"`; of several patterns the longest counts.
fn by_pattern(paths: &Map<String, Value>, subpath: &str, asker: Asker) -> Option<String> {
    let (star, value) = paths
        .iter()
        .filter_map(|(pattern, value)| {
            let (before, after) = pattern.split_once('*')?;
            let star = subpath.strip_prefix(before)?.strip_suffix(after)?;
            Some((before.len(), star, value))
        })
        .max_by_key(|(length, ..)| *length)
        .map(|(_, star, value)| (star, value))?;
    chosen(value, star, asker)
}

fn chosen(value: &Value, star: &str, asker: Asker) -> Option<String> {
    match value {
        Value::String(path) => path.starts_with("./").then(|| path.replace('*', star)),
        Value::Array(several) => several.iter().find_map(|one| chosen(one, star, asker)),
        Value::Object(by_condition) => asker
            .conditions()
            .into_iter()
            .filter_map(|condition| by_condition.get(condition))
            .find_map(|one| chosen(one, star, asker)),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_package_gives_each_asker_its_file() {
        let exports = json!({
            ".": { "types": "./a.d.ts", "import": "./a.mjs", "require": { "types": "./a.d.cts", "default": "./a.cjs" } },
            "./config": "./config.js",
            "./lib/*": "./lib/*.js",
            "./lib/internal/*": null,
        });
        let of = |subpath, asker| target(&exports, subpath, asker);
        assert_eq!(of(".", Asker::Require).as_deref(), Some("./a.cjs"));
        assert_eq!(of(".", Asker::Import).as_deref(), Some("./a.mjs"));
        assert_eq!(
            of("./config", Asker::Import).as_deref(),
            Some("./config.js")
        );
        assert_eq!(of("./lib/x", Asker::Import).as_deref(), Some("./lib/x.js"));
        assert_eq!(of("./lib/internal/x", Asker::Import), None);
        assert_eq!(of("./package.json", Asker::Import), None);
    }

    #[test]
    fn one_file_may_be_all_there_is() {
        assert_eq!(
            target(&json!("./a.js"), ".", Asker::Require).as_deref(),
            Some("./a.js")
        );
        assert_eq!(target(&json!("./a.js"), "./b", Asker::Require), None);
        let either = json!([{ "deno": "./d.js" }, "./a.js"]);
        assert_eq!(
            target(&either, ".", Asker::Import).as_deref(),
            Some("./a.js")
        );
    }
}
