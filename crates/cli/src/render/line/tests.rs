use super::*;
use crate::render::highlight::Case;

fn line(environment: &str, app: &str, instance: u32, text: &str) -> LogLine {
    LogLine {
        origin: Arc::new(Origin {
            host: "box".to_owned(),
            environment: environment.to_owned(),
            app: app.to_owned(),
            instance,
            run: 1,
            stream: 1,
        }),
        offset: 0,
        time_ns: 1_700_000_000_123_456_789,
        text: text.as_bytes().to_vec(),
        continues: false,
        level: None,
        joined: false,
    }
}

fn joined(line: LogLine) -> LogLine {
    LogLine {
        joined: true,
        ..line
    }
}

fn sheet(lines: &[LogLine], readers: Readers) -> Sheet {
    let mut labels = Labels::default();
    for line in lines {
        let origin = &line.origin;
        labels.add(&origin.environment, &origin.app, origin.instance);
    }
    Sheet {
        labels,
        readers,
        ..Sheet::plain(&TimeZone::UTC)
    }
}

fn written(sheet: &mut Sheet, lines: &[LogLine]) -> String {
    let mut out = String::new();
    for line in lines {
        sheet.line(line, &mut out);
    }
    out
}

fn shown(lines: &[LogLine], readers: Readers) -> String {
    let text = written(&mut sheet(lines, readers), lines);
    anstream::adapter::strip_str(&text).to_string()
}

