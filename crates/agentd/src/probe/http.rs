//! Asking by a GET: only the status of the answer counts, its body is not read, and redirects are not followed.
//!
//! Whoever answers may be broken, or mean ill: the head of an answer has a limit, and all of it has a time, which is the
//! caller's to keep.

use eco_config::spec::HttpUrl;
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, CONNECTION, HOST, USER_AGENT};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::connect;
use super::judge::Reply;
use crate::resolve::without_query;

/// The longest head of an answer, bytes.
const LONGEST_HEAD: usize = 64 << 10;
/// What is well where nothing is said: an answer that is no refusal.
const USUAL: [(u16, u16); 1] = [(200, 399)];

/// Asks for `url` once.
pub(super) async fn ask(url: &HttpUrl, statuses: &[(u16, u16)]) -> Reply {
    let stream = match connect::to(url.address()).await {
        Ok(stream) => stream,
        Err(why) => return Reply::Failed(why),
    };
    let shown = without_query(url);
    match get(url, stream).await {
        Ok(status) => {
            let text = format!("{shown} answered {}", status.as_u16());
            if is_one_of(status, statuses) {
                Reply::Well(text)
            } else {
                Reply::Failed(text)
            }
        }
        Err(why) => Reply::Failed(format!("{shown} {why}")),
    }
}

fn is_one_of(status: StatusCode, statuses: &[(u16, u16)]) -> bool {
    let wanted = if statuses.is_empty() {
        &USUAL
    } else {
        statuses
    };
    let status = status.as_u16();
    wanted
        .iter()
        .any(|(first, last)| (*first..=*last).contains(&status))
}

async fn get(url: &HttpUrl, stream: TcpStream) -> Result<StatusCode, String> {
    let request = Request::get(url.target())
        .header(HOST, url.authority())
        .header(USER_AGENT, concat!("eco/", env!("CARGO_PKG_VERSION")))
        .header(ACCEPT, "*/*")
        .header(CONNECTION, "close")
        .body(String::new())
        .map_err(|error| format!("cannot be asked: {error}"))?;
    let handshake = http1::Builder::new()
        .max_buf_size(LONGEST_HEAD)
        .handshake(TokioIo::new(stream));
    let (mut sender, connection) = handshake.await.map_err(|error| why(&error))?;
    let answer = sender.send_request(request);
    tokio::pin!(answer, connection);
    let answer = tokio::select! {
        answer = &mut answer => answer,
        // What it ended with, the answer tells.
        _ = &mut connection => answer.await,
    };
    answer
        .map(|answer| answer.status())
        .map_err(|error| why(&error))
}

fn why(error: &hyper::Error) -> String {
    if error.is_parse_too_large() {
        format!(
            "answered with a head of more than {} KiB",
            LONGEST_HEAD >> 10
        )
    } else if error.is_parse() {
        "answered with something that is not HTTP".to_owned()
    } else if error.is_incomplete_message() || error.is_canceled() || error.is_closed() {
        "closed the connection without an answer".to_owned()
    } else {
        format!("gave no answer: {error}")
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    /// The reply of a peer that answers with these bytes and closes, without the address.
    async fn answered(bytes: &[u8], statuses: &[(u16, u16)]) -> Reply {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
        let at = listener.local_addr().expect("bound").to_string();
        let bytes = bytes.to_vec();
        let peer = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("accepted");
            let mut request = vec![0; 4096];
            let count = stream.read(&mut request).await.expect("read");
            // Whoever has heard enough closes.
            drop(stream.write_all(&bytes).await);
            String::from_utf8_lossy(&request[..count]).into_owned()
        });
        let url = format!("http://{at}/health?token=secret")
            .parse()
            .expect("sound");
        let reply = ask(&url, statuses).await;
        let request = peer.await.expect("it does not panic").to_lowercase();
        assert!(
            request.starts_with("get /health?token=secret http/1.1\r\n"),
            "{request}"
        );
        assert!(
            request.contains(&format!("\r\nhost: {at}\r\n")),
            "{request}"
        );
        let short = reply.text().replace(&format!("http://{at}/health "), "");
        match reply {
            Reply::Well(_) => Reply::Well(short),
            Reply::Failed(_) => Reply::Failed(short),
        }
    }

    fn head(status: u16) -> Vec<u8> {
        format!("HTTP/1.1 {status} X\r\ncontent-length: 99\r\n\r\nhalf of it").into_bytes()
    }

    #[tokio::test]
    async fn a_status_from_200_to_399_is_well_unless_others_are_named() {
        for (status, is_well) in [
            (200, true),
            (302, true),
            (399, true),
            (404, false),
            (503, false),
        ] {
            let reply = answered(&head(status), &[]).await;
            let text = format!("answered {status}");
            let expected = if is_well {
                Reply::Well(text)
            } else {
                Reply::Failed(text)
            };
            assert_eq!(reply, expected);
        }
        let named = [(204, 204), (500, 503)];
        assert!(matches!(
            answered(&head(200), &named).await,
            Reply::Failed(_)
        ));
        assert!(matches!(answered(&head(503), &named).await, Reply::Well(_)));
    }

    #[tokio::test]
    async fn an_announcement_is_not_the_answer() {
        let mut bytes = b"HTTP/1.1 100 Continue\r\n\r\n".to_vec();
        bytes.extend(head(503));
        assert_eq!(
            answered(&bytes, &[]).await,
            Reply::Failed("answered 503".to_owned())
        );
    }

    #[tokio::test]
    async fn garbage_silence_and_a_head_without_an_end_are_failures() {
        let failed = |text: &str| Reply::Failed(text.to_owned());
        let garbage = answered(b"SSH-2.0-OpenSSH\r\n\r\n", &[]).await;
        assert_eq!(garbage, failed("answered with something that is not HTTP"));
        let closed = answered(b"", &[]).await;
        assert_eq!(closed, failed("closed the connection without an answer"));
        let half = answered(b"HTTP/1.1 200 OK\r\nx-a: ", &[]).await;
        assert_eq!(half, failed("closed the connection without an answer"));
        let mut huge = b"HTTP/1.1 200 OK\r\nx-a: ".to_vec();
        huge.resize(4 << 20, b'a');
        let huge = answered(&huge, &[]).await;
        assert_eq!(huge, failed("answered with a head of more than 64 KiB"));
        let mut many = b"HTTP/1.1 200 OK\r\n".to_vec();
        many.extend(b"a: b\r\n".repeat(5000));
        many.extend(b"\r\n");
        let many = answered(&many, &[]).await;
        assert!(matches!(many, Reply::Failed(_)), "{many:?}");
    }
}
