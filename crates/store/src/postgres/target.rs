//! Which database a URL names, and how to reach it.
//!
//! The URL is PostgreSQL's own, `postgres://user:password@host:port/database?option=value`. Two options
//! are read here and not by the driver: `sslmode`, as the driver does not know the modes that check
//! the server, and `sslrootcert`, which it does not know at all.
//!
//! A connection that leaves this machine is encrypted, and the server's certificate is checked, unless
//! the URL says `sslmode=disable`. That is stricter than libpq, whose default lets anyone between
//! the two read along: `require` here is libpq's `verify-full`.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use tokio_postgres::config::{Config, Host, SslMode};

use crate::StoreError;

/// How long the server may take to answer a new connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How connections are encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Encryption {
    /// Not at all.
    None,
    /// By TLS, with a certificate that an authority of this file or, without one, of the system signed.
    Tls {
        /// A file of certificates in PEM.
        authorities: Option<PathBuf>,
    },
}

/// A database, and how to reach it. Shows no password.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) config: Config,
    pub(super) encryption: Encryption,
}

impl Target {
    /// Reads a URL.
    ///
    /// The errors name the option that is wrong, and never the URL, which may hold a password.
    pub(super) fn parse(url: &str) -> Result<Self, StoreError> {
        let (base, options) = url.split_once('?').unwrap_or((url, ""));
        let (mut mode, mut authorities, mut rest) = (None, None, Vec::new());
        for option in options.split('&').filter(|option| !option.is_empty()) {
            match option.split_once('=') {
                Some(("sslmode", value)) => mode = Some(value),
                Some(("sslrootcert", value)) => authorities = Some(decoded(value)?.into()),
                _ => rest.push(option),
            }
        }
        let mut config: Config = format!("{base}?{}", rest.join("&"))
            .parse()
            .map_err(|error| StoreError::cannot_open(invalid(&chain(&error)), None))?;
        if config.get_hosts().is_empty() || config.get_dbname().is_none() {
            return Err(StoreError::cannot_open(invalid("it names no host or no database"), None));
        }
        let encryption = match mode {
            None if stays_here(&config) && authorities.is_none() => Encryption::None,
            None | Some("require" | "verify-full") => Encryption::Tls { authorities },
            Some("disable") => Encryption::None,
            Some(other) => return Err(StoreError::cannot_open(invalid(&unknown_mode(other)), None)),
        };
        config.ssl_mode(match encryption {
            Encryption::None => SslMode::Disable,
            Encryption::Tls { .. } => SslMode::Require,
        });
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        if config.get_application_name().is_none() {
            config.application_name("tenantwatch");
        }
        Ok(Self { config, encryption })
    }

    /// The hosts and ports, as a person would write them.
    pub(super) fn hosts(&self) -> String {
        let ports = self.config.get_ports();
        let port = |n: usize| ports.get(n).or(ports.first()).copied().unwrap_or(5432);
        let hosts = self.config.get_hosts().iter().enumerate().map(|(n, host)| match host {
            Host::Tcp(name) => format!("{name}:{}", port(n)),
            Host::Unix(folder) => format!("{}/.s.PGSQL.{}", folder.display(), port(n)),
        });
        hosts.collect::<Vec<_>>().join(", ")
    }

    /// The database's name.
    pub(super) fn database(&self) -> &str {
        self.config.get_dbname().unwrap_or_default()
    }

    /// Who logs in.
    pub(super) fn user(&self) -> &str {
        self.config.get_user().unwrap_or("the system's user")
    }
}

/// `database 'x' on host:port`.
impl fmt::Display for Target {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "database '{}' on {}", self.database(), self.hosts())
    }
}

/// The messages of an error and its causes, one after another.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// Whether all hosts are this machine, by their names alone.
fn stays_here(config: &Config) -> bool {
    config.get_hosts().iter().all(|host| match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost" || name.parse().is_ok_and(|at: std::net::IpAddr| at.is_loopback())
        }
    })
}

fn decoded(value: &str) -> Result<String, StoreError> {
    let text = percent_decode_str(value).decode_utf8();
    text.map(Into::into)
        .map_err(|_| StoreError::cannot_open(invalid("the value of sslrootcert is not UTF-8"), None))
}

fn invalid(why: &str) -> String {
    format!(
        "the URL of the PostgreSQL store cannot be used: {why}. It reads \
         postgres://user:password@host:port/database?sslmode=require, where sslmode is require or disable"
    )
}

fn unknown_mode(mode: &str) -> String {
    match mode {
        "allow" | "prefer" => format!("sslmode={mode} does not promise encryption"),
        "verify-ca" => "sslmode=verify-ca would not check the server's name; use require".to_owned(),
        _ => format!("'{mode}' is no sslmode"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leaves_the_machine_is_encrypted() {
        let tls = |file: Option<&str>| Encryption::Tls { authorities: file.map(PathBuf::from) };
        for (url, expected) in [
            ("postgres://u:p@db.example/t", tls(None)),
            ("postgresql://u:p@db.example:6432/t?sslmode=require", tls(None)),
            ("postgres://u:p@db.example/t?connect_timeout=3&sslmode=verify-full", tls(None)),
            ("postgres://u:p@db.example/t?sslrootcert=%2Fetc%2Fca.pem", tls(Some("/etc/ca.pem"))),
            ("postgres://u:p@localhost/t?sslrootcert=ca.pem", tls(Some("ca.pem"))),
            ("postgres://u:p@db.example/t?sslmode=disable", Encryption::None),
            ("postgres://u:p@localhost/t", Encryption::None),
            ("postgres://u:p@127.0.0.1/t", Encryption::None),
            ("postgres://u:p@localhost/t?sslmode=require", tls(None)),
            ("postgres://u@%2Frun%2Fpostgresql/t", Encryption::None),
        ] {
            assert_eq!(Target::parse(url).unwrap().encryption, expected, "{url}");
        }
    }

    #[test]
    fn a_url_that_cannot_be_used_is_refused_without_its_password() {
        for (url, expected) in [
            ("postgres://u:secret@db.example/t?sslmode=prefer", "sslmode=prefer does not promise encryption"),
            ("postgres://u:secret@db.example/t?sslmode=verify-ca", "would not check the server's name"),
            ("postgres://u:secret@db.example/t?sslmode=on", "'on' is no sslmode"),
            ("postgres://u:secret@db.example/t?pool=3", "unknown option `pool`"),
            ("postgres://u:secret@db.example:port/t", "invalid value for option `port`"),
            ("postgres://u:secret@db.example", "it names no host or no database"),
            ("postgres:///t", "it names no host or no database"),
            ("postgres://u:secret@db.example/t?sslrootcert=%ff", "sslrootcert is not UTF-8"),
        ] {
            let refused = Target::parse(url).unwrap_err();
            let shown = format!("{refused} {refused:?}");
            assert!(shown.contains(expected), "{url}: {shown}");
            assert!(!shown.contains("secret"), "{url}: {shown}");
        }
    }

    #[test]
    fn a_target_is_told_without_its_password() {
        let target = Target::parse("postgres://u:secret@db.example:6432/t").unwrap();
        assert_eq!(target.to_string(), "database 't' on db.example:6432");
        assert!(!format!("{target:?}").contains("secret"));
        let socket = Target::parse("postgres://u@%2Frun%2Fpg/t").unwrap();
        assert_eq!(socket.hosts(), "/run/pg/.s.PGSQL.5432");
    }
}
