//! The project's tasks: what the README tells people to run, what CI runs, and nothing that only one of them runs.
//!
//! Needs nothing but cargo. Each verb has its file; [`run`] runs other programs, [`say`] is the only writer to the terminal.

mod bench;
mod boundaries;
mod ci;
mod demo;
mod docs;
mod failure;
mod fuzz;
mod install;
mod lint;
mod place;
mod run;
mod say;
mod setup;
mod test;

use std::process::ExitCode;

use failure::Failure;

const USAGE: &str = include_str!("usage.txt");

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["demo"] => demo::until_interrupted(),
        ["demo", "--lines", count] => demo::lines(count),
        ["bench", words @ ..] => bench::run(words),
        ["test"] => test::run(),
        ["fuzz"] => fuzz::run("60"),
        ["fuzz", "--seconds", seconds] => fuzz::run(seconds),
        ["lint"] => lint::run(),
        ["ci"] => ci::run(),
        ["docs"] => docs::run(),
        ["setup"] => setup::run(),
        ["install"] => install::run(None),
        ["install", "--root", folder] => install::run(Some(folder)),
        ["help" | "--help" | "-h"] => {
            say::plain(USAGE);
            Ok(())
        }
        _ => {
            say::plain(USAGE);
            return ExitCode::from(2);
        }
    };
    conclude(done)
}

fn conclude(done: Result<(), Failure>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            say::failed(&failure);
            ExitCode::FAILURE
        }
    }
}
