//! The engine: the only file that names rquickjs.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Instant;

use rquickjs::context::EvalOptions;
use rquickjs::{Context, Ctx, Error, Exception, Function, Object, Runtime, Value};

use crate::error::{EvalError, EvalFault};
use crate::format::Format;

use super::host::{self, Host};
use super::{MEMORY_LIMIT, STACK_LIMIT, TIME_LIMIT, too_slow, trace, unplaced};

const PRELUDE: &str = include_str!("prelude.js");
/// What the prelude is called in a stack; no file of a person's is named so.
const PRELUDE_NAME: &str = "eco:prelude";
/// Before the first line of a module, so that no line is moved.
const MODULE: &str = "(function (exports, require, module, __filename, __dirname) {";
const MODULE_END: &str = "\n})";
/// A JSON file is an expression, as PM2 reads it: comments and trailing commas do no harm.
const EXPRESSION: &str = "(function () { return (";
const EXPRESSION_END: &str = "\n) })";

/// What is to be evaluated.
pub(super) struct Job {
    /// The file, absolute and without links.
    pub(super) main: PathBuf,
    /// Its text.
    pub(super) text: String,
    /// The working directory of the process it believes to be.
    pub(super) cwd: PathBuf,
    /// That process's environment.
    pub(super) variables: BTreeMap<String, String>,
}

/// What came of it.
pub(super) struct Output {
    /// What the prelude answers.
    pub(super) json: String,
    /// Every file that was evaluated.
    pub(super) sources: BTreeMap<PathBuf, String>,
    /// Lines for the console.
    pub(super) said: Vec<String>,
}

/// Evaluates within the limits, except what [`super::bounded`] looks after.
pub(super) fn run(job: Job) -> Result<Output, EvalError> {
    let main = job.main.clone();
    let broken = |error: Error| EvalError {
        message: format!("the JavaScript engine failed: {error}"),
        ..unplaced(&main, EvalFault::Memory)
    };
    let runtime = Runtime::new().map_err(broken)?;
    runtime.set_memory_limit(MEMORY_LIMIT);
    runtime.set_max_stack_size(STACK_LIMIT);
    let expired = Rc::new(Cell::new(false));
    let deadline = Instant::now() + TIME_LIMIT;
    let flag = Rc::clone(&expired);
    // Once over, it stays over: whatever the file does with the interruption, it gets no further.
    runtime.set_interrupt_handler(Some(Box::new(move || {
        flag.set(flag.get() || Instant::now() >= deadline);
        flag.get()
    })));
    let context = Context::full(&runtime).map_err(broken)?;
    let host = Rc::new(RefCell::new(Host::new(job)));
    let result = context.with(|ctx| {
        evaluate(&ctx, &host, &main).map_err(|error| describe(&ctx, &error, &host.borrow()))
    });
    if expired.get() {
        let (line, column, file) = match result {
            Err(EvalError {
                line, column, file, ..
            }) => (line, column, file),
            Ok(_) => (None, None, main.clone()),
        };
        return Err(EvalError {
            file,
            line,
            column,
            ..too_slow(&main)
        });
    }
    let json = result?;
    let mut host = host.borrow_mut();
    Ok(Output {
        json,
        sources: std::mem::take(&mut host.sources),
        said: std::mem::take(&mut host.said),
    })
}

fn evaluate(ctx: &Ctx<'_>, host: &Rc<RefCell<Host>>, main: &Path) -> Result<String, Error> {
    let prelude: Function = ctx.eval_with_options(PRELUDE, options(PRELUDE_NAME))?;
    let run: Function = prelude.call((door(ctx, host)?,))?;
    run.call((main.to_string_lossy().into_owned(),))
}

fn options(name: &str) -> EvalOptions {
    let mut options = EvalOptions::default();
    options.strict = false;
    options.filename = Some(name.to_owned());
    options
}

/// A question about a path.
type Ask = fn(&Path) -> String;

/// What the prelude may ask of the host.
fn door<'js>(ctx: &Ctx<'js>, host: &Rc<RefCell<Host>>) -> Result<Object<'js>, Error> {
    let door = Object::new(ctx.clone())?;
    door.set("facts", host.borrow().facts())?;
    let asks: [(&str, Ask); 4] = [
        ("stat", host::stat),
        ("read", host::read),
        ("list", host::list),
        ("realpath", host::realpath),
    ];
    for (name, ask) in asks {
        let function = Function::new(ctx.clone(), move |path: String| ask(Path::new(&path)))?;
        door.set(name, function)?;
    }
    let resolve = |folder: String, request: String| host::resolve(Path::new(&folder), &request);
    door.set("resolve", Function::new(ctx.clone(), resolve)?)?;
    let kept = Rc::clone(host);
    let say = move |line: String| kept.borrow_mut().say(&line);
    door.set("say", Function::new(ctx.clone(), say)?)?;
    let kept = Rc::clone(host);
    let failed = move |file: String| kept.borrow_mut().failed_in = Some(file.into());
    door.set("failed", Function::new(ctx.clone(), failed)?)?;
    door.set(
        "kind",
        Function::new(ctx.clone(), |file: String| kind(Path::new(&file)))?,
    )?;
    let kept = Rc::clone(host);
    let data = move |file: String| kept.borrow_mut().data(Path::new(&file));
    door.set("data", Function::new(ctx.clone(), data)?)?;
    let kept = Rc::clone(host);
    let compile = move |ctx: Ctx<'js>, file: String| compile(&ctx, &kept, Path::new(&file));
    door.set("compile", Function::new(ctx.clone(), compile)?)?;
    Ok(door)
}

