//! From PM2's loose shape to checked apps. Pure; every problem is told, not the first.
//!
//! ```text
//! Answer ─▶ RawApp, one per element ─▶ Fields ─▶ AppSpec
//!                                        ├── problems: the app cannot be started
//!                                        └── warnings: it can, but something is odd
//! ```

mod dependency;
mod env;
mod fields;
mod identity;
mod instances;
mod limits;
mod logs;
mod probe;
mod restart;
mod schedule;
mod stop;
mod value;
mod watch;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::error::{Fault, Problem};
use crate::eval::Answer;
use crate::fields::BESIDE_APPS;
use crate::load::EnvBlock;
use crate::raw::{RawApp, closest};
use crate::spec::{AppName, AppSpec, EnvironmentName, Limits, Logs};

use fields::{Fields, Places};

const APPS: &str = "{ apps: [...] }, a list of apps, or one app";
const INSTANCE_VAR: &str = "NODE_APP_INSTANCE";
const NAMESPACE: &str = "default";

/// Who asks, and where.
pub(crate) struct Asked {
    pub(crate) environment: EnvironmentName,
    pub(crate) env_block: EnvBlock,
    pub(crate) variables: BTreeMap<String, String>,
    pub(crate) invoked_in: PathBuf,
    /// How many processors there are.
    pub(crate) parallelism: u32,
}

/// What came of a file.
#[derive(Debug, Default)]
pub(crate) struct Parsed {
    pub(crate) apps: Vec<AppSpec>,
    pub(crate) problems: Vec<Problem>,
    pub(crate) warnings: Vec<Problem>,
    /// Fields that have no effect, and why.
    pub(crate) notes: Vec<Problem>,
}

/// Checks what a file gives.
pub(crate) fn file(
    answer: Answer,
    main: &Path,
    sources: BTreeMap<PathBuf, String>,
    asked: &Asked,
) -> Parsed {
    let mut parsed = Parsed::default();
    let mut raws = Vec::new();
    let problem = |path: String, fault: Fault| Problem {
        path,
        app: None,
        file: Some(main.to_owned()),
        at: None,
        fault,
        hint: None,
    };
    top_level(&answer.others, &mut parsed.warnings, &problem);
    if let Some(wrong) = &answer.wrong {
        let found = value::shown(wrong);
        let fault = Fault::Mismatch {
            found,
            expected: APPS,
        };
        parsed.problems.push(problem(answer.key.clone(), fault));
    }
    for (index, entry) in answer.apps.unwrap_or_default().into_iter().enumerate() {
        let path = match (answer.bare, answer.alone) {
            (true, _) => String::new(),
            (false, true) => answer.key.clone(),
            (false, false) => format!("{}[{index}]", answer.key),
        };
        match entry.value {
            Value::Object(object) if !object.keys().any(|key| key.starts_with('\0')) => {
                raws.push(RawApp::new(path, Some(entry.file), object));
            }
            other @ (Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_)
            | Value::Object(_)) => {
                let found = value::shown(&other);
                let fault = Fault::Mismatch {
                    found,
                    expected: "an app",
                };
                parsed.problems.push(problem(path, fault));
            }
        }
    }
    parsed
        .warnings
        .extend(no_such_block(&raws, asked, &problem));
    let places = Places::new(sources, Some(main.to_owned()));
    all(&raws, &places, asked, &mut parsed);
    parsed
}

/// Warns of a block that was asked for and is in no app.
fn no_such_block(
    raws: &[RawApp],
    asked: &Asked,
    problem: &dyn Fn(String, Fault) -> Problem,
) -> Option<Problem> {
    let EnvBlock::Asked(block) = &asked.env_block else {
        return None;
    };
    if raws.iter().any(|raw| raw.blocks.contains_key(block)) {
        return None;
    }
    let names = raws
        .iter()
        .flat_map(|raw| raw.blocks.keys().map(String::as_str));
    let hint = closest(block, names).map(|like| format!("did you mean {like:?}?"));
    let block = block.clone();
    let problem = problem(String::new(), Fault::NoSuchBlock { block });
    Some(Problem { hint, ..problem })
}

/// Checks a command without a file.
pub(crate) fn command(raw: &RawApp, asked: &Asked) -> Result<AppSpec, Vec<Problem>> {
    let places = Places::new(BTreeMap::new(), None);
    let mut fields = Fields::new(raw, &places, 0);
    let spec = app(&mut fields, asked);
    match (spec, fields.problems) {
        (Some(spec), problems) if problems.is_empty() => Ok(spec),
        (_, problems) => Err(problems),
    }
}

/// Top-level keys beside the apps.
fn top_level(
    others: &[String],
    warnings: &mut Vec<Problem>,
    problem: &dyn Fn(String, Fault) -> Problem,
) {
    // Where a JSON file says which schema its editor is to use.
    for other in others.iter().filter(|other| *other != "$schema") {
        let (path, fault) = if BESIDE_APPS.iter().any(|field| field.name() == other) {
            let fields = vec![other.clone()];
            (String::new(), Fault::NotActedOn { fields })
        } else {
            (other.clone(), Fault::UnknownField)
        };
        warnings.push(problem(path, fault));
    }
}

