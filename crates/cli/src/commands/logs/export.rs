//! `eco logs export`: a range of lines as a file for other programs.
//!
//! Lines are written as they are read: memory holds a row group and no more.

#[cfg(feature = "parquet")]
mod parquet;

use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use eco_proto::log::v1::QueryRequest;

use super::question::Question;
use super::show;
use crate::client::{Reader, Told, read};
use crate::commands::session::Session;
use crate::commands::sources::PATIENCE;
use crate::draft::Draft;
use crate::error::CliError;
use crate::render::{json, quantity};
use crate::ui::Ui;
use crate::view::line::{LogGap, LogLine};

/// Write what apps wrote to a file for other programs
///
/// NDJSON is what `eco logs --json` prints: an object a line. Parquet has the columns time, host, environment, app, instance,
/// run, stream, offset, level, line, continues and `gap_bytes`; bytes of a line that are no UTF-8 are replaced in both.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    eco logs export --since today > today.ndjson\n  \
    eco logs export dev/api --format parquet --since 1d --output api.parquet\n  \
    duckdb -c \"select level, count(*) from 'api.parquet' group by 1\"")]
pub(super) struct Args {
    #[command(flatten)]
    question: Question,
    /// What is written
    #[arg(long, value_name = "FORMAT", default_value = "ndjson")]
    format: Format,
    /// Where to; NDJSON goes to stdout otherwise. The file is there when it is complete, and not before
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A JSON object a line.
    Ndjson,
    /// Columns, compressed: for data tools.
    Parquet,
}

pub(super) async fn run(session: &mut Session<'_>, args: Args) -> Result<(), CliError> {
    if args.format == Format::Parquet && args.output.is_none() {
        return Err(CliError::user("export the lines")
            .because("Parquet is nothing for a terminal or a pipe")
            .hinted("say where to with --output FILE"));
    }
    let matches = args.question.sources(session).await?.matches;
    let request = QueryRequest {
        recognise: true,
        ..args.question.request(matches, &show::now())?
    };
    let home = session.home.clone();
    let Some(output) = &args.output else {
        let mut writer = Writer {
            sink: Sink::Terminal(session.ui),
            lines: 0,
        };
        return read(&home, request, PATIENCE, &mut writer).await;
    };
    let place = session.surroundings.working_directory.join(output);
    let failed = |error| unwritten(&place, error);
    let sink = match args.format {
        Format::Ndjson => Sink::Ndjson(
            BufWriter::with_capacity(1 << 16, Draft::begin(&place).map_err(failed)?),
            &place,
        ),
        Format::Parquet => parquet(&place)?,
    };
    let mut writer = Writer { sink, lines: 0 };
    read(&home, request, PATIENCE, &mut writer).await?;
    let lines = writer.lines;
    writer.finish()?;
    let size = std::fs::metadata(&place).map_or(0, |file| file.len());
    session.ui.status(&format!(
        "Wrote {lines} lines to {} ({}).",
        output.display(),
        quantity::bytes(size)
    ));
    Ok(())
}

fn unwritten(place: &Path, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> CliError {
    CliError::user(format!("write {}", place.display())).because(error)
}

#[cfg(feature = "parquet")]
fn parquet(place: &Path) -> Result<Sink<'_>, CliError> {
    let rows = parquet::Rows::begin(place).map_err(|error| unwritten(place, error))?;
    Ok(Sink::Parquet(Box::new(rows), place))
}

#[cfg(not(feature = "parquet"))]
fn parquet(place: &Path) -> Result<Sink<'_>, CliError> {
    Err(
        unwritten(place, "this eco was built without the feature `parquet`")
            .hinted("--format ndjson is read by the same programs"),
    )
}

/// Where lines go.
enum Sink<'a> {
    Terminal(&'a mut Ui),
    Ndjson(BufWriter<Draft>, &'a Path),
    #[cfg(feature = "parquet")]
    Parquet(Box<parquet::Rows>, &'a Path),
}

struct Writer<'a> {
    sink: Sink<'a>,
    lines: u64,
}

impl Writer<'_> {
    fn line(&mut self, line: LogLine) -> Result<(), CliError> {
        self.lines += 1;
        match &mut self.sink {
            Sink::Terminal(ui) => Ok(ui.data(&json::line(&line))?),
            Sink::Ndjson(file, place) => file
                .write_all(json::line(&line).as_bytes())
                .map_err(|error| unwritten(place, error)),
            #[cfg(feature = "parquet")]
            Sink::Parquet(rows, place) => rows.line(line).map_err(|error| unwritten(place, error)),
        }
    }

    fn gap(&mut self, gap: &LogGap) -> Result<(), CliError> {
        match &mut self.sink {
            Sink::Terminal(ui) => Ok(ui.data(&json::gap(gap))?),
            Sink::Ndjson(file, place) => file
                .write_all(json::gap(gap).as_bytes())
                .map_err(|error| unwritten(place, error)),
            #[cfg(feature = "parquet")]
            Sink::Parquet(rows, place) => rows.gap(gap).map_err(|error| unwritten(place, error)),
        }
    }

    fn finish(self) -> Result<(), CliError> {
        match self.sink {
            Sink::Terminal(ui) => Ok(ui.flush()?),
            Sink::Ndjson(file, place) => file
                .into_inner()
                .map_err(std::io::IntoInnerError::into_error)
                .and_then(Draft::finish)
                .map_err(|error| unwritten(place, error)),
            #[cfg(feature = "parquet")]
            Sink::Parquet(rows, place) => rows.finish().map_err(|error| unwritten(place, error)),
        }
    }
}

impl Reader for Writer<'_> {
    fn take(&mut self, told: Told) -> Result<(), CliError> {
        match told {
            Told::Line(line) => self.line(line),
            Told::Gap(gap) => self.gap(&gap),
            Told::Source(_) | Told::Begun(_) | Told::Pause | Told::Lost => Ok(()),
        }
    }
}
