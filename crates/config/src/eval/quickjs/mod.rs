//! The engine: the only folder that names rquickjs.

mod door;
mod esm;
mod thrown;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Instant;

use rquickjs::context::EvalOptions;
use rquickjs::{Context, Ctx, Error, FromJs, Function, Object, Promise, Runtime, Value};

use serde_json::json;

use crate::error::{EvalError, EvalFault};

use super::host::{Host, Kind, Refusal};
use super::{MEMORY_LIMIT, STACK_LIMIT, TIME_LIMIT, too_slow, unplaced};

/// The parts of the prelude, and what they are called in a stack; no file of a person's is named so.
const PRELUDE: [(&str, &str); 3] = [
    ("eco:apps", include_str!("../js/apps.js")),
    ("eco:builtin", include_str!("../js/builtin.js")),
    ("eco:modules", include_str!("../js/modules.js")),
];
/// Before the first line of a script, so that no line is moved.
const SCRIPT: &str = "(function (exports, require, module, __filename, __dirname) {";
const SCRIPT_END: &str = "\n})";
/// A JSON file is an expression, as PM2 reads it: comments and trailing commas do no harm.
const EXPRESSION: &str = "(function () { return (";
const EXPRESSION_END: &str = "\n) })";

const NEVER: &str = "it waits for something that never comes";

/// What is to be evaluated.
#[derive(Clone)]
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
///
/// `give_up` is called at once when the file has used what only node has: nothing that it does afterwards counts.
pub(super) fn run(job: Job, give_up: impl Fn(EvalError) + 'static) -> Result<Output, EvalError> {
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
    let stop = Rc::clone(&expired);
    let needs: door::Needs = Rc::new(move |error| {
        stop.set(true);
        give_up(error);
    });
    let modules = esm::Modules(Rc::clone(&host));
    runtime.set_loader(modules.clone(), modules);
    let result = context.with(|ctx| {
        evaluate(&ctx, &host, &needs, &main)
            .map_err(|error| thrown::describe(&ctx, &error, &host.borrow()))
    });
    if let Some(error) = thrown::needed(&host.borrow()) {
        return Err(error);
    }
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

fn evaluate(
    ctx: &Ctx<'_>,
    host: &Rc<RefCell<Host>>,
    needs: &door::Needs,
    main: &Path,
) -> Result<String, Error> {
    let [apps, builtin, modules] = PRELUDE.map(|(name, text)| {
        ctx.eval_with_options::<Function, _>(text, options(name, Mode::Strict))
    });
    let (door, apps): (_, Object) = (door::door(ctx, host, needs)?, apps?.call(())?);
    let builtin: Object = builtin?.call((door.clone(), apps.clone()))?;
    let run: Function = modules?.call((door, apps, builtin))?;
    let answer: Value = run.call((main.to_string_lossy().into_owned(),))?;
    match answer.as_promise() {
        Some(promise) => finish(ctx, promise),
        None => answer.get(),
    }
}

/// Waits for a promise by doing all that is left to do.
fn finish<'js, T: FromJs<'js>>(ctx: &Ctx<'js>, promise: &Promise<'js>) -> Result<T, Error> {
    match promise.finish() {
        Err(Error::WouldBlock) => Err(esm::thrown(
            ctx,
            &Refusal(json!({ "message": NEVER, "fault": "result" })),
        )?),
        other => other,
    }
}

/// Which rules a text is evaluated by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// As the file says itself.
    Sloppy,
    /// The strict ones.
    Strict,
}

fn options(name: &str, mode: Mode) -> EvalOptions {
    let mut options = EvalOptions::default();
    options.strict = mode == Mode::Strict;
    options.filename = Some(name.to_owned());
    options
}

/// Makes a function of a script, or of an expression.
fn compile<'js>(
    ctx: &Ctx<'js>,
    host: &Rc<RefCell<Host>>,
    file: &Path,
) -> Result<Function<'js>, Error> {
    let text = program(ctx, host, file)?;
    let (before, after) = wrapper(host.borrow().kind_of(file));
    let whole = format!("{before}{text}{after}");
    ctx.eval_with_options(whole, options(&file.to_string_lossy(), Mode::Sloppy))
}

/// The program of a file.
fn program(ctx: &Ctx<'_>, host: &Rc<RefCell<Host>>, file: &Path) -> Result<String, Error> {
    let code = host.borrow_mut().code(file).map(|code| code.text.clone());
    code.or_else(|refusal| Err(esm::thrown(ctx, &refusal)?))
}

/// What stands around a file that is no module.
const fn wrapper(kind: Option<Kind>) -> (&'static str, &'static str) {
    match kind {
        Some(Kind::Json) => (EXPRESSION, EXPRESSION_END),
        Some(Kind::CommonJs) => (SCRIPT, SCRIPT_END),
        Some(Kind::Module | Kind::Data | Kind::Native) | None => ("", ""),
    }
}

/// By how many columns the first line of a file is moved.
fn columns(kind: Option<Kind>) -> u32 {
    u32::try_from(wrapper(kind).0.len()).unwrap_or(0)
}
