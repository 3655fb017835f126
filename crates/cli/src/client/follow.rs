//! Reading the log over the deaths of the daemon that serves it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use eco_home::{Home, clock};
use eco_proto::log::v1::query_item::Item;
use eco_proto::log::v1::{Gap, QueryItem, QueryRequest, Source};

use super::connect::LogDaemon;
use super::status;
use crate::error::CliError;
use crate::resume::Progress;
use crate::view::line::{LogBegun, LogGap, LogLine, Origin};

/// How long the agent may take to start a log daemon in place of one that has died.
const PATIENCE: Duration = Duration::from_secs(30);
/// Rest before a daemon is asked again, so that one that dies at every question does not keep us busy.
const REST: Duration = Duration::from_millis(100);

/// What a reader is told.
#[derive(Debug)]
pub(crate) enum Told {
    /// A new source of lines.
    Source(Origin),
    /// A line, or a piece of a long one.
    Line(LogLine),
    /// What is there of a line that is not complete; only where the request asks for it.
    Begun(LogBegun),
    /// Bytes that are no longer there.
    Gap(LogGap),
    /// All lines of a message were told, or the history is complete: show them.
    Pause,
    /// The daemon went away; reading goes on with the next one.
    Lost,
}

/// Takes what is read.
pub(crate) trait Reader {
    /// Takes one thing; an error ends the reading.
    fn take(&mut self, told: Told) -> Result<(), CliError>;

    /// Hears how far everything that was told so far has come; after each [`Told::Pause`].
    fn reached(&mut self, _progress: &Progress) -> Result<(), CliError> {
        Ok(())
    }
}

/// Reads what `request` asks for until it is complete, which with `follow` it never is.
pub(crate) async fn read(
    home: &Home,
    request: QueryRequest,
    patience: Duration,
    reader: &mut (dyn Reader + Send),
) -> Result<(), CliError> {
    let mut progress = Progress::new(request, clock::nanos(clock::unix()));
    read_on(home, &mut progress, patience, reader).await
}

/// Reads on from where `progress` stands.
pub(crate) async fn read_on(
    home: &Home,
    progress: &mut Progress,
    patience: Duration,
    reader: &mut (dyn Reader + Send),
) -> Result<(), CliError> {
    let mut daemon = LogDaemon::wait(home, patience).await?;
    loop {
        match converse(&mut daemon, progress, reader).await? {
            End::Complete => return Ok(()),
            End::Lost => {
                reader.take(Told::Lost)?;
                tokio::time::sleep(REST).await;
                daemon = LogDaemon::wait(home, PATIENCE).await?;
            }
        }
    }
}

enum End {
    Complete,
    Lost,
}

/// Reads from one daemon for as long as it lives.
async fn converse(
    daemon: &mut LogDaemon,
    progress: &mut Progress,
    reader: &mut (dyn Reader + Send),
) -> Result<End, CliError> {
    let mut items = match daemon.query(progress.ask()).await {
        Ok(items) => items,
        Err(refusal) => return ended(&refusal),
    };
    let mut sources = Sources::default();
    let mut caught_up = false;
    loop {
        match items.message().await {
            Ok(Some(QueryItem { item: Some(item) })) => {
                caught_up |= matches!(item, Item::CaughtUp(_));
                sources.pass_on(item, progress, reader)?;
                if caught_up && progress.ends_at_present() {
                    return Ok(End::Complete);
                }
            }
            Ok(Some(QueryItem { item: None })) => {}
            Ok(None) if caught_up && !progress.follows() => return Ok(End::Complete),
            Ok(None) => return Ok(End::Lost),
            Err(refusal) => return ended(&refusal),
        }
    }
}

/// Tells a refusal, which the next daemon would repeat, from a death.
fn ended(refusal: &tonic::Status) -> Result<End, CliError> {
    // Who ends cancels what it was at.
    if status::is_broken(refusal) || refusal.code() == tonic::Code::Cancelled {
        Ok(End::Lost)
    } else {
        Err(status::error("read the log", refusal))
    }
}

/// The sources of one call, by the numbers it gave them.
#[derive(Default)]
struct Sources {
    origins: BTreeMap<u32, Arc<Origin>>,
}

impl Sources {
    fn pass_on(
        &mut self,
        item: Item,
        progress: &mut Progress,
        reader: &mut (dyn Reader + Send),
    ) -> Result<(), CliError> {
        match item {
            Item::Source(source) => self.add(source, reader),
            Item::Lines(lines) => {
                for line in lines.lines {
                    let origin = self.origin(line.source)?;
                    if let Some(gap) = progress.missing(origin, line.offset) {
                        tell_gap(origin, &gap, progress, reader)?;
                    }
                    if progress.admit(origin, &line) {
                        reader.take(Told::Line(LogLine::new(Arc::clone(origin), line)))?;
                    }
                }
                if progress.is_caught_up() {
                    pause(progress, reader)?;
                }
                Ok(())
            }
            Item::CaughtUp(_) => {
                progress.catch_up();
                pause(progress, reader)
            }
            Item::Begun(begun) => {
                let origin = self.origin(begun.source)?.as_ref().clone();
                reader.take(Told::Begun(LogBegun {
                    origin,
                    offset: begun.offset,
                    text: begun.text,
                }))?;
                pause(progress, reader)
            }
            Item::Gap(gap) => {
                let origin = self.origin(gap.source)?;
                let gap = progress.widened(origin, gap);
                tell_gap(origin, &gap, progress, reader)
            }
        }
    }

    fn add(&mut self, source: Source, reader: &mut (dyn Reader + Send)) -> Result<(), CliError> {
        let id = source.id;
        let origin = Origin::from(source);
        self.origins.insert(id, Arc::new(origin.clone()));
        reader.take(Told::Source(origin))
    }

    fn origin(&self, id: u32) -> Result<&Arc<Origin>, CliError> {
        self.origins.get(&id).ok_or_else(|| {
            CliError::new(crate::error::Kind::Internal, "read the log")
                .because(format!("source {id} was not introduced"))
        })
    }
}

/// Tells of a gap, if it is new.
fn tell_gap(
    origin: &Origin,
    gap: &Gap,
    progress: &mut Progress,
    reader: &mut (dyn Reader + Send),
) -> Result<(), CliError> {
    if progress.admit_gap(origin, gap) {
        reader.take(Told::Gap(LogGap::new(origin.clone(), gap)))?;
    }
    Ok(())
}

/// Has what was told be shown, and tells how far that is.
fn pause(progress: &Progress, reader: &mut (dyn Reader + Send)) -> Result<(), CliError> {
    reader.take(Told::Pause)?;
    reader.reached(progress)
}
