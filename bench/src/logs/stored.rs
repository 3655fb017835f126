//! What of an app's stdout eco has on disk, by its files.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use eco_home::{notes, sealed};

use super::scene;

/// From this on what remains of a run that has ended is sealed.
const WORTH_SEALING: u64 = 64 << 10;

/// How long after its end a run is sealed, and a little more.
pub(super) const SETTLED: Duration = Duration::from_millis(5500);

/// Whether everything is stored of a run that has ended.
pub(super) fn is_ended(folder: &Path) -> bool {
    !folder.join("out.fifo").exists()
}

/// Segments as they were written, in order.
pub(super) fn hot(folder: &Path) -> Vec<PathBuf> {
    scene::files(folder, |name| {
        name.strip_prefix("out.")
            .is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()))
    })
}

/// What sealed segments say of themselves, in order.
pub(super) fn cold(folder: &Path) -> Vec<sealed::Head> {
    let files = scene::files(folder, |name| {
        name.starts_with("out.") && name.ends_with(".sealed")
    });
    let head = |path: &PathBuf| {
        let mut bytes = [0; sealed::SIZE];
        std::io::Read::read_exact(&mut fs::File::open(path).ok()?, &mut bytes).ok()?;
        sealed::Head::decode(&bytes)
    };
    files.iter().filter_map(head).collect()
}

/// How far it is written. What is sealed is not among the segments any more, and what is left tells what was before it.
pub(super) fn written(folder: &Path) -> u64 {
    let hot = hot(folder).pop().map_or(0, |last| {
        let head = fs::read(last.with_added_extension("times")).unwrap_or_default();
        let base = head.first_chunk().copied().and_then(notes::base);
        base.unwrap_or_default() + scene::size([&last])
    });
    cold(folder).last().map_or(0, |head| head.end).max(hot)
}

/// Bytes of it that are sealed.
pub(super) fn sealed_bytes(folder: &Path) -> u64 {
    cold(folder).iter().map(|head| head.end - head.base).sum()
}

/// Whether nothing is left to be sealed of a run that has ended.
pub(super) fn is_all_sealed(folder: &Path) -> bool {
    hot(folder)
        .iter()
        .all(|path| scene::size([path]) < WORTH_SEALING)
}

/// Bytes on disk of files, which is more than is in them.
pub(super) fn room<'a>(files: impl IntoIterator<Item = &'a PathBuf>) -> u64 {
    use std::os::unix::fs::MetadataExt as _;
    let blocks = |path: &PathBuf| fs::metadata(path).map_or(0, |about| about.blocks());
    files.into_iter().map(blocks).sum::<u64>() * 512
}
