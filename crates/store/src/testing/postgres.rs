//! A PostgreSQL server for tests: started by them, stopped with them, no other one is touched.
//!
//! One server serves all tests of a process, and each test gets a database of its own, copied from
//! one whose schema is up to date. The server's folder is temporary. It listens on a socket in that
//! folder, and on a free port of the loopback address for the tests that need one.

use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use tokio::sync::OnceCell;
use tokio_postgres::NoTls;

use crate::PostgresStore;

/// The folder that holds `initdb` and `pg_ctl`, if it is not where distributions put it.
const BIN_VARIABLE: &str = "TENANTWATCH_POSTGRES_BIN";

/// How often another port is tried: the one that was free may be taken before the server takes it.
const STARTS_MAX: usize = 5;

/// Runs the server; see there.
const SCRIPT: &str = include_str!("postgres-server.sh");

/// How a server treats what was committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// As in production: on the disk before the caller hears of it.
    Synced,
    /// Good enough for a database that nobody wants after the test.
    Unsynced,
}

/// A server, which ends with this value, or with the process.
#[derive(Debug)]
pub struct PostgresServer {
    folder: PathBuf,
    port: u16,
    /// Holds the pipe whose end stops the server.
    supervisor: Child,
}

impl PostgresServer {
    /// The server that the tests of this process share.
    ///
    /// # Panics
    ///
    /// See [`PostgresServer::start`].
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<PostgresServer> = OnceLock::new();
        SHARED.get_or_init(|| Self::start(Durability::Unsynced, &[], &[]))
    }

    /// Starts a server with further `name=value` settings, and files, by name and content, in the
    /// folder above its data.
    ///
    /// # Panics
    ///
    /// If PostgreSQL is not installed, or does not start. The message says what to do, or what the
    /// server said.
    #[must_use]
    pub fn start(durability: Durability, settings: &[&str], files: &[(&str, &str)]) -> Self {
        let bin = binaries();
        let mut failure = String::new();
        for _ in 0..STARTS_MAX {
            match Self::try_start(&bin, durability, settings, files) {
                Ok(server) => return server,
                Err(said) => failure = said,
            }
            if !failure.contains("Address already in use") {
                break;
            }
        }
        panic!("the PostgreSQL server for tests does not start. It said:\n{failure}");
    }

    fn try_start(
        bin: &Path,
        durability: Durability,
        settings: &[&str],
        files: &[(&str, &str)],
    ) -> Result<Self, String> {
        let folder = tempfile::Builder::new()
            .prefix("pg-")
            .tempdir()
            .expect("a test machine has a temporary folder")
            .keep();
        for (name, content) in files {
            let mut private = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(folder.join(name))
                .expect("the folder is new");
            private.write_all(content.as_bytes()).expect("a test machine has room");
        }
        let mut command = unprivileged(&folder);
        let port = free_port();
        command.args(["sh", "-c", SCRIPT, "postgres-server"]).arg(bin).arg(&folder);
        command.arg(format!("port={port}")).arg("max_connections=300");
        if durability == Durability::Unsynced {
            command.args(["fsync=off", "synchronous_commit=off", "full_page_writes=off"]);
        }
        command.args(settings);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // A group of its own: an interrupt from the keyboard reaches the tests, and they the server.
        let mut supervisor = command.process_group(0).spawn().expect("a test machine has a shell");

        let stdout = supervisor.stdout.take().expect("it is piped");
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).expect("a pipe can be read");
        if line.trim() == "ready" {
            return Ok(Self { folder, port, supervisor });
        }
        let mut said = String::new();
        let mut stderr = supervisor.stderr.take().expect("it is piped");
        stderr.read_to_string(&mut said).expect("a pipe can be read");
        let _ = supervisor.wait();
        let _ = fs::remove_dir_all(&folder);
        Err(said)
    }

    /// The URL of a database, over the socket.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        let folder = self.folder.display().to_string().replace('/', "%2F");
        format!("postgres://tenantwatch@{folder}:{}/{database}", self.port)
    }

    /// The URL of a database over TCP; `user` may hold a password behind a colon.
    #[must_use]
    pub fn tcp_url(&self, user: &str, database: &str) -> String {
        format!("postgres://{user}@127.0.0.1:{}/{database}", self.port)
    }

    /// Runs statements on the database that every server has.
    ///
    /// # Panics
    ///
    /// If the server refuses them.
    pub async fn administer(&self, sql: &str) {
        execute(&self.url("postgres"), sql).await;
    }

    /// Creates a database, empty or as a copy of another, and gives its name.
    ///
    /// # Panics
    ///
    /// If the server refuses it.
    pub async fn create_database(&self, template: Option<&str>) -> String {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        self.administer(&format!("create database {name} template {}", template.unwrap_or("template1")))
            .await;
        name
    }
}

