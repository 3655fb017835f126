//! Where the programs under test are: beside the test, as cargo builds them.

use std::path::PathBuf;

/// Returns the path of one of the workspace's programs.
///
/// # Panics
/// When it was not built.
#[must_use]
pub fn program(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("the test knows its own path");
    // target/<profile>/deps/e2e-<hash>
    let folder = test
        .ancestors()
        .nth(2)
        .expect("cargo puts tests two folders deep");
    let path = folder.join(name);
    assert!(
        path.is_file(),
        "{} is missing: cargo xtask test builds the programs before it runs the tests",
        path.display()
    );
    path
}

/// Returns the path of the app that does as it is told, as text for an ecosystem file.
///
/// # Panics
/// When it was not built.
#[must_use]
pub fn fake_app() -> String {
    program("fake-app")
        .to_str()
        .expect("the target folder's path is UTF-8")
        .to_owned()
}
