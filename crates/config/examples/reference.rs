//! Prints docs/configuration.md, for `cargo xtask docs`.

use std::io::{self, Write as _};

fn main() -> io::Result<()> {
    io::stdout().write_all(eco_config::reference().as_bytes())
}
