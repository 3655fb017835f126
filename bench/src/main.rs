//! What eco costs, measured on this machine: the benchmarks, and the small programs that they set to work.
//!
//! `cargo xtask bench` builds everything and runs this. The words that [`work`] knows are not for people: they make this
//! program an app that writes, or the cheapest collector that can be thought of.

mod clock;
mod failure;
mod home;
mod idle;
mod logs;
mod machine;
mod options;
mod page;
mod plot;
mod say;
mod spread;
mod usage;
mod work;

use std::process::ExitCode;

use failure::Failure;

const USAGE: &str = include_str!("usage.txt");

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            say::line(&format!("Error: {failure}"));
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[&str]) -> Result<(), Failure> {
    match words {
        ["idle", options @ ..] => idle::run(&idle::Plan::read(options)?),
        ["logs", options @ ..] => logs::run(&logs::Plan::read(options)?),
        ["work", words @ ..] => work::run(words),
        _ => Err(Failure::new(
            "find the benchmark",
            format!("there is none of this name\n\n{USAGE}"),
        )),
    }
}
