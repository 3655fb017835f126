//! Output that a log engine must bear: lines without an end, binary bytes, half of a character, and plenty of it.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use super::{await_word, output};
use crate::clock;
use crate::failure::Failure;
use crate::options::unknown;

/// What there is.
pub(crate) const KINDS: [&str; 5] = ["lines", "endless", "binary", "broken", "long"];

/// Waits for its word, then writes `rate` bytes a second, in pieces, for `span`.
pub(super) fn run(kind: &str, rate: u64, span: Duration, go: &Path) -> Result<(), Failure> {
    let mut output = output()?;
    let piece = piece(kind)?;
    let size = piece.len() as u64;
    await_word(File::open(go).map_err(Failure::at("open", go))?)?;
    let (begun, mut written) = (clock::ticks(), 0);
    let end = begun + eco_home::clock::nanos(span);
    loop {
        let now = clock::ticks();
        if now > end {
            return Ok(());
        }
        let due = (now - begun) / 1000 * rate / 1_000_000;
        while written < due {
            let done = output.write_all(&piece);
            done.map_err(|error| Failure::new("write noise", error))?;
            written += size;
        }
        clock::pause(Duration::from_millis(5));
    }
}

fn piece(kind: &str) -> Result<Vec<u8>, Failure> {
    let kilobyte = |byte: u8| vec![byte; 1024];
    match kind {
        "lines" => Ok(b"an ordinary line of a service, a hundred bytes or so, with nothing in it that anybody would look for\n".repeat(10)),
        // Never a newline.
        "endless" => Ok(kilobyte(b'e').repeat(8)),
        "binary" => Ok((0..=255).cycle().take(4096).collect()),
        // Continuations without a beginning, and the other way round.
        "broken" => Ok([&[0xe2, 0x82, 0xf0, 0x9f, 0xff, b'a'][..]; 100].concat().into_iter().chain(*b"\n").collect()),
        // A newline now and then, with megabytes between.
        "long" => Ok([kilobyte(b'l').repeat(2048), vec![b'\n']].concat()),
        _ => Err(unknown(kind)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_something_and_no_other_is() {
        for kind in KINDS {
            assert!(!piece(kind).expect("known").is_empty());
        }
        piece("silence").expect_err("unknown");
    }
}
