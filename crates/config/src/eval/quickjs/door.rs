//! What the prelude may ask of the host: functions on one object, which no file of a person's sees.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use rquickjs::function::IntoJsFunc;
use rquickjs::{Ctx, Error, Function, Module, Object};

use super::super::disk;
use super::super::exports::Asker;
use super::super::host::{self, Host, Kind};
use super::{compile, esm, finish, thrown};
use crate::error::EvalError;

/// Hears that something was used which only node has.
pub(super) type Needs = Rc<dyn Fn(EvalError)>;

/// Makes the object.
pub(super) fn door<'js>(
    ctx: &Ctx<'js>,
    host: &Rc<RefCell<Host>>,
    needs: &Needs,
) -> Result<Object<'js>, Error> {
    let door = Door(Object::new(ctx.clone())?);
    door.0.set("facts", host.borrow().facts())?;
    door.set("stat", |path: String| disk::stat(Path::new(&path)))?;
    door.set("read", |path: String| disk::read(Path::new(&path)))?;
    door.set("list", |path: String| disk::list(Path::new(&path)))?;
    door.set("realpath", |path: String| disk::realpath(Path::new(&path)))?;
    door.set("resolve", |folder: String, request: String| {
        host::resolve(Path::new(&folder), &request, Asker::Require).to_string()
    })?;
    door.set("namespace", |ctx: Ctx<'js>, file: String| {
        namespace(&ctx, &file)
    })?;
    door.set("say", with(host, |host, line| host.say(&line)))?;
    door.set(
        "failed",
        with(host, |host, file| {
            host.failed_in = Some(PathBuf::from(file));
        }),
    )?;
    door.set(
        "absent",
        with(host, |host, subject| host.absent = Some(subject)),
    )?;
    door.set("data", with(host, |host, file| host.data(Path::new(&file))))?;
    let (kept, needs) = (Rc::clone(host), Rc::clone(needs));
    door.set("needs", move |subject: String, stack: String| {
        let mut host = kept.borrow_mut();
        host.needs(subject, stack);
        if let Some(error) = thrown::needed(&host) {
            needs(error);
        }
    })?;
    let kept = Rc::clone(host);
    door.set("kind", move |ctx: Ctx<'js>, file: String| {
        kind(&ctx, &kept, &file)
    })?;
    let kept = Rc::clone(host);
    door.set("compile", move |ctx: Ctx<'js>, file: String| {
        compile(&ctx, &kept, Path::new(&file))
    })?;
    Ok(door.0)
}

struct Door<'js>(Object<'js>);

impl<'js> Door<'js> {
    fn set<P>(&self, name: &str, function: impl IntoJsFunc<'js, P> + 'js) -> Result<(), Error> {
        let function = Function::new(self.0.ctx().clone(), function)?;
        self.0.set(name, function)
    }
}

/// A function of the host.
fn with<R, F: Fn(&mut Host, String) -> R>(
    host: &Rc<RefCell<Host>>,
    act: F,
) -> impl Fn(String) -> R + use<R, F> {
    let host = Rc::clone(host);
    move |text| act(&mut host.borrow_mut(), text)
}

fn kind(ctx: &Ctx<'_>, host: &Rc<RefCell<Host>>, file: &str) -> Result<&'static str, Error> {
    let kind = host.borrow_mut().kind(Path::new(file));
    kind.map(Kind::name)
        .or_else(|refusal| Err(esm::thrown(ctx, &refusal)?))
}

/// Evaluates a module, with all it waits for, and gives what it exports.
fn namespace<'js>(ctx: &Ctx<'js>, file: &str) -> Result<Object<'js>, Error> {
    finish(ctx, &Module::import(ctx, file)?)
}
