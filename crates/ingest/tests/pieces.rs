//! Pieces of a stream: what cannot be read in them hides nothing else. And what looks like nothing, but is something.

mod rows;

use ingest::Extent;
use ingest::schema::Kind;
use rows::{Outcome, read, read_as};

const GOOD: &str =
    r#"{"time":"2031-02-03T04:05:06Z","operationName":"A/B/write","category":"Administrative"}"#;

fn piece(text: impl AsRef<[u8]>) -> Outcome {
    read_as(Extent::Piece, text.as_ref())
}

/// Stored, rejected, empty.
fn counts(outcome: &Outcome) -> (u64, u64, u64) {
    (outcome.summary.stored(), outcome.summary.rejected, outcome.summary.empty)
}

#[test]
fn unknown_records_do_not_end_a_piece() {
    let unknown = "{\"unknown\":1}\n".repeat(150);
    let then_good = format!("{unknown}{GOOD}\n");
    let outcome = piece(&then_good);
    assert_eq!(counts(&outcome), (1, 150, 0));
    let lines: Vec<u64> = outcome.rejected.iter().map(|rejected| rejected.line).collect();
    assert_eq!(lines, (1..=150).collect::<Vec<_>>());
    assert!(
        outcome.rejected.iter().all(|rejected| rejected.is_complete && rejected.record == "{\"unknown\":1}")
    );
    assert_eq!(counts(&piece(&unknown)), (0, 150, 0), "nor do they if nothing else is there");
    assert_eq!(counts(&piece("noise\n".repeat(3))), (0, 1, 0), "text that is none of lines is one");

    // A file of which nothing is known is refused as a whole: it is where it was.
    let outcome = read(then_good.as_bytes());
    assert_eq!(counts(&outcome), (0, 1, 0));
    assert!(!outcome.rejected[0].is_complete);
    let known_in_time = format!("{}{GOOD}\n", "{\"unknown\":1}\n".repeat(99));
    assert_eq!(counts(&read(known_in_time.as_bytes())), (1, 99, 0));
}

/// The first bytes of a file tell what it is. Those of a piece may be damaged, and say nothing of what follows.
#[test]
fn a_damaged_beginning_does_not_decide_over_a_piece() {
    let lines = format!("{GOOD}\n").repeat(3);
    for beginning in [
        &b"noise\n"[..],
        b"7\n",
        b"\"text\"\n",
        b"\0\0\0\0\n",
        &[&[0; 5000][..], b"\n"].concat(),
        b"\xff\xfe\n",
        b"PK\x03\x04\n",
        b"{\"a\":\"\0\"}\n",
        b"Date,Cost\n",
        &[&b"noise ".repeat(60_000)[..], b"\n"].concat(),
    ] {
        let outcome = piece([beginning, lines.as_bytes()].concat());
        let start = String::from_utf8_lossy(&beginning[..beginning.len().min(10)]).into_owned();
        assert_eq!(counts(&outcome), (3, 1, 0), "{start:?}");
    }
    // Messages may be lists, after each other, and one of them damaged.
    assert_eq!(counts(&piece(format!("[{GOOD},{{]]\n[{GOOD},{GOOD}]\n[{GOOD}]\n"))), (4, 1, 0));
    let csv = "Date,SubscriptionId,MeterId,Cost\n2031-02-03,s-1,m-1,1\n";
    assert_eq!(piece(csv).summary.rows(Kind::Cost), 1, "costs may come in a request");
    for (binary, reason) in [(&b"PK\x03\x04rest"[..], "zip"), (b"\0\x01\x02", "not a known kind")] {
        assert!(piece(binary).reasons()[0].contains(reason), "{:?}", piece(binary).reasons());
    }
}

