//! From a socket's path to a channel.

use std::error::Error;
use std::future::Future;
use std::io;
use std::path::Path;
use std::time::Duration;

use eco_home::{Daemon, Home, clock, connect};
use eco_proto::log::v1 as log;
use eco_proto::log::v1::log_client::LogClient;
use tonic::transport::Channel;

use super::status;
use crate::error::CliError;

/// The largest message taken: a line may be as long as its writer likes.
pub(crate) const LARGEST: usize = 64 << 20;

/// How long the log daemon may take to begin an answer.
const ANSWER: Duration = Duration::from_secs(10);

/// The error of a daemon that is there and says nothing for as long as `patience`.
pub(super) fn silent(home: &Home, daemon: Daemon, tried: &str, patience: Duration) -> CliError {
    let program = daemon.program();
    let (log, lock) = (home.log(daemon), home.lock(daemon));
    CliError::daemon(tried)
        .because(format!(
            "{program} did not answer within {} s",
            patience.as_secs()
        ))
        .hinted(format!(
            "see {}; kill -9 \"$(cat {})\" ends it, another is started, and the apps go on",
            log.display(),
            lock.display()
        ))
}

/// How long to rest between two attempts to connect.
const REST: Duration = Duration::from_millis(20);

/// Connects to the socket at `path`; `None`: nobody listens there, be the file there or not.
pub(super) async fn open(path: &Path) -> Result<Option<Channel>, CliError> {
    match connect::unix(path.to_owned()).await {
        Ok(channel) => Ok(Some(channel)),
        Err(error) if is_absence(&error) => Ok(None),
        Err(error) => {
            Err(CliError::daemon(format!("connect to {}", path.display())).because_of(Some(&error)))
        }
    }
}

/// Whether an error means that nobody listens.
fn is_absence(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(io) = error.downcast_ref::<io::Error>() {
            return matches!(
                io.kind(),
                // A home that is a file is told of when its folders are made.
                io::ErrorKind::NotFound
                    | io::ErrorKind::NotADirectory
                    | io::ErrorKind::ConnectionRefused
                    // Whoever listened died with us in the queue.
                    | io::ErrorKind::ConnectionReset
                    | io::ErrorKind::BrokenPipe
            );
        }
        next = error.source();
    }
    false
}

/// The log daemon.
#[derive(Debug)]
pub(crate) struct LogDaemon {
    client: LogClient<Channel>,
    home: Home,
}

impl LogDaemon {
    /// Connects, when one runs.
    pub(crate) async fn find(home: &Home) -> Result<Option<Self>, CliError> {
        let channel = open(&home.socket(Daemon::Log)).await?;
        Ok(channel.map(|channel| Self {
            home: home.clone(),
            client: LogClient::new(channel).max_decoding_message_size(LARGEST),
        }))
    }

    /// Connects, giving the agent `patience` to start one.
    pub(crate) async fn wait(home: &Home, patience: Duration) -> Result<Self, CliError> {
        let until = clock::since_boot() + patience;
        loop {
            if let Some(found) = Self::find(home).await? {
                return Ok(found);
            }
            if clock::since_boot() >= until {
                let path = home.socket(Daemon::Log);
                return Err(CliError::daemon("reach the log daemon")
                    .because(format!("nobody listens at {}", path.display()))
                    .hinted(format!("see {}", home.log(Daemon::Log).display())));
            }
            tokio::time::sleep(REST).await;
        }
    }

    /// Asks for lines.
    pub(super) async fn query(
        &mut self,
        request: log::QueryRequest,
    ) -> Result<tonic::Streaming<log::QueryItem>, tonic::Status> {
        let silent = |_| {
            let waited = ANSWER.as_secs();
            tonic::Status::deadline_exceeded(format!("no answer within {waited} s"))
        };
        let answer = tokio::time::timeout(ANSWER, self.client.query(request));
        answer
            .await
            .map_err(silent)?
            .map(tonic::Response::into_inner)
    }

    /// Asks how much was written when; takes one item after the other.
    pub(crate) async fn stats(
        &mut self,
        request: log::StatsRequest,
        take: &mut (dyn FnMut(log::StatsItem) + Send),
    ) -> Result<(), CliError> {
        let refused = |refusal| status::error("count the lines", &refusal);
        self.pid().await?;
        let items = self.client.stats(request).await.map_err(refused)?;
        let mut items = items.into_inner();
        while let Some(item) = items.message().await.map_err(refused)? {
            take(item);
        }
        Ok(())
    }

    /// Tells which runs there are of what `matches` choose.
    pub(crate) async fn runs(
        &mut self,
        matches: Vec<log::Match>,
    ) -> Result<Vec<log::Slot>, CliError> {
        let answer = self.client.runs(log::RunsRequest { matches });
        let reply = answered(&self.home, "ask which runs there are", answer).await?;
        Ok(reply.slots)
    }

    /// Has it take away what was written so far of what `matches` choose, which takes as long as the disk does.
    pub(crate) async fn flush(
        &mut self,
        matches: Vec<log::Match>,
    ) -> Result<log::FlushReply, CliError> {
        self.pid().await?;
        let reply = self.client.flush(log::FlushRequest { matches }).await;
        reply
            .map(tonic::Response::into_inner)
            .map_err(|status| status::error("flush the output", &status))
    }

    /// Opens the files that lines are copied to again.
    pub(crate) async fn reopen(&mut self) -> Result<Vec<log::ReopenedFile>, CliError> {
        self.pid().await?;
        let reply = self.client.reopen(log::ReopenRequest {}).await;
        reply
            .map(|reply| reply.into_inner().files)
            .map_err(|status| status::error("open the log files again", &status))
    }

    /// Returns its process.
    pub(crate) async fn pid(&mut self) -> Result<i32, CliError> {
        Ok(self.ping().await?.pid)
    }

    /// Returns what is wrong with what it was told to do, and how to mend it; `None`: nothing is.
    pub(crate) async fn problem(&mut self) -> Result<Option<String>, CliError> {
        let problem = self.ping().await?.problem;
        Ok((!problem.is_empty()).then_some(problem))
    }

    async fn ping(&mut self) -> Result<log::PingReply, CliError> {
        let answer = self.client.ping(log::PingRequest {});
        answered(&self.home, "ask the log daemon", answer).await
    }

    /// Ends it.
    pub(crate) async fn shut_down(&mut self) -> Result<(), CliError> {
        let answer = self.client.shutdown(log::ShutdownRequest {});
        answered(&self.home, "end the log daemon", answer)
            .await
            .map(drop)
    }
}

/// Waits for what the log daemon of `home` answers.
async fn answered<T>(
    home: &Home,
    tried: &str,
    answer: impl Future<Output = Result<tonic::Response<T>, tonic::Status>>,
) -> Result<T, CliError> {
    match tokio::time::timeout(ANSWER, answer).await {
        Ok(reply) => reply
            .map(tonic::Response::into_inner)
            .map_err(|status| status::error(tried, &status)),
        Err(_) => Err(silent(home, Daemon::Log, tried, ANSWER)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_died_before_we_were_let_in_is_absent_and_who_refuses_us_is_not() {
        let is_absent = |kind: io::ErrorKind| is_absence(&io::Error::from(kind));
        assert!(is_absent(io::ErrorKind::ConnectionRefused));
        assert!(is_absent(io::ErrorKind::ConnectionReset));
        assert!(is_absent(io::ErrorKind::BrokenPipe));
        assert!(!is_absent(io::ErrorKind::PermissionDenied));
    }
}
