//! Giving the beginning of a file back to the disk while it grows at its end.

use std::fs::File;
use std::io;
use std::ops::Range;

use nix::errno::Errno;
use nix::fcntl::{FallocateFlags, fallocate};

/// Makes a hole of `range`, in bytes of the file: it takes no room any more and reads as zeros, and nothing else moves. A
/// file system that knows no holes says `Unsupported`.
pub fn punch(file: &File, range: Range<u64>) -> io::Result<()> {
    let too_large = |_| io::Error::from(Errno::EFBIG);
    let start = i64::try_from(range.start).map_err(too_large)?;
    let length = i64::try_from(range.end.saturating_sub(range.start)).map_err(too_large)?;
    if length == 0 {
        return Ok(());
    }
    let flags = FallocateFlags::FALLOC_FL_PUNCH_HOLE | FallocateFlags::FALLOC_FL_KEEP_SIZE;
    Ok(fallocate(file, flags, start, length)?)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::os::unix::fs::{FileExt as _, MetadataExt as _};

    use super::*;

    #[test]
    fn a_hole_takes_no_room_and_moves_nothing() {
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(&vec![b'x'; 1 << 20]).expect("written");
        file.sync_all().expect("on disk");
        let before = file.metadata().expect("there").blocks();
        punch(&file, 0..(1 << 20) - 1).expect("punched");
        let metadata = file.metadata().expect("there");
        assert_eq!(metadata.len(), 1 << 20);
        assert!(metadata.blocks() < before, "{}", metadata.blocks());
        let mut last = [0; 2];
        file.read_exact_at(&mut last, (1 << 20) - 2).expect("read");
        assert_eq!(last, [0, b'x']);
        punch(&file, 5..5).expect("nothing to do");
    }
}
