//! A server as a process of its own, and a sender of records to it.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A running server.
pub(crate) struct Server {
    pub(crate) process: Child,
    /// Its address and port.
    address: String,
}

impl Server {
    pub(crate) fn start(data: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tenantwatch"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(data);
        Self::start_by(command)
    }

    /// Starts a command that becomes a server.
    pub(crate) fn start_by(mut command: Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut url = String::new();
        BufReader::new(process.stdout.as_mut().unwrap()).read_line(&mut url).unwrap();
        let address = url.trim().trim_start_matches("http://").trim_end_matches('/').to_owned();
        assert!(!address.is_empty(), "the server did not start: {:?}", process.wait());
        Self { process, address }
    }

    /// Ends it at once, wherever it is.
    pub(crate) fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    pub(crate) fn sender(&self, token: &str) -> Sender {
        Sender { address: self.address.clone(), token: token.to_owned() }
    }
}

/// Pushes records.
#[derive(Clone)]
pub(crate) struct Sender {
    address: String,
    token: String,
}

impl Sender {
    /// Status and text of the reply.
    ///
    /// # Errors
    ///
    /// There is none: whether the records are stored is open.
    pub(crate) fn push(&self, records: &str) -> io::Result<(u16, String)> {
        let mut stream = TcpStream::connect(&self.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        let (token, length) = (&self.token, records.len());
        let head = format!(
            "POST /ingest/v1/activity HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {token}\r\nContent-Length: {length}\r\n\r\n"
        );
        stream.write_all(head.as_bytes())?;
        stream.write_all(records.as_bytes())?;
        let mut reply = String::new();
        stream.read_to_string(&mut reply)?;
        let status = reply.split(' ').nth(1).and_then(|status| status.parse().ok());
        Ok((status.ok_or(io::ErrorKind::UnexpectedEof)?, reply))
    }
}

/// A token that may push, of the installation in a data directory.
pub(crate) fn token(data: &Path) -> String {
    let made = Command::new(env!("CARGO_BIN_EXE_tenantwatch"))
        .args(["token", "--app", "--scope", "Ingest.Write.All", "--data-dir"])
        .arg(data)
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    String::from_utf8(made.stdout).unwrap().trim().to_owned()
}
