//! One stream: torn, missing and cut off files, borders, and bounds against a naive model.

use std::fs::{self, OpenOptions};

use eco_home::clock;
use eco_home::notes::LATEST;
use eco_home::runs::Stream;
use proptest::collection::vec;
use proptest::prelude::*;
use tempfile::tempdir;

use super::world::{Writer, append, read_all, run_id, shown};
use crate::hot::{Item, Life, Reader, Tail, bound, last_lines, line_start, survey};

fn stream(segments: &[&[(&[u8], u64)]]) -> (tempfile::TempDir, Writer) {
    let runs = tempdir().expect("a folder");
    let writer = Writer::ended(runs.path(), &run_id("api", 1), Stream::Out, segments);
    (runs, writer)
}

fn line(offset: u64, time: u64, text: &str) -> (u64, u64, String) {
    (offset, time, text.to_owned())
}

fn truncate(path: &std::path::Path, length: u64) {
    let file = OpenOptions::new().write(true).open(path).expect("opened");
    file.set_len(length).expect("cut off");
}

#[test]
fn lines_cross_segment_borders_and_have_the_time_of_their_last_byte() {
    let (_runs, writer) = stream(&[
        &[(b"a\nb", 1), (b"b", 2)],
        &[(b"b", 3), (b"b\nc", 4)],
        &[(b"", 4)],
    ]);
    assert_eq!(
        shown(&read_all(&writer.place())),
        [line(0, 1, "a"), line(2, 4, "bbbb"), line(7, 4, "c")]
    );
}

#[test]
fn a_tail_before_an_empty_segment_keeps_its_time() {
    let (_runs, writer) = stream(&[&[(b"abc", 7)], &[]]);
    assert_eq!(shown(&read_all(&writer.place())), [line(0, 7, "abc")]);
}

#[test]
fn bytes_that_no_sound_note_is_about_have_the_time_of_the_file() {
    let (_runs, mut writer) = stream(&[&[(b"a\n", 1)]]);
    writer.write_bytes(b"b\n");
    writer.note(900, 5);
    append(&writer.times(), &[1, 2, 3]);
    let items = shown(&read_all(&writer.place()));
    assert_eq!(items[0], line(0, 1, "a"));
    assert_eq!((items[1].0, items[1].2.as_str()), (2, "b"));
    assert!(
        items[1].1 > 1_000_000_000,
        "the file's time: {}",
        items[1].1
    );
}

#[test]
fn bytes_of_a_living_run_wait_for_their_note() {
    let runs = tempdir().expect("a folder");
    let mut writer = Writer::new(runs.path(), &run_id("api", 1), Stream::Out);
    writer.write(b"a\n", 1);
    writer.write_bytes(b"b\n");
    loop {
        let now = clock::unix();
        writer.change_at(clock::nanos(now));
        let survey = survey(&writer.place()).expect("surveyed");
        // On a host that is very busy they may have become old before they were looked at.
        if clock::unix().saturating_sub(now) < LATEST {
            assert!(survey.held.is_some());
            assert_eq!(survey.end(), 2);
            break;
        }
    }
    writer.note(4, 7);
    let survey = survey(&writer.place()).expect("surveyed");
    assert_eq!((survey.end(), survey.held), (4, None));
    let lines = shown(&read_all(&writer.place()));
    assert_eq!(lines, [line(0, 1, "a"), line(2, 7, "b")]);
}

#[test]
fn bytes_that_no_note_came_for_keep_their_time_when_the_next_keeper_goes_on() {
    let runs = tempdir().expect("a folder");
    let mut writer = Writer::new(runs.path(), &run_id("api", 1), Stream::Out);
    writer.write(b"a\n", 1);
    writer.write_bytes(b"b\n");
    writer.change_at(5);
    let orphan = [line(0, 1, "a"), line(2, 5, "b")];
    assert_eq!(shown(&read_all(&writer.place())), orphan);
    writer.note(4, 5);
    assert_eq!(shown(&read_all(&writer.place())), orphan);
    writer.write(b"c\n", 9);
    assert_eq!(shown(&read_all(&writer.place()))[..2], orphan);
}

#[test]
fn a_living_run_without_notes_is_read_to_its_end() {
    let runs = tempdir().expect("a folder");
    let mut writer = Writer::new(runs.path(), &run_id("api", 1), Stream::Out);
    writer.write(b"a\n", 1);
    fs::write(writer.times(), b"junk").expect("written");
    assert_eq!(survey(&writer.place()).expect("surveyed").end(), 2);
    fs::remove_file(writer.times()).expect("removed");
    assert_eq!(survey(&writer.place()).expect("surveyed").end(), 2);
}

#[test]
fn without_times_or_with_junk_for_a_head_the_lines_are_there() {
    let (_runs, writer) = stream(&[&[(b"a\nb", 1)], &[(b"b\n", 2)]]);
    fs::write(writer.times(), b"junk").expect("written");
    fs::remove_file(writer.times().with_file_name("out.0001.times")).expect("removed");
    let texts: Vec<_> = shown(&read_all(&writer.place()))
        .into_iter()
        .map(|item| item.2)
        .collect();
    assert_eq!(texts, ["a", "bb"]);
}

#[test]
fn empty_and_missing_files_are_an_empty_stream() {
    let (_runs, writer) = stream(&[&[]]);
    assert_eq!(read_all(&writer.place()), []);
    fs::remove_file(writer.segment()).expect("removed");
    assert_eq!(read_all(&writer.place()), []);
    let nowhere = crate::hot::Place::new("/nonexistent".into(), Stream::Err);
    assert_eq!(read_all(&nowhere), []);
    assert_eq!(survey(&nowhere).expect("surveyed").life, Life::Ended);
}

