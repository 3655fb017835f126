//! Whatever stands in a sealed segment, it is read to its end, no byte twice; and what may be in its blocks can be asked.
#![no_main]

use std::cell::OnceCell;
use std::fs;

use eco_home::runs::Stream;
use eco_logd::cold::Sealed;
use eco_logd::hot::{Item, Place, Reader, Tail, survey};
use eco_logd::needles::Needles;
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;

thread_local! {
    static FOLDER: OnceCell<TempDir> = const { OnceCell::new() };
}

/// Items looked at: a head may say that petabytes follow, and one gap tells of them.
const MOST: u64 = 100_000;

fuzz_target!(|bytes: &[u8]| {
    FOLDER.with(|folder| {
        let folder = folder
            .get_or_init(|| TempDir::new().expect("a folder"))
            .path();
        let path = folder.join(Stream::Out.sealed(1));
        fs::write(&path, bytes).expect("written");
        if let Ok(Some(mut sealed)) = Sealed::open(&path) {
            let mut needles = Needles::default();
            needles.add_any([&b"zebrafish"[..], b"order 48213377"]);
            assert_eq!(sealed.may_meet(&needles).len(), sealed.blocks().len());
            sealed.is_sound();
        }
        let place = Place::new(folder.to_owned(), Stream::Out);
        let found = survey(&place).expect("surveyed");
        let (start, end) = (found.start(), found.end());
        let mut reader = Reader::new(place, found.extents, start, end, Tail::Passed);
        let (mut next, mut read) = (start, 0);
        while let Some(item) = reader.read().expect("read") {
            let (offset, length) = match &item {
                Item::Line { offset, text, .. } => (*offset, text.len() as u64),
                Item::Gap { offset, bytes, .. } => (*offset, *bytes),
            };
            assert!(offset >= next, "{item:?} comes after {next}");
            next = offset + length;
            read += 1;
            if read == MOST {
                return;
            }
        }
        assert!(next <= end);
    });
});
