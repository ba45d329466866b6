//! Progress of long work: on a terminal only, with rate and time left.
//!
//! Where it is known how much there is to do, a bar; else a count. Several may be drawn at once, one a line, and what
//! is said or printed meanwhile stands above them.

use std::io::{self, IsTerminal as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use tokio::task::JoinHandle;

/// How often a bar is drawn anew.
const REDRAW: Duration = Duration::from_millis(120);

/// All that is drawn now.
static DRAWN: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);

/// Runs something that writes to the terminal, without its being mixed with what is drawn there.
pub(crate) fn aside<T>(write: impl FnOnce() -> T) -> T {
    if io::stderr().is_terminal() { DRAWN.suspend(write) } else { write() }
}

/// Standard error, for the log.
pub(crate) struct LogWriter;

impl io::Write for LogWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        aside(|| io::stderr().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// How far some work is. It is taken away when dropped.
pub(crate) struct Progress {
    bar: ProgressBar,
    follower: Option<JoinHandle<()>>,
}

impl Progress {
    /// A bar over so many bytes, which follows a counter.
    pub(crate) fn bytes(total: u64, done: Arc<AtomicU64>) -> Self {
        Self::drawn(
            ProgressBar::new(total),
            "{prefix}{bar:32} {bytes}/{total_bytes}  {bytes_per_sec}  {eta} left",
        )
        .follow(move |bar| bar.set_position(done.load(Ordering::Relaxed)))
    }

    /// A bar over so many things, of which [`Progress::add`] tells.
    pub(crate) fn things(total: u64, noun: &'static str) -> Self {
        let template = "{prefix}{bar:32} {human_pos}/{human_len} {msg}  {per_sec}  {eta} left";
        let it = Self::drawn(ProgressBar::new(total), template);
        it.bar.set_message(noun);
        it
    }

    /// A bar over things that are counted elsewhere; `read` gives how many are done, and how many there are.
    pub(crate) fn things_of(
        noun: &'static str,
        read: impl Fn() -> (u64, u64) + Send + Sync + 'static,
    ) -> Self {
        Self::things(0, noun).follow(move |bar| {
            let (done, total) = read();
            bar.set_length(total);
            bar.set_position(done);
        })
    }

    /// A count that is kept elsewhere, where nobody knows how much there is to do; `read` gives how many there are,
    /// and what more is to be said.
    pub(crate) fn count(
        noun: &'static str,
        read: impl Fn() -> (u64, String) + Send + Sync + 'static,
    ) -> Self {
        let it = Self::drawn(ProgressBar::new_spinner(), "{spinner} {human_pos} {prefix}  {per_sec}  {msg}");
        it.bar.set_prefix(noun);
        it.follow(move |bar| {
            let (count, more) = read();
            bar.set_position(count);
            bar.set_message(more);
        })
    }

    /// Work of which nothing can be counted: what is being done, and for how long.
    pub(crate) fn waiting(what: impl Into<String>) -> Self {
        let it = Self::drawn(ProgressBar::new_spinner(), "{spinner} {msg}  {elapsed}");
        it.bar.set_message(what.into());
        it
    }

    /// Says before a bar which of several it is.
    pub(crate) fn named(self, name: &str) -> Self {
        self.bar.set_prefix(format!("{name:<10} "));
        self
    }

    fn drawn(bar: ProgressBar, template: &str) -> Self {
        let bar = if io::stderr().is_terminal() { DRAWN.add(bar) } else { ProgressBar::hidden() };
        bar.set_style(ProgressStyle::with_template(template).expect("the template is constant"));
        if !bar.is_hidden() {
            bar.enable_steady_tick(REDRAW);
        }
        Self { bar, follower: None }
    }

    /// Keeps the bar up to date by what `update` sets.
    fn follow(mut self, update: impl Fn(&ProgressBar) + Send + 'static) -> Self {
        if self.bar.is_hidden() {
            return self;
        }
        let drawn = self.bar.clone();
        self.follower = Some(tokio::spawn(async move {
            loop {
                update(&drawn);
                tokio::time::sleep(REDRAW).await;
            }
        }));
        self
    }

    /// So many more are done.
    pub(crate) fn add(&self, count: u64) {
        self.bar.inc(count);
    }

    /// There are so many, as is known by now.
    pub(crate) fn set_total(&self, total: u64) {
        self.bar.set_length(total);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(follower) = self.follower.take() {
            follower.abort();
        }
        self.bar.finish_and_clear();
    }
}
