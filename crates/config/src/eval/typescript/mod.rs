//! TypeScript: a program is given to the engine without its types, and where something is in it is told as in the file.
//!
//! ```text
//! text ─▶ oxc: parse, take types and unused imports away, make enums objects, print ─▶ code for the engine
//!                                                                            └─▶ places: of the code ─▶ of the text
//! ```
//!
//! Types are not checked: that is for an editor and for `tsc`.

#[cfg(feature = "typescript")]
mod oxc;
mod places;

use crate::data::Malformed;
use crate::format::Modules;

pub(super) use places::Places;

/// A program without its types.
#[derive(Debug)]
pub(super) struct Stripped {
    /// For the engine.
    pub(super) code: String,
    /// From the code back to the text.
    pub(super) places: Places,
}

/// Takes the types away.
#[cfg(feature = "typescript")]
pub(super) fn strip(text: &str, modules: Modules) -> Result<Stripped, Malformed> {
    oxc::strip(text, modules)
}

/// Whether a text is a program by the rules of today's JavaScript and of its modules: then a failure to compile it is the engine's.
#[cfg(feature = "typescript")]
pub(super) fn is_javascript(text: &str, modules: Modules) -> bool {
    oxc::is_javascript(text, modules)
}

/// Takes no types away: the feature is off.
#[cfg(not(feature = "typescript"))]
pub(super) fn strip(_: &str, _: Modules) -> Result<Stripped, Malformed> {
    Err(Malformed {
        message: "this eco was built without TypeScript".to_owned(),
        at: None,
    })
}

/// Knows no rules: the feature is off.
#[cfg(not(feature = "typescript"))]
pub(super) fn is_javascript(_: &str, _: Modules) -> bool {
    false
}
