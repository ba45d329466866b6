//! The hash by which an event is recognised when it comes again.
//!
//! It is taken over normalised fields, never over bytes, so that another wrapper, other white space
//! or other letter case make no difference. Each field is written with its length, so that no two
//! lists of fields run into the same bytes.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

/// A BLAKE3 hash, cut to the length of the schema's id columns.
pub(crate) type EventId = [u8; 16];

/// Collects the canonical form of one event; kept and cleared between events.
#[derive(Debug, Default)]
pub(crate) struct Canonical {
    bytes: Vec<u8>,
}

impl Canonical {
    /// Starts the form of an event; `domain` keeps events of different kinds apart.
    pub(crate) fn start(&mut self, domain: &str) -> &mut Self {
        self.bytes.clear();
        self.text(Some(domain))
    }

    /// Adds a text as it is.
    pub(crate) fn text(&mut self, text: Option<&str>) -> &mut Self {
        let (size, bytes) = short_number(text.map(|text| text.len() as u64));
        self.bytes.extend_from_slice(&bytes[..size]);
        self.bytes.extend_from_slice(text.unwrap_or_default().as_bytes());
        self
    }

    /// Adds a text without regard to letter case.
    pub(crate) fn folded(&mut self, text: Option<&str>) -> &mut Self {
        let length = text.map_or(0, str::len);
        self.text(text);
        let start = self.bytes.len() - length;
        self.bytes[start..].make_ascii_lowercase();
        self
    }

    /// Adds a number.
    pub(crate) fn number(&mut self, number: i64) -> &mut Self {
        self.bytes.extend(number.to_le_bytes());
        self
    }

    /// Adds raw bytes of fixed length.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.bytes.extend(bytes);
        self
    }

    /// The hash of what was added.
    pub(crate) fn id(&self) -> EventId {
        id_of(&self.bytes)
    }
}

/// A number in as few bytes as it needs (LEB128 of one more, zero for none), and how many those are.
///
/// Hashing is paid by the block of 64 bytes, and most lengths and counts are small.
pub(crate) fn short_number(number: Option<u64>) -> (usize, [u8; 10]) {
    let mut bytes = [0; 10];
    // The largest number wraps to the form of none; no length or count comes near.
    let mut rest = number.map_or(0, |number| number.wrapping_add(1));
    let mut size = 0;
    while rest >= 0x80 {
        bytes[size] = rest as u8 | 0x80;
        rest >>= 7;
        size += 1;
    }
    bytes[size] = rest as u8;
    (size + 1, bytes)
}

/// The hash of bytes that are in canonical form already.
pub(crate) fn id_of(bytes: &[u8]) -> EventId {
    let mut id = [0; 16];
    id.copy_from_slice(&blake3::hash(bytes).as_bytes()[..16]);
    id
}

/// Tells equal things in one input apart by counting them.
///
/// Flow records hold equal tuples that are separate flows. The first keeps its hash, the
/// second gets number 1, and so on; a second reading of the same input counts the same way.
/// Memory: 9 to 18 bytes for each distinct hash. Only 8 bytes of a hash are compared; a chance hit
/// gives a number where none was needed, which is as stable and does no harm.
#[derive(Debug, Default)]
pub(crate) struct Occurrences {
    seen: HashSet<u64, BuildHasherDefault<AlreadyHashed>>,
    again: HashMap<u64, u32>,
}

impl Occurrences {
    /// The id made distinct from equal ones before it.
    pub(crate) fn distinct(&mut self, id: EventId) -> EventId {
        let key = u64::from_le_bytes([id[0], id[1], id[2], id[3], id[4], id[5], id[6], id[7]]);
        if self.seen.insert(key) {
            return id;
        }
        let number = self.again.entry(key).or_insert(0);
        *number += 1;
        let mut bytes = [0; 20];
        bytes[..16].copy_from_slice(&id);
        bytes[16..].copy_from_slice(&number.to_le_bytes());
        id_of(&bytes)
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.seen.clear();
        self.again.clear();
    }
}

/// Passes keys through that are hashes already.
#[derive(Default)]
struct AlreadyHashed(u64);

impl Hasher for AlreadyHashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        // Only `write_u64` is called for `u64` keys; this keeps the trait's promise for any other.
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(build: impl Fn(&mut Canonical) -> &mut Canonical) -> EventId {
        build(Canonical::default().start("test")).id()
    }

    #[test]
    fn fields_do_not_run_together() {
        let split = |a: &'static str, b: &'static str| id(|form| form.text(Some(a)).text(Some(b)));
        assert_ne!(split("ab", "c"), split("a", "bc"));
        assert_ne!(id(|form| form.text(None)), id(|form| form.text(Some(""))));
        assert_eq!(id(|form| form.folded(Some("aBc"))), id(|form| form.text(Some("abc"))));
    }

    #[test]
    fn short_numbers_are_short_and_differ() {
        let check = |number: Option<u64>, expected: &[u8]| {
            let (size, bytes) = short_number(number);
            assert_eq!(&bytes[..size], expected, "{number:?}");
        };
        check(None, &[0]);
        check(Some(0), &[1]);
        check(Some(126), &[127]);
        check(Some(127), &[0x80, 1]);
        check(Some(u64::MAX - 1), &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]);
    }

    #[test]
    fn equal_things_are_numbered_the_same_way_each_time() {
        let number = || {
            let mut occurrences = Occurrences::default();
            [[1; 16], [1; 16], [2; 16], [1; 16]].map(|id| occurrences.distinct(id))
        };
        let [first, second, other, third] = number();
        assert_eq!((first, other), ([1; 16], [2; 16]));
        assert!(second != first && third != first && second != third);
        assert_eq!(number(), [first, second, other, third]);
    }
}
