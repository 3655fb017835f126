//! ES modules: which module an `import` means, and what the engine is given for it.
//!
//! ```text
//! import 'x' ─▶ resolve ─▶ node:path ─────────┐
//!                       ├▶ a.cjs, a.json, … ──┴▶ a module that is written here: `export default` and the names it has
//!                       └▶ a.mjs ─▶ its text, and a last line that marks its apps as its own
//! ```

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;

use rquickjs::loader::{ImportAttributes, Loader, Resolver};
use rquickjs::module::Declared;
use rquickjs::{Ctx, Error, Function, Module, Object, Value};

use super::super::exports::Asker;
use super::super::host::{self, Host, Import, Kind, Refusal};
use super::super::{syntax, trace};

/// What the prelude leaves for modules, on the global object.
const GLUE: &str = "eco:modules";

/// Finds and loads modules.
#[derive(Clone)]
pub(super) struct Modules(pub(super) Rc<RefCell<Host>>);

impl Resolver for Modules {
    fn resolve<'js>(
        &mut self,
        ctx: &Ctx<'js>,
        base: &str,
        name: &str,
        _: Option<ImportAttributes<'js>>,
    ) -> Result<String, Error> {
        let is_own: bool = function(ctx, "isOwn")?.call((name,))?;
        let module = if is_own {
            format!("node:{}", name.strip_prefix("node:").unwrap_or(name))
        } else {
            self.file(ctx, base, name)?
        };
        // Each module imports itself, to be marked: nobody wrote that.
        if module != base {
            self.0.borrow_mut().imports.push(Import {
                by: base.into(),
                request: name.to_owned(),
                module: module.clone(),
            });
        }
        Ok(module)
    }
}

impl Loader for Modules {
    fn load<'js>(
        &mut self,
        ctx: &Ctx<'js>,
        name: &str,
        _: Option<ImportAttributes<'js>>,
    ) -> Result<Module<'js, Declared>, Error> {
        if name.starts_with("node:") {
            return written(ctx, name);
        }
        let file = Path::new(name);
        let kind = self.0.borrow_mut().kind(file);
        match kind {
            Ok(Kind::Module) => self.program(ctx, file),
            Ok(Kind::CommonJs | Kind::Json | Kind::Data | Kind::Native) => written(ctx, name),
            Err(refusal) => Err(thrown(ctx, &refusal)?),
        }
    }
}

impl Modules {
    /// The file of an `import`; when there is none, the error says where it is imported.
    fn file(&self, ctx: &Ctx<'_>, base: &str, name: &str) -> Result<String, Error> {
        let by = Path::new(base);
        let request = name.strip_prefix("file://").unwrap_or(name);
        let folder = by.parent().unwrap_or(Path::new("/"));
        // A text that came from nowhere has no folder to be found in.
        if self.0.borrow().sources.contains_key(Path::new(request)) {
            return Ok(request.to_owned());
        }
        let mut answer = host::resolve(folder, request, Asker::Import);
        if let Some(found) = answer.get("ok").and_then(|found| found.as_str()) {
            return Ok(found.to_owned());
        }
        let at = self
            .0
            .borrow_mut()
            .text(by)
            .ok()
            .and_then(|text| syntax::naming(text, name));
        if let Some(object) = answer.as_object_mut() {
            object.insert("at".to_owned(), trace::tell(by, at).into());
        }
        Err(thrown(ctx, &Refusal(answer))?)
    }

    /// A module that is a program of the person's.
    fn program<'js>(&self, ctx: &Ctx<'js>, file: &Path) -> Result<Module<'js, Declared>, Error> {
        let text = super::program(ctx, &self.0, file)?;
        let own = serde_json::Value::from(file.to_string_lossy()).to_string();
        // Behind the last line, so that no line is moved; what it marks is there by then.
        let last = format!(
            "\n;import * as $eco$self from {own};globalThis[{GLUE:?}].loaded($eco$self, {own});"
        );
        let name = file.to_string_lossy().into_owned();
        let module = Module::declare(ctx.clone(), name.clone(), text + &last)?;
        let meta = module.meta()?;
        let folder = file.parent().unwrap_or(Path::new("/")).to_string_lossy();
        let url: Value = function(ctx, "url")?.call((name.as_str(),))?;
        meta.set("url", url)?;
        meta.set("dirname", folder.into_owned())?;
        meta.set("filename", name)?;
        Ok(module)
    }
}

/// A module for what is none: its value as the default export, and its keys as names.
fn written<'js>(ctx: &Ctx<'js>, name: &str) -> Result<Module<'js, Declared>, Error> {
    let keys: Vec<String> = function(ctx, "names")?.call((name,))?;
    let quoted = serde_json::Value::from(name).to_string();
    let value =
        format!("const value = globalThis[{GLUE:?}].value({quoted});\nexport default value;\n");
    let names = keys.iter().enumerate().map(|(index, key)| {
        format!("const ${index} = value.{key};\nexport {{ ${index} as {key} }};\n")
    });
    let text: String = std::iter::once(value).chain(names).collect();
    Module::declare(ctx.clone(), name, text)
}

/// Throws what the host answers when it has nothing to give.
pub(super) fn thrown(ctx: &Ctx<'_>, refusal: &Refusal) -> Result<Error, Error> {
    let exception: Value = function(ctx, "thrown")?.call((refusal.0.to_string(),))?;
    Ok(ctx.throw(exception))
}

fn function<'js>(ctx: &Ctx<'js>, name: &str) -> Result<Function<'js>, Error> {
    ctx.globals().get::<_, Object>(GLUE)?.get(name)
}
