//! A file written as an app would, with one part of it apart in time from the rest: so that there is a range to ask for.

use std::fs;
use std::io::{Seek as _, SeekFrom};
use std::path::Path;
use std::time::Duration;

use super::output;
use crate::clock;
use crate::failure::Failure;

/// What lies between the part and the rest: more than times are inexact by.
const APART: Duration = Duration::from_millis(300);

/// Writes `file`; the bytes from `from` to `to` apart, and when that was to `marks`, in unix ms.
pub(super) fn run(file: &Path, from: u64, to: u64, marks: &Path) -> Result<(), Failure> {
    copy(file, 0, from)?;
    clock::pause(APART);
    let since = eco_home::clock::unix();
    clock::pause(APART / 3);
    copy(file, from, to)?;
    clock::pause(APART);
    let until = eco_home::clock::unix();
    clock::pause(APART / 3);
    let text = format!("{} {}\n", since.as_millis(), until.as_millis());
    fs::write(marks, text).map_err(Failure::at("write", marks))?;
    copy(file, to, u64::MAX)
}

fn copy(path: &Path, from: u64, to: u64) -> Result<(), Failure> {
    use std::io::Read as _;
    let mut file = fs::File::open(path).map_err(Failure::at("open", path))?;
    let sought = file.seek(SeekFrom::Start(from));
    sought.map_err(Failure::at("read", path))?;
    let copied = std::io::copy(&mut file.take(to - from), &mut output()?);
    copied
        .map(drop)
        .map_err(|error| Failure::new("write the file", error))
}
