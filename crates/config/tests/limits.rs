//! Whatever a file does, it ends in one clear error, and the process is as healthy as before.

mod support;

use std::fs;
use std::time::{Duration, Instant};

use eco_config::{ConfigError, EvalFault, TIME_LIMIT};
use support::{Folder, of};

fn fault(text: &str) -> EvalFault {
    let began = Instant::now();
    let folder = Folder::new(&[("ecosystem.config.js", text)]);
    let error = folder.failure("ecosystem.config.js");
    assert!(began.elapsed() < TIME_LIMIT * 3, "{error}");
    assert!(of("module.exports = { apps: [{ script: 'a.js' }] }").is_ok());
    error.fault
}

#[test]
fn a_loop_without_end_is_over_in_time() {
    assert_eq!(fault("while (true) {}"), EvalFault::Time);
}

#[test]
fn a_file_cannot_catch_the_end_of_its_time() {
    assert_eq!(
        fault("for (;;) { try { while (true) {} } catch {} finally { while (true) {} } }"),
        EvalFault::Time
    );
}

#[test]
fn a_built_in_function_without_end_is_left_behind() {
    assert_eq!(fault("new Array(2 ** 32 - 1).includes(1)"), EvalFault::Time);
}

#[test]
fn a_regular_expression_without_end_is_over_in_time() {
    assert_eq!(
        fault("/^(a+)+$/.test('a'.repeat(60) + 'b')"),
        EvalFault::Time
    );
}

#[test]
fn too_much_memory_is_refused() {
    for text in [
        "'x'.repeat(2 ** 29)",
        "new Array(2 ** 30).fill(0)",
        "const all = []; for (;;) all.push(new Uint8Array(1 << 20))",
        "const all = []; for (;;) all.push({ a: {}, b: [] })",
    ] {
        assert_eq!(fault(text), EvalFault::Memory, "{text}");
    }
}

#[test]
fn what_is_longer_than_the_language_allows_is_refused() {
    for text in [
        "'x'.repeat(2 ** 31)",
        "new ArrayBuffer(2 ** 31)",
        "let s = 'x'; for (;;) s += s",
    ] {
        assert_eq!(fault(text), EvalFault::Thrown, "{text}");
    }
}

#[test]
fn a_file_that_catches_the_end_of_its_memory_gets_no_further() {
    assert_eq!(
        fault(
            "const all = []; for (;;) { try { for (;;) all.push(new Uint8Array(1 << 20)) } catch {} }"
        ),
        EvalFault::Time
    );
}

#[test]
fn calls_and_results_may_not_nest_without_end() {
    assert_eq!(fault("(function f() { f(); })()"), EvalFault::Depth);
    let nested = "let x = {}; for (let i = 0; i < 100000; i++) x = { x }; \
                  module.exports = { apps: [{ script: 'a', env: { x } }] }";
    assert_eq!(fault(nested), EvalFault::Depth);
    assert_eq!(fault(&nested.replace("100000", "200")), EvalFault::Depth);
    assert_eq!(
        fault("const x = {}; x.x = x; module.exports = { apps: [{ script: 'a', env: { x } }] }"),
        EvalFault::Result
    );
}

#[test]
fn what_is_no_ordinary_file_is_not_read() {
    assert_eq!(
        fault("require('fs').readFileSync('/dev/zero')"),
        EvalFault::Thrown
    );
    let folder = Folder::new(&[("big.config.js", "")]);
    fs::write(folder.path("big.config.js"), vec![b' '; 9 << 20]).unwrap();
    assert!(matches!(
        folder.load("big.config.js"),
        Err(ConfigError::TooLarge { .. })
    ));
    fs::write(folder.path("raw.config.js"), b"// \xff").unwrap();
    assert!(matches!(
        folder.load("raw.config.js"),
        Err(ConfigError::NotText { offset: 3, .. })
    ));
    fs::create_dir(folder.path("folder.config.js")).unwrap();
    assert!(matches!(
        folder.load("folder.config.js"),
        Err(ConfigError::NotAFile {
            found: "a folder",
            ..
        })
    ));
    let made = std::process::Command::new("mkfifo")
        .arg(folder.path("pipe.config.js"))
        .status();
    if made.is_ok_and(|status| status.success()) {
        assert!(matches!(
            folder.load("pipe.config.js"),
            Err(ConfigError::NotAFile {
                found: "a pipe",
                ..
            })
        ));
    }
    assert!(matches!(
        folder.load("none.config.js"),
        Err(ConfigError::Read { .. })
    ));
    fs::write(folder.path("a.xml"), "apps: []").unwrap();
    assert!(matches!(
        folder.load("a.xml"),
        Err(ConfigError::Format { .. })
    ));
}

#[test]
fn an_ordinary_file_takes_no_time_that_a_person_would_notice() {
    let folder = Folder::new(&[(
        "ecosystem.config.js",
        "module.exports = { apps: [{ script: 'a.js' }] }",
    )]);
    let quickest = (0..5)
        .map(|_| {
            let began = Instant::now();
            folder.load("ecosystem.config.js").unwrap();
            began.elapsed()
        })
        .min()
        .unwrap();
    assert!(quickest < Duration::from_millis(100), "{quickest:?}");
}
