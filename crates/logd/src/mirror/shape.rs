//! A line of an app as it stands in a file: pure.
//!
//! - A raw line is its bytes, whatever they are; what stands before it stands once, also where the line is so long that it
//!   comes in pieces.
//! - A line always ends with a newline: the last words of a run do not run into the first ones of the next.

use eco_home::runs::Stream;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use serde::Serialize;

use super::moment;
use crate::settings::Shape;

/// A line, or a piece of one, and where it is from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece<'a> {
    pub(super) app: &'a str,
    pub(super) instance: u32,
    pub(super) run: u64,
    pub(super) stream: Stream,
    /// Unix ns.
    pub(super) time: u64,
    pub(super) text: &'a [u8],
    /// Whether it goes on with the line of the piece before it.
    pub(super) is_rest: bool,
    /// Whether the line goes on in the next piece.
    pub(super) continues: bool,
}

/// PM2's object, and where the line is from.
#[derive(Serialize)]
struct Object<'a> {
    message: &'a str,
    timestamp: String,
    #[serde(rename = "type")]
    stream: &'static str,
    process_id: u32,
    app_name: &'a str,
    instance: u32,
    run: u64,
    #[serde(skip_serializing_if = "is_false")]
    continues: bool,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde asks for"
)]
const fn is_false(value: &bool) -> bool {
    !*value
}

/// Appends what stands in the file for `piece`.
pub(super) fn write(shape: &Shape, piece: &Piece<'_>, zone: &TimeZone, buffer: &mut Vec<u8>) {
    let moment = || moment_of(piece.time, zone);
    if shape.json {
        let timestamp = match &shape.date_format {
            Some(format) => moment::format(format, &moment()),
            None => Timestamp::from_nanosecond(piece.time.into())
                .map_or_else(|_| String::new(), |at| format!("{at:.3}")),
        };
        let object = Object {
            message: &String::from_utf8_lossy(piece.text),
            timestamp,
            stream: piece.stream.stem(),
            process_id: piece.instance,
            app_name: piece.app,
            instance: piece.instance,
            run: piece.run,
            continues: piece.continues,
        };
        let json = serde_json::to_string(&object).expect("texts and numbers are JSON");
        buffer.extend_from_slice(json.as_bytes());
        buffer.push(b'\n');
        return;
    }
    if let (Some(format), false) = (&shape.date_format, piece.is_rest) {
        buffer.extend_from_slice(moment::format(format, &moment()).as_bytes());
        buffer.extend_from_slice(b": ");
    }
    buffer.extend_from_slice(piece.text);
    if !piece.continues {
        buffer.push(b'\n');
    }
}

fn moment_of(nanos: u64, zone: &TimeZone) -> Zoned {
    Timestamp::from_nanosecond(nanos.into())
        .unwrap_or(Timestamp::MAX)
        .to_zoned(zone.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PIECE: Piece<'_> = Piece {
        app: "api",
        instance: 1,
        run: 7,
        stream: Stream::Err,
        time: 1_700_000_000_123_456_789,
        text: b"a \xff\"b",
        is_rest: false,
        continues: false,
    };

    fn written(json: bool, format: Option<&str>, piece: &Piece<'_>) -> Vec<u8> {
        let shape = Shape {
            json,
            date_format: format.map(str::to_owned),
        };
        let mut buffer = Vec::new();
        write(&shape, piece, &TimeZone::UTC, &mut buffer);
        buffer
    }

    #[test]
    fn a_raw_line_is_its_bytes_and_a_newline() {
        assert_eq!(written(false, None, &PIECE), b"a \xff\"b\n");
    }

    #[test]
    fn a_time_stands_once_before_a_line_in_pieces() {
        let first = Piece {
            continues: true,
            ..PIECE
        };
        let rest = Piece {
            is_rest: true,
            ..PIECE
        };
        let mut line = written(false, Some("HH:mm"), &first);
        line.extend(written(false, Some("HH:mm"), &rest));
        assert_eq!(line, b"22:13: a \xff\"ba \xff\"b\n");
    }

    #[test]
    fn an_object_says_where_the_line_is_from() {
        let json = String::from_utf8(written(true, None, &PIECE)).expect("text");
        assert_eq!(
            json,
            "{\"message\":\"a \u{fffd}\\\"b\",\"timestamp\":\"2023-11-14T22:13:20.123Z\",\"type\":\"err\",\
             \"process_id\":1,\"app_name\":\"api\",\"instance\":1,\"run\":7}\n"
        );
        let json = String::from_utf8(written(true, Some("YYYY"), &PIECE)).expect("text");
        assert!(json.contains("\"timestamp\":\"2023\""), "{json}");
    }
}
