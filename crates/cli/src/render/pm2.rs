//! Lines as PM2 writes them with `--format`: `timestamp=… app=… id=… type=… message=…`. The message is the rest of the line, as
//! it is.

use super::stamp::Stamps;
use crate::view::event::Happened;
use crate::view::line::LogLine;

/// Writes a line to the end of `out`; `id`: of its instance, if the agent knows it.
pub(crate) fn line(line: &LogLine, id: Option<u64>, stamps: &mut Stamps, out: &mut String) {
    let stream = line.origin.stream_name().unwrap_or("unknown");
    head(line.time_ns, &line.origin.app, id, stream, stamps, out);
    let text = String::from_utf8_lossy(&line.text);
    out.push_str(text.strip_suffix('\r').unwrap_or(&text));
    out.push('\n');
}

/// Writes what happened to the end of `out`.
pub(crate) fn event(
    event: &Happened,
    details: &str,
    id: Option<u64>,
    stamps: &mut Stamps,
    out: &mut String,
) {
    head(event.at_ns, &event.name, id, "event", stamps, out);
    for part in [event.event, ": ", details, "\n"] {
        out.push_str(part);
    }
}

fn head(
    time_ns: u64,
    app: &str,
    id: Option<u64>,
    kind: &str,
    stamps: &mut Stamps,
    out: &mut String,
) {
    let id = id.map_or_else(|| "-".to_owned(), |id| id.to_string());
    out.push_str("timestamp=");
    stamps.write(time_ns, out);
    for part in [" app=", app, " id=", &id, " type=", kind, " message="] {
        out.push_str(part);
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;
    use crate::render::stamp::Form;
    use crate::view::line::Origin;

    #[test]
    fn a_line_is_a_row_of_names_and_values() {
        let log = LogLine {
            origin: Origin {
                host: "box".to_owned(),
                environment: "dev".to_owned(),
                app: "api".to_owned(),
                instance: 0,
                run: 1,
                stream: 2,
            }
            .into(),
            offset: 0,
            time_ns: 1_700_000_000_123_456_789,
            text: b"a = b\r".to_vec(),
            continues: false,
            level: None,
            joined: false,
        };
        let mut stamps = Stamps::new(Form::Full, TimeZone::UTC);
        let mut out = String::new();
        line(&log, Some(3), &mut stamps, &mut out);
        line(&log, None, &mut stamps, &mut out);
        insta::assert_snapshot!(out, @r"
        timestamp=2023-11-14T22:13:20.123+00:00 app=api id=3 type=err message=a = b
        timestamp=2023-11-14T22:13:20.123+00:00 app=api id=- type=err message=a = b
        ");
    }
}
