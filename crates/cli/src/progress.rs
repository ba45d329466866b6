//! A progress bar for long work: on a terminal only, with rate and time left.

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tokio::task::JoinHandle;

/// How often the bar is drawn anew.
const REDRAW: Duration = Duration::from_millis(120);

/// A bar that follows a counter of bytes until it is finished.
pub(crate) struct BytesBar {
    bar: ProgressBar,
    follower: JoinHandle<()>,
}

impl BytesBar {
    /// Starts a bar over `total` bytes that follows `done`; draws nothing unless standard error is a
    /// terminal.
    pub(crate) fn start(total: u64, done: Arc<AtomicU64>) -> Self {
        let bar =
            if std::io::stderr().is_terminal() { ProgressBar::new(total) } else { ProgressBar::hidden() };
        let style =
            ProgressStyle::with_template("{bar:32} {bytes}/{total_bytes}  {bytes_per_sec}  {eta} left")
                .expect("the template is constant");
        bar.set_style(style);
        let drawn = bar.clone();
        let follower = tokio::spawn(async move {
            loop {
                drawn.set_position(done.load(Ordering::Relaxed));
                tokio::time::sleep(REDRAW).await;
            }
        });
        Self { bar, follower }
    }

    /// Takes the bar away.
    pub(crate) fn finish(self) {
        self.follower.abort();
        self.bar.finish_and_clear();
    }
}
