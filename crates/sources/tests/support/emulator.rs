//! Servers that stand in for clouds, started on loopback at a free port.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

/// A server; it ends when this is dropped.
pub struct Emulator {
    child: Child,
    /// `http://127.0.0.1:port`
    pub origin: String,
}

impl Emulator {
    /// Microsoft's Azurite.
    pub fn azurite() -> Self {
        let program = installed("tests/azurite", "node_modules/azurite/dist/src/blob/main.js");
        let mut command = Command::new("node");
        command.arg(program).args(["--blobHost", "127.0.0.1", "--blobPort", "0"]);
        command.args(["--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry"]);
        Self::start(command)
    }

    /// The S3 of moto. With `strict`, only known access keys are accepted, and none is known.
    pub fn s3(strict: bool) -> Self {
        let mut command = Command::new(installed("tests/s3", ".venv/bin/moto_server"));
        command.args(["-H", "127.0.0.1", "-p", "0"]);
        if strict {
            // The first request makes the bucket.
            command.env("INITIAL_NO_AUTH_ACTION_COUNT", "1");
        }
        Self::start(command)
    }

    /// Starts a server and reads where it listens from what it prints.
    fn start(mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child =
            command.spawn().unwrap_or_else(|error| panic!("{command:?} cannot be started: {error}"));
        let (sender, receiver) = std::sync::mpsc::channel();
        let outputs: [Box<dyn Read + Send>; 2] =
            [Box::new(child.stdout.take().unwrap()), Box::new(child.stderr.take().unwrap())];
        for output in outputs {
            let sender = sender.clone();
            // Reads on to the end, so that the server is never held up by a full pipe.
            thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    let _ = sender.send(line);
                }
            });
        }
        drop(sender);
        let mut said = String::new();
        while let Ok(line) = receiver.recv_timeout(std::time::Duration::from_secs(120)) {
            if let Some(at) = line.find("http://127.0.0.1:") {
                let origin = line[at..].trim().to_owned();
                thread::spawn(move || receiver.into_iter().for_each(drop));
                return Self { child, origin };
            }
            said.push_str(&line);
        }
        let _ = child.kill();
        panic!("{command:?} did not say where it listens: {said}");
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn installed(folder: &str, file: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(folder).join(file);
    assert!(
        path.exists(),
        "{} is not there; run {folder}/install first, as scripts/test does",
        path.display()
    );
    path
}
