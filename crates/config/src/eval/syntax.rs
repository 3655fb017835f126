//! What can be seen in the text of a program without evaluating it: its kind of modules, and where it names another.

use crate::locate::Position;
use crate::tokens::{Kind, Token, scan};

/// Whether a text has the syntax of ES modules: `import`, `export` or `import.meta` as none of them can stand in a script,
/// or an `await` outside of all functions.
pub(super) fn is_es_module(text: &str) -> bool {
    let tokens = scan(text);
    let mut depth: u32 = 0;
    let mut before: Option<&Token> = None;
    let mut rest = tokens.as_slice();
    while let [token, after @ ..] = rest {
        rest = after;
        match token.kind {
            Kind::Open(_) => depth = depth.saturating_add(1),
            Kind::Close(_) => depth = depth.saturating_sub(1),
            Kind::Word if !is_dot(before) && says_so(token, after.first(), depth) => return true,
            Kind::Word | Kind::Text | Kind::Comma | Kind::Colon | Kind::Other => {}
        }
        before = Some(token);
    }
    false
}

fn is_dot(token: Option<&Token>) -> bool {
    token.is_some_and(|token| token.text == ".")
}

fn says_so(word: &Token, next: Option<&Token>, depth: u32) -> bool {
    let Some(next) = next else { return false };
    match word.text.as_str() {
        // `import(…)` is for scripts, too; with a colon behind it, it is the key of an object.
        "import" => match next.kind {
            Kind::Word | Kind::Text => depth == 0,
            Kind::Open(bracket) => depth == 0 && bracket == '{',
            Kind::Other => next.text == "." || (depth == 0 && next.text == "*"),
            Kind::Close(_) | Kind::Comma | Kind::Colon => false,
        },
        "export" => match next.kind {
            Kind::Word => depth == 0,
            Kind::Open(bracket) => depth == 0 && bracket == '{',
            Kind::Other => depth == 0 && next.text == "*",
            Kind::Text | Kind::Close(_) | Kind::Comma | Kind::Colon => false,
        },
        "await" => match next.kind {
            Kind::Word | Kind::Text | Kind::Open(_) => depth == 0,
            Kind::Close(_) | Kind::Comma | Kind::Colon | Kind::Other => false,
        },
        _ => false,
    }
}

/// Where a text names a module: the string that is it.
pub(super) fn naming(text: &str, module: &str) -> Option<Position> {
    scan(text)
        .into_iter()
        .find(|token| token.kind == Kind::Text && token.text == module)
        .map(|token| token.at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn imports_exports_and_waiting_make_a_module() {
        for text in [
            "export default {}",
            "/* x */ export const apps = []",
            "const a = 1; export { a }",
            "export * from './a.mjs'",
            "import './a.mjs'",
            "import a from './a.mjs'",
            "import { a } from './a.mjs'",
            "import * as a from './a.mjs'",
            "const dir = f(import.meta.dirname)",
            "const x = await fetch(y)",
            "const x = 1\nawait (async () => 1)()",
        ] {
            assert!(is_es_module(text), "{text}");
        }
    }

    #[test]
    fn the_same_words_elsewhere_make_none() {
        for text in [
            "module.exports = { export: 1, import: 2, await: 3 }",
            "// export default {}\nmodule.exports = {}",
            "const text = `export default ${1}`; module.exports = 'import a from b'",
            "x.export = 1; x.import ('y'); module.exports = import('./a.mjs')",
            "module.exports = async () => { const a = await b(); return a }",
            "",
        ] {
            assert!(!is_es_module(text), "{text}");
        }
    }

    #[test]
    fn a_module_is_found_where_it_is_named() {
        let text = "// './a'\nimport x from \"./a\";\nimport './b';";
        assert_eq!(
            naming(text, "./a"),
            Some(Position {
                line: 2,
                column: 15
            })
        );
        assert_eq!(naming(text, "./c"), None);
    }

    proptest! {
        #[test]
        fn any_text_will_do(text in any::<String>()) {
            let _seen = (is_es_module(&text), naming(&text, "a"));
        }
    }
}
