//! A large input, read on several threads.
//!
//! The calling thread cuts the input into portions; others read them and make batches, each its own. What comes out
//! goes to the sink on the calling thread. A record's place in the input is known when it is cut, so that its id
//! is the same whoever reads it; only the order of batches and rejections is left to chance.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, available_parallelism};

use crate::output::{Failure, Output};
use crate::read::{FileSummary, Item, Stop};

/// More threads than this would wait for the one that cuts.
const THREADS_MAX: usize = 4;

/// Cuts an input.
pub(crate) trait Cutter {
    /// Records in the order of the input. Kept and filled again, so that its memory is taken once.
    type Portion: Default + Send;

    /// Fills a portion with the next records; `false` if there are none.
    fn fill(&mut self, portion: &mut Self::Portion, output: &mut Output<'_>) -> Result<bool, Failure>;
}

/// Reads portions, on any thread.
pub(crate) trait Reader: Sync {
    type Portion;
    /// What a thread keeps from portion to portion.
    type State;

    fn state(&self) -> Self::State;

    fn read(
        &self,
        portion: &Self::Portion,
        state: &mut Self::State,
        output: &mut Output<'_>,
    ) -> Result<(), Failure>;
}

/// What a thread says.
enum Told<P> {
    Item(Item),
    /// It has read a portion.
    Done(P),
}

/// Reads a portion, and all that follow.
pub(crate) fn read_side_by_side<C, R>(
    first: C::Portion,
    cutter: &mut C,
    reader: &R,
    output: &mut Output<'_>,
) -> Result<(), Failure>
where
    C: Cutter,
    R: Reader<Portion = C::Portion>,
{
    let threads = available_parallelism().map_or(1, usize::from).min(THREADS_MAX);
    let (to_threads, portions) = sync_channel::<C::Portion>(threads);
    let (tell, told) = sync_channel(threads);
    let portions = Mutex::new(portions);
    // A thread that waits for a portion holds the lock: the others would wait too.
    let next_portion = || portions.lock().unwrap_or_else(PoisonError::into_inner).recv();
    let place = output.place();
    let read = |tell: SyncSender<Told<C::Portion>>| {
        let mut sink = |item| tell.send(Told::Item(item)).map_err(|_| Stop("the reading has stopped".into()));
        let mut output = Output::at(place, &mut sink);
        let mut state = reader.state();
        while let Ok(portion) = next_portion() {
            reader.read(&portion, &mut state, &mut output)?;
            if tell.send(Told::Done(portion)).is_err() {
                break;
            }
        }
        output.into_counts()
    };
    thread::scope(|scope| {
        let read = &read;
        let start = |_| {
            let tell = tell.clone();
            scope.spawn(move || read(tell))
        };
        let threads: Vec<_> = (0..threads).map(start).collect();
        drop(tell);
        let handed_over = hand_over(first, cutter, to_threads, told, output);
        for thread in threads {
            let counts: Result<FileSummary, Failure> =
                thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            // A thread fails only because the sink took no more, which was told above.
            if let Ok(counts) = counts {
                output.add_counts(&counts);
            }
        }
        handed_over
    })
}

/// Hands portions to the threads, and what they say to the sink, until all is read or the sink wants no more.
/// Returning ends the threads.
fn hand_over<C: Cutter>(
    first: C::Portion,
    cutter: &mut C,
    to_threads: SyncSender<C::Portion>,
    told: Receiver<Told<C::Portion>>,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let mut spare = Vec::new();
    let mut next = Some(first);
    let mut failure = None;
    while let Some(portion) = next {
        match to_threads.try_send(portion) {
            Ok(()) => {
                let mut portion = spare.pop().unwrap_or_default();
                next = match cutter.fill(&mut portion, output) {
                    Ok(is_any) => is_any.then_some(portion),
                    Err(error) => {
                        failure = Some(error);
                        None
                    }
                };
            }
            Err(TrySendError::Full(portion)) => {
                next = Some(portion);
                match told.recv() {
                    Ok(Told::Item(item)) => output.pass(item)?,
                    Ok(Told::Done(portion)) => spare.push(portion),
                    Err(_) => break,
                }
            }
            // All threads are gone; why is told where they are joined.
            Err(TrySendError::Disconnected(_)) => break,
        }
    }
    drop(to_threads);
    told.iter().try_for_each(|told| match told {
        Told::Item(item) => output.pass(item),
        Told::Done(_) => Ok(()),
    })?;
    failure.map_or(Ok(()), Err)
}
