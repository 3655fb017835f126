//! `cargo xtask install`: the four programs, side by side, where a shell finds them.

use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::{place, run, say};

/// Builds and copies the programs to `root/bin`, or to `~/.local/bin`.
pub(crate) fn run(root: Option<&str>) -> Result<(), Failure> {
    let folder = folder(root)?;
    run::run(&mut run::cargo([
        "build",
        "--release",
        "--workspace",
        "--bins",
    ]))?;
    fs::create_dir_all(&folder).map_err(Failure::at("make the folder", &folder))?;
    let release = place::release()?;
    for program in place::PROGRAMS {
        replace(&release.join(program), &folder.join(program))?;
    }
    say::line(&format!(
        "Installed {} in {}.",
        place::PROGRAMS.join(", "),
        folder.display()
    ));
    if !is_on_path(&folder) {
        say::line(&format!(
            "It is not on PATH: export PATH=\"{}:$PATH\"",
            folder.display()
        ));
    }
    say::line("Where an older agent runs: eco update replaces it, and no app notices.");
    Ok(())
}

fn folder(root: Option<&str>) -> Result<PathBuf, Failure> {
    if let Some(root) = root {
        return std::path::absolute(root)
            .map(|root| root.join("bin"))
            .map_err(Failure::at("find", Path::new(root)));
    }
    std::env::var_os("HOME")
        .map(|home| PathBuf::from(home).join(".local/bin"))
        .ok_or_else(|| {
            Failure::new("find where to install", "HOME is not set")
                .hinted("cargo xtask install --root DIR")
        })
}

/// Puts the new program in the place of the old one in one step: the old one may be running.
fn replace(from: &Path, to: &Path) -> Result<(), Failure> {
    let beside = to.with_extension("new");
    fs::copy(from, &beside).map_err(Failure::at("copy", from))?;
    fs::rename(&beside, to).map_err(Failure::at("replace", to))
}

fn is_on_path(folder: &Path) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|on_path| on_path == folder)
}
