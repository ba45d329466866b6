//! What holds of every input of records, whatever is in it; the targets that read records share it.

use std::sync::LazyLock;

use alerts::PartnerTenantId;
use arrow_array::cast::AsArray;
use chrono::DateTime;
use ingest::schema::Kind;
use ingest::{EventBatch, Extent, FileSummary, Item, Reading, Rejected, Texts, read_bytes};

static PARTNER: LazyLock<PartnerTenantId> = LazyLock::new(|| "partner-1".parse().expect("a word"));

/// All that reading an input gave.
pub struct Found {
    pub summary: FileSummary,
    pub batches: Vec<EventBatch>,
    pub rejected: Vec<Rejected>,
}

impl Found {
    /// The texts in one column of all rows of a kind; nulls are left out.
    pub fn texts(&self, kind: Kind, column: &str) -> Vec<String> {
        let mut texts = Vec::new();
        for batch in self.batches.iter().filter(|batch| batch.kind == kind) {
            let column = batch.rows.column_by_name(column).expect("a column of the schema");
            let column = Texts::of(column).expect("a column of texts");
            texts.extend(column.iter().flatten().map(str::to_owned));
        }
        texts
    }

    /// The rejections, in the order of the input.
    fn rejected_by_line(&self) -> Vec<Rejected> {
        let mut rejected = self.rejected.clone();
        rejected.sort_by_key(|rejected| (rejected.line, rejected.reason.clone()));
        rejected
    }

    /// The ids of all events of a kind, in order.
    fn ids(&self, kind: Kind) -> Vec<Vec<u8>> {
        let mut ids = Vec::new();
        for batch in self.batches.iter().filter(|batch| batch.kind == kind) {
            let column = batch.rows.column_by_name("event_id").expect("a column of the schema");
            ids.extend(column.as_binary::<i32>().iter().flatten().map(<[u8]>::to_vec));
        }
        ids.sort_unstable();
        ids
    }
}

/// So many records are read on one thread, in order.
const READ_ALONE: u64 = 1000;

fn read(extent: Extent, bytes: &[u8]) -> Found {
    let arrived_at = DateTime::from_timestamp(1_930_000_000, 0).expect("a time");
    let reading = Reading { extent, ..Reading::new(&PARTNER, arrived_at, 3) };
    let (mut batches, mut rejected) = (Vec::new(), Vec::new());
    let mut sink = |item| {
        match item {
            Item::Batch(batch) => batches.push(batch),
            Item::Rejected(one) => rejected.push(one),
        }
        Ok(())
    };
    let summary = read_bytes("input", bytes, &reading, &mut sink)
        .expect("the sink takes all, and all is accounted for");
    Found { summary, batches, rejected }
}

/// Reads the input, as a file and as a piece of a stream. What came out is as much as the reader met, batches have
/// their schema, a second reading gives the same, and what was rejected and is complete is not nothing when it is
/// read again. A piece gives no less than a file. Gives what is found in the file.
pub fn check(bytes: &[u8]) -> Found {
    let found = check_as(Extent::File, bytes);
    let piece = check_as(Extent::Piece, bytes);
    assert!(piece.summary.stored() >= found.summary.stored());
    if let Some(records) = records_by_line(bytes) {
        assert_eq!(piece.summary.read + piece.summary.empty, records, "counted without the reader");
    }
    found
}

/// How many records an input has whose lines are objects of JSON that neither wrap records nor hold flows: as many as
/// lines. `None` for other inputs.
fn records_by_line(bytes: &[u8]) -> Option<u64> {
    const OTHERS: [&str; 4] = ["records", "value", "data", "flowrecords"];
    let text = std::str::from_utf8(bytes).ok()?;
    let mut records = 0;
    for line in text.split('\n').filter(|line| !line.trim_ascii().is_empty()) {
        let serde_json::Value::Object(members) = serde_json::from_str(line).ok()? else { return None };
        let is_other = |name: &String| OTHERS.iter().any(|other| name.eq_ignore_ascii_case(other));
        // `category` says that it holds flows.
        if members.keys().any(is_other) || line.to_ascii_lowercase().contains("flow") {
            return None;
        }
        records += 1;
    }
    Some(records)
}

fn check_as(extent: Extent, bytes: &[u8]) -> Found {
    let found = read(extent, bytes);
    let summary = found.summary;
    let rows: usize = found.batches.iter().map(|batch| batch.rows.num_rows()).sum();
    assert_eq!(summary.read, (rows + found.rejected.len()) as u64, "what was met came out, once");
    assert_eq!(summary.rejected, found.rejected.len() as u64);
    for kind in Kind::ALL {
        let of_kind = found.batches.iter().filter(|batch| batch.kind == kind);
        let rows: usize = of_kind.map(|batch| batch.rows.num_rows()).sum();
        assert_eq!(rows as u64, summary.rows(kind), "{}", kind.name());
    }
    for batch in &found.batches {
        let (given, table) = (batch.rows.schema(), batch.kind.schema());
        assert_eq!(given.fields().len(), table.fields().len());
        for (given, of_table) in given.fields().iter().zip(table.fields()) {
            // A column of texts may hold each once.
            let is_text = *given.data_type() == ingest::repeated_text();
            assert!(given == of_table || is_text && given.name() == of_table.name(), "{given:?}");
        }
        assert!(batch.rows.num_rows() > 0);
    }
    assert!(found.rejected.iter().all(|rejected| rejected.line > 0 && !rejected.reason.is_empty()));
    // A few will do: each is a whole reading.
    for rejected in found.rejected.iter().filter(|rejected| rejected.is_complete).take(5) {
        let again = read(Extent::Piece, rejected.record.as_bytes()).summary;
        assert!(again.read + again.empty > 0, "{:?} would be lost", rejected.record);
    }
    let second = read(extent, bytes);
    assert_eq!(second.summary, found.summary);
    assert_eq!(second.rejected_by_line(), found.rejected_by_line());
    for kind in Kind::ALL {
        assert_eq!(second.ids(kind), found.ids(kind), "{}", kind.name());
    }
    if summary.read <= READ_ALONE {
        let rows = |found: &Found| found.batches.iter().map(|batch| batch.rows.clone()).collect::<Vec<_>>();
        assert_eq!(rows(&second), rows(&found));
    }
    found
}
