//! What the program says when a PostgreSQL database cannot be used, and when it can.

use crate::testing::postgres::{PostgresServer, execute, temporary_postgres};
use crate::{PostgresStore, StoreError};

/// Why a database cannot be opened, in words that a person reads.
async fn refusal(url: &str) -> String {
    let error = PostgresStore::connect(url).await.err().unwrap();
    assert!(matches!(error, StoreError::CannotOpen { .. }), "{error:?}");
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("hunter2"), "a password is shown: {shown}");
    error.to_string()
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let said = refusal(&format!("postgres://ann:hunter2@{address}/alerts")).await;
    assert!(said.starts_with(&format!("PostgreSQL on {address} cannot be reached: ")), "{said}");
}

#[tokio::test]
async fn a_wrong_password_and_a_missing_database_are_told_apart() {
    let server = PostgresServer::shared();
    server.administer("create role guarded login password 'correct horse'").await;
    let said = refusal(&server.tcp_url("guarded:hunter2", "postgres")).await;
    assert!(said.contains("does not let user 'guarded' in; check the user and the password"), "{said}");
    let said = refusal(&server.tcp_url("guarded", "postgres")).await;
    assert!(said.contains("password missing"), "{said}");
    let said = refusal(&server.tcp_url("tenantwatch:hunter2", "nowhere")).await;
    assert!(said.contains("has no database 'nowhere'; create it with: createdb"), "{said}");
    let said = refusal(&server.tcp_url("guarded:correct%20horse", "postgres")).await;
    assert!(said.contains("must be allowed to create tables in it"), "{said}");
}

#[tokio::test]
async fn a_server_without_encryption_is_refused_where_it_is_asked_for() {
    let server = PostgresServer::shared();
    let said = refusal(&format!("{}?sslmode=require", server.tcp_url("tenantwatch", "postgres"))).await;
    assert!(said.contains("does not encrypt connections; set ssl = on there"), "{said}");
}

#[tokio::test]
async fn a_database_in_another_encoding_is_refused() {
    let server = PostgresServer::shared();
    let create = "create database latin encoding 'LATIN1' locale 'C' template template0";
    server.administer(create).await;
    let said = refusal(&server.url("latin")).await;
    assert!(said.contains("is encoded in LATIN1"), "{said}");
}

#[tokio::test]
async fn a_server_without_icu_is_refused() {
    let server = PostgresServer::shared();
    let url = server.url(&server.create_database(None).await);
    execute(&url, "drop collation pg_catalog.\"und-x-icu\"").await;
    let said = refusal(&url).await;
    assert!(said.contains("was built without ICU"), "{said}");
}

#[tokio::test]
async fn a_database_of_a_newer_program_is_left_alone() {
    let (database, _store) = temporary_postgres().await;
    let newer = "insert into refinery_schema_history (version, name, applied_on, checksum)
        values (999, 'from_the_future', '2031-01-01T00:00:00Z', '1')";
    execute(&database.url, newer).await;
    let said = refusal(&database.url).await;
    assert!(said.contains("V999__from_the_future"), "{said}");
    assert!(said.contains("a newer version of it has been here"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_that_start_at_once_bring_the_schema_up_to_date_once() {
    let server = PostgresServer::shared();
    let url = server.url(&server.create_database(None).await);
    let starts = (0..6).map(|_| {
        let url = url.clone();
        tokio::spawn(async move { PostgresStore::connect(&url).await.map(drop) })
    });
    for start in futures::future::join_all(starts).await {
        start.unwrap().unwrap();
    }
}
