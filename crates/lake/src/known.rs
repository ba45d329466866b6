//! Which events a table holds already, as far as this process remembers.
//!
//! A run appends chunk after chunk, mostly to the same few days. The ids of those days are kept, so
//! that each file is read for them once and not once a chunk. The memory is bounded by
//! a number of ids ([`KNOWN_IDS_MAX`] unless told otherwise): days not used for longest are forgotten first, and a day that is too large alone
//! is never kept; its ids then pass by and are compared with the incoming ones only.
//!
//! Files that cannot hold an event that is about to come are not read: where an event's time is part of its id,
//! those of other hours. So a day that is too large for the memory costs each append no more than the files of
//! the same hours.
//!
//! A day is remembered together with the files that its ids were read from. Files never change, so
//! what was read stays true as long as the table still has the file. If one is gone (compacted,
//! expired), the day is forgotten and read again.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{BuildHasher, Hasher};

use crate::incoming::Day;

/// How many event ids one table remembers at most, unless told otherwise: some 20 to 40 MB.
pub const KNOWN_IDS_MAX: usize = 1_000_000;

/// The 16 bytes of an `event_id`.
pub(crate) type EventId = u128;

/// A file of a table, as its log has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DataFile {
    /// Path under the table's root.
    pub(crate) path: String,
    /// Number of rows; `None` if another program wrote the file and did not say.
    pub(crate) rows: Option<usize>,
    /// Whether it may hold one of the events that are about to come, by what the log says of it.
    pub(crate) overlaps: bool,
}

/// Remembered ids.
pub(crate) struct KnownIds {
    days: HashMap<Day, KnownDay>,
    /// The most ids to keep.
    limit: usize,
    /// Counts the plans made; says which day was used last.
    clock: u64,
}

#[derive(Default)]
struct KnownDay {
    ids: HashSet<EventId, IdHashing>,
    files: HashSet<String>,
    used: u64,
}

/// What has to be read before the ids of some days can be told known or new.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ReadingPlan {
    /// The files whose ids are to be remembered, with their days.
    pub(crate) learnt: Vec<(Day, String)>,
    /// Paths of the files whose ids are only compared with those that are about to come.
    pub(crate) passing: Vec<String>,
}

impl KnownIds {
    pub(crate) fn new(limit: usize) -> Self {
        Self { days: HashMap::new(), limit, clock: 0 }
    }

    /// Decides what to read for the days given, each with all of its files; `incoming` is how many ids of each are
    /// about to be added. Makes room by forgetting other days.
    pub(crate) fn plan(
        &mut self,
        wanted: &BTreeMap<Day, Vec<DataFile>>,
        incoming: &BTreeMap<Day, usize>,
    ) -> ReadingPlan {
        self.clock += 1;
        for (day, files) in wanted {
            self.touch(*day, files);
        }
        let mut plan = ReadingPlan::default();
        let mut promised = 0;
        for (day, files) in wanted {
            let known = self.days.get(day);
            let unread: Vec<&DataFile> = files
                .iter()
                .filter(|file| file.overlaps && known.is_none_or(|day| !day.files.contains(&file.path)))
                .collect();
            let about_to_come = incoming.get(day).copied().unwrap_or_default();
            let growth = unread.iter().try_fold(about_to_come, |sum, file| sum.checked_add(file.rows?));
            if let Some(growth) = growth.filter(|growth| self.make_room(promised + growth)) {
                promised += growth;
                self.days.entry(*day).or_default().used = self.clock;
                plan.learnt.extend(unread.iter().map(|file| (*day, file.path.clone())));
            } else {
                self.days.remove(day);
                let overlapping = files.iter().filter(|file| file.overlaps);
                plan.passing.extend(overlapping.map(|file| file.path.clone()));
            }
        }
        plan
    }

    /// Marks a day as in use, or forgets it if the table no longer has one of its files.
    fn touch(&mut self, day: Day, files: &[DataFile]) {
        let Some(known) = self.days.get_mut(&day) else { return };
        known.used = self.clock;
        let here: HashSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
        if known.files.iter().any(|path| !here.contains(path.as_str())) {
            self.days.remove(&day);
        }
    }

    /// Forgets days until so many more ids fit, those used longest ago first; never one of the
    /// current plan. Says whether they fit now.
    fn make_room(&mut self, growth: usize) -> bool {
        loop {
            let held: usize = self.days.values().map(|day| day.ids.len()).sum();
            if held.saturating_add(growth) <= self.limit {
                return true;
            }
            let idle = self.days.iter().filter(|(_, day)| day.used < self.clock);
            let Some(oldest) = idle.min_by_key(|(day, known)| (known.used, **day)).map(|(day, _)| *day)
            else {
                return false;
            };
            self.days.remove(&oldest);
        }
    }