#[test]
fn a_flow_record_without_its_lists_is_not_taken_for_an_empty_one() {
    let nsg = |properties: &str| {
        let head = r#""time":"2031-02-03T04:05:06Z","category":"NetworkSecurityGroupFlowEvent""#;
        format!("{{{head},\"properties\":{properties}}}")
    };
    let vnet = |records: &str| {
        let head = r#""time":"2031-02-03T04:05:06Z","category":"FlowLogFlowEvent""#;
        format!("{{{head},\"flowRecords\":{records}}}")
    };
    let check = |record: String, expected: (u64, u64, u64), reason: &str| {
        let outcome = read(record.as_bytes());
        assert_eq!(counts(&outcome), expected, "{record}");
        assert!(outcome.reasons().concat().contains(reason), "{record}: {:?}", outcome.reasons());
        if let Some(rejected) = outcome.rejected.first() {
            assert_eq!((rejected.record.as_str(), rejected.is_complete), (record.as_str(), true));
        }
    };
    let tuple = r#"["1927000000,10.0.0.4,198.51.100.7,50112,3333,T,O,D,B,,,,"]"#;
    check(nsg(r#"{"flows":[]}"#), (0, 0, 1), "");
    check(nsg(r#"{"flows":[{"rule":"r","flows":[]}]}"#), (0, 0, 1), "");
    check(nsg(r#"{"flows":[{"rule":"r","flows":[{"mac":"m","flowTuples":[]}]}]}"#), (0, 0, 1), "");
    check(nsg(r#"{"Flows":[{"rule":"r","FLOWS":[]}]}"#), (0, 0, 1), "");
    check(nsg("{}"), (0, 1, 0), "no `flows`");
    check(nsg("7"), (0, 1, 0), "no `flows`");
    check(nsg(r#"{"flows":null}"#), (0, 1, 0), "no `flows`");
    check(
        nsg(&format!(r#"{{"records":[{{"flows":[{{"flowTuples":{tuple}}}]}}]}}"#)),
        (0, 1, 0),
        "no `flows`",
    );
    check(nsg(r#"{"flows":["x"]}"#), (0, 1, 0), "no `flows`");
    check(nsg(&format!(r#"{{"flows":[{{"flows":[{{"tuples":{tuple}}}]}}]}}"#)), (0, 1, 0), "no `flowTuples`");
    let half = format!(r#"{{"flows":[{{"flows":[{{"flowTuples":{tuple}}},{{"tuples":{tuple}}}]}}]}}"#);
    check(nsg(&half), (1, 1, 0), "no `flowTuples`");
    check(vnet(r#"{"flows":[]}"#), (0, 0, 1), "");
    check(vnet(r#"{"flows":[{"aclID":"a","flowGroups":[]}]}"#), (0, 0, 1), "");
    check(vnet("{}"), (0, 1, 0), "no `flows`");
    check(vnet(r#"{"flows":[{"groups":[{"rule":"r"}]}]}"#), (0, 1, 0), "no `flowGroups`");
    check(vnet(r#"{"flows":[{"flowGroups":[{"rule":"r","tuples":["x"]}]}]}"#), (0, 1, 0), "no `flowTuples`");
}

/// A wrapper is read alike whether it is cut while it streams by or came as one record.
#[test]
fn all_lists_of_a_wrapper_are_read() {
    let check = |wrapper: &str, expected: (u64, u64, u64)| {
        // Alone it is cut; after a record on a line of its own it comes as one; in a list it does as well.
        for (text, others) in [
            (wrapper.to_owned(), 0),
            (format!("{GOOD}\n{wrapper}\n"), 1),
            (format!("[{GOOD},\n{wrapper}]"), 1),
            (format!("{{\"records\":[{wrapper},{GOOD}]}}"), 1),
        ] {
            let (stored, rejected, empty) = counts(&piece(&text));
            assert_eq!((stored - others, rejected, empty), expected, "{text}");
        }
    };
    check(&format!(r#"{{"value":[{GOOD}],"data":[{GOOD},{{"x":1}}]}}"#), (2, 1, 0));
    check(&format!(r#"{{"n":1,"data":[{GOOD}],"records":[{GOOD}],"Records":[{GOOD}],"m":[1]}}"#), (3, 0, 0));
    check(&format!(r#"{{"n":1,"value":[],"records":[{GOOD}]}}"#), (1, 0, 0));
    check(r#"{"n":1,"value":[],"data":[]}"#, (0, 0, 1));
    check(r#"{"data":{"columns":[],"rows":[]},"value":[]}"#, (0, 1, 0));
    // A record that happens to have such a list is a record.
    check(&GOOD.replace("\"category\"", r#""data":[],"category""#), (1, 0, 0));
    check(&format!(r#"{},"value":[{{"x":1}}]}}"#, GOOD.trim_end_matches('}')), (1, 0, 0));
}
