//! What a search passes over of sealed segments is nothing that it would have found.

use std::fs;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use eco_home::runs::Stream;
use proptest::collection::vec;
use proptest::prelude::*;
use tempfile::tempdir;

use super::records::{Asked, asked, asking, nothing, script, tell, write};
use super::sealed::seal_all;
use super::world::{Writer, run_id};
use crate::cold::Sealed;
use crate::disk::Real;
use crate::hot::{self, Place};
use crate::query::Query;
use crate::record::NEAR;

fn place(runs: &Path, app: &str, stream: Stream) -> Place {
    Place::new(run_id(app, 1).folder(runs), stream)
}

/// The sealed segments of a stream.
fn sealed(place: &Place) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(place.folder()).expect("listed");
    let paths = entries.map(|entry| entry.expect("listed").path());
    let mut sealed: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|ending| ending == "sealed"))
        .collect();
    sealed.sort();
    sealed
}

/// Where the filter of a sealed segment begins, behind the heads of all blocks.
fn filter(path: &Path) -> (usize, usize) {
    let bytes = fs::read(path).expect("read");
    let tail = bytes.len() - 80;
    let index = u64::from_le_bytes(bytes[tail + 48..tail + 56].try_into().expect("eight"));
    let blocks = Sealed::open(path)
        .expect("read")
        .expect("there")
        .blocks()
        .len();
    (usize::try_from(index).expect("small") + blocks * 64, tail)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, max_shrink_time: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn the_answer_is_the_one_of_hot_files_and_damage_to_filters_hides_nothing(
        scripts in vec(script(), 1..4),
        asked in asked(),
        wanted in proptest::option::of(0_usize..8),
        range in proptest::option::of((0..20 * NEAR, 0..30 * NEAR)),
        order in any::<bool>(),
        damaged in any::<prop::sample::Index>(),
    ) {
        let home = tempdir().expect("a folder");
        let streams = [("api", Stream::Out), ("api", Stream::Err), ("web", Stream::Out)];
        for (script, (app, stream)) in scripts.iter().zip(streams) {
            write(home.path(), app, stream, script);
        }
        let (since, until) = range.map_or((0, u64::MAX), |(since, length)| (since, since + length));
        let query = Query {
            last: wanted.map(|wanted| wanted as u64),
            since,
            until,
            ..asking(&asked)
        };
        let hot = tell(home.path(), &query);
        for (app, stream) in streams {
            let place = place(home.path(), app, stream);
            if !place.folder().exists() {
                continue;
            }
            if order {
                // Some of them, the newest first.
                let found = hot::survey(&place).expect("surveyed");
                for extent in hot::sealable(&found).iter().rev().step_by(2) {
                    hot::seal(&Real, &place, *extent, &|| false).expect("sealed");
                }
                prop_assert_eq!(&tell(home.path(), &query), &hot);
            }
            seal_all(&Real, &place);
        }
        prop_assert_eq!(&tell(home.path(), &query), &hot);
        for (app, stream) in streams {
            let place = place(home.path(), app, stream);
            let segments = if place.folder().exists() { sealed(&place) } else { Vec::new() };
            for path in segments {
                let (from, to) = filter(&path);
                if from < to {
                    let file = fs::File::options().write(true).open(&path).expect("opened");
                    file.write_all_at(&[0; 9], (from + damaged.index(to - from)) as u64 & !7).expect("written");
                }
            }
        }
        prop_assert_eq!(&tell(home.path(), &query), &hot);
    }
}

#[test]
fn a_word_in_two_segments_is_found() {
    let home = tempdir().expect("a folder");
    let writer = Writer::ended(
        home.path(),
        &run_id("api", 1),
        Stream::Out,
        &[
            &[(
                b"{\"level\":30,\"msg\":\"fine\"}\nNode.js v20.20.2\nWARN: ra",
                5,
            )],
            &[(
                b"re words\n{\"level\":30,\"msg\":\"fine\"}\nKeyError: 'missing'\n\n",
                6,
            )],
        ],
    );
    let place = writer.place();
    assert_eq!(seal_all(&Real, &place), 2);
    let grep = Asked {
        grep: vec!["rare"],
        ..nothing()
    };
    let told = tell(home.path(), &asking(&grep));
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].text, "WARN: rare words");
}
