//! How much memory a process holds.

use std::fs;

/// The most memory that a process ever held of its own, bytes: what it maps of files is the kernel's, which takes it back.
///
/// # Panics
/// When the process is not there.
#[must_use]
pub fn most_held(pid: i32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the process is there");
    let kibibytes = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let number = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
        number.expect("the kernel tells it")
    };
    kibibytes("VmHWM:").saturating_sub(kibibytes("RssFile:")) << 10
}