#[test]
fn one_environment_needs_no_prefix() {
    let lines = [
        line("dev", "api", 0, "up"),
        line("dev", "mds-fetcher", 0, "3 prices\r"),
    ];
    insta::assert_snapshot!(shown(&lines, Readers::Pipes), @r"
    22:13:20.123 api         | up
    22:13:20.123 mds-fetcher | 3 prices
    ");
}

#[test]
fn several_environments_and_slots_are_told_apart() {
    let lines = [
        line("dev", "api", 0, "a"),
        line("production", "api", 0, "b"),
        line("production", "api", 1, "c"),
    ];
    insta::assert_snapshot!(shown(&lines, Readers::Pipes), @r"
    22:13:20.123 dev/api          | a
    22:13:20.123 production/api#0 | b
    22:13:20.123 production/api#1 | c
    ");
}

#[test]
fn what_belongs_to_a_record_stands_under_it_unless_another_app_came_between() {
    let lines = [
        line("dev", "api", 0, "Error: boom"),
        joined(line("dev", "api", 0, "    at a.js:1")),
        line("dev", "web", 0, "hello"),
        joined(line("dev", "api", 0, "    at b.js:2")),
    ];
    insta::assert_snapshot!(shown(&lines, Readers::People), @r"
    22:13:20.123 api | Error: boom
                     |     at a.js:1
    22:13:20.123 web | hello
    22:13:20.123 api |     at b.js:2
    ");
    let piped = shown(&lines, Readers::Pipes);
    assert!(
        piped.lines().all(|line| line.contains("22:13:20")),
        "{piped}"
    );
}

#[test]
fn json_is_pretty_for_people_and_untouched_for_pipes() {
    let json = r#"{"level":50,"msg":"no","stack":"a\nb","x":1}"#;
    let lines = [LogLine {
        level: Some(Level::Error),
        ..line("dev", "api", 0, json)
    }];
    insta::assert_snapshot!(shown(&lines, Readers::People), @r"
    22:13:20.123 api | ERROR no x=1
                     | a
                     | b
    ");
    assert!(shown(&lines, Readers::Pipes).ends_with(&format!("| {json}\n")));
}

#[test]
fn a_grave_line_has_a_colour_unless_it_has_colours_of_its_own() {
    let grave = |text: &str| LogLine {
        level: Some(Level::Error),
        ..line("dev", "api", 0, text)
    };
    let lines = [grave("plain")];
    let text = written(&mut sheet(&lines, Readers::People), &lines);
    assert!(text.contains("\x1b[31mplain\x1b[0m"), "{text:?}");
    let lines = [grave("\x1b[32mown\x1b[0m")];
    let text = written(&mut sheet(&lines, Readers::People), &lines);
    assert!(text.ends_with(" \x1b[32mown\x1b[0m\n"), "{text:?}");
}

#[test]
fn words_stand_out_within_the_colour_of_a_line() {
    let lines = [line("dev", "api", 0, "a word")];
    let mut sheet = sheet(&lines, Readers::People);
    sheet.highlight = Highlight::new(&["word".to_owned()], Case::Heeded);
    let text = written(&mut sheet, &lines);
    assert!(text.ends_with(" a \x1b[7mword\x1b[27m\n"), "{text:?}");
}

#[test]
fn times_and_names_can_be_left_out_each_by_itself() {
    let lines = [line("dev", "api", 0, "x")];
    let strip = |text: String| anstream::adapter::strip_str(&text).to_string();
    let mut bare = sheet(&lines, Readers::Pipes);
    bare.names = Names::Hidden;
    assert_eq!(strip(written(&mut bare, &lines)), "22:13:20.123 x\n");
    bare.stamps = None;
    assert_eq!(written(&mut bare, &lines), "x\n");
}

#[test]
fn a_label_is_found_again_after_another_came_into_view() {
    let lines = [line("dev", "api", 0, "x")];
    let mut sheet = sheet(&lines, Readers::Pipes);
    let before = written(&mut sheet, &lines);
    sheet.labels.add("production", "api", 0);
    let after = written(&mut sheet, &lines);
    assert!(before.contains("api") && !before.contains("dev/api"));
    assert!(after.contains("dev/api       "), "{after}");
}

#[test]
fn every_loss_is_told_with_its_size_its_app_and_its_reason() {
    let lines = [line("dev", "api", 0, "x")];
    let mut sheet = sheet(&lines, Readers::Pipes);
    let mut out = String::new();
    for loss in [
        Loss::Retention,
        Loss::Flushed,
        Loss::Damaged,
        Loss::Overflow,
        Loss::Behind,
        Loss::Unspecified,
    ] {
        let gap = LogGap {
            origin: lines[0].origin.as_ref().clone(),
            offset: 0,
            bytes: 12_595,
            loss,
        };
        sheet.gap(&gap, &mut out);
    }
    insta::assert_snapshot!(anstream::adapter::strip_str(&out), @r"
    --:--:--.--- api | … 12.3 KiB of api are no longer kept (retention)
    --:--:--.--- api | … 12.3 KiB of api were removed (flushed)
    --:--:--.--- api | … 12.3 KiB of api were damaged on disk and put aside (damaged)
    --:--:--.--- api | … 12.3 KiB of api found no room on the disk (overflow)
    --:--:--.--- api | … 12.3 KiB of api were passed over: this reader is too slow (behind)
    --:--:--.--- api | … 12.3 KiB of api are no longer there
    ");
}

#[test]
fn an_event_stands_among_the_lines_under_the_same_label() {
    let lines = [line("dev", "api", 0, "x")];
    let mut sheet = sheet(&lines, Readers::Pipes);
    let event = crate::view::event::happened(eco_proto::agent::v1::Event {
        at_ns: 1_700_000_000_123_456_789,
        environment: "dev".to_owned(),
        name: "api".to_owned(),
        instance: Some(0),
        run: 3,
        kind: eco_proto::agent::v1::EventKind::Exited.into(),
        cause: "killed by SIGKILL".to_owned(),
        ..eco_proto::agent::v1::Event::default()
    });
    let mut out = String::new();
    sheet.event(&event, &mut out);
    sheet.names = Names::Hidden;
    sheet.event(&event, &mut out);
    insta::assert_snapshot!(anstream::adapter::strip_str(&out), @r"
    22:13:20.123 api * exited: run 3, killed by SIGKILL
    22:13:20.123 * api exited: run 3, killed by SIGKILL
    ");
}
