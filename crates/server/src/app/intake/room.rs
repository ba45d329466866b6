//! How much may be on its way into the lake at once, so that memory stays bounded however many send.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What one permit stands for.
const BYTES_PER_PERMIT: usize = 4096;

/// Room for records under way, in bytes of their text.
#[derive(Debug, Clone)]
pub struct Room {
    permits: Arc<Semaphore>,
    total: u32,
}

/// Part of the room; free again when dropped.
#[derive(Debug)]
pub struct Space {
    permit: OwnedSemaphorePermit,
}

impl Space {
    /// Gives back what is not needed for so many bytes.
    pub fn shrink(&mut self, bytes: usize) {
        let spare = self.permit.num_permits().saturating_sub(permits(bytes) as usize);
        drop(self.permit.split(spare));
    }
}

impl Room {
    /// Room for so many bytes.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        let total = permits(bytes);
        Self { permits: Arc::new(Semaphore::new(total as usize)), total }
    }

    /// Waits for space for so many bytes. What is larger than the whole room takes all.
    pub async fn take(&self, bytes: usize) -> Space {
        let wanted = permits(bytes).min(self.total);
        let permit = self.permits.clone().acquire_many_owned(wanted).await;
        Space { permit: permit.expect("the semaphore is never closed") }
    }
}

fn permits(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(BYTES_PER_PERMIT)).unwrap_or(u32::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[test]
    fn what_does_not_fit_waits_until_there_is_space() {
        let room = Room::new(10 * BYTES_PER_PERMIT);
        let now = |bytes| room.take(bytes).now_or_never();
        let mut first = now(6 * BYTES_PER_PERMIT).unwrap();
        assert!(now(5 * BYTES_PER_PERMIT).is_none());
        let second = now(4 * BYTES_PER_PERMIT).unwrap();
        assert!(now(0).is_none(), "nothing is free, so not even a byte fits");
        first.shrink(BYTES_PER_PERMIT);
        assert!(now(5 * BYTES_PER_PERMIT).is_some());
        drop((first, second));
        assert!(now(usize::MAX).is_some(), "what is too large for the room gets all of it");
    }
}
