//! A service over HTTP that answers as a file says at that moment, also as no service should.
//!
//! | the file holds | the answer |
//! | --- | --- |
//! | `503` | this status |
//! | `silence` | none, for as long as the other one waits |
//! | `garbage` | bytes that are no HTTP |
//! | `flood` | a head without an end, as fast as it is read |
//! | `drip` | a head without an end, slowly |

use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};

/// Answers whoever connects, for good.
///
/// # Errors
/// When no thread can be begun.
pub fn serve(listener: TcpListener, file: PathBuf) -> io::Result<()> {
    let serve = move || {
        for stream in listener.incoming().flatten() {
            let file = file.clone();
            // A peer that has heard enough closes.
            let one = move || drop(answer(stream, &file));
            drop(std::thread::Builder::new().spawn(one));
        }
    };
    std::thread::Builder::new().spawn(serve).map(drop)
}

fn answer(mut stream: TcpStream, file: &Path) -> io::Result<()> {
    let mut request = [0; 4096];
    if stream.read(&mut request)? == 0 {
        return Ok(());
    }
    let word = std::fs::read_to_string(file).unwrap_or_else(|_| "200".to_owned());
    match word.trim() {
        "silence" => stream.read(&mut request).map(drop),
        "garbage" => stream.write_all(b"\x15\x03\x01\x00\x02\x02\x16 not HTTP\r\n\r\n"),
        "flood" => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nx: ")?;
            loop {
                stream.write_all(&[b'x'; 4096])?;
            }
        }
        "drip" => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nx: ")?;
            loop {
                stream.write_all(b"x")?;
                crate::wait::rest();
            }
        }
        status => stream.write_all(
            format!("HTTP/1.1 {status} X\r\ncontent-length: 4\r\nconnection: close\r\n\r\nbody")
                .as_bytes(),
        ),
    }
}
