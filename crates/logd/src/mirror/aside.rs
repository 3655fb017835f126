//! Files that were put aside: their names, which of them stay, and their compression.
//!
//! ```text
//! api.log                          grows
//! api.log.20261126T064254Z         put aside then, UTC: names in their order are in order of time
//! api.log.20261126T064254Z-1       in the same second
//! api.log.20261125T181110Z.gz      compressed
//! api.log.20261125T181110Z.part    being compressed; what a death leaves of it is written anew
//! ```

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Timestamp;

use crate::settings::Rotation;

const STAMP: &str = "%Y%m%dT%H%M%SZ";
/// Letters of a stamp.
const LENGTH: usize = 16;
const COMPRESSED: &str = ".gz";
const PARTIAL: &str = ".part";

/// Where a file is put that is put aside `now`.
pub(super) fn free_name(path: &Path, now: Timestamp) -> PathBuf {
    let stamped = with(path, &format!(".{}", now.strftime(STAMP)));
    let is_free = |path: &PathBuf| {
        path.symlink_metadata().is_err() && with(path, COMPRESSED).symlink_metadata().is_err()
    };
    let others = (1..u32::MAX).map(|number| with(&stamped, &format!("-{number}")));
    std::iter::once(stamped.clone())
        .chain(others)
        .find(is_free)
        .unwrap_or(stamped)
}

fn with(path: &Path, more: &str) -> PathBuf {
    let mut path = path.to_owned().into_os_string();
    path.push(more);
    path.into()
}

/// The files that were put aside of `path`, the oldest first.
pub(super) fn list(path: &Path) -> io::Result<Vec<PathBuf>> {
    let Some((folder, name)) = path.parent().zip(path.file_name()) else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let other = entry?.file_name();
        let stamp = other
            .to_str()
            .zip(name.to_str())
            .and_then(|(other, name)| other.strip_prefix(name)?.strip_prefix('.'))
            .and_then(stamp);
        if let Some(stamp) = stamp {
            found.push((stamp, folder.join(&other)));
        }
    }
    found.sort();
    Ok(found.into_iter().map(|(_, path)| path).collect())
}

/// The time and the number in a name; `None`: it is not one of ours.
fn stamp(rest: &str) -> Option<(String, u32)> {
    let rest = rest.strip_suffix(COMPRESSED).unwrap_or(rest);
    let (time, number) = rest.split_at_checked(LENGTH)?;
    let shape = time.bytes().enumerate().all(|(at, byte)| match at {
        8 => byte == b'T',
        15 => byte == b'Z',
        _ => byte.is_ascii_digit(),
    });
    let number = match number {
        "" => 0,
        other => other.strip_prefix('-')?.parse().ok()?,
    };
    shape.then(|| (time.to_owned(), number))
}

/// Removes the oldest ones, and compresses those that are not.
pub(super) fn tidy(path: &Path, rotation: Rotation) -> io::Result<()> {
    let mut found = list(path)?;
    let keep = usize::try_from(rotation.keep).unwrap_or(usize::MAX);
    let surplus = found.len().saturating_sub(keep);
    for old in found.drain(..surplus) {
        remove(&old)?;
    }
    if rotation.compress {
        for one in &found {
            if one.extension().is_none_or(|extension| extension != "gz") {
                compress(one)?;
            }
        }
    }
    Ok(())
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn compress(path: &Path) -> io::Result<()> {
    let compressed = with(path, COMPRESSED);
    // Compressed already: a death came before the plain one was removed.
    if !compressed.exists() {
        let partial = with(path, PARTIAL);
        let mut from = File::open(path)?;
        let into = File::create(&partial)?;
        into.set_permissions(from.metadata()?.permissions())?;
        let mut encoder = GzEncoder::new(into, Compression::default());
        let copied = io::copy(&mut from, &mut encoder).and_then(|_| encoder.finish());
        if let Err(error) = copied.and_then(|into| into.sync_data()) {
            remove(&partial)?;
            return Err(error);
        }
        fs::rename(&partial, &compressed)?;
    }
    remove(path)
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("there");
        let mut names: Vec<_> = entries
            .map(|entry| {
                entry
                    .expect("read")
                    .file_name()
                    .into_string()
                    .expect("text")
            })
            .collect();
        names.sort();
        names
    }

    #[test]
    fn the_oldest_go_and_the_others_are_compressed() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("api.log");
        fs::write(&path, "now").expect("written");
        fs::write(folder.path().join("api.log.old"), "another's").expect("written");
        let now: Timestamp = "2026-11-26T06:42:54Z".parse().expect("a time");
        for text in ["a", "b", "c"] {
            let name = free_name(&path, now);
            fs::write(name, text).expect("written");
        }
        let later = free_name(&path, now + jiff::SignedDuration::from_secs(1));
        fs::write(later, "d").expect("written");
        let rotation = Rotation {
            size: 1,
            every: None,
            keep: 3,
            compress: true,
        };
        for _ in 0..2 {
            tidy(&path, rotation).expect("tidied");
            assert_eq!(
                names(folder.path()),
                [
                    "api.log",
                    "api.log.20261126T064254Z-1.gz",
                    "api.log.20261126T064254Z-2.gz",
                    "api.log.20261126T064255Z.gz",
                    "api.log.old",
                ]
            );
        }
        let file = File::open(folder.path().join("api.log.20261126T064255Z.gz")).expect("there");
        let mut text = String::new();
        flate2::read::GzDecoder::new(file)
            .read_to_string(&mut text)
            .expect("sound");
        assert_eq!(text, "d");
        assert_eq!(
            free_name(&path, now),
            folder.path().join("api.log.20261126T064254Z")
        );
    }

    #[test]
    fn names_of_others_are_not_ours() {
        for (rest, is_ours) in [
            ("20261126T064254Z", true),
            ("20261126T064254Z-12.gz", true),
            ("20261126T064254Z.part", false),
            ("20261126T064254", false),
            ("2026112xT064254Z", false),
            ("1", false),
            ("gz", false),
        ] {
            assert_eq!(stamp(rest).is_some(), is_ours, "{rest}");
        }
    }
}
