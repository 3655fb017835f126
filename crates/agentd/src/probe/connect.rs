//! Connections to whoever is asked.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};

use eco_config::spec::Address;
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, oneshot};

use super::judge::Reply;
use crate::resolve::Place;

/// Names that are looked up at a time. Nobody can end a look-up that hangs, and each holds a thread.
static LOOKING_UP: Semaphore = Semaphore::const_new(16);

/// Asks whether somebody accepts connections at `address`.
pub(super) async fn ask(address: &Address) -> Reply {
    match to(address).await {
        Ok(_) => Reply::Well(format!("{} accepts connections", Place(address))),
        Err(why) => Reply::Failed(why),
    }
}

/// Connects, or says why not.
pub(super) async fn to(address: &Address) -> Result<TcpStream, String> {
    let mut last = "it has no address".to_owned();
    let found = find(address).await.map_err(|error| {
        let error = error.to_string();
        // "failed to look it up: why".
        let why = error.rsplit(": ").next().unwrap_or_default();
        format!("{} is not found ({why})", address.host())
    })?;
    for place in found {
        match TcpStream::connect(place).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = reason(&error),
        }
    }
    Err(format!("{last} ({})", Place(address)))
}

/// What went wrong, in as few words as say it: the kernel's error without its number.
fn reason(error: &io::Error) -> String {
    if error.raw_os_error().is_some() {
        error.kind().to_string()
    } else {
        error.to_string()
    }
}

/// All addresses of a host. Not by tokio: the end of the agent would wait for a look-up that hangs.
async fn find(address: &Address) -> io::Result<Vec<SocketAddr>> {
    if let Ok(ip) = address.host().parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(ip, address.port())]);
    }
    let permit = LOOKING_UP.acquire().await.map_err(io::Error::other)?;
    let (tell, told) = oneshot::channel();
    let (host, port) = (address.host().to_owned(), address.port());
    std::thread::Builder::new()
        .name("look-up".to_owned())
        .spawn(move || {
            let found = (host.as_str(), port).to_socket_addrs();
            // Nobody may wait for it any more.
            drop(tell.send(found.map(Iterator::collect)));
            drop(permit);
        })?;
    told.await.map_err(io::Error::other)?
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    fn address(text: &str) -> Address {
        text.parse().expect("sound")
    }

    #[tokio::test]
    async fn whoever_listens_is_found_by_number_and_by_name_also_over_ipv6() {
        for (bound, host) in [
            ("127.0.0.1", "127.0.0.1"),
            ("127.0.0.1", "localhost"),
            ("[::1]", "[::1]"),
        ] {
            let listener = TcpListener::bind(format!("{bound}:0"))
                .await
                .expect("bound");
            let port = listener.local_addr().expect("bound").port();
            let at = format!("{host}:{port}");
            let reply = ask(&address(&at)).await;
            assert_eq!(reply, Reply::Well(format!("{at} accepts connections")));
        }
    }

    #[tokio::test]
    async fn a_closed_port_and_an_unknown_name_say_what_is_wrong() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
        let port = listener.local_addr().expect("bound").port();
        drop(listener);
        let reply = ask(&address(&port.to_string())).await;
        assert_eq!(
            reply,
            Reply::Failed(format!("connection refused (127.0.0.1:{port})"))
        );
        let reply = ask(&address("no-such-host.invalid:80")).await;
        assert!(
            reply
                .text()
                .starts_with("no-such-host.invalid is not found ("),
            "{reply:?}"
        );
    }
}
