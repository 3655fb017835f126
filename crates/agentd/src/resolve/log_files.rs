//! Where the log files of an app are on this host, and what can be known to be in their way.

use std::fs;
use std::path::{Path, PathBuf};

use eco_config::spec::{AppSpec, Sharing};
use eco_home::numbered::numbered;
use nix::unistd::{AccessFlags, access};

use super::search::{at_home, clean, meant_cwd};

/// How the instances of an app share the name of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    /// There is one instance, and it has the name.
    Alone,
    /// Each has one with its number.
    Each,
    /// All have the same.
    Merged,
}

/// A file that lines of an app are copied to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFile {
    /// The field that names it.
    pub field: &'static str,
    /// Absolute, without the number of an instance.
    pub path: PathBuf,
    /// Whether it gets stdout.
    pub out: bool,
    /// Whether it gets stderr.
    pub err: bool,
    /// Who has which name.
    pub naming: Naming,
}

impl LogFile {
    /// The file of an instance. One that is on its way out because fewer were asked for keeps its own.
    #[must_use]
    pub fn of(&self, instance: u32) -> PathBuf {
        match (self.naming, instance) {
            (Naming::Merged, _) | (Naming::Alone, 0) => self.path.clone(),
            (Naming::Alone | Naming::Each, _) => numbered(&self.path, instance),
        }
    }

    /// What is in the way of the file of an instance, a full sentence.
    #[must_use]
    pub fn problem(&self, instance: u32) -> Option<String> {
        let path = self.of(instance);
        let why = obstacle(&path)?;
        Some(format!(
            "Nothing is written to {}, the {} of the app: {why}. Its lines are kept all the same.",
            path.display(),
            self.field
        ))
    }
}

/// The files of an app; relative paths count from its working directory.
#[must_use]
pub fn log_files(spec: &AppSpec) -> Vec<LogFile> {
    let naming = match (spec.logs.sharing, spec.instances) {
        (Sharing::Merged, _) => Naming::Merged,
        (Sharing::Each, 0 | 1) => Naming::Alone,
        (Sharing::Each, _) => Naming::Each,
    };
    let file = |(field, path): (&'static str, &PathBuf)| LogFile {
        field,
        path: clean(&meant_cwd(spec).join(at_home(path))),
        out: field != "error_file",
        err: field != "out_file",
        naming,
    };
    spec.logs.files().map(file).collect()
}

/// Why a file cannot be written, as far as that shows.
fn obstacle(path: &Path) -> Option<String> {
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => Some("it is a folder".to_owned()),
        Ok(found) if !found.is_file() => Some("it is no ordinary file".to_owned()),
        Ok(_) => {
            let error = access(path, AccessFlags::W_OK).err()?;
            Some(error.desc().to_owned())
        }
        Err(_) => {
            // Folders are made: the nearest one that is there decides.
            let folder = path.ancestors().skip(1).find(|folder| folder.exists())?;
            if !folder.is_dir() {
                return Some(format!("{} is no folder", folder.display()));
            }
            let error = access(folder, AccessFlags::W_OK).err()?;
            Some(format!("{}: {}", folder.display(), error.desc()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::tests::spec;

    fn files(instances: u32, sharing: Sharing) -> Vec<(String, bool, bool)> {
        let mut spec = spec("dev", "api");
        spec.cwd = Some("/srv/app".into());
        spec.instances = instances;
        spec.logs.sharing = sharing;
        spec.logs.out_file = Some("logs/out.log".into());
        spec.logs.log_file = Some("/var/log/all.log".into());
        let files = log_files(&spec).into_iter();
        files
            .map(|file| (file.of(0).display().to_string(), file.out, file.err))
            .collect()
    }

    #[test]
    fn paths_count_from_the_working_directory_and_instances_share_them_where_that_is_asked_for() {
        let own =
            |out: &str, all: &str| [(out.to_owned(), true, false), (all.to_owned(), true, true)];
        let plain = own("/srv/app/logs/out.log", "/var/log/all.log");
        assert_eq!(files(1, Sharing::Each), plain);
        assert_eq!(files(2, Sharing::Merged), plain);
        let numbered = own("/srv/app/logs/out-0.log", "/var/log/all-0.log");
        assert_eq!(files(2, Sharing::Each), numbered);
    }

    #[test]
    fn what_can_be_seen_to_be_in_the_way_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("file"), "").expect("written");
        let problem = |path: &str| {
            let mut spec = spec("dev", "api");
            spec.logs.out_file = Some(folder.path().join(path));
            log_files(&spec).iter().find_map(|file| file.problem(0))
        };
        assert_eq!(problem("file"), None);
        assert_eq!(problem("new/deep/file"), None);
        let told = problem("").expect("a folder");
        assert!(told.contains("it is a folder"), "{told}");
        let told = problem("file/x").expect("below a file");
        assert!(told.contains("is no folder"), "{told}");
    }
}
