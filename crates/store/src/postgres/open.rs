//! Opening a database: is it there, is it one that we can use, and is its schema up to date.
//!
//! All that can be wrong at this point is something that a person has to mend, so each error says
//! what and how.

use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, NoTls};

use super::target::{Encryption, Target, chain};
use super::tls;
use crate::StoreError;

/// How many connections a store holds at most. A server takes 100 unless told otherwise, and every
/// replica of this program brings a pool of its own.
pub(super) const CONNECTIONS_MAX: usize = 16;

/// How long a caller waits for a connection that is free.
const WAIT_FOR_CONNECTION: Duration = Duration::from_secs(10);

/// The oldest server that has all we use: `pg_current_xact_id` came with 13.
const SERVER_VERSION_MIN: u32 = 13;

/// The lock that a process holds while it changes the schema; any number that nobody else uses.
const SCHEMA_LOCK: i64 = 0x7465_6e61_6e74_7731;

mod embedded {
    refinery::embed_migrations!("migrations/postgres");
}

/// Brings the schema up to date, and gives the connections to work on it.
pub(super) async fn open(url: &str) -> Result<Pool, StoreError> {
    let target = Target::parse(url)?;
    let connector = match &target.encryption {
        Encryption::None => None,
        Encryption::Tls { authorities } => Some(tls::connector(authorities.as_deref())?),
    };
    let connected = match &connector {
        None => {
            target.config.connect(NoTls).await.map(|(client, connection)| (client, tokio::spawn(connection)))
        }
        Some(tls) => target
            .config
            .connect(tls.clone())
            .await
            .map(|(client, connection)| (client, tokio::spawn(connection))),
    };
    let (mut client, connection) = connected.map_err(|error| refused(&target, error))?;
    check_server(&target, &client).await?;
    migrate(&target, &mut client).await?;
    drop(client);
    // The end of the connection gives back the lock; waiting for it lets tests copy the database.
    let _ = connection.await;

    let config = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let manager = match connector {
        None => Manager::from_config(target.config, NoTls, config),
        Some(tls) => Manager::from_config(target.config, tls, config),
    };
    Pool::builder(manager)
        .max_size(CONNECTIONS_MAX)
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(WAIT_FOR_CONNECTION))
        .build()
        .map_err(|error| StoreError::Database(Box::new(error)))
}

async fn check_server(target: &Target, client: &Client) -> Result<(), StoreError> {
    let settings = "select current_setting('server_version_num')::int4, current_setting('server_version'), \
                    current_setting('server_encoding'), \
                    exists (select from pg_collation where collname = 'und-x-icu')";
    let row = client.query_one(settings, &[]).await.map_err(|error| refused(target, error))?;
    let (number, version, encoding): (i32, String, String) = (row.get(0), row.get(1), row.get(2));
    let has_icu: bool = row.get(3);
    if u32::try_from(number / 10_000).unwrap_or(0) < SERVER_VERSION_MIN {
        let what = format!(
            "the server of {target} is PostgreSQL {version}; this program needs {SERVER_VERSION_MIN} or later"
        );
        return Err(StoreError::cannot_open(what, None));
    }
    if encoding != "UTF8" {
        let what = format!(
            "{target} is encoded in {encoding}, which cannot hold every alert; create one with \
             createdb --encoding=UTF8 --template=template0"
        );
        return Err(StoreError::cannot_open(what, None));
    }
    if !has_icu {
        let what = format!(
            "the server of {target} was built without ICU, by which words are told in every language; use \
             a build that has it, as those of Debian and of PostgreSQL itself do"
        );
        return Err(StoreError::cannot_open(what, None));
    }
    Ok(())
}

/// Brings the schema up to date. Processes that do so at once wait for each other.
async fn migrate(target: &Target, client: &mut Client) -> Result<(), StoreError> {
    client
        .execute("select pg_advisory_lock($1)", &[&SCHEMA_LOCK])
        .await
        .map_err(|error| refused(target, error))?;
    let done = embedded::migrations::runner().run_async(client).await;
    done.map(|_| ()).map_err(|error| not_migrated(target, error))
}

fn not_migrated(target: &Target, error: refinery::Error) -> StoreError {
    let what = match error.kind() {
        refinery::error::Kind::MissingVersion(migration) => format!(
            "{target} has the change of schema '{migration}', which this program does not know: a newer \
             version of it has been here. Run that version, or restore the backup from before it"
        ),
        _ => format!(
            "the schema of {target} cannot be brought up to date by user '{}', who must be allowed to \
             create tables in it: {}",
            target.user(),
            chain(&error)
        ),
    };
    StoreError::cannot_open(what, Some(Box::new(error)))
}

/// Why the server cannot be talked to, and what to do.
fn refused(target: &Target, error: tokio_postgres::Error) -> StoreError {
    let (hosts, user, database) = (target.hosts(), target.user(), target.database());
    let said = chain(&error);
    let what = match error.code() {
        Some(&SqlState::INVALID_PASSWORD | &SqlState::INVALID_AUTHORIZATION_SPECIFICATION) => format!(
            "PostgreSQL on {hosts} does not let user '{user}' in; check the user and the password in the \
             URL, and the server's pg_hba.conf: {said}"
        ),
        Some(&SqlState::INVALID_CATALOG_NAME) => format!(
            "PostgreSQL on {hosts} has no database '{database}'; create it with: createdb --owner={user} \
             --encoding=UTF8 {database}"
        ),
        Some(&SqlState::TOO_MANY_CONNECTIONS) => format!(
            "PostgreSQL on {hosts} takes no more connections; this program needs up to {CONNECTIONS_MAX}. \
             Raise max_connections there"
        ),
        Some(_) => format!("PostgreSQL on {hosts} refuses: {said}"),
        None if said.contains("does not support TLS") => format!(
            "PostgreSQL on {hosts} does not encrypt connections; set ssl = on there, or, where nobody can \
             listen in, add sslmode=disable to the URL"
        ),
        None if said.contains("TLS") => format!(
            "no encrypted connection to PostgreSQL on {hosts}: {said}. If an authority of your own signed \
             its certificate, name the authority's with sslrootcert=FILE in the URL"
        ),
        None => format!("PostgreSQL on {hosts} cannot be reached: {said}"),
    };
    StoreError::cannot_open(what, Some(Box::new(error)))
}
