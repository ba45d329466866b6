//! The store on a PostgreSQL server, shared by any number of replicas of this program.

mod bind;
mod open;
mod target;
mod tls;

#[cfg(test)]
mod tests;

use deadpool_postgres::Pool;

use crate::StoreError;

/// Product state in one PostgreSQL database.
pub struct PostgresStore {
    pool: Pool,
}

impl PostgresStore {
    /// Opens the store in the database that a URL names, and brings its schema up to date.
    ///
    /// The URL reads `postgres://user:password@host:port/database?option=value`. A connection that
    /// leaves this machine is encrypted, and the server's certificate checked; `sslrootcert=FILE` names
    /// the authorities to trust instead of the system's, `sslmode=disable` does without encryption.
    /// Replicas that open one database at once wait for each other.
    ///
    /// # Errors
    ///
    /// [`StoreError::CannotOpen`] if the server cannot be reached or refuses the user, if there is no
    /// such database, or if it was written by a newer version of this program. Says what to do about
    /// it, and never the password.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        Ok(Self { pool: open::open(url).await? })
    }
}
