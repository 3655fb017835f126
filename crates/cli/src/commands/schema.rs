//! `eco schema`

use super::desk::Desk;
use crate::error::CliError;
use crate::render::json;

/// Print the JSON Schema of ecosystem files, for editors
///
/// It is draft 2020-12. A key that nobody knows is refused by it, where eco itself only warns.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    eco schema > ecosystem.schema.json\n  \
    in a YAML file: # yaml-language-server: $schema=./ecosystem.schema.json\n  \
    in a JSON file: { \"$schema\": \"./ecosystem.schema.json\", \"apps\": [] }")]
pub(crate) struct Args {
    /// Print JSON, which it is anyway
    #[arg(long, hide = true)]
    json: bool,
}

pub(crate) fn run(desk: &mut Desk<'_>, _: &Args) -> Result<(), CliError> {
    let schema = eco_config::schema();
    desk.ui.data(&json::document(&schema))?;
    Ok(())
}
