//! The keeper: see [`eco_agentd::hands`].

use std::process::ExitCode;

fn main() -> ExitCode {
    eco_agentd::hands::main()
}
