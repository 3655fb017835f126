//! Telling eco-logd of runs and growth, and keeping one there to be told.
//!
//! The files are the truth and the feed is a wake-up, so nothing is kept for a daemon that is not there, and nothing waits
//! for one that is slow.

use std::sync::Arc;
use std::time::Duration;

use eco_home::runs::Stream;
use eco_home::{Daemon, Home, connect, launch};
use eco_proto::VERSION;
use eco_proto::log::v1 as pb;
use eco_proto::log::v1::feed_item::Item;
use eco_proto::log::v1::log_client::LogClient;
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;

use crate::feed_logs::LogSettings;
use crate::fleet::{Fleet, RunKey};
use crate::keeper::Growth;

/// Between two attempts to reach the daemon.
const RETRY: Duration = Duration::from_millis(20);
/// Attempts after a launch before another one is made.
const PATIENCE: u32 = 100;
/// Items on their way; a daemon that is further behind looks by itself.
const ON_THE_WAY: usize = 256;

/// Who the log daemon is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogDaemon {
    /// 0 while there is none.
    pub pid: i32,
    /// Its version.
    pub version: String,
}

/// What happened to a run, as far as its lines go.
#[derive(Clone, Debug)]
pub enum RunNews {
    /// It was spawned.
    Started(RunKey),
    /// Nothing more will come.
    Ended(RunKey),
}

/// The ends that [`run`] needs.
#[derive(Debug)]
pub struct Lines {
    /// Growth, as the keeper tells it.
    pub growth: mpsc::Receiver<Growth>,
    /// Beginnings and ends.
    pub runs: mpsc::Receiver<RunNews>,
    /// All apps: where their lines are copied to, and how long they are kept.
    pub fleet: watch::Receiver<Arc<Fleet>>,
    /// Who the daemon is.
    pub daemon: watch::Sender<LogDaemon>,
}

/// Feeds the log daemon of `home`, launching one wherever none is there. Ends with the agent.
pub async fn run(home: Home, host: String, mut lines: Lines) {
    let mut settings = LogSettings::default();
    settings.follow(&lines.fleet.borrow_and_update());
    loop {
        let Some(client) = reach(&home, &host, &mut lines).await else {
            return;
        };
        if feed(client, &host, &mut lines, &mut settings).await == Feeding::Over {
            return;
        }
        lines.daemon.send_replace(LogDaemon::default());
    }
}

#[derive(PartialEq, Eq)]
enum Feeding {
    /// The daemon is gone.
    Broken,
    /// The agent ends.
    Over,
}

/// Connects, launching a daemon first if nobody answers or one of another version does. `None`: the agent ends.
async fn reach(home: &Home, host: &str, lines: &mut Lines) -> Option<LogClient<Channel>> {
    for attempt in 0.. {
        if lines.runs.is_closed() {
            return None;
        }
        if let Some(client) = greet(home, lines).await {
            return Some(client);
        }
        if attempt % PATIENCE == 0 {
            match launch::launch_on(home, Daemon::Log, host) {
                Ok(child) => launch::reap(child),
                // Said once: it is tried again every few seconds, for as long as it takes.
                Err(error) if attempt == 0 => {
                    tracing::error!(error = &error as &dyn std::error::Error, "no log daemon");
                }
                Err(_) => {}
            }
        }
        tokio::time::sleep(RETRY).await;
    }
    None
}

async fn greet(home: &Home, lines: &Lines) -> Option<LogClient<Channel>> {
    let mut client = LogClient::new(connect::unix(home.socket(Daemon::Log)).await.ok()?);
    let reply = client.ping(pb::PingRequest {}).await.ok()?.into_inner();
    if reply.version != VERSION {
        tracing::info!(
            version = reply.version,
            "replacing a log daemon of another version"
        );
        drop(client.shutdown(pb::ShutdownRequest {}).await);
        return None;
    }
    lines.daemon.send_replace(LogDaemon {
        pid: reply.pid,
        version: reply.version,
    });
    Some(client)
}

async fn feed(
    mut client: LogClient<Channel>,
    host: &str,
    lines: &mut Lines,
    settings: &mut LogSettings,
) -> Feeding {
    let (items, stream) = mpsc::channel(ON_THE_WAY);
    let call = client.feed(ReceiverStream::new(stream));
    tokio::pin!(call);
    settings.follow(&lines.fleet.borrow_and_update());
    let mut untold = true;
    loop {
        let item = tokio::select! {
            biased;
            _ = &mut call => return Feeding::Broken,
            // Unlike the others it is not to be dropped.
            Ok(room) = items.reserve(), if untold => {
                untold = false;
                room.send(pb::FeedItem { item: Some(Item::Logs(settings.all(host))) });
                continue;
            }
            Ok(()) = lines.fleet.changed() => {
                untold |= settings.follow(&lines.fleet.borrow_and_update());
                continue;
            }
            Some(growth) = lines.growth.recv() => Item::Growth(of_growth(host, growth)),
            news = lines.runs.recv() => match news {
                Some(news) => of_news(host, news),
                None => return Feeding::Over,
            },
        };
        // Full: the daemon is busy and will look by itself.
        drop(items.try_send(pb::FeedItem { item: Some(item) }));
    }
}

fn of_growth(host: &str, growth: Growth) -> pb::Growth {
    pb::Growth {
        run: Some(of_key(host, growth.key)),
        stream: match growth.stream {
            Stream::Out => pb::Stream::Out,
            Stream::Err => pb::Stream::Err,
        }
        .into(),
        size: growth.size,
    }
}

fn of_news(host: &str, news: RunNews) -> Item {
    match news {
        RunNews::Started(key) => Item::Started(pb::RunStarted {
            run: Some(of_key(host, key)),
        }),
        RunNews::Ended(key) => Item::Ended(pb::RunEnded {
            run: Some(of_key(host, key)),
        }),
    }
}

fn of_key(host: &str, key: RunKey) -> pb::RunId {
    pb::RunId {
        host: host.to_owned(),
        environment: key.slot.app.environment,
        app: key.slot.app.name,
        instance: key.slot.instance,
        run: key.run,
    }
}