fn all(raws: &[RawApp], places: &Places, asked: &Asked, parsed: &mut Parsed) {
    let mut seen: BTreeMap<AppName, (String, Option<crate::error::Location>)> = BTreeMap::new();
    let mut written: BTreeMap<(&Path, &str), usize> = BTreeMap::new();
    let mut waits = Vec::new();
    for raw in raws {
        let key = (
            raw.file.as_deref(),
            raw.get("name").and_then(|name| name.value.as_str()),
        );
        let nth = match key {
            (Some(file), Some(name)) => {
                let times = written.entry((file, name)).or_default();
                let nth = *times;
                *times += 1;
                nth
            }
            (None, _) | (_, None) => 0,
        };
        let mut fields = Fields::new(raw, places, nth);
        if let Some(spec) = app(&mut fields, asked) {
            let key = raw.get("name").map(|written| written.key.as_str());
            match seen.get(&spec.name) {
                Some((first, first_at)) => {
                    let fault = Fault::SameName {
                        name: spec.name.to_string(),
                        first: first.clone(),
                        first_at: first_at.clone(),
                    };
                    let problem = fields.problem(key, fault);
                    fields.problems.push(problem);
                }
                None => {
                    seen.insert(spec.name.clone(), (raw.path.clone(), fields.location(key)));
                }
            }
            waits.extend(dependency::wait(&fields, &spec));
            parsed.apps.push(spec);
        }
        // As a person reads the file, not as it was read here.
        let line = |problem: &Problem| problem.at.as_ref().map(|at| (at.line, at.column));
        fields.problems.sort_by_key(line);
        fields.warnings.sort_by_key(line);
        fields.notes.sort_by_key(line);
        parsed.problems.append(&mut fields.problems);
        parsed.warnings.append(&mut fields.warnings);
        parsed.notes.append(&mut fields.notes);
    }
    parsed.problems.extend(dependency::circles(waits));
}

/// Checks one app; nothing when it has no script or no name that would do. All fields are read before that is decided.
fn app(fields: &mut Fields<'_>, asked: &Asked) -> Option<AppSpec> {
    fields.oddities();
    let script = identity::script(fields);
    let name = identity::name(fields, script.as_deref(), asked);
    let interpreter = identity::interpreter(fields);
    let instances = instances::instances(fields, asked.parallelism).unwrap_or(1);
    let exec_mode = instances::exec_mode(fields, instances, &interpreter, script.as_deref());
    let plain = Plain::read(fields);
    let arguments = identity::list(fields, "args");
    let interpreter_arguments =
        identity::interpreter_arguments(fields, &interpreter, script.as_deref());
    let env = env::own(fields, asked);
    let inherited_env = env::inherited(fields, asked);
    let kind = restart::kind(fields);
    let depends_on = dependency::depends_on(fields);
    let restart = restart::policy(fields, kind);
    let stop = stop::policy(fields);
    let ready = stop::ready(fields);
    let watch = watch::policy(fields);
    let liveness = probe::liveness(fields);
    let schedule = schedule::schedule(fields);
    let max_memory = restart::max_memory(fields);
    let file = fields.raw.file.as_deref();
    let defined_in = file.and_then(Path::parent).unwrap_or(&asked.invoked_in);
    Some(AppSpec {
        environment: asked.environment.clone(),
        name: name?,
        namespace: plain.namespace.unwrap_or_else(|| NAMESPACE.to_owned()),
        script: script?,
        arguments,
        cwd: plain.cwd.map(PathBuf::from),
        defined_in: defined_in.to_owned(),
        invoked_in: asked.invoked_in.clone(),
        defined_at: file.unwrap_or(&asked.invoked_in).to_owned(),
        interpreter,
        interpreter_arguments,
        env,
        inherited_env,
        instances,
        exec_mode,
        instance_var: plain
            .instance_var
            .unwrap_or_else(|| INSTANCE_VAR.to_owned()),
        increment_var: plain.increment_var,
        user: plain.user,
        group: plain.group,
        restart,
        stop,
        ready,
        env_files: plain.env_files,
        kind,
        depends_on,
        liveness,
        schedule,
        limits: plain.limits,
        pid_file: plain.pid_file.map(PathBuf::from),
        logs: plain.logs,
        autostart: plain.autostart.unwrap_or(true),
        watch,
        max_memory,
    })
}

/// Fields that are simply taken over.
struct Plain {
    namespace: Option<String>,
    cwd: Option<String>,
    instance_var: Option<String>,
    increment_var: Option<String>,
    user: Option<String>,
    group: Option<String>,
    autostart: Option<bool>,
    pid_file: Option<String>,
    env_files: Vec<PathBuf>,
    limits: Limits,
    logs: Logs,
}

impl Plain {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            namespace: fields.take("namespace", value::some_text),
            cwd: fields.take("cwd", value::some_text),
            instance_var: fields.take("instance_var", value::some_text),
            increment_var: fields.take("increment_var", value::some_text),
            user: fields.take("uid", value::id),
            group: fields.take("gid", value::id),
            autostart: fields.take("autostart", value::flag),
            pid_file: fields.take("pid_file", value::some_text),
            env_files: env::files(fields),
            limits: limits::limits(fields),
            logs: logs::logs(fields),
        }
    }
}
