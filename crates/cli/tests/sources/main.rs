//! Records that come by themselves, through the program as an operator runs it: what came is in the lake, once, and the
//! position says how far it was read.
#![expect(clippy::unwrap_used, reason = "tests; clippy excuses only the bodies of test functions")]

mod clouds;
mod follow;
mod shown;

// What stands in for Azure, shared with the tests of the sources themselves.
#[path = "../../../sources/tests/support/azure.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared")]
mod azure;
#[path = "../../../sources/tests/support/emulator.rs"]
#[allow(clippy::zombie_processes, dead_code, unreachable_pub, reason = "shared; waited for when dropped")]
mod emulator;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use arrow_array::cast::AsArray as _;
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::prelude::SessionContext;
use serde_json::Value;
use server::app::Instance;
use server::config::{DataDir, Settings};

/// How long anything may take; it is waited for conditions, and this only ends a test that would hang.
const PATIENCE: Duration = Duration::from_secs(90);

/// A line of the activity log as a diagnostic setting exports it.
fn record(machine: &str) -> String {
    let id = "0f0e0d0c-0000-4000-8000-000000000001";
    format!(
        r#"{{"time":"2031-02-03T04:05:06.7890123Z","resourceId":"/SUBSCRIPTIONS/{id}/RESOURCEGROUPS/RG-A/PROVIDERS/MICROSOFT.COMPUTE/VIRTUALMACHINES/{machine}","operationName":"MICROSOFT.COMPUTE/VIRTUALMACHINES/WRITE","category":"Administrative","resultType":"Accept","resultSignature":"Accepted.Created","durationMs":"0","callerIpAddress":"203.0.113.9","correlationId":"0f0e0d0c-1111-4000-8000-00000000000a","identity":{{"authorization":{{"scope":"/subscriptions/{id}","action":"Microsoft.Compute/virtualMachines/write"}},"claims":{{"appid":"0f0e0d0c-2222-4000-8000-00000000000b"}}}},"level":"Information","properties":{{"statusCode":"Created","eventCategory":"Administrative"}}}}"#
    )
}

/// An installation in a folder of its own, and what is asked of it.
struct Here {
    folder: tempfile::TempDir,
}

impl Here {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn set(&self, settings: &str) {
        fs::create_dir_all(self.data()).unwrap();
        fs::write(self.data().join("tenantwatch.toml"), settings).unwrap();
    }

    fn command(&self, name: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tenantwatch"));
        command.args(name).arg("--data-dir").arg(self.data());
        for variable in ["TENANTWATCH_DATA_DIR", "TENANTWATCH_STORE", "RUST_LOG"] {
            command.env_remove(variable);
        }
        command
    }

    fn serve(&self, variables: &[(&str, &str)]) -> Process {
        let mut command = self.command(&["serve", "--listen", "127.0.0.1:0"]);
        command.envs(variables.iter().copied());
        let server = Process::start(command);
        assert!(server.line(|line| line.starts_with("http://")).contains("127.0.0.1"));
        server
    }

    /// Standard output of a command that succeeds.
    fn ok(&self, arguments: &[&str]) -> String {
        let done = self.command(arguments).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        assert!(done.status.success(), "{arguments:?}: {}", text(done.stderr));
        text(done.stdout)
    }

    fn status(&self) -> Value {
        serde_json::from_str(&self.ok(&["sources", "status", "--json"])).unwrap()
    }

    async fn instance(&self) -> Instance {
        Instance::open(DataDir::new(self.data()), &Settings::default()).await.unwrap()
    }

    /// Up to where a source was read.
    async fn positions(&self, source: &str) -> BTreeMap<String, Value> {
        let instance = self.instance().await;
        let saved = instance.store.positions(&instance.scope(), source).await.unwrap();
        saved.into_iter().map(|(key, text)| (key, serde_json::from_str(&text).unwrap())).collect()
    }

    /// Operation and resource of each activity event in the lake, in order.
    async fn events(&self) -> Vec<String> {
        let session = SessionContext::new();
        self.instance().await.lake.register(&session).await.unwrap();
        let query = "select concat(operation, ' ', resource_id) as text from activity order by text";
        let mut events = Vec::new();
        for batch in session.sql(query).await.unwrap().collect().await.unwrap() {
            let texts = cast(batch.column(0), &DataType::Utf8).unwrap();
            events.extend(texts.as_string::<i32>().iter().map(|text| text.unwrap().to_owned()));
        }
        events
    }

    /// Waits until the lake has so many events, and gives the machines that they are of.
    async fn machines(&self, count: usize) -> Vec<String> {
        let begin = Instant::now();
        loop {
            let events = self.events().await;
            if events.len() >= count {
                let machine = |event: &String| event.rsplit('/').next().unwrap().to_owned();
                return events.iter().map(machine).collect();
            }
            assert!(begin.elapsed() < PATIENCE, "{events:?} instead of {count}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// A program under way; it is killed when dropped.
struct Process {
    child: Child,
    /// What it writes to either stream, as it comes.
    lines: Receiver<String>,
    /// Lines that came before one that was waited for: the two streams have no common order.
    passed: RefCell<Vec<String>>,
}

impl Process {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = channel();
        let (out, err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let streams: [Box<dyn std::io::Read + Send>; 2] = [Box::new(out), Box::new(err)];
        for stream in streams {
            let sender = sender.clone();
            thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    let _ = sender.send(line);
                }
            });
        }
        Self { child, lines, passed: RefCell::default() }
    }

    /// The first line of which this is true, and that was not given before.
    fn line(&self, is_meant: impl Fn(&str) -> bool) -> String {
        let mut passed = self.passed.borrow_mut();
        if let Some(at) = passed.iter().position(|line| is_meant(line)) {
            return passed.remove(at);
        }
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) if is_meant(&line) => return line,
                Ok(line) => passed.push(line),
                Err(error) => panic!("{error}: {passed:#?}"),
            }
        }
    }

    /// Tells it to stop, and gives the lines that were not looked at.
    fn stop(mut self, signal: &str) -> Vec<String> {
        let told = Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(told.success());
        let code = self.child.wait().unwrap();
        let mut lines = self.passed.take();
        lines.extend(self.lines.iter());
        assert!(code.success(), "{code}: {lines:#?}");
        lines
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn append(path: &Path, text: &str) {
    use std::io::Write as _;
    let mut file = fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}
