//! What a run is given besides its arguments: where it reads and writes, and how it speaks with the agent.
//!
//! ```text
//!   0 in.fifo    1 out.fifo    2 err.fifo    3 its channel, if it is to have one    NOTIFY_SOCKET, likewise
//! ```
//!
//! What is made here has names in the file system; what a run that never began would leave of it is removed.

use std::fs::{File, OpenOptions};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use eco_home::runs::{STDIN, Stream};
use eco_proto::keeper::v1::Spawn;

use super::channel::{self, Channel};
use super::fifo::{self, FifoError};
use super::notices::{Notices, NoticesError};
use super::output::{Output, OutputError, Refused};
use super::say;
use crate::os::account::Account;

/// Why a run cannot be given what it needs.
#[derive(Debug, thiserror::Error)]
pub(super) enum GearError {
    /// Its stdin.
    #[error(transparent)]
    Stdin(#[from] FifoError),
    /// Its stdout or stderr.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// Its stdout and stderr, where nothing of them is to be kept.
    #[error("open /dev/null")]
    Nothing(#[source] std::io::Error),
    /// Its channel.
    #[error("make a channel")]
    Channel(#[source] std::io::Error),
    /// Its socket for notices.
    #[error(transparent)]
    Notices(#[from] NoticesError),
}

impl GearError {
    /// The kernel's reason.
    pub(super) const fn cause(&self) -> &std::io::Error {
        match self {
            Self::Stdin(error) => &error.source,
            Self::Output(error) => error.cause(),
            Self::Nothing(source) | Self::Channel(source) => source,
            Self::Notices(error) => &error.source,
        }
    }
}

/// What the keeper keeps of it.
#[derive(Debug)]
pub(super) struct Gear {
    pub(super) outputs: Vec<Output>,
    pub(super) channel: Option<Channel>,
    pub(super) notices: Option<Notices>,
}

/// What the app gets.
#[derive(Debug)]
pub(super) struct Ends {
    pub(super) stdin: File,
    pub(super) out: File,
    pub(super) err: File,
    pub(super) channel: Option<OwnedFd>,
    /// Variables that tell of it.
    pub(super) variables: Vec<(&'static str, std::ffi::OsString)>,
}

/// Where things of a run are made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    /// The run's folder.
    pub(super) folder: &'a Path,
    /// The sockets for notices.
    pub(super) notices: &'a Path,
    /// What tells the run from every other: see [`mod@super::mark`].
    pub(super) number: u64,
    pub(super) segment_bytes: u64,
}

/// Makes all that `request` asks for.
pub(super) fn make(
    request: &Spawn,
    place: Place<'_>,
    account: Option<&Account>,
) -> Result<(Gear, Ends, Leftovers), GearError> {
    let owner = account.map(Account::owner);
    let mut left = Leftovers::default();
    let stdin = fifo::make(&left.note(place.folder.join(STDIN)), 0, owner)?;
    let refused = if request.drop_refused {
        Refused::IsDropped
    } else {
        Refused::Waits
    };
    let mut output = |stream: Stream| {
        left.note(place.folder.join(stream.fifo()));
        Output::create(place.folder, stream, place.segment_bytes, owner, refused)
    };
    let (outputs, out, err) = if request.discard {
        let nothing = || OpenOptions::new().read(true).write(true).open("/dev/null");
        let failed = GearError::Nothing;
        (
            Vec::new(),
            nothing().map_err(failed)?,
            nothing().map_err(failed)?,
        )
    } else {
        let (kept_out, out) = output(Stream::Out)?;
        let (kept_err, err) = output(Stream::Err)?;
        (vec![kept_out, kept_err], out, err)
    };
    let mut variables = Vec::new();
    let (mut kept_channel, mut channel) = (None, None);
    if request.ipc {
        let (kept, app) = Channel::pair().map_err(GearError::Channel)?;
        (kept_channel, channel) = (Some(kept), Some(app));
        variables.extend(channel::VARIABLES.map(|(name, value)| (name, value.into())));
    }
    let mut notices = None;
    if request.notify {
        let made = Notices::create(place.notices, place.number, owner)?;
        left.made(made.path());
        variables.push(("NOTIFY_SOCKET", made.path().into()));
        if request.watchdog_usec > 0 {
            let span = request.watchdog_usec.to_string();
            variables.push(("WATCHDOG_USEC", span.into()));
        }
        notices = Some(made);
    }
    let gear = Gear {
        outputs,
        channel: kept_channel,
        notices,
    };
    let ends = Ends {
        stdin,
        out,
        err,
        channel,
        variables,
    };
    Ok((gear, ends, left))
}

/// Removes what has a name, unless it is kept.
#[derive(Debug, Default)]
pub(super) struct Leftovers(Vec<PathBuf>);

impl Leftovers {
    /// From now on `path`, which is about to be made, is removed; what is there already belongs to somebody else.
    fn note(&mut self, path: PathBuf) -> PathBuf {
        if path.symlink_metadata().is_err() {
            self.0.push(path.clone());
        }
        path
    }

    /// From now on `path`, which was made, is removed.
    fn made(&mut self, path: &Path) {
        self.0.push(path.to_owned());
    }

    /// The run is there, and all of it is needed.
    pub(super) fn keep(mut self) {
        self.0.clear();
    }
}

impl Drop for Leftovers {
    fn drop(&mut self) {
        for path in &self.0 {
            if let Err(error) = fifo::remove(path) {
                say::failed(&path.display(), &error);
            }
        }
    }
}
