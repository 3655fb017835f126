//! What a single process uses, where asking costs more than the process table does.

use std::io;

/// The memory of `pid`, what it shares divided by how many share it, in bytes. Costly: the kernel walks all of it.
pub fn proportional_bytes(pid: i32) -> io::Result<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
    let kib = text.lines().find_map(|line| {
        let value = line.strip_prefix("Pss:")?.trim().strip_suffix("kB")?;
        value.trim().parse::<u64>().ok()
    });
    kib.and_then(|kib| kib.checked_mul(1024))
        .ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// How many descriptors `pid` has open.
pub fn descriptors(pid: i32) -> io::Result<u64> {
    let entries = std::fs::read_dir(format!("/proc/{pid}/fd"))?;
    let mut count = 0;
    for entry in entries {
        entry?;
        count += 1;
    }
    Ok(count)
}

/// Whether a reading failed because the process has ended meanwhile.
#[must_use]
pub fn has_ended(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == Some(nix::libc::ESRCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn me() -> i32 {
        i32::try_from(std::process::id()).expect("pids are small")
    }

    #[test]
    fn our_memory_and_our_descriptors_are_counted() {
        assert!(proportional_bytes(me()).expect("ours") > 1 << 16);
        let before = descriptors(me()).expect("ours");
        let held: Vec<_> = (0..50)
            .map(|_| std::fs::File::open("/dev/null").expect("opened"))
            .collect();
        // Other tests of this program open and close some as well.
        assert!(descriptors(me()).expect("ours") + 40 > before + 50);
        drop(held);
    }

    #[test]
    fn who_is_not_there_has_ended_and_who_may_not_be_asked_has_not() {
        let gone = descriptors(i32::MAX).expect_err("nobody has this pid");
        assert!(has_ended(&gone));
        assert!(!has_ended(&io::ErrorKind::PermissionDenied.into()));
    }
}
