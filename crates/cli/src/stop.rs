//! When to end what would go on for ever.

use tokio::task::JoinHandle;

/// Completes on Ctrl-C, or when the service manager asks to stop; looks out for them from now on.
pub(crate) fn asked() -> JoinHandle<()> {
    tokio::spawn(signal())
}

async fn signal() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut terminate) = signal(SignalKind::terminate()) else {
            let _ = interrupt.await;
            return;
        };
        tokio::select! {
            _ = interrupt => {}
            _ = terminate.recv() => {}
        }
    }
    #[cfg(not(unix))]
    let _ = interrupt.await;
}
