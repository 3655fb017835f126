//! `cargo xtask fuzz`: bytes that a machine thinks of, into what reads bytes of others; each target for a bounded time.

use crate::failure::Failure;
use crate::run;

/// What stands in `fuzz/targets`.
const TARGETS: [&str; 4] = ["lines", "records", "sealed", "segments"];

/// Memory that a target may take, MiB.
const MEMORY: &str = "-rss_limit_mb=2048";

/// Only what went wrong is told.
const QUIET: &str = "-verbosity=0";

/// Feeds each target for so many seconds; the first that fails ends it, and leaves its bytes in `fuzz/artifacts`.
pub(crate) fn run(seconds: &str) -> Result<(), Failure> {
    if seconds.parse::<u32>().is_err() {
        return Err(Failure::new(
            "read the seconds",
            format!("{seconds:?} is no number"),
        ));
    }
    if run::said(&mut run::cargo(["fuzz", "--version"])).is_none() {
        return Err(Failure::new("run cargo-fuzz", "it is not installed")
            .hinted("cargo install --locked cargo-fuzz"));
    }
    let time = format!("-max_total_time={seconds}");
    for target in TARGETS {
        let mut command = run::cargo(["fuzz", "run", target, "--", &time, MEMORY, QUIET]);
        // What it asks of the compiler is not stable, and is there all the same.
        run::run(command.env("RUSTC_BOOTSTRAP", "1"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place;

    #[test]
    fn every_target_there_is_is_run() {
        let folder = std::fs::read_dir(place::root().join("fuzz/targets")).expect("it is there");
        let mut found: Vec<String> = folder
            .map(|entry| entry.expect("listed").path())
            .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
            .collect();
        found.sort();
        assert_eq!(found, TARGETS);
    }
}