/// Reads a module and makes a function of it.
fn compile<'js>(
    ctx: &Ctx<'js>,
    host: &Rc<RefCell<Host>>,
    file: &Path,
) -> Result<Function<'js>, Error> {
    let text = host
        .borrow()
        .text(file)
        .map_err(|error| Exception::throw_message(ctx, &host::sentence(&error)))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let text = text
        .strip_prefix("#!")
        .map_or_else(|| text.to_owned(), |rest| format!("//{rest}"));
    let (before, after) = wrapper(file);
    let whole = format!("{before}{text}{after}");
    host.borrow_mut().sources.insert(file.to_owned(), text);
    ctx.eval_with_options(whole, options(&file.to_string_lossy()))
}

fn wrapper(file: &Path) -> (&'static str, &'static str) {
    match Format::of(file) {
        Some(Format::Json) => (EXPRESSION, EXPRESSION_END),
        Some(Format::Data(_)) => ("", ""),
        Some(Format::Program) | None => (MODULE, MODULE_END),
    }
}

/// How the prelude is to load a file.
fn kind(file: &Path) -> &'static str {
    match Format::of(file) {
        Some(Format::Json) => "json",
        Some(Format::Data(_)) => "data",
        Some(Format::Program) | None => "commonjs",
    }
}

/// Makes an error of what was thrown.
fn describe(ctx: &Ctx<'_>, error: &Error, host: &Host) -> EvalError {
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
    let Some(exception) = thrown.as_exception() else {
        return EvalError {
            message: format!("it throws {}", shown(&thrown)),
            ..unplaced(file, EvalFault::Thrown)
        };
    };
    let message = exception.message().unwrap_or_default();
    let text = |key: &str| {
        exception
            .as_object()
            .get::<_, Option<String>>(key)
            .ok()
            .flatten()
    };
    let name = text("name").unwrap_or_default();
    let fault = fault_of(text("ecoFault").as_deref(), &name, &message);
    let columns = |file: &Path| u32::try_from(wrapper(file).0.len()).unwrap_or(0);
    let told = text("ecoAt").and_then(|told| trace::told(&told));
    let frame = told.or_else(|| {
        let stack = exception.stack()?;
        trace::first(&stack, &host.sources, &columns)
    });
    let hint = text("ecoHint").or_else(|| {
        let line = frame
            .as_ref()
            .and_then(|frame| host.line(&frame.file, frame.line));
        host::advice(fault, line.unwrap_or_default(), &message)
    });
    EvalError {
        file: frame.as_ref().map_or(file, |frame| &frame.file).to_owned(),
        line: frame.as_ref().map(|frame| frame.line),
        column: frame.as_ref().map(|frame| frame.column),
        message: worded(
            fault,
            &name,
            &message,
            frame.is_some_and(|frame| frame.beyond),
        ),
        hint,
        fault,
    }
}

/// The kind of an exception; what the prelude threw says so itself.
fn fault_of(told: Option<&str>, name: &str, message: &str) -> EvalFault {
    match (told, name, message) {
        (Some("module"), _, _) => EvalFault::Module,
        (Some("result"), _, _) => EvalFault::Result,
        (_, "InternalError", "out of memory") => EvalFault::Memory,
        (_, _, "Maximum call stack size exceeded") => EvalFault::Depth,
        (_, "SyntaxError", _) => EvalFault::Syntax,
        _ => EvalFault::Thrown,
    }
}

/// The message of an exception, in one line.
fn worded(fault: EvalFault, name: &str, message: &str, beyond: bool) -> String {
    let message = message.lines().collect::<Vec<_>>().join(" ");
    match fault {
        EvalFault::Memory => too_much(),
        EvalFault::Depth => "it calls itself too deep, or its result is nested too deep".to_owned(),
        EvalFault::Syntax if beyond => "SyntaxError: the file ends too early".to_owned(),
        EvalFault::Syntax | EvalFault::Thrown if name != "Error" && !name.is_empty() => {
            format!("{name}: {message}")
        }
        EvalFault::Syntax
        | EvalFault::Thrown
        | EvalFault::Time
        | EvalFault::Module
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
