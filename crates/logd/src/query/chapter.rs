//! A source's part of the history.

use std::rc::Rc;

use super::merge::{Head, Lane};
use super::source::Source;
use crate::hot::{HotError, Item, Reader};

/// A range of a source. Its files are open only while it is the turn of its lines: of thousands of runs few overlap.
#[derive(Debug)]
pub(super) struct Chapter {
    source: Rc<Source>,
    begins: u64,
    reader: Option<Reader>,
}

impl Chapter {
    /// What `reader` reads, none of it older than `begins`.
    pub(super) const fn new(source: Rc<Source>, begins: u64, reader: Reader) -> Self {
        Self {
            source,
            begins,
            reader: Some(reader),
        }
    }

    pub(super) fn source(&self) -> &Source {
        &self.source
    }
}

impl Lane for Chapter {
    type Item = Item;
    type Error = HotError;

    fn begins(&self) -> Option<u64> {
        Some(self.begins)
    }

    fn advance(&mut self) -> Result<Option<Head<Item>>, HotError> {
        let item = match &mut self.reader {
            Some(reader) => reader.read()?,
            None => None,
        };
        if item.is_none() {
            self.reader = None;
        }
        Ok(item.map(|item| item.into_head(&mut self.begins)))
    }
}

impl Item {
    /// Orders it by its time; a gap by what came before it, which `last` remembers.
    pub(crate) const fn into_head(self, last: &mut u64) -> Head<Self> {
        let continues = match self {
            Self::Line {
                time, continues, ..
            } => {
                *last = time;
                continues
            }
            Self::Gap { .. } => false,
        };
        Head {
            time: *last,
            continues,
            item: self,
        }
    }
}
