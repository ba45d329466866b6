//! Remembers what was made of texts that come again and again: regions, units, dates.

/// How many texts are remembered, and how large they may be: memory stays below a few megabytes.
const SLOTS: usize = 1024;
const TEXT_BYTES_MAX: usize = 2048;

/// What was made of the last texts, each in the slot that its hash gives.
///
/// Two texts that share a slot take turns: that costs time, never a wrong answer.
#[derive(Debug)]
pub(super) struct Memo<V> {
    slots: Vec<(Box<str>, V)>,
    /// What was made of the last text that is too long to be kept.
    of_long: V,
}

impl<V: Clone> Memo<V> {
    /// Nothing remembered yet; `of_nothing` is what is made of the empty text.
    pub(super) fn new(of_nothing: V) -> Self {
        Self { slots: vec![(Box::default(), of_nothing.clone()); SLOTS], of_long: of_nothing }
    }

    /// What is made of a text.
    #[inline]
    pub(super) fn get(&mut self, text: &str, make: impl FnOnce(&str) -> V) -> &V {
        if text.len() > TEXT_BYTES_MAX {
            self.of_long = make(text);
            return &self.of_long;
        }
        let slot = &mut self.slots[slot(text.as_bytes())];
        if *slot.0 != *text {
            *slot = (text.into(), make(text));
        }
        &slot.1
    }
}

/// A quick hash of all bytes; it need not be hard to guess.
#[inline]
fn slot(bytes: &[u8]) -> usize {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut hash = bytes.len() as u64;
    let mut add = |word: u64| hash = (hash.rotate_left(23) ^ word).wrapping_mul(FACTOR);
    let (words, rest) = bytes.as_chunks::<8>();
    words.iter().for_each(|word| add(u64::from_le_bytes(*word)));
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    add(u64::from_le_bytes(last));
    (hash >> 40) as usize % SLOTS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_right_however_many_texts_there_are() {
        let mut memo = Memo::new(0);
        for round in 0..3 {
            for n in 0..5000 {
                let text = format!("text {n} {}", "x".repeat(n));
                assert_eq!(*memo.get(&text, str::len), text.len(), "round {round}");
            }
            assert_eq!(*memo.get("", |_| 0), 0, "round {round}");
        }
        let mut made = 0;
        for _ in 0..3 {
            memo.get("the same", |text| {
                made += 1;
                text.len()
            });
        }
        assert_eq!(made, 1);
    }
}
