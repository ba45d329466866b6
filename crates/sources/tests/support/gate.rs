//! A gate before a Kafka broker, which asks who comes: SASL PLAIN or OAUTHBEARER, as a broker does.
//!
//! It answers `ApiVersions`, `SaslHandshake` and `SaslAuthenticate` itself and passes the rest on, with its own port in
//! place of the broker's in what comes back, so that a client stays before the gate.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::thread;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// Who may pass.
#[derive(Debug, Clone)]
pub enum Mechanism {
    Plain { user: String, password: String },
    Bearer { token: String },
}

impl Mechanism {
    fn name(&self) -> &'static str {
        match self {
            Self::Plain { .. } => "PLAIN",
            Self::Bearer { .. } => "OAUTHBEARER",
        }
    }

    /// RFC 4616 and RFC 7628.
    fn message(&self) -> Vec<u8> {
        match self {
            Self::Plain { user, password } => format!("\0{user}\0{password}").into_bytes(),
            Self::Bearer { token } => format!("\x01auth=Bearer {token}\x01").into_bytes(),
        }
    }
}

pub struct Gate {
    port: u16,
}

impl Gate {
    /// Opens a gate before the broker at this address on loopback.
    pub fn open(broker: &str, mechanism: Mechanism) -> Self {
        Self::open_with(broker, mechanism, Ok)
    }

    /// Opens one that talks TLS, with a certificate for this name or address. That of the authority that signed it
    /// goes to a file.
    pub fn open_tls(broker: &str, mechanism: Mechanism, host: &str, ca_file: &Path) -> Self {
        let config = Arc::new(server_config(host, ca_file));
        Self::open_with(broker, mechanism, move |client| {
            let connection = ServerConnection::new(config.clone()).map_err(io::Error::other)?;
            Ok(StreamOwned::new(connection, client))
        })
    }

    fn open_with<S: Read + Write>(
        broker: &str,
        mechanism: Mechanism,
        greet: impl Fn(TcpStream) -> io::Result<S> + Clone + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let broker = broker.to_owned();
        thread::spawn(move || {
            for client in listener.incoming() {
                let (client, broker, mechanism) = (client.unwrap(), broker.clone(), mechanism.clone());
                let greet = greet.clone();
                // A client that hangs up ends its thread.
                thread::spawn(move || pass(greet(client)?, &broker, port, &mechanism));
            }
        });
        Self { port }
    }

    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}

/// A certificate for the host, of an authority of its own.
fn server_config(host: &str, ca_file: &Path) -> ServerConfig {
    let authority_key = KeyPair::generate().unwrap();
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    std::fs::write(ca_file, authority.self_signed(&authority_key).unwrap().pem()).unwrap();
    let issuer = Issuer::new(authority, authority_key);
    let key = KeyPair::generate().unwrap();
    let certificate =
        CertificateParams::new(vec![host.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap()
}

fn pass<S: Read + Write>(mut client: S, broker: &str, port: u16, mechanism: &Mechanism) -> io::Result<()> {
    let mut upstream = TcpStream::connect(broker)?;
    let broker_port: u16 = broker.rsplit_once(':').unwrap().1.parse().unwrap();
    let mut is_known = false;
    loop {
        let frame = read_frame(&mut client)?;
        let number = |at: usize| i16::from_be_bytes([frame[at], frame[at + 1]]);
        let (key, version, correlation) = (number(0), number(2), &frame[4..8]);
        match key {
            18 => write_frame(&mut client, correlation, &versions(version))?,
            17 => {
                // error_code, [mechanism]
                let name = mechanism.name();
                let mut body = vec![0, 0, 0, 0, 0, 1, 0, name.len() as u8];
                body.extend_from_slice(name.as_bytes());
                write_frame(&mut client, correlation, &body)?;
            }
            36 => {
                let wanted = mechanism.message();
                is_known = frame.windows(wanted.len()).any(|part| part == wanted);
                // error_code 58: SASL_AUTHENTICATION_FAILED; error_message null; auth_bytes empty
                let mut body = if is_known { vec![0, 0] } else { vec![0, 58] };
                body.extend_from_slice(&[0xff, 0xff, 0, 0, 0, 0]);
                if version >= 1 {
                    body.extend_from_slice(&[0; 8]);
                }
                write_frame(&mut client, correlation, &body)?;
            }
            _ if !is_known => return Ok(()),
            _ => {
                upstream.write_all(&(frame.len() as u32).to_be_bytes())?;
                upstream.write_all(&frame)?;
                let mut reply = read_frame(&mut upstream)?;
                replace_port(&mut reply, broker_port, port);
                client.write_all(&(reply.len() as u32).to_be_bytes())?;
                client.write_all(&reply)?;
                client.flush()?;
            }
        }
    }
}

/// The port follows the host's name as 32 bits.
fn replace_port(reply: &mut [u8], from: u16, to: u16) {
    let host = b"127.0.0.1";
    let from = u32::from(from).to_be_bytes();
    for at in host.len()..reply.len().saturating_sub(3) {
        if reply[at..at + 4] == from && reply[at - host.len()..at] == *host {
            reply[at..at + 4].copy_from_slice(&u32::from(to).to_be_bytes());
        }
    }
}

fn read_frame(stream: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let mut frame = vec![0; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut frame)?;
    Ok(frame)
}

fn write_frame(stream: &mut impl Write, correlation: &[u8], body: &[u8]) -> io::Result<()> {
    let length = correlation.len() + body.len();
    stream.write_all(&[&(length as u32).to_be_bytes(), correlation, body].concat())?;
    stream.flush()
}

/// What the mock knows of what a consumer needs, and SASL.
fn versions(version: i16) -> Vec<u8> {
    // Fetch, ListOffsets, Metadata, SaslHandshake, ApiVersions, SaslAuthenticate
    let apis: [(i16, i16, i16); 6] = [(1, 0, 11), (2, 0, 5), (3, 0, 8), (17, 1, 1), (18, 0, 3), (36, 0, 1)];
    let is_flexible = version >= 3;
    let mut body = vec![0, 0];
    if is_flexible {
        body.push(apis.len() as u8 + 1);
    } else {
        body.extend_from_slice(&(apis.len() as u32).to_be_bytes());
    }
    for (key, min, max) in apis {
        for number in [key, min, max] {
            body.extend_from_slice(&number.to_be_bytes());
        }
        if is_flexible {
            body.push(0);
        }
    }
    if version >= 1 {
        body.extend_from_slice(&[0; 4]);
    }
    if is_flexible {
        body.push(0);
    }
    body
}
