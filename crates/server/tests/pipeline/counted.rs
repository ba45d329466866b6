//! Damaged inputs on their whole way: what the reader met is stored, or known already, or in the quarantine.
//!
//! The reader alone is tried with thousands of changes a kind (`crates/ingest/tests/hostile.rs`); here are few, with
//! the lake and the quarantine behind it, and twice, so that duplicates take part.

use super::*;

/// The folders of seeds, below the corpus of the fuzz targets.
const KINDS: [&str; 10] = [
    "activity",
    "advisory",
    "cost",
    "cost_parquet",
    "dns",
    "entra",
    "flow",
    "inventory",
    "partner_usage",
    "security_alert",
];
const CHANGED_A_KIND: usize = 25;
/// Bytes that mean something to the formats.
const MEANINGFUL: &[u8] = b"{}[]\",:\\\n \x00\xff0T-.";

/// A small generator of numbers that look random and are the same each time (Marsaglia's xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit.max(1) as u64).unwrap()
    }

    /// Changes a few bytes: another value, one more, some less, some again, or the end cut off.
    fn change(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..=self.below(3) {
            let at = self.below(bytes.len());
            let end = (at + 1 + self.below(30)).min(bytes.len());
            let byte = MEANINGFUL[self.below(MEANINGFUL.len())];
            match self.below(8) {
                0..3 if !bytes.is_empty() => bytes[at] = byte,
                3..5 => bytes.insert(at, byte),
                5 => drop(bytes.drain(at..end)),
                6 => {
                    let again = bytes[at..end].to_vec();
                    bytes.splice(at..at, again);
                }
                _ => bytes.truncate(at.max(1)),
            }
        }
    }
}

/// The seeds that people wrote; found ones are named by a hash.
fn seeds(kind: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(kind);
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.file_name().unwrap().len() < 40);
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_met_is_stored_or_known_or_quarantined_the_second_time_too() {
    let here = Installation::new(&[]).await;
    let inputs = here.folder.path().join("inputs");
    let mut dice = Dice(0x7e4a_17b3_c590_2d61);
    for kind in KINDS {
        let folder = inputs.join(kind);
        fs::create_dir_all(&folder).unwrap();
        let seeds = seeds(kind);
        // Unchanged, under two names.
        for (name, seed) in ["a", "b"].into_iter().flat_map(|name| seeds.iter().map(move |seed| (name, seed)))
        {
            let number = fs::read_dir(&folder).unwrap().count();
            fs::write(folder.join(format!("{name}{number}")), seed).unwrap();
        }
        for number in 0..CHANGED_A_KIND {
            let mut bytes = seeds[dice.below(seeds.len())].clone();
            dice.change(&mut bytes);
            fs::write(folder.join(format!("changed{number}")), bytes).unwrap();
        }
    }
    let files = ingest::discover(&[inputs]).unwrap();
    let now = at("2031-02-04T00:00:00Z");
    let take_in =
        async || ingestion::ingest(here.instance.clone(), files.clone(), now, Arc::default()).await.unwrap();
    let in_lake = async || {
        let tables = here.instance.lake.describe().await.unwrap();
        tables.iter().map(|table| table.rows).sum::<u64>()
    };

    let first = take_in().await;
    assert_eq!(first.read, first.stored() + first.duplicates() + first.quarantined);
    assert_eq!(in_lake().await, first.stored());
    let kept = quarantine(&here);
    assert_eq!(kept.iter().map(|(_, lines)| lines.len() as u64).sum::<u64>(), first.quarantined);
    for (what, count) in
        [("stored", first.stored()), ("known", first.duplicates()), ("rejected", first.quarantined)]
    {
        assert!(count >= 50, "only {count} records are {what}: the changes try little");
    }

    let second = take_in().await;
    let expected = (first.read, 0, first.stored() + first.duplicates(), first.quarantined);
    assert_eq!(counts(&second), expected);
    assert_eq!(second.empty, first.empty);
    assert_eq!(in_lake().await, first.stored(), "nothing is stored twice");
    assert_eq!(quarantine(&here), kept, "nor kept twice");
}

/// The list of customers has no fuzz target: it is read in this crate, whose dependencies are too many to be built
/// with a sanitizer.
#[test]
fn changed_lists_of_customers_are_read_or_refused() {
    let seeds = [
        &b"Company name,Customer Tenant ID,Primary domain name,MPN ID,Reseller Tenant ID\n\
        Contoso,c-1,contoso.example,4711,r-1\n\"Tailspin, Ltd\",c-2\n"[..],
        br#"{"totalCount":2,"items":[{"id":"c-1","companyProfile":{"tenantId":"c-1","domain":"contoso.example"}},{"id":7}]}"#,
        br#"{"value":[{"id":"c-1","tenantId":"c-1","displayName":"Contoso"},{}]}"#,
    ];
    let mut dice = Dice(0x51de_0f0e_c1c2_a9b7);
    let (mut lists, mut refused) = (0, 0);
    for _ in 0..5000 {
        let mut bytes = seeds[dice.below(seeds.len())].to_vec();
        dice.change(&mut bytes);
        let text = String::from_utf8_lossy(&bytes);
        match app::customers::read(&text) {
            Ok(list) => {
                lists += 1;
                assert!(list.rejected.iter().all(|entry| !entry.reason.is_empty()), "{text}");
                let again = app::customers::read(&text).unwrap();
                assert_eq!((again.customers, again.rejected), (list.customers, list.rejected), "{text}");
            }
            Err(error) => {
                refused += 1;
                assert!(!error.to_string().is_empty());
            }
        }
    }
    assert!(lists > 1000 && refused > 500, "{lists} are lists, {refused} are none");
}
