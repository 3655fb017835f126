//! Views as JSON. The field names are those of the views: a contract.

use serde::Serialize;

use crate::view::line::{LogGap, LogLine, Origin, level_name, time};

/// Makes one document, with a newline at its end.
pub(crate) fn document<T: Serialize>(value: &T) -> String {
    let text = serde_json::to_string_pretty(value).expect(
        "the views hold no maps with keys other than text, and no value that cannot be written",
    );
    text + "\n"
}

/// Why bytes are gone: null where nobody knows.
#[derive(Serialize)]
#[serde(untagged)]
enum Why {
    Unknown(()),
    Known(&'static str),
}

#[derive(Serialize)]
struct Entry<'a> {
    time: Option<String>,
    host: &'a str,
    environment: &'a str,
    name: &'a str,
    instance: u32,
    run: u64,
    stream: Option<&'static str>,
    level: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    loss: Option<Why>,
    offset: u64,
    line: Option<&'a str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    continues: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    gap_bytes: Option<u64>,
}

impl<'a> Entry<'a> {
    fn of(origin: &'a Origin, offset: u64) -> Self {
        Self {
            time: None,
            host: &origin.host,
            environment: &origin.environment,
            name: &origin.app,
            instance: origin.instance,
            run: origin.run,
            stream: origin.stream_name(),
            offset,
            line: None,
            level: None,
            continues: false,
            gap_bytes: None,
            loss: None,
        }
    }
}

/// Makes one JSON line of a log line. Bytes that are no UTF-8 are replaced.
pub(crate) fn line(line: &LogLine) -> String {
    let text = String::from_utf8_lossy(&line.text);
    one_line(&Entry {
        time: time(line.time_ns),
        line: Some(&text),
        level: line.level.and_then(level_name),
        continues: line.continues,
        ..Entry::of(&line.origin, line.offset)
    })
}

/// Makes one JSON line of a gap: its `line` is null, `gap_bytes` says how much is gone, and `loss` why, if that is known.
pub(crate) fn gap(gap: &LogGap) -> String {
    one_line(&Entry {
        gap_bytes: Some(gap.bytes),
        loss: Some(gap.loss_name().map_or(Why::Unknown(()), Why::Known)),
        ..Entry::of(&gap.origin, gap.offset)
    })
}

/// Makes one line of a stream of records.
pub(crate) fn one_line<T: Serialize>(entry: &T) -> String {
    let text = serde_json::to_string(entry).expect("texts and numbers can always be written");
    text + "\n"
}

#[cfg(test)]
mod tests {
    use eco_proto::log::v1::{Level, Loss};

    use super::*;

    fn origin() -> Origin {
        Origin {
            host: "box".to_owned(),
            environment: "dev".to_owned(),
            app: "api".to_owned(),
            instance: 1,
            run: 7,
            stream: 2,
        }
    }

    #[test]
    fn a_line_is_one_object_with_the_promised_fields() {
        let shown = line(&LogLine {
            origin: origin().into(),
            offset: 42,
            time_ns: 1_700_000_000_000_000_001,
            text: b"a\xff\"\r".to_vec(),
            continues: false,
            level: Some(Level::Warn),
            joined: false,
        });
        insta::assert_snapshot!(shown, @r#"{"time":"2023-11-14T22:13:20.000000001Z","host":"box","environment":"dev","name":"api","instance":1,"run":7,"stream":"err","level":"warn","offset":42,"line":"a�\"\r"}"#);
    }

    #[test]
    fn a_gap_has_no_line_and_says_how_much_is_gone() {
        let shown = gap(&LogGap {
            origin: origin(),
            offset: 0,
            bytes: 100,
            loss: Loss::Retention,
        });
        insta::assert_snapshot!(shown, @r#"{"time":null,"host":"box","environment":"dev","name":"api","instance":1,"run":7,"stream":"err","level":null,"loss":"retention","offset":0,"line":null,"gap_bytes":100}"#);
    }
}
