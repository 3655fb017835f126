//! Views as text. Pure: the width, the time zone and everything else that a text depends on is passed in; styles are
//! always in it, and [`crate::ui`] takes them out where they are not wanted.

pub(crate) mod block;
pub(crate) mod changes;
pub(crate) mod describe;
pub(crate) mod event;
pub(crate) mod fields;
pub(crate) mod findings;
pub(crate) mod highlight;
pub(crate) mod json;
pub(crate) mod line;
pub(crate) mod moment;
pub(crate) mod numbers;
pub(crate) mod pm2;
pub(crate) mod quantity;
pub(crate) mod record;
pub(crate) mod stamp;
pub(crate) mod stats;
pub(crate) mod style;
pub(crate) mod table;
pub(crate) mod transcript;
pub(crate) mod variables;
pub(crate) mod watch;
pub(crate) mod why;
