//! Whether a run still writes: only the sizes of its files are looked at.

use std::collections::BTreeMap;
use std::path::PathBuf;

use eco_home::clock;
use eco_home::runs::Stream;

use super::judge::Reply;
use crate::fleet::span;
use crate::machine::Tick;

/// The output of one run.
#[derive(Clone, Debug)]
pub(super) struct Output {
    folder: PathBuf,
    extent: Extent,
    changed_at: Tick,
}

/// How far each stream has come: its last segment, and the size of that. Older segments may be packed or taken away.
type Extent = BTreeMap<Stream, (u32, u64)>;

impl Output {
    /// What is there now, in the folder of a run.
    pub(super) fn new(folder: PathBuf) -> Self {
        Self {
            extent: look(&folder),
            folder,
            changed_at: clock::since_boot(),
        }
    }

    /// Whether it grew since the last time.
    pub(super) fn ask(&mut self) -> Reply {
        let (extent, now) = (look(&self.folder), clock::since_boot());
        if extent == self.extent {
            let silent = now.saturating_sub(self.changed_at);
            return Reply::Failed(format!("wrote nothing for {}", span(silent)));
        }
        self.extent = extent;
        self.changed_at = now;
        Reply::Well("writes".to_owned())
    }
}

/// What cannot be read has not grown.
fn look(folder: &std::path::Path) -> Extent {
    let mut extent = Extent::new();
    let Ok(entries) = std::fs::read_dir(folder) else {
        return extent;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let of = |stream: Stream| Some((stream, stream.segment_number(name.to_str()?)?));
        let found = Stream::BOTH.into_iter().find_map(of);
        if let (Some((stream, number)), Ok(about)) = (found, entry.metadata()) {
            let last = extent.entry(stream).or_default();
            *last = (*last).max((number, about.len()));
        }
    }
    extent
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_of_the_last_segment_is_a_sign_of_life_and_notes_and_old_segments_are_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| {
            std::fs::write(folder.path().join(name), text).expect("written");
        };
        write("out.0001", "a");
        let mut output = Output::new(folder.path().to_owned());
        let mut writes = || matches!(output.ask(), Reply::Well(_));
        assert!(!writes());
        write("out.0001", "ab");
        assert!(writes());
        write("out.0001.times", "notes");
        write("out.0001.packed", "elsewhere");
        assert!(!writes());
        write("err.0001", "");
        assert!(writes());
        write("out.0002", "");
        assert!(writes());
        std::fs::remove_file(folder.path().join("out.0001")).expect("removed");
        assert!(!writes());
    }

    #[test]
    fn silence_says_how_long_it_lasts() {
        let mut output = Output::new("/nowhere".into());
        let reply = output.ask();
        assert!(
            reply.text().starts_with("wrote nothing for 0 "),
            "{reply:?}"
        );
    }
}
