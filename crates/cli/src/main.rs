//! The `eco` program: the surroundings in, an exit code out.

use std::process::ExitCode;

use eco_cli::{Surroundings, Ui};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let surroundings = Surroundings::of_this_process();
    eco_cli::run(std::env::args_os(), &surroundings, &mut Ui::terminal()).await
}
