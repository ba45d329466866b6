//! Opening the port, and serving until told to stop.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ::sources::SourceSettings;
use axum_server::Handle;
use axum_server::accept::NoDelayAcceptor;
use axum_server::tls_rustls::RustlsAcceptor;
use chrono::Utc;
use graph::Graph;
use graph::auth::issuer::{Issuer, IssuerError};
use graph::auth::verifier::Verifier;
use graph::http::{Origins, Throttle};
use graph::notify::reach::Reach;
use graph::notify::receivers::{Patience, Receivers};
use graph::webhooks::Webhooks;
use tokio::task::JoinHandle;

use crate::api::{self, Api};
use crate::app::Instance;
use crate::app::following::Follower;
use crate::app::intake::{Intake, Room};
use crate::app::rehearsal::asked::Rehearsals;
use crate::config::Settings;
use crate::jobs::lake_upkeep::{self, LakeUpkeep};
use crate::jobs::{housekeeping, money, notifications, scheduler, silence, sources, webhook_deliveries};
use crate::tls::{Served, Tls, TlsError};

/// How to serve.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// Address and port; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Whether the page gets a token of its own; only on loopback.
    pub demo: bool,
    /// HTTPS; plain HTTP if `None`.
    pub tls: Option<Tls>,
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
    /// HTTPS cannot be served.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Receivers of notifications cannot be called.
    #[error("the machine offers no root certificates, so receivers of notifications could not be trusted")]
    Receivers(#[source] reqwest::Error),
    /// The identity that signs webhooks cannot be read.
    #[error("the identity of webhooks, {}, cannot be read", path.display())]
    WebhookIdentity {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The network failed.
    #[error("the server stopped because the network failed")]
    Network(#[source] io::Error),
}

/// How many requests in ten seconds are let through where others than this machine can send them.
const DEFAULT_REQUESTS_PER_10_SECONDS: u32 = 2_000;

/// How long requests under way may take once the server is told to stop.
const STOP_WITHIN: Duration = Duration::from_secs(30);

/// How long a client may take over the head of a request.
const HEAD_WITHIN: Duration = Duration::from_secs(30);

/// A server whose port is open.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    tls: Option<Served>,
    api: Arc<Api>,
    issuer: Arc<Issuer>,
    storing: JoinHandle<()>,
    scheduled_detection: bool,
    upkeep: LakeUpkeep,
    sources: Vec<SourceSettings>,
}

impl Server {
    /// Opens the port.
    ///
    /// # Errors
    ///
    /// [`ServeError`] if the port is taken, demo mode is asked for off loopback, or there is no usable
    /// certificate.
    pub async fn bind(
        instance: Arc<Instance>,
        settings: &Settings,
        options: &ServeOptions,
    ) -> Result<Self, ServeError> {
        let is_loopback = options.listen.ip().is_loopback();
        if options.demo && !is_loopback {
            return Err(ServeError::DemoOffLoopback(options.listen));
        }
        let issuer = Issuer::open(&instance.data_dir.issuer())?;
        let tls = match &options.tls {
            Some(tls) => Some(tls.open(&instance.data_dir, options.listen.ip(), Utc::now()).await?),
            None => None,
        };
        let listen_failed = |source| ServeError::Listen { address: options.listen, source };
        let listener = TcpListener::bind(options.listen).map_err(listen_failed)?;
        let address = listener.local_addr().map_err(listen_failed)?;
        let default_limit = if is_loopback { 0 } else { DEFAULT_REQUESTS_PER_10_SECONDS };
        let limit = NonZeroU32::new(settings.requests_per_10_seconds.unwrap_or(default_limit));
        let mut graph = Graph::new(instance.store.clone(), Verifier::new(&issuer), instance.tokens.clone())
            .map_err(ServeError::Receivers)?;
        graph.origins = Origins { https: tls.is_some(), trusted_proxies: settings.trusted_proxies.clone() };
        graph.throttle = limit.map(|limit| Arc::new(Throttle::new(limit)));
        let reach = Reach {
            allow_insecure_loopback: settings.allow_receivers_on_loopback,
            allowed_networks: settings.receiver_networks.clone(),
        };
        let receivers = Receivers::new(reach, Patience::default()).map_err(ServeError::Receivers)?;
        graph.notifications.receivers = Arc::new(receivers);
        graph.notifications.subscriptions_per_application_max = settings.subscriptions_per_application;
        graph.response_time_target = settings.response_time_target();
        graph.webhooks = webhooks(settings)?;
        let issuer = Arc::new(issuer);
        let demo_issuer = options.demo.then(|| issuer.clone());
        let (intake, storing) = Intake::open(instance.clone());
        let api = Arc::new(Api {
            instance,
            graph: Arc::new(graph),
            intake,
            room: Room::new(mebibytes(settings.ingest_room_mib)),
            body_bytes_max: mebibytes(settings.ingest_body_mib),
            silent_after: settings.silent_after_hours,
            rehearsals: Rehearsals::default(),
            demo_issuer,
        });
        let scheduled_detection = settings.scheduled_detection;
        let upkeep = LakeUpkeep { compaction: settings.compaction, retention: settings.retention_days };
        Ok(Self {
            listener,
            address,
            tls,
            api,
            issuer,
            storing,
            scheduled_detection,
            upkeep,
            sources: settings.sources.clone(),
        })
    }

    /// Where the page is.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}/", self.address)
    }

    /// Serves until `stop` completes; requests under way are finished.
    ///
    /// # Errors
    ///
    /// [`ServeError::Network`] if connections can no longer be accepted.
    pub async fn run(self, stop: impl Future<Output = ()> + Send + 'static) -> Result<(), ServeError> {
        let _detectors = self.scheduled_detection.then(|| scheduler::start(&self.api.instance));
        let target = self.api.graph.response_time_target;
        let _housekeeping = housekeeping::start(&self.api.instance, target);
        let _upkeep = lake_upkeep::start(&self.api.instance, self.upkeep);
        let follower = Follower {
            instance: self.api.instance.clone(),
            intake: self.api.intake.clone(),
            room: self.api.room.clone(),
            tally: Arc::default(),
        };
        let to_log: sources::Watch = Arc::new(sources::log);
        let followed = sources::start(&follower, &self.sources, &to_log);
        drop(follower);
        let _money = self.scheduled_detection.then(|| money::start(&self.api.instance));
        let _silence = silence::start(&self.api.instance, self.api.silent_after);
        let _webhooks = webhook_deliveries::start(&self.api.graph);
        let _notifications = notifications::start(&self.api.graph, self.issuer);
        let app = api::router(self.api).into_make_service_with_connect_info::<SocketAddr>();
        let handle = Handle::new();
        tokio::spawn({
            let handle = handle.clone();
            async move {
                stop.await;
                handle.graceful_shutdown(Some(STOP_WITHIN));
            }
        });
        let mut server = axum_server::from_tcp(self.listener).map_err(ServeError::Network)?.handle(handle);
        server.http_builder().http1().header_read_timeout(HEAD_WITHIN);
        // Replies are written whole; waiting for more to fill a packet only delays them.
        let plain = NoDelayAcceptor::new();
        let served = match self.tls {
            Some(tls) => {
                let acceptor = RustlsAcceptor::new(tls.config.clone()).acceptor(plain);
                server.acceptor(acceptor).serve(app).await
            }
            None => server.acceptor(plain).serve(app).await,
        };
        // The sources have the door open too.
        followed.stop().await;
        // What was handed in is stored before the process ends.
        let stored = tokio::time::timeout(STOP_WITHIN, self.storing).await;
        if !matches!(stored, Ok(Ok(()))) {
            tracing::error!("Pushed events may not all be stored; their senders were not told that they are");
        }
        served.map_err(ServeError::Network)
    }
}

fn mebibytes(count: u32) -> usize {
    (count as usize) << 20
}

/// Webhooks, if others can reach this server.
fn webhooks(settings: &Settings) -> Result<Option<Arc<Webhooks>>, ServeError> {
    let Some(public_url) = &settings.public_url else { return Ok(None) };
    let identity = match &settings.webhook_identity {
        Some(path) => Some(
            std::fs::read(path)
                .map_err(|source| ServeError::WebhookIdentity { path: path.clone(), source })?,
        ),
        None => None,
    };
    Ok(Some(Arc::new(Webhooks::new(public_url.clone(), identity))))
}
