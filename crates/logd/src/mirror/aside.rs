//! Files that were put aside: their names, which of them stay, and their compression.
//!
//! ```text
//! api.log                              grows
//! api.log.20261126T064254.120Z         put aside then, UTC: names in their order are in order of time
//! api.log.20261125T181110.007Z.gz      compressed
//! api.log.20261125T181110.007Z.part    being compressed; what a death leaves of it is written anew
//! ```
//!
//! A name is later than all that are there, also where the clock was put back or two files are put aside in a millisecond: it
//! is a millisecond later then. Names of an earlier form, with seconds and perhaps a number (`20261126T064254Z-1`), are known.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::settings::Rotation;

const STAMP: &str = "%Y%m%dT%H%M%S%.3fZ";
/// The part of a stamp that all forms have, and how long it is.
const SECONDS: &str = "%Y%m%dT%H%M%S";
const LENGTH: usize = 15;
const TICK: SignedDuration = SignedDuration::from_millis(1);
const COMPRESSED: &str = ".gz";
const PARTIAL: &str = ".part";

/// Where a file is put that is put aside `now`.
pub(super) fn free_name(path: &Path, now: Timestamp) -> PathBuf {
    // In a folder that cannot be listed names may still be tried.
    let newest = stamped(path).ok().and_then(|all| Some(all.last()?.0));
    let after = newest.map_or(now, |newest| now.max(newest + TICK));
    let stamps = std::iter::successors(Some(after), |stamp| stamp.checked_add(TICK).ok());
    let mut names = stamps.map(|stamp| with(path, &format!(".{}", stamp.strftime(STAMP))));
    let is_free = |path: &PathBuf| {
        path.symlink_metadata().is_err() && with(path, COMPRESSED).symlink_metadata().is_err()
    };
    names
        .find(is_free)
        .expect("there are more milliseconds than files")
}

fn with(path: &Path, more: &str) -> PathBuf {
    let mut path = path.to_owned().into_os_string();
    path.push(more);
    path.into()
}

/// The files that were put aside of `path`, the oldest first.
pub(super) fn list(path: &Path) -> io::Result<Vec<PathBuf>> {
    let stamped = stamped(path)?.into_iter();
    Ok(stamped.map(|(_, path)| path).collect())
}

/// The same, each with its time.
fn stamped(path: &Path) -> io::Result<Vec<(Timestamp, PathBuf)>> {
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
    Ok(found)
}

/// The time in a name; `None`: it is not one of ours.
fn stamp(rest: &str) -> Option<Timestamp> {
    let rest = rest.strip_suffix(COMPRESSED).unwrap_or(rest);
    let (seconds, rest) = rest.split_at_checked(LENGTH)?;
    let is_shaped = seconds.bytes().enumerate().all(|(at, byte)| match at {
        8 => byte == b'T',
        _ => byte.is_ascii_digit(),
    });
    let ticks = match rest.strip_prefix('.') {
        Some(millis) => millis
            .strip_suffix('Z')
            .filter(|millis| millis.len() == 3)?,
        None => match rest.strip_prefix('Z')? {
            "" => "0",
            number => number.strip_prefix('-')?,
        },
    };
    let ticks: u32 = ticks.parse().ok()?;
    let time = DateTime::strptime(SECONDS, is_shaped.then_some(seconds)?).ok()?;
    let time = time.to_zoned(TimeZone::UTC).ok()?.timestamp();
    time.checked_add(SignedDuration::from_millis(ticks.into()))
        .ok()
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
        let later = free_name(&path, now + SignedDuration::from_secs(1));
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
                    "api.log.20261126T064254.001Z.gz",
                    "api.log.20261126T064254.002Z.gz",
                    "api.log.20261126T064255.000Z.gz",
                    "api.log.old",
                ]
            );
        }
        let file = File::open(folder.path().join("api.log.20261126T064255.000Z.gz"));
        let mut text = String::new();
        flate2::read::GzDecoder::new(file.expect("there"))
            .read_to_string(&mut text)
            .expect("sound");
        assert_eq!(text, "d");
    }

    #[test]
    fn what_is_put_aside_later_has_a_later_name_whatever_went_and_whatever_the_clock_says() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("api.log");
        let now: Timestamp = "2026-11-26T06:42:54.5Z".parse().expect("a time");
        let mut put = Vec::new();
        for back in [0, 0, 0, 700, 86_400_000, 0] {
            for compressed in ["", COMPRESSED] {
                let name = free_name(&path, now - SignedDuration::from_millis(back));
                let name = with(&name, compressed);
                fs::write(&name, "").expect("written");
                put.push(name);
                // The oldest goes: its name is free again, and must not come after the others.
                if let [.., oldest, _, _] = &put[..] {
                    fs::remove_file(oldest).expect("removed");
                }
            }
        }
        assert!(put.is_sorted(), "{put:?}");
        assert_eq!(list(&path).expect("listed"), put[put.len() - 2..]);
    }

    #[test]
    fn names_of_others_are_not_ours() {
        for (rest, is_ours) in [
            ("20261126T064254.007Z", true),
            ("20261126T064254.007Z.gz", true),
            ("20261126T064254Z", true),
            ("20261126T064254Z-12.gz", true),
            ("20261126T064254.007Z.part", false),
            ("20261126T064254.7Z", false),
            ("20261126T064254", false),
            ("20261399T064254.007Z", false),
            ("2026112xT064254Z", false),
            ("1", false),
            ("gz", false),
        ] {
            assert_eq!(stamp(rest).is_some(), is_ours, "{rest}");
        }
    }
}
