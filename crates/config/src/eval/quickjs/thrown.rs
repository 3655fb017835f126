//! From what was thrown to what a person is told.

use std::path::Path;

use rquickjs::{Ctx, Error, Exception, Value};

use crate::error::{EvalError, EvalFault};

use super::super::advice::{advice, global_of_node};
use super::super::host::Host;
use super::super::trace::{self, Frame};
use super::super::{MEMORY_LIMIT, syntax, unplaced};
use super::columns;

/// Makes an error of what was thrown.
pub(super) fn describe(ctx: &Ctx<'_>, error: &Error, host: &Host) -> EvalError {
    let file = host.failed_in.as_deref().unwrap_or(&host.main);
    if !error.is_exception() {
        return EvalError {
            message: if matches!(error, Error::Allocation) {
                too_much()
            } else {
                format!("the JavaScript engine failed: {error}")
            },
            ..unplaced(file, EvalFault::Memory)
        };
    }
    let thrown = ctx.catch();
    // With not even room for an exception, the engine throws null; no file does so for a reason of its own.
    if thrown.is_null() {
        return EvalError {
            message: format!("{}, or throws null", too_much()),
            ..unplaced(file, EvalFault::Memory)
        };
    }
    match thrown.as_exception() {
        Some(exception) => of_exception(exception, host),
        None => EvalError {
            message: format!("it throws {}", shown(&thrown)),
            ..unplaced(file, EvalFault::Thrown)
        },
    }
}

/// That something was used which only node has, whatever came of it.
pub(super) fn needed(host: &Host) -> Option<EvalError> {
    let (subject, stack) = host.needed.as_ref()?;
    let frame = of_stack(stack, host);
    Some(EvalError {
        file: frame
            .as_ref()
            .map_or(&host.main, |frame| &frame.file)
            .to_owned(),
        line: frame.as_ref().map(|frame| frame.line),
        column: frame.map(|frame| frame.column),
        message: missing(subject),
        hint: None,
        fault: EvalFault::Node,
    })
}

fn missing(subject: &str) -> String {
    format!("{subject} is only there in node")
}

fn of_stack(stack: &str, host: &Host) -> Option<Frame> {
    let columns = |file: &Path| columns(host.kind_of(file));
    trace::first(stack, &host.codes, &columns).map(|frame| host.original(frame))
}

fn of_exception(exception: &Exception<'_>, host: &Host) -> EvalError {
    let text = |key: &str| {
        let value = exception.as_object().get::<_, Option<String>>(key);
        value.ok().flatten()
    };
    let message = exception.message().unwrap_or_default();
    let name = text("name").unwrap_or_default();
    let frame = text("ecoAt")
        .and_then(|told| trace::told(&told))
        .or_else(|| of_stack(&exception.stack()?, host))
        .or_else(|| of_import(&message, host));
    let told = text("ecoFault");
    let subject = only_in_node(told.as_deref(), text("ecoSubject"), &name, &message, host);
    let fault = match subject {
        Some(_) => EvalFault::Node,
        None => fault_of(
            told.as_deref(),
            &name,
            &message,
            exception.stack().as_deref(),
        ),
    };
    let file = host.failed_in.as_deref().unwrap_or(&host.main);
    let is_beyond = frame.as_ref().is_some_and(|frame| frame.beyond);
    EvalError {
        file: frame.as_ref().map_or(file, |frame| &frame.file).to_owned(),
        line: frame.as_ref().map(|frame| frame.line),
        column: frame.as_ref().map(|frame| frame.column),
        message: match subject {
            Some(subject) => missing(&subject),
            None if fault == EvalFault::Syntax && is_beyond => {
                "SyntaxError: the file ends too early".to_owned()
            }
            None => worded(fault, &name, &message),
        },
        hint: text("ecoHint").or_else(|| {
            let line = frame.and_then(|frame| host.line(&frame.file, frame.line));
            advice(fault, line.unwrap_or_default(), &message)
        }),
        fault,
    }
}

