//! Channels to the daemons of this home.

use std::path::PathBuf;

use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;
use tonic::transport::{Channel, Endpoint, Error, Uri};
use tower::service_fn;

/// Opens a channel to the unix socket at `path`; fails when nobody listens there. It does not reconnect to another
/// daemon behind the caller's back: when the connection breaks, the next call says so or finds the successor.
pub async fn unix(path: PathBuf) -> Result<Channel, Error> {
    // The address is only a form: every connection goes to the socket.
    Endpoint::from_static("http://eco.invalid")
        .connect_with_connector(service_fn(move |_: Uri| {
            let path = path.clone();
            async move { UnixStream::connect(path).await.map(TokioIo::new) }
        }))
        .await
}
