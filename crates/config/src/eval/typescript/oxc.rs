//! The only file that names oxc.

use std::path::{Path, PathBuf};

use oxc_allocator::Allocator;
use oxc_codegen::{Codegen, CodegenOptions};
use oxc_diagnostics::Diagnostics;
use oxc_parser::Parser;
use oxc_semantic::SemanticBuilder;
use oxc_span::{LabeledSpan, SourceType};
use oxc_transformer::{Module, TransformOptions, Transformer};

use super::Stripped;
use super::places::{Mapping, Places};
use crate::data::Malformed;
use crate::format::Modules;
use crate::locate::Position;

/// A program without its types.
pub(super) fn strip(text: &str, modules: Modules) -> Result<Stripped, Malformed> {
    let allocator = Allocator::default();
    let kind = match modules {
        Modules::ByText => SourceType::ts().with_unambiguous(true),
        Modules::CommonJs => SourceType::ts().with_commonjs(true),
        Modules::Es => SourceType::ts().with_module(true),
    };
    let parsed = Parser::new(&allocator, text, kind).parse();
    sound(text, &parsed.diagnostics)?;
    let mut program = parsed.program;
    let semantic = SemanticBuilder::new()
        .with_check_syntax_error(true)
        .with_enum_eval(true)
        .build(&program);
    sound(text, &semantic.diagnostics)?;
    let mut options = TransformOptions::default();
    // What `import x = require()` and `export =` become; nothing else depends on it.
    options.env.module = Module::CommonJS;
    let scoping = semantic.semantic.into_scoping();
    let transformed = Transformer::new(&allocator, Path::new(""), &options)
        .build_with_scoping(scoping, &mut program);
    sound(text, &transformed.diagnostics)?;
    let printed = Codegen::new()
        .with_options(CodegenOptions {
            source_map_path: Some(PathBuf::new()),
            ..CodegenOptions::default()
        })
        .with_scoping(Some(transformed.scoping))
        .build(&program);
    let mut mappings = Vec::new();
    if let Some(map) = printed.map {
        mappings.extend(map.get_tokens().map(|token| Mapping {
            code: (token.get_dst_line(), token.get_dst_col()),
            text: (token.get_src_line(), token.get_src_col()),
        }));
    }
    Ok(Stripped {
        places: Places::new(mappings),
        code: without_mark(&printed.code).to_owned(),
    })
}

/// Takes away what is put behind a program when all it imported were types, so that it stays a module: it may as well be a
/// script, which its own text tells.
fn without_mark(code: &str) -> &str {
    code.trim_end().strip_suffix("export {};").unwrap_or(code)
}

/// Whether a text is JavaScript of the given modules.
pub(super) fn is_javascript(text: &str, modules: Modules) -> bool {
    let kinds: &[SourceType] = match modules {
        Modules::ByText => &[SourceType::cjs(), SourceType::mjs()],
        Modules::CommonJs => &[SourceType::cjs()],
        Modules::Es => &[SourceType::mjs()],
    };
    kinds.iter().any(|kind| {
        let allocator = Allocator::default();
        let parsed = Parser::new(&allocator, text, *kind).parse();
        let semantic = SemanticBuilder::new()
            .with_check_syntax_error(true)
            .build(&parsed.program);
        !parsed.diagnostics.has_errors() && !semantic.diagnostics.has_errors()
    })
}

/// The first error, if there is one.
fn sound(text: &str, diagnostics: &Diagnostics) -> Result<(), Malformed> {
    let Some(first) = diagnostics.errors().next() else {
        return Ok(());
    };
    let message = first.message.lines().collect::<Vec<_>>().join(" ");
    let start = first.labels.first().map(LabeledSpan::offset);
    Err(Malformed {
        message: format!("SyntaxError: {message}"),
        at: start
            .and_then(|start| usize::try_from(start).ok())
            .map(|start| Position::of(text, start)),
    })
}