/// The place of the `import` that is the matter of a failure to link, which has none of its own.
fn of_import(message: &str, host: &Host) -> Option<Frame> {
    let module = module_in(message)?;
    let import = host
        .imports
        .iter()
        .rev()
        .find(|import| import.module == module)?;
    let at = syntax::naming(host.sources.get(&import.by)?, &import.request)?;
    Some(Frame {
        file: import.by.clone(),
        line: at.line,
        column: at.column,
        beyond: false,
    })
}

/// The module that a failure to link is about.
fn module_in(message: &str) -> Option<&str> {
    let (_, behind) = message.split_once("in module '")?;
    behind.split_once('\'').map(|(module, _)| module)
}

/// What of node's was missing, when that is why it failed.
fn only_in_node(
    told: Option<&str>,
    subject: Option<String>,
    name: &str,
    message: &str,
    host: &Host,
) -> Option<String> {
    match (told, name) {
        (Some("node"), _) => Some(subject.unwrap_or_else(|| "a part of it".to_owned())),
        (Some(_), _) => None,
        (None, "ReferenceError") => global_of_node(message).map(str::to_owned),
        (None, "SyntaxError") => module_in(message)
            .filter(|module| module.starts_with("node:"))
            .map(|module| format!("a part of {module} that is imported")),
        // It was looked for, and then it was missing.
        (None, "TypeError") => host.absent.clone(),
        (None, _) => None,
    }
}

/// The kind of an exception; what the prelude threw says so itself.
fn fault_of(told: Option<&str>, name: &str, message: &str, stack: Option<&str>) -> EvalFault {
    match (told, name, message) {
        (Some("module"), _, _) => EvalFault::Module,
        (Some("syntax"), _, _) => EvalFault::Syntax,
        (Some("result"), _, _) => EvalFault::Result,
        (_, "InternalError", "out of memory") => EvalFault::Memory,
        (_, _, "Maximum call stack size exceeded") => EvalFault::Depth,
        (_, "SyntaxError", _) if module_in(message).is_some() => EvalFault::Module,
        (_, "SyntaxError", _) if is_of_compiling(stack) => EvalFault::Syntax,
        _ => EvalFault::Thrown,
    }
}

/// Whether a `SyntaxError` is about a file, and not thrown by a function such as `JSON.parse`, which its stack begins with.
fn is_of_compiling(stack: Option<&str>) -> bool {
    let first = stack.and_then(|stack| stack.lines().next()?.trim().strip_prefix("at "));
    first.is_some_and(|frame| frame.starts_with('/'))
}

/// The message of an exception, in one line.
fn worded(fault: EvalFault, name: &str, message: &str) -> String {
    let message = message.lines().collect::<Vec<_>>().join(" ");
    match fault {
        EvalFault::Memory => too_much(),
        EvalFault::Depth => "it calls itself too deep, or its result is nested too deep".to_owned(),
        EvalFault::Syntax | EvalFault::Thrown | EvalFault::Module
            if name != "Error" && !name.is_empty() =>
        {
            format!("{name}: {message}")
        }
        EvalFault::Syntax
        | EvalFault::Thrown
        | EvalFault::Time
        | EvalFault::Module
        | EvalFault::Node
        | EvalFault::Result => message,
    }
}

fn too_much() -> String {
    format!("it needs more than {} MiB of memory", MEMORY_LIMIT >> 20)
}

/// A value that was thrown though it is no error.
fn shown(value: &Value<'_>) -> String {
    if let Some(text) = value.as_string().and_then(|text| text.to_string().ok()) {
        return format!("{text:?}");
    }
    match value.ctx().json_stringify(value.clone()) {
        Ok(Some(json)) => json.to_string().unwrap_or_default(),
        Ok(None) | Err(_) => format!("a value of type {}", value.type_name()),
    }
}