    /// Whether the id is remembered. Means "new" only for days that the last plan keeps.
    pub(crate) fn contains(&self, day: Day, id: EventId) -> bool {
        self.days.get(&day).is_some_and(|known| known.ids.contains(&id))
    }

    /// Remembers ids of a day that is kept; ignores those of others.
    pub(crate) fn learn(&mut self, day: Day, ids: impl IntoIterator<Item = EventId>) {
        if let Some(known) = self.days.get_mut(&day) {
            known.ids.extend(ids);
        }
    }

    /// Notes that all ids of a file were learnt; ignores files of days that are not kept.
    pub(crate) fn learnt_file(&mut self, day: Day, path: &str) {
        if let Some(known) = self.days.get_mut(&day) {
            known.files.insert(path.to_owned());
        }
    }

    /// Notes that some files of a day were merged into others with the same ids: those need not be read. With
    /// no new ones, the day is forgotten when the table is looked at again.
    pub(crate) fn replaced(&mut self, day: Day, gone: &[&str], new: &[&str]) {
        let Some(known) = self.days.get_mut(&day) else { return };
        if !new.is_empty() && gone.iter().all(|path| known.files.contains(*path)) {
            known.files.retain(|path| !gone.contains(&path.as_str()));
            known.files.extend(new.iter().map(|path| (*path).to_owned()));
        }
    }

    /// Forgets everything, after a reading that did not come to its end.
    pub(crate) fn clear(&mut self) {
        self.days.clear();
    }
}

/// Hashes event ids with one multiplication: they are hashes already, so that no more is needed. One
/// part of an id alone would do for ours, but a table may hold ids that others made.
#[derive(Clone, Copy, Default)]
pub(crate) struct IdHashing;

/// Odd constants without a pattern: the fractions of the golden ratio and of the square root of two.
const MIX: [u64; 2] = [0x9E37_79B9_7F4A_7C15, 0x6A09_E667_F3BC_C909];

impl BuildHasher for IdHashing {
    type Hasher = IdHasher;

    fn build_hasher(&self) -> IdHasher {
        IdHasher(0)
    }
}

pub(crate) struct IdHasher(u64);

