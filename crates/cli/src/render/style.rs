//! Colours, by meaning.

use anstyle::{AnsiColor, Color, Style};
use eco_proto::log::v1::Level;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();

/// Colours that tell sources apart: neither red, which is for errors, nor hard to read on any background.
const PALETTE: [AnsiColor; 5] = [
    AnsiColor::Cyan,
    AnsiColor::Green,
    AnsiColor::Magenta,
    AnsiColor::Blue,
    AnsiColor::Yellow,
];

const fn color(color: AnsiColor) -> Style {
    Style::new().fg_color(Some(Color::Ansi(color)))
}

pub(crate) fn paint(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// A heading of what went wrong.
pub(crate) fn error(text: &str) -> String {
    paint(color(AnsiColor::Red).bold(), text)
}

/// A heading of what to look at.
pub(crate) fn warning(text: &str) -> String {
    paint(color(AnsiColor::Yellow).bold(), text)
}

/// A heading of what to do.
pub(crate) fn hint(text: &str) -> String {
    paint(color(AnsiColor::Cyan).bold(), text)
}

/// What went well.
pub(crate) fn success(text: &str) -> String {
    paint(color(AnsiColor::Green), text)
}

/// What matters less.
pub(crate) fn dim(text: &str) -> String {
    paint(DIM, text)
}

/// What matters more.
pub(crate) fn bold(text: &str) -> String {
    paint(BOLD, text)
}

/// The style of a status, or of a verdict on an instance's health.
pub(crate) fn of_status(status: &str) -> Style {
    match status {
        "online" => color(AnsiColor::Green).bold(),
        "healthy" => color(AnsiColor::Green),
        "errored" | "unhealthy" => color(AnsiColor::Red).bold(),
        "stopped" => color(AnsiColor::Red),
        _ => color(AnsiColor::Yellow),
    }
}

/// The style of how grave a record is.
pub(crate) const fn of_level(level: Level) -> Style {
    match level {
        Level::Fatal => color(AnsiColor::Red).bold(),
        Level::Error => color(AnsiColor::Red),
        Level::Warn => color(AnsiColor::Yellow),
        Level::Info | Level::Unspecified => Style::new(),
        Level::Debug | Level::Trace => DIM,
    }
}

/// The style of a source: always the same for the same name.
pub(crate) fn of_source(name: &str) -> Style {
    // FNV-1a: any spread will do that does not change between runs.
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let chosen = PALETTE
        .iter()
        .cycle()
        .nth(usize::try_from(hash % 5).unwrap_or(0));
    color(chosen.copied().unwrap_or(AnsiColor::Cyan))
}
