//! What was written, and what readers tell of it.

use crate::hot::{Item, Loss, Tail};

/// A byte that was written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Byte {
    pub(super) value: u8,
    pub(super) time: u64,
    /// Why it is gone.
    pub(super) gone: Option<Loss>,
    /// Why it was to go before it went.
    pub(super) told: Option<Loss>,
}

/// What comes of reading, gaps included: offset, time, text or the length of the gap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Told {
    Line(u64, u64, String),
    Gap(u64, u64, Loss),
}

pub(super) fn told(items: &[Item]) -> Vec<Told> {
    let told = items.iter().map(|item| match item {
        Item::Line {
            offset, time, text, ..
        } => Told::Line(*offset, *time, String::from_utf8_lossy(text).into_owned()),
        Item::Gap {
            offset,
            bytes,
            loss,
        } => Told::Gap(*offset, *bytes, *loss),
    });
    told.collect()
}

/// What a reader tells, which goes on where it stopped.
#[derive(Clone, Debug, Default)]
pub(super) struct Telling {
    pub(super) at: usize,
    /// A line that is not complete: where it begins, and what is there of it.
    pub(super) begun: Option<(u64, Vec<u8>)>,
}

impl Telling {
    pub(super) fn from(at: usize) -> Self {
        Self { at, begun: None }
    }

    /// Reads `bytes` to their end; a last line without an end is one if nothing will come.
    pub(super) fn go_on(&mut self, bytes: &[Byte], tail: Tail) -> Vec<Told> {
        let mut told: Vec<Told> = Vec::new();
        let mut time = 0;
        while let Some(byte) = bytes.get(self.at) {
            let offset = self.at as u64;
            self.at += 1;
            if let Some(loss) = byte.gone {
                // The line ends with what was there of it.
                let before = bytes
                    .get(self.at.wrapping_sub(2))
                    .map_or(0, |last| last.time);
                told.extend(self.cut(time.max(before)));
                match told.last_mut() {
                    Some(Told::Gap(from, length, why))
                        if *from + *length == offset && *why == loss =>
                    {
                        *length += 1;
                    }
                    _ => told.push(Told::Gap(offset, 1, loss)),
                }
                continue;
            }
            time = byte.time;
            if byte.value == b'\n' {
                let (begins, text) = self.begun.take().unwrap_or((offset, Vec::new()));
                told.push(line(begins, byte.time, &text));
            } else {
                let (_, text) = self.begun.get_or_insert((offset, Vec::new()));
                text.push(byte.value);
            }
        }
        if tail == Tail::Passed {
            let last = bytes.last().map_or(0, |last| last.time);
            told.extend(self.cut(last));
        }
        told
    }

    pub(super) fn cut(&mut self, time: u64) -> Option<Told> {
        let (begins, text) = self.begun.take()?;
        Some(line(begins, time, &text))
    }
}

/// A follower who read a part of a line before that part and what came behind it was flushed knows not when it came.
pub(super) fn without_cut_times(mut told: Vec<Told>, bytes: &[Byte]) -> Vec<Told> {
    for index in 1..told.len() {
        if let [Told::Line(_, time, _), Told::Gap(..)] = &mut told[index - 1..=index] {
            *time = 0;
        }
    }
    let is_end_gone = bytes.last().is_some_and(|last| last.gone.is_some());
    if let (Some(Told::Line(_, time, _)), true) = (told.last_mut(), is_end_gone) {
        *time = 0;
    }
    told
}

pub(super) fn line(offset: u64, time: u64, text: &[u8]) -> Told {
    Told::Line(offset, time, String::from_utf8_lossy(text).into_owned())
}
