//! Outliving Ctrl-C: it is meant for the program that shows the lines, and there is something left to say after it.

use std::ffi::c_int;

const SIGINT: c_int = 2;

#[expect(unsafe_code, reason = "the standard library has no call for signals")]
mod libc {
    use std::ffi::c_int;

    unsafe extern "C" {
        /// signal(2) of the C library, which every program of Rust's on Unix is linked to.
        pub(super) safe fn signal(number: c_int, handler: extern "C" fn(c_int)) -> usize;
    }
}

extern "C" fn nothing(_: c_int) {}

/// Lets SIGINT do nothing to this program. A handler, unlike ignoring it, is not inherited by the programs that are run.
pub(super) fn survive() {
    // It fails for unknown signals only.
    let _previous = libc::signal(SIGINT, nothing);
}
