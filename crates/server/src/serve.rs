//! Opening the port, and serving until told to stop.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::serve::ListenerExt as _;
use graph::Graph;
use graph::auth::issuer::{Issuer, IssuerError};
use graph::auth::verifier::Verifier;
use graph::http::Origins;
use tokio::net::TcpListener;

use crate::api::{self, Api};
use crate::app::Instance;
use crate::jobs::scheduler;

/// How to serve.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// Address and port; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Whether the page gets a token of its own; only on loopback.
    pub demo: bool,
    /// Whether the detectors run by their schedules.
    pub scheduled_detection: bool,
}

/// Why the server did not start, or stopped.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The port cannot be opened.
    #[error("cannot listen on {address}; is another program using the port? Choose another with --listen")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Demo mode hands out tokens, so nobody else may reach it.
    #[error("demo mode gives the page a token without a sign-in, so it listens on loopback only, not on {0}")]
    DemoOffLoopback(SocketAddr),
    /// The issuer's key cannot be read or made.
    #[error(transparent)]
    Issuer(#[from] IssuerError),
    /// The network failed.
    #[error("the server stopped because the network failed")]
    Network(#[source] io::Error),
}

/// A server whose port is open.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    api: Arc<Api>,
    scheduled_detection: bool,
}

impl Server {
    /// Opens the port.
    ///
    /// # Errors
    ///
    /// [`ServeError`] if the port is taken, or demo mode is asked for off loopback.
    pub async fn bind(instance: Arc<Instance>, options: &ServeOptions) -> Result<Self, ServeError> {
        if options.demo && !options.listen.ip().is_loopback() {
            return Err(ServeError::DemoOffLoopback(options.listen));
        }
        let issuer = Issuer::open(&instance.data_dir.issuer())?;
        let listen_failed = |source| ServeError::Listen { address: options.listen, source };
        let listener = TcpListener::bind(options.listen).await.map_err(listen_failed)?;
        let address = listener.local_addr().map_err(listen_failed)?;
        let graph = Arc::new(Graph {
            store: instance.store.clone(),
            verifier: Verifier::new(&issuer),
            origins: Origins::default(),
            throttle: None,
        });
        let api = Api { instance, graph, demo_issuer: options.demo.then_some(issuer) };
        Ok(Self { listener, address, api: Arc::new(api), scheduled_detection: options.scheduled_detection })
    }

    /// Where the page is.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Serves until `stop` completes; requests under way are finished.
    ///
    /// # Errors
    ///
    /// [`ServeError::Network`] if connections can no longer be accepted.
    pub async fn run(self, stop: impl Future<Output = ()> + Send + 'static) -> Result<(), ServeError> {
        let _detectors = self.scheduled_detection.then(|| scheduler::start(&self.api.instance));
        // Replies are written whole; waiting for more to fill a packet only delays them.
        let listener = self.listener.tap_io(|stream| {
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, "A connection keeps its small packets back");
            }
        });
        let app = api::router(self.api).into_make_service_with_connect_info::<SocketAddr>();
        axum::serve(listener, app).with_graceful_shutdown(stop).await.map_err(ServeError::Network)
    }
}