impl IdHasher {
    /// The product of both numbers, its halves laid over each other.
    fn fold(a: u64, b: u64) -> u64 {
        let product = u128::from(a ^ MIX[0]) * u128::from(b ^ MIX[1]);
        (product as u64) ^ ((product >> 64) as u64)
    }
}

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    /// For anything but ids and days; slow but right.
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = Self::fold(self.0, u64::from(*byte));
        }
    }

    fn write_i32(&mut self, day: i32) {
        self.0 ^= u64::from(day.cast_unsigned());
    }

    fn write_u128(&mut self, id: u128) {
        self.0 = Self::fold(id as u64, ((id >> 64) as u64) ^ self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, rows: usize) -> DataFile {
        DataFile { path: path.to_owned(), rows: Some(rows), overlaps: true }
    }

    fn wanted(days: &[(Day, &[DataFile])]) -> BTreeMap<Day, Vec<DataFile>> {
        days.iter().map(|(day, files)| (*day, files.to_vec())).collect()
    }

    fn learnt(plan: &ReadingPlan) -> Vec<&str> {
        plan.learnt.iter().map(|(_, path)| path.as_str()).collect()
    }

    /// Plans, then learns as a reader would: ids are made up, `rows` for each file that is read.
    fn plan_and_read(known: &mut KnownIds, files: &BTreeMap<Day, Vec<DataFile>>) -> ReadingPlan {
        let plan = known.plan(files, &BTreeMap::new());
        for (day, files) in files {
            for file in files.iter().filter(|file| plan.learnt.contains(&(*day, file.path.clone()))) {
                let first = EventId::from(file.path.as_bytes()[0]) << 64;
                known.learn(*day, (0..file.rows.unwrap_or(0) as u128).map(|n| first + n));
                known.learnt_file(*day, &file.path);
            }
        }
        plan
    }

    #[test]
    fn a_file_is_read_once() {
        let mut known = KnownIds::new(100);
        let first = plan_and_read(&mut known, &wanted(&[(1, &[file("a", 10)])]));
        assert_eq!(learnt(&first), ["a"]);
        let second = plan_and_read(&mut known, &wanted(&[(1, &[file("a", 10), file("b", 5)])]));
        assert_eq!(second.learnt, [(1, "b".to_owned())]);
        assert!(known.contains(1, (97 << 64) + 9));
        assert!(known.contains(1, (98 << 64) + 4));
        assert!(!known.contains(2, (97 << 64) + 9), "ids belong to their day");
    }

    #[test]
    fn a_day_is_read_again_when_a_file_is_gone() {
        let mut known = KnownIds::new(100);
        plan_and_read(&mut known, &wanted(&[(1, &[file("a", 10), file("b", 10)])]));
        let plan = plan_and_read(&mut known, &wanted(&[(1, &[file("b", 10), file("c", 1)])]));
        assert_eq!(learnt(&plan), ["b", "c"]);
        assert!(!known.contains(1, 97 << 64));
    }

    #[test]
    fn merged_files_need_not_be_read() {
        let mut known = KnownIds::new(100);
        plan_and_read(&mut known, &wanted(&[(1, &[file("a", 10), file("b", 10)])]));
        known.replaced(1, &["a", "b"], &["c"]);
        let plan = plan_and_read(&mut known, &wanted(&[(1, &[file("c", 20), file("d", 1)])]));
        assert_eq!(learnt(&plan), ["d"]);
        known.replaced(1, &["d", "e"], &["f"]);
        let plan = plan_and_read(&mut known, &wanted(&[(1, &[file("c", 20), file("f", 2)])]));
        assert_eq!(learnt(&plan), ["c", "f"], "'e' was never read");
        known.replaced(1, &["c"], &[]);
        let plan = plan_and_read(&mut known, &wanted(&[(1, &[file("f", 2), file("g", 9)])]));
        assert_eq!(learnt(&plan), ["f", "g"], "some ids of 'c' may be gone");
        known.replaced(2, &["a"], &["b"]);
    }

    #[test]
    fn the_day_used_longest_ago_makes_room() {
        let mut known = KnownIds::new(25);
        plan_and_read(&mut known, &wanted(&[(1, &[file("a", 10)])]));
        plan_and_read(&mut known, &wanted(&[(2, &[file("b", 10)])]));
        plan_and_read(&mut known, &wanted(&[(1, &[file("a", 10)])]));
        plan_and_read(&mut known, &wanted(&[(3, &[file("c", 10)])]));
        assert!(known.contains(1, 97 << 64));
        assert!(!known.contains(2, 98 << 64), "day 2 was used longest ago");
        assert!(known.contains(3, 99 << 64));
    }

    #[test]
    fn a_day_too_large_passes_by() {
        let mut known = KnownIds::new(15);
        let files = wanted(&[(1, &[file("a", 10)]), (2, &[file("b", 10)])]);
        let plan = plan_and_read(&mut known, &files);
        assert_eq!((learnt(&plan), plan.passing.as_slice()), (vec!["a"], ["b".to_owned()].as_slice()));
        assert!(!known.contains(2, 98 << 64));
        let again = plan_and_read(&mut known, &files);
        assert_eq!(
            (again.learnt.len(), again.passing),
            (0, vec!["b".to_owned()]),
            "the kept day is not read again"
        );
    }

    #[test]
    fn files_of_other_hours_are_not_read() {
        let mut known = KnownIds::new(15);
        let elsewhere = DataFile { overlaps: false, ..file("a", 100) };
        let plan = plan_and_read(&mut known, &wanted(&[(1, &[elsewhere.clone(), file("b", 10)])]));
        assert_eq!((learnt(&plan), plan.passing.as_slice()), (vec!["b"], [].as_slice()));
        assert!(!known.contains(1, 97 << 64), "never read");
        let plan = plan_and_read(&mut known, &wanted(&[(1, &[elsewhere, file("b", 10), file("c", 10)])]));
        assert_eq!((plan.learnt.len(), plan.passing), (0, vec!["b".to_owned(), "c".to_owned()]));
    }

    #[test]
    fn ids_about_to_come_count_too() {
        let mut known = KnownIds::new(15);
        let incoming = BTreeMap::from([(1, 10)]);
        let plan = known.plan(&wanted(&[(1, &[file("a", 10)])]), &incoming);
        assert_eq!((plan.learnt.len(), plan.passing.len()), (0, 1));
    }

    #[test]
    fn a_file_of_unknown_size_passes_by() {
        let mut known = KnownIds::new(100);
        let foreign = DataFile { path: "a".to_owned(), rows: None, overlaps: true };
        let plan = known.plan(&wanted(&[(1, &[foreign])]), &BTreeMap::new());
        assert_eq!((plan.learnt.len(), plan.passing.len()), (0, 1));
    }

    #[test]
    fn ids_with_a_pattern_do_not_collide() {
        type Pattern = (&'static str, fn(u64) -> EventId);
        let patterns: [Pattern; 4] = [
            ("counted", EventId::from),
            ("counted above", |n| EventId::from(n) << 64),
            ("halves alike", |n| EventId::from(n) << 64 | EventId::from(n)),
            ("halves that cancel", |n| {
                let scattered = |n: u64| n.wrapping_mul(MIX[0]);
                EventId::from(scattered(n)) << 64 | EventId::from(scattered(!n))
            }),
        ];
        for (name, id) in patterns {
            let hashes: HashSet<u64> = (0..10_000).map(|n| IdHashing.hash_one(id(n))).collect();
            assert!(hashes.len() > 9_990, "{name}: {} of 10000", hashes.len());
        }
    }
}
