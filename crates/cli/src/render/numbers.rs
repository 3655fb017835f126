//! Numbers for scripts.

use std::fmt::Display;

/// Makes a line of each.
pub(crate) fn lines<T: Display>(numbers: &[T]) -> String {
    let lines: Vec<String> = numbers.iter().map(|one| format!("{one}\n")).collect();
    lines.concat()
}
