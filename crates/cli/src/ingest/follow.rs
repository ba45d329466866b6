//! `tenantwatch ingest --follow`

use std::io::{self, IsTerminal as _};
use std::path::PathBuf;
use std::sync::Arc;

use indicatif::HumanBytes;
use serde_json::json;
use server::follow::{self, SourceEvent, Watch};
use tokio::sync::mpsc;

use crate::installation::Installation;
use crate::output;
use crate::progress::Progress;
use crate::stop;

/// Follows files and folders until told to stop.
pub(super) async fn run(installation: &Installation, paths: &[PathBuf], json: bool) -> anyhow::Result<()> {
    let stop = stop::asked();
    let settings = installation.settings()?;
    let sources = follow::sources_of(paths, &settings.sources)?;
    let instance = installation.open().await?;
    let (tell, mut told) = mpsc::unbounded_channel();
    let watch: Watch = Arc::new(move |name: &str, event: &SourceEvent| {
        // Nobody hears what happens while it stops.
        let _ = tell.send((name.to_owned(), event.clone()));
    });
    let room_bytes = (settings.ingest_room_mib as usize) << 20;
    let following = follow::follow(&instance, &sources, room_bytes, &watch);
    output::say(&format!(
        "Following {}. Records are stored and nothing is detected; `tenantwatch serve` does that. Stop with Ctrl-C.",
        match &sources[..] {
            [one] => one.name().trim_start_matches("follow:").to_owned(),
            many => format!("{} files and folders", many.len()),
        }
    ));
    let progress = {
        let counts = following.counts();
        Progress::count("records", move || {
            let taken = counts.taken();
            (taken.read(), format!("{} new, {} read", taken.stored, HumanBytes(taken.bytes)))
        })
    };
    // Who looks at the count needs no lines.
    let lines = json || !io::stderr().is_terminal() || !io::stdout().is_terminal();
    tokio::pin!(stop);
    let mut shown = Ok(());
    while shown.is_ok() {
        tokio::select! {
            _ = &mut stop => break,
            Some((name, event)) = told.recv() => shown = show(&name, &event, lines, json),
        }
    }
    drop(progress);
    let taken = following.stop().await?;
    shown?;
    while let Ok((name, event)) = told.try_recv() {
        show(&name, &event, lines, json)?;
    }
    output::say(&format!(
        "Stopped: {} read: {} stored, {} duplicates, {} quarantined",
        taken.read(),
        taken.stored,
        taken.duplicates,
        taken.quarantined
    ));
    Ok(())
}

/// Shows what happened to a source: to a program what came in, to a person what is wrong too.
fn show(name: &str, event: &SourceEvent, lines: bool, json: bool) -> anyhow::Result<()> {
    let place = name.trim_start_matches("follow:");
    match event {
        SourceEvent::TookIn(objects, taken) if json => output::print(
            &json!({
                "source": name,
                "objects": objects,
                "read": taken.read(),
                "stored": taken.stored,
                "duplicates": taken.duplicates,
                "quarantined": taken.quarantined,
                "bytes": taken.bytes,
            })
            .to_string(),
        )?,
        SourceEvent::TookIn(objects, taken) if lines => output::print(&format!(
            "{place}: {} read from {objects} files: {} stored, {} duplicates, {} quarantined",
            taken.read(),
            taken.stored,
            taken.duplicates,
            taken.quarantined
        ))?,
        SourceEvent::TookIn(..) => {}
        SourceEvent::Noticed(text) => output::say(&format!("{place}: {text}")),
        SourceEvent::Failed(text, _) => output::say(&format!("{text}; it is tried again")),
        SourceEvent::Mended => output::say(&format!("{place} can be read again")),
        SourceEvent::ReadElsewhere => output::say(&format!(
            "{place} is read by another process on the same alerts, a `serve` or an `ingest --follow`, or by one that \
             died less than two minutes ago; this one takes over once that stops"
        )),
    }
    Ok(())
}