impl Drop for PostgresServer {
    /// Stops the server and waits until its folder is gone.
    fn drop(&mut self) {
        drop(self.supervisor.stdin.take());
        let _ = self.supervisor.wait();
    }
}

/// Runs statements over a connection of their own.
///
/// # Panics
///
/// If the server refuses the connection or a statement.
pub async fn execute(url: &str, sql: &str) {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("the test server answers");
    let connection = tokio::spawn(connection);
    client.batch_execute(sql).await.expect("the statements are right");
    drop(client);
    let _ = connection.await;
}

/// A database of the shared server.
#[derive(Debug)]
pub struct PostgresDatabase {
    /// Where it is.
    pub url: String,
}

/// A store in a database of its own, and where that is.
///
/// # Panics
///
/// If PostgreSQL is not installed, does not start, or the store cannot be opened.
pub async fn temporary_postgres() -> (PostgresDatabase, Arc<PostgresStore>) {
    static TEMPLATE: OnceCell<String> = OnceCell::const_new();
    let server = PostgresServer::shared();
    let template = TEMPLATE.get_or_init(async || {
        let name = server.create_database(None).await;
        drop(PostgresStore::connect(&server.url(&name)).await.expect("a new database can be opened"));
        name
    });
    let name = server.create_database(Some(template.await)).await;
    let url = server.url(&name);
    let store = PostgresStore::connect(&url).await.expect("a copy of a database can be opened");
    (PostgresDatabase { url }, Arc::new(store))
}

/// The folder of the newest PostgreSQL that is installed.
fn binaries() -> PathBuf {
    let named = std::env::var_os(BIN_VARIABLE).map(PathBuf::from);
    let major = |folder: &PathBuf| folder.file_name()?.to_str()?.parse::<u32>().ok();
    let mut distributed: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .map(|folders| folders.flatten().map(|folder| folder.path()).collect())
        .unwrap_or_default();
    distributed.sort_by_key(major);
    let distributed = distributed.into_iter().rev().map(|folder| folder.join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = named
        .into_iter()
        .chain(distributed)
        .chain(std::env::split_paths(&path))
        .find(|folder| folder.join("initdb").is_file() && folder.join("pg_ctl").is_file());
    found.unwrap_or_else(|| {
        panic!(
            "the tests of the PostgreSQL store need the server's programs, and there is no initdb with \
             pg_ctl in /usr/lib/postgresql/*/bin or on the PATH; install them (Debian: apt-get install \
             postgresql) or name their folder in {BIN_VARIABLE}"
        )
    })
}

/// A command that runs another as a user who may start a server in the folder: the server refuses to
/// run as root, so root becomes `postgres`, or `nobody` where there is no such user.
fn unprivileged(folder: &Path) -> Command {
    let me = fs::metadata(folder).expect("the folder was made").uid();
    if me != 0 {
        return Command::new("env");
    }
    let (user, group) = ["postgres", "nobody"]
        .into_iter()
        .find_map(|name| Some((id("-u", name)?, id("-g", name)?)))
        .expect("a system has a user called nobody");
    let files = fs::read_dir(folder).expect("the folder was made").flatten().map(|file| file.path());
    for path in files.chain([folder.to_owned()]) {
        chown(path, Some(user), Some(group)).expect("root may give files away");
    }
    let mut command = Command::new("setpriv");
    command.args([format!("--reuid={user}"), format!("--regid={group}"), "--clear-groups".to_owned()]);
    command
}

fn id(which: &str, name: &str) -> Option<u32> {
    let output = Command::new("id").args([which, name]).stderr(Stdio::null()).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("the loopback address has a free port");
    listener.local_addr().expect("it is bound").port()
}
