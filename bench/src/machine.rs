//! What a measurement was made on.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The machine and the day, in one line.
pub(crate) fn described() -> String {
    let cpu = text("/proc/cpuinfo");
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("unknown processor", |(_, model)| model.trim());
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let kernel = text("/proc/sys/kernel/osrelease");
    let memory = text("/proc/meminfo");
    let kilobytes: u64 = memory
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))
        .and_then(|rest| rest.split_whitespace().next()?.parse().ok())
        .unwrap_or_default();
    let date = said("date", &["-u", "+%Y-%m-%d %H:%M UTC"]).unwrap_or_default();
    format!(
        "{date} · {model}, {cores} cores, {} GiB · Linux {}",
        kilobytes.div_ceil(1 << 20),
        kernel.trim()
    )
}

/// A program of this name in the search path.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|program| program.is_file())
}

/// The first line of what a program says, if it runs.
pub(crate) fn said(program: impl AsRef<Path>, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program.as_ref())
        .args(arguments)
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().next()?.trim();
    (output.status.success() && !line.is_empty()).then(|| line.to_owned())
}

/// The version of a package of Debian.
pub(crate) fn package(name: &str) -> Option<String> {
    let version = said("dpkg-query", &["-W", "-f=${Version}", name])?;
    Some(format!("{name} {version}"))
}

fn text(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}
