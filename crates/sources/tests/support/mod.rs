//! What the tests of sources share: a caller that saves positions after it took the data in, as the server does.

#![allow(dead_code, unreachable_pub, missing_docs, reason = "each test file uses its own part")]
#![allow(clippy::unwrap_used, reason = "tests; clippy excuses only the bodies of test functions")]
#![allow(clippy::zombie_processes, reason = "what is started is waited for when it is dropped")]

use std::io::Read;

use sources::{Batch, Positions, Source, SourceError};

/// Takes in what a source delivers.
#[derive(Default)]
pub struct Caller {
    pub saved: Positions,
    /// Keys with the texts delivered, in order.
    pub taken: Vec<(String, String)>,
    pub notices: Vec<String>,
    /// Keys of what was delivered, with what came along: the text of a manifest and the name below it.
    pub manifests: Vec<(String, Option<(String, String)>)>,
}

impl Caller {
    /// Polls until there is nothing more at once.
    pub async fn drain(&mut self, source: &mut dyn Source) -> Result<Vec<String>, SourceError> {
        let first = self.taken.len();
        loop {
            let batch = source.poll(&self.saved).await?;
            let more = batch.more;
            self.take(batch);
            if !more {
                break;
            }
        }
        Ok(self.taken[first..].iter().map(|(_, text)| text.clone()).collect())
    }

    /// Takes in a batch and saves its positions.
    pub fn take(&mut self, batch: Batch) {
        self.read(&batch);
        for delivery in batch.deliveries {
            self.saved.insert(delivery.key, delivery.position);
        }
        self.saved.extend(batch.save);
        for key in batch.forget {
            self.saved.remove(&key);
        }
        self.notices.extend(batch.notices);
    }

    /// Takes in a batch, and dies before the positions are saved.
    pub fn read(&mut self, batch: &Batch) {
        for delivery in &batch.deliveries {
            let mut bytes = Vec::new();
            // A file of a folder may be gone by now.
            if let Ok(mut content) = delivery.content.open() {
                content.read_to_end(&mut bytes).unwrap();
            }
            let manifest = delivery
                .manifest
                .as_ref()
                .map(|manifest| (String::from_utf8(manifest.text.to_vec()).unwrap(), manifest.part.clone()));
            self.manifests.push((delivery.key.clone(), manifest));
            self.taken.push((delivery.key.clone(), String::from_utf8_lossy(&bytes).into_owned()));
        }
    }

    /// All lines that were delivered, in order.
    pub fn lines(&self) -> Vec<&str> {
        self.taken.iter().flat_map(|(_, text)| text.lines()).collect()
    }
}

pub mod azure;
pub mod emulator;
pub mod gate;
pub mod http;
