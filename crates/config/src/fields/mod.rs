//! Every field of an ecosystem file, as data: one table, and all that speaks of fields comes from it.
//!
//! ```text
//!             ┌─▶ raw     which keys are known, by which names
//!   table ────┼─▶ parse   what a value should have been, in messages
//!             ├─▶ schema  JSON Schema, for editors and `eco schema`
//!             └─▶ reference  docs/configuration.md
//! ```
//!
//! A field stands in the file of its group. Tests hold the table to what is parsed: each field that is acted on is asked
//! for, and each default is what comes out when the field is left away.

mod instances;
mod limits;
mod logs;
mod name;
mod probe;
mod program;
mod readiness;
mod restart;
mod stop;
mod variables;
mod watch;
mod without_effect;

#[cfg(test)]
mod tests;

pub(crate) use name::{camel, snake};

/// What this version does with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It shapes the app.
    ActedOn,
    /// Others act on it and this version does not, and says so.
    NotActedOn,
    /// There is nothing to act on, and this is why.
    NoEffect(&'static str),
}

/// What may stand in a field.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// Any text but an empty one.
    Text,
    /// Any text.
    AnyText,
    /// `true` or `false`.
    Flag,
    /// A whole number not below this, or a text of one.
    Whole(i64),
    /// A number from 0.
    Number,
    /// A port, or a text of one.
    Port,
    /// A number of a user, or a name.
    Account,
    /// A time, also none.
    Duration,
    /// A number of bytes.
    Size,
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// Texts or numbers in a list, or one text.
    Words,
    /// Variables by name.
    Variables,
    /// Each of the items, in a list.
    List(&'static Shape),
    /// The same under each of any keys.
    Keyed(&'static Shape),
    /// Fields of its own.
    Object(Table),
    /// One of several shapes.
    Either(&'static [Shape]),
    /// Whatever it is.
    Anything,
}

impl Shape {
    /// What a value should have been, in words.
    const fn expected(self) -> &'static str {
        match self {
            Self::Text | Self::AnyText => "a text",
            Self::Flag => "true or false",
            Self::Whole(1) => "a number from 1",
            Self::Whole(_) => "a number from 0",
            Self::Number => "a number from 0",
            Self::Port => "a port",
            Self::Account => "a name or a number",
            Self::Duration => "milliseconds, or a time such as \"10s\"",
            Self::Size => "a size such as \"200M\", or a number of bytes",
            Self::Words => "a list of texts, or one text",
            Self::Variables => "an object of variables",
            Self::Object(_) | Self::Keyed(_) => "an object",
            Self::List(_) => "a list",
            Self::OneOf(_) | Self::Either(_) | Self::Anything => "another value",
        }
    }
}

/// What is so when a field is left away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absent {
    /// The same as with this value, written as JSON.
    Json(&'static str),
    /// What these words say.
    Words(&'static str),
    /// Nothing comes of it.
    Nothing,
}

/// A field: what it is called, what may stand in it, and what it does.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    name: &'static str,
    aliases: &'static [&'static str],
    standing: Standing,
    shape: Shape,
    expected: &'static str,
    absent: Absent,
    about: &'static str,
}

impl Field {
    const fn new(
        name: &'static str,
        standing: Standing,
        shape: Shape,
        about: &'static str,
    ) -> Self {
        Self {
            name,
            aliases: &[],
            standing,
            shape,
            expected: shape.expected(),
            absent: Absent::Nothing,
            about,
        }
    }

    /// With other names.
    const fn also(self, aliases: &'static [&'static str]) -> Self {
        Self { aliases, ..self }
    }

    /// With other words for what may stand in it.
    const fn expecting(self, expected: &'static str) -> Self {
        Self { expected, ..self }
    }

    /// With a value, as JSON, that is as good as none.
    const fn default(self, json: &'static str) -> Self {
        let absent = Absent::Json(json);
        Self { absent, ..self }
    }

    /// With what is so without it, in words.
    const fn otherwise(self, words: &'static str) -> Self {
        let absent = Absent::Words(words);
        Self { absent, ..self }
    }

    /// Its name; the camelCase form is understood as well.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Its other names, and their camelCase forms.
    #[must_use]
    pub const fn aliases(&self) -> &'static [&'static str] {
        self.aliases
    }

    /// What is done with it.
    #[must_use]
    pub const fn standing(&self) -> Standing {
        self.standing
    }

    /// What may stand in it.
    #[must_use]
    pub const fn shape(&self) -> Shape {
        self.shape
    }

    /// The same in words that fit after "expected".
    #[must_use]
    pub const fn expected(&self) -> &'static str {
        self.expected
    }

    /// What is so without it.
    #[must_use]
    pub const fn absent(&self) -> Absent {
        self.absent
    }

    /// What it does, in a sentence or two.
    #[must_use]
    pub const fn about(&self) -> &'static str {
        self.about
    }

    /// Its name and its other names.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }
}

/// A field that is acted on.
const fn acted(name: &'static str, shape: Shape, about: &'static str) -> Field {
    Field::new(name, Standing::ActedOn, shape, about)
}

const fn unacted(name: &'static str, shape: Shape, about: &'static str) -> Field {
    Field::new(name, Standing::NotActedOn, shape, about)
}

/// Fields that belong together.
#[derive(Debug)]
pub struct Group {
    /// What they are about.
    pub title: &'static str,
    /// What there is to say of all of them.
    pub about: &'static str,
    /// The fields.
    pub fields: &'static [Field],
}

/// The fields of one kind of object.
#[derive(Clone, Copy, Debug)]
pub struct Table(&'static [Group]);

/// The fields of an app.
pub const APP: Table = Table(&[
    program::GROUP,
    instances::GROUP,
    variables::GROUP,
    readiness::GROUP,
    restart::GROUP,
    stop::GROUP,
    limits::GROUP,
    watch::GROUP,
    logs::GROUP,
    without_effect::GROUP,
]);

/// What stands beside the apps of a file.
pub const BESIDE_APPS: &[Field] = &[
    Field::new(
        "deploy",
        Standing::NotActedOn,
        Shape::Anything,
        "PM2's deployment over ssh.",
    ),
    Field::new(
        "static",
        Standing::NotActedOn,
        Shape::Anything,
        "PM2's file server: run one as an app instead.",
    ),
];

impl Table {
    /// Its groups, in the order in which they are told.
    #[must_use]
    pub const fn groups(self) -> &'static [Group] {
        self.0
    }

    /// Its fields.
    pub fn fields(self) -> impl Iterator<Item = &'static Field> {
        self.0.iter().flat_map(|group| group.fields)
    }

    /// The field of this name.
    #[must_use]
    pub fn field(self, name: &str) -> Option<&'static Field> {
        self.fields().find(|field| field.name == name)
    }

    /// The field that a key of a file means.
    #[must_use]
    pub fn meant_by(self, key: &str) -> Option<&'static Field> {
        let snake = snake(key);
        self.fields()
            .find(|field| field.names().any(|name| name == key || name == snake))
    }
}

pub use limits::LIMITS;
pub use logs::LOG_ROTATE;
pub use probe::{HTTP, LIVENESS, READINESS};
pub use readiness::DEPENDENCY;
pub use watch::WATCH_OPTIONS;
