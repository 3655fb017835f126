//! Whatever stands in a segment and in the notes about it, it is read to its end: no byte twice, none out of order.
#![no_main]

use std::cell::OnceCell;
use std::fs;

use eco_home::runs::Stream;
use eco_logd::hot::{Item, Place, Reader, Tail, survey};
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;

thread_local! {
    static FOLDER: OnceCell<TempDir> = const { OnceCell::new() };
}

fuzz_target!(|input: (&[u8], &[u8])| {
    let (notes, bytes) = input;
    FOLDER.with(|folder| {
        let folder = folder
            .get_or_init(|| TempDir::new().expect("a folder"))
            .path();
        fs::write(folder.join(Stream::Out.segment(1)), bytes).expect("written");
        fs::write(folder.join(Stream::Out.times(1)), notes).expect("written");
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
        }
        assert!(next <= end && read <= 2 * bytes.len() as u64 + 2);
    });
});