#[test]
fn first_segments_that_are_gone_are_a_gap() {
    let (_runs, writer) = stream(&[&[(b"aaa\nb", 1)], &[(b"b\nc\n", 2)]]);
    fs::remove_file(writer.segment().with_file_name("out.0001")).expect("removed");
    assert_eq!(
        shown(&read_all(&writer.place())),
        [line(0, 0, "<5 gone>"), line(5, 2, "b"), line(7, 2, "c")]
    );
}

#[test]
fn a_segment_that_goes_while_it_is_to_be_read_is_a_gap_and_ends_the_line_before() {
    let (_runs, writer) = stream(&[&[(b"a\nb", 1)], &[(b"xxxx", 2)], &[(b"c\n", 3)]]);
    let survey = survey(&writer.place()).expect("surveyed");
    let end = survey.end();
    let mut reader = Reader::new(writer.place(), survey.extents, 0, end, Tail::Passed);
    let first = reader.read().expect("read").expect("a line");
    fs::remove_file(writer.segment().with_file_name("out.0002")).expect("removed");
    let rest: Vec<_> = std::iter::from_fn(|| reader.read().expect("read")).collect();
    assert_eq!(shown(&[first]), [line(0, 1, "a")]);
    assert_eq!(
        shown(&rest),
        [line(2, 1, "b"), line(3, 0, "<4 gone>"), line(7, 3, "c")]
    );
}

#[test]
fn a_file_cut_off_while_it_is_to_be_read_has_a_clear_end() {
    let (_runs, writer) = stream(&[&[(b"a\nb\nc\n", 1)]]);
    let survey = survey(&writer.place()).expect("surveyed");
    truncate(&writer.segment(), 3);
    let suffix = last_lines(&writer.place(), &survey.extents, 0, 6, 2).expect("read");
    assert_eq!((suffix.start, suffix.lines), (0, 2));
    let mut reader = Reader::new(writer.place(), survey.extents, 0, 6, Tail::Passed);
    let items: Vec<_> = std::iter::from_fn(|| reader.read().expect("read")).collect();
    assert_eq!(
        items
            .iter()
            .map(|item| shown(std::slice::from_ref(item))[0].2.clone())
            .collect::<Vec<_>>(),
        ["a", "b", "<3 gone>"]
    );
}

#[test]
fn a_folder_that_is_new_and_empty_may_still_begin() {
    let runs = tempdir().expect("a folder");
    let folder = run_id("api", 1).folder(runs.path());
    fs::create_dir_all(&folder).expect("made");
    let place = crate::hot::Place::new(folder, Stream::Out);
    assert_eq!(survey(&place).expect("surveyed").life, Life::Unborn);
}

/// Chunks of text with times that rise, cut into segments.
fn segments() -> impl Strategy<Value = Vec<Vec<(Vec<u8>, u64)>>> {
    let byte = prop_oneof![Just(b'\n'), Just(b'x'), Just(b'y')];
    vec(vec((vec(byte, 1..12), 0_u64..3), 0..5), 1..5).prop_map(|mut segments| {
        let mut time = 10;
        for (_, step) in segments.iter_mut().flatten() {
            time += *step;
            *step = time;
        }
        segments
    })
}

/// A stream of those segments, the first `gone` of them deleted.
fn stream_of(segments: &[Vec<(Vec<u8>, u64)>], gone: usize) -> (tempfile::TempDir, Writer) {
    let chunks: Vec<Vec<_>> = segments
        .iter()
        .map(|chunks| {
            chunks
                .iter()
                .map(|(bytes, time)| (bytes.as_slice(), *time))
                .collect()
        })
        .collect();
    let chunks: Vec<_> = chunks.iter().map(Vec::as_slice).collect();
    let (runs, writer) = stream(&chunks);
    for number in 1..=gone.min(segments.len() - 1) {
        fs::remove_file(writer.segment().with_file_name(format!("out.{number:04}")))
            .expect("removed");
    }
    (runs, writer)
}

/// Starts and times of the lines, read from the front.
fn starts(items: &[Item]) -> Vec<(u64, u64)> {
    items
        .iter()
        .filter_map(|item| match item {
            Item::Line { offset, time, .. } => Some((*offset, *time)),
            Item::Gap { .. } => None,
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn the_last_lines_are_those_a_reader_from_the_front_finds(
        segments in segments(), gone in 0_usize..3, wanted in 1_u64..12
    ) {
        let (_runs, writer) = stream_of(&segments, gone);
        let lines = starts(&read_all(&writer.place()));
        let survey = survey(&writer.place()).expect("surveyed");
        let suffix = last_lines(&writer.place(), &survey.extents, survey.start(), survey.end(), wanted)
            .expect("read");
        let expected = &lines[lines.len().saturating_sub(usize::try_from(wanted).expect("small"))..];
        prop_assert_eq!(suffix.lines, expected.len() as u64);
        if let Some((start, _)) = expected.first() {
            prop_assert_eq!(suffix.start, *start);
        }
    }

    #[test]
    fn times_bound_the_lines_a_reader_from_the_front_finds(
        segments in segments(), gone in 0_usize..3, time in 8_u64..30
    ) {
        let (_runs, writer) = stream_of(&segments, gone);
        let lines = starts(&read_all(&writer.place()));
        let survey = survey(&writer.place()).expect("surveyed");
        let end = bound(&writer.place(), &survey.extents, time).expect("read");
        if end < survey.end() {
            let start = line_start(&writer.place(), &survey.extents, 0, end).expect("read");
            let expected = lines.iter().find(|line| line.1 >= time).map(|line| line.0);
            prop_assert_eq!(Some(start), expected);
        } else {
            prop_assert!(lines.iter().all(|line| line.1 < time));
        }
    }
}
