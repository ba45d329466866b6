//! A folder that is followed.
#![allow(clippy::unwrap_used, reason = "tests; clippy excuses only the bodies of test functions")]

mod support;

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use sources::{Folder, Limits, Source, SourceError};
use support::Caller;
use tempfile::TempDir;

const SMALL: Limits = Limits { piece_bytes: 64, batch_bytes: 128 };

struct Fixture {
    folder: TempDir,
    source: Folder,
    caller: Caller,
    /// Files get times of their own, so that each change is one.
    clock: SystemTime,
}

impl Fixture {
    fn new(settle: Duration, limits: Limits) -> Self {
        let folder = TempDir::new().unwrap();
        let source = Folder::new(folder.path().to_owned(), Duration::ZERO, settle, limits);
        let clock = SystemTime::UNIX_EPOCH + Duration::from_secs(1_900_000_000);
        Self { folder, source, caller: Caller::default(), clock }
    }

    /// Files are never quiet, or always.
    fn unsettled() -> Self {
        Self::new(Duration::from_secs(3600), Limits::default())
    }

    fn settled() -> Self {
        Self::new(Duration::ZERO, Limits::default())
    }

    fn restart(&mut self, settle: Duration, limits: Limits) {
        self.source = Folder::new(self.folder.path().to_owned(), Duration::ZERO, settle, limits);
    }

    fn touch(&mut self, file: &File) {
        self.clock += Duration::from_millis(1);
        file.set_modified(self.clock).unwrap();
    }

    fn write(&mut self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut file = File::create(path).unwrap();
        file.write_all(text.as_ref()).unwrap();
        self.touch(&file);
    }

    fn append(&mut self, name: &str, text: &str) {
        let mut file =
            OpenOptions::new().append(true).create(true).open(self.folder.path().join(name)).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        self.touch(&file);
    }

    async fn drain(&mut self) -> Vec<String> {
        self.caller.drain(&mut self.source).await.unwrap()
    }
}

#[tokio::test]
async fn growth_is_delivered_line_by_line() {
    let mut it = Fixture::unsettled();
    it.write("a/log.jsonl", "{\"n\":1}\n{\"n\":2}\n{\"n\"");
    assert_eq!(it.drain().await, ["{\"n\":1}\n{\"n\":2}\n"]);
    assert_eq!(it.caller.taken[0].0, "a/log.jsonl");
    assert_eq!(it.drain().await, [""; 0], "an unfinished line waits");
    it.append("a/log.jsonl", ":3}\n");
    assert_eq!(it.drain().await, ["{\"n\":3}\n"]);
    // A last record without a line's end is a record when it is complete.
    it.append("a/log.jsonl", "{\"n\":4}");
    assert_eq!(it.drain().await, ["{\"n\":4}"]);
    it.append("a/log.jsonl", "\n{\"n\":5}\n");
    assert_eq!(it.drain().await, ["\n{\"n\":5}\n"]);
    assert_eq!(it.drain().await, [""; 0]);
}

#[tokio::test]
async fn a_restart_goes_on_where_positions_say() {
    let mut it = Fixture::unsettled();
    it.write("log.json", "{\"n\":1}\n");
    assert_eq!(it.drain().await, ["{\"n\":1}\n"]);
    it.append("log.json", "{\"n\":2}\n");
    it.restart(Duration::from_secs(3600), Limits::default());
    assert_eq!(it.drain().await, ["{\"n\":2}\n"]);
}

#[tokio::test]
async fn pieces_tell_where_they_begin_and_which_continue_each_other() {
    let mut it = Fixture::new(Duration::ZERO, SMALL);
    let line = |n: u8| format!("{{\"number\":\"{n}\",\"x\":\"xxxxxx\"}}\n");
    let length = line(0).len() as u64;
    // Two lines make a piece; nothing is saved the first time.
    let poll = async |it: &mut Fixture, save: bool| {
        let mut spans = Vec::new();
        loop {
            let batch = it.source.poll(&it.caller.saved).await.unwrap();
            let more = batch.more;
            for delivery in &batch.deliveries {
                let span = delivery.span.clone().unwrap();
                assert_eq!(span.path.as_deref(), Some(it.folder.path().join(&delivery.key).as_path()));
                spans.push((span.offset / length, span.lines_before, span.version));
            }
            if !save {
                return spans;
            }
            it.caller.take(batch);
            if !more {
                return spans;
            }
        }
    };
    it.write("log.jsonl", (0..3).map(line).collect::<String>());
    let first = poll(&mut it, false).await.remove(0);
    let spans = poll(&mut it, true).await;
    assert_eq!(spans[0], first, "the same piece again");
    it.append("log.jsonl", &line(3));
    it.restart(Duration::ZERO, SMALL);
    let grown = poll(&mut it, true).await;
    let all: Vec<_> = spans.iter().chain(&grown).collect();
    assert_eq!(all.iter().map(|span| (span.0, span.1)).collect::<Vec<_>>(), [(0, 0), (2, 2), (3, 3)]);
    assert!(all.iter().all(|span| span.2 == first.2), "however it grew in between");
    it.write("log.jsonl", line(7));
    let replaced = poll(&mut it, true).await;
    assert_eq!((replaced[0].0, replaced[0].1), (0, 0));
    assert_ne!(replaced[0].2, first.2);
    it.write("cost.csv", "a,b\n");
    let batch = it.source.poll(&it.caller.saved).await.unwrap();
    assert_eq!(batch.deliveries[0].span, None, "all of a file");
}

#[tokio::test]
async fn what_was_not_saved_comes_again() {
    let mut it = Fixture::unsettled();
    it.write("log.jsonl", "{\"n\":1}\n{\"n\"");
    for _ in 0..2 {
        let batch = it.source.poll(&it.caller.saved).await.unwrap();
        assert_eq!(batch.deliveries.len(), 1);
    }
    let mut it = Fixture::settled();
    it.write("cost.csv", "a,b\n1,2\n");
    for _ in 0..2 {
        let batch = it.source.poll(&it.caller.saved).await.unwrap();
        assert_eq!(batch.deliveries.len(), 1);
    }
}

#[tokio::test]
async fn an_unfinished_line_is_shown_once_it_is_quiet_and_mended_when_it_goes_on() {
    let mut it = Fixture::settled();
    it.write("log.jsonl", "{\"n\":1}\n{\"n\"");
    assert_eq!(it.drain().await, ["{\"n\":1}\n{\"n\""]);
    assert_eq!(it.drain().await, [""; 0]);
    it.append("log.jsonl", ":2}\n");
    assert_eq!(it.drain().await, ["{\"n\":2}\n"]);
}

#[tokio::test]
async fn replaced_files_are_read_from_their_start() {
    let before = "{\"n\":1}\n{\"n\":2}\n";
    let cases = [
        ("truncated", "{\"n\":9}\n"),
        ("of the same length", "{\"n\":8}\n{\"n\":9}\n"),
        ("longer", "{\"n\":7}\n{\"n\":8}\n{\"n\":9}\n"),
        ("no lines any more", "{\"records\":[\n{\"n\":1},\n{\"n\":2}\n]}"),
    ];
    for (what, after) in cases {
        let mut it = Fixture::settled();
        it.write("log.json", before);
        assert_eq!(it.drain().await, [before]);
        // By rename, as careful writers do; the temporary name is not read.
        it.write("log.json.tmp", after);
        assert_eq!(it.drain().await, [""; 0], "{what}");
        fs::rename(it.folder.path().join("log.json.tmp"), it.folder.path().join("log.json")).unwrap();
        assert_eq!(it.drain().await, [after], "{what}");
        assert_eq!(it.drain().await, [""; 0], "{what}");
    }
}

#[tokio::test]
async fn a_wrapper_that_is_rewritten_comes_whole() {
    // As flow logs: the end moves when records are added.
    let mut it = Fixture::settled();
    it.write("PT1H.json", "{\"records\":[{\"n\":1}]}");
    assert_eq!(it.drain().await, ["{\"records\":[{\"n\":1}]}"]);
    it.write("PT1H.json", "{\"records\":[{\"n\":1},{\"n\":2}]}");
    assert_eq!(it.drain().await, ["{\"records\":[{\"n\":1},{\"n\":2}]}"]);
}

#[tokio::test]
async fn other_files_come_whole_when_they_are_quiet_and_again_when_they_changed() {
    let mut it = Fixture::unsettled();
    it.write("cost.csv", "a,b\n1,2\n");
    it.write("cost.csv.gz", [0x1f, 0x8b, 8]);
    it.write("pretty.json", "[\n{\"n\":1}\n]");
    assert_eq!(it.drain().await, [""; 0], "still being written, for all we know");
    it.restart(Duration::ZERO, Limits::default());
    assert_eq!(it.drain().await.len(), 3);
    assert_eq!(it.drain().await, [""; 0]);
    it.append("cost.csv", "3,4\n");
    assert_eq!(it.drain().await, ["a,b\n1,2\n3,4\n"]);
}

#[tokio::test]
async fn some_names_are_left_out() {
    let mut it = Fixture::settled();
    for name in
        [".hidden.json", ".git/a.json", "a.json.tmp", "a.TMP", "a.json~", "~lock.csv", "a.csv.part", "a.swp"]
    {
        it.write(name, "{}\n");
    }
    fs::create_dir(it.folder.path().join("empty.json")).unwrap();
    it.write("nothing.json", "");
    #[cfg(unix)]
    std::os::unix::fs::symlink(it.folder.path(), it.folder.path().join("loop")).unwrap();
    assert_eq!(it.drain().await, [""; 0]);
}

#[tokio::test]
async fn files_that_are_gone_are_forgotten() {
    let mut it = Fixture::settled();
    it.write("a.jsonl", "{\"n\":1}\n");
    it.write("b.csv", "x\n");
    it.drain().await;
    assert_eq!(it.caller.saved.keys().collect::<Vec<_>>(), ["a.jsonl", "b.csv"]);
    fs::remove_file(it.folder.path().join("a.jsonl")).unwrap();
    it.drain().await;
    assert_eq!(it.caller.saved.keys().collect::<Vec<_>>(), ["b.csv"]);
}

#[tokio::test]
async fn large_files_come_in_pieces_that_end_at_lines() {
    let mut it = Fixture::new(Duration::ZERO, SMALL);
    let lines: Vec<String> = (0..100).map(|n| format!("{{\"n\":{n}}}")).collect();
    it.write("log.jsonl", lines.join("\n") + "\n");
    let pieces = it.drain().await;
    assert!(pieces.len() > 10 && pieces.iter().all(|piece| piece.len() <= 64 && piece.ends_with('\n')));
    assert_eq!(it.caller.lines(), lines);
}

#[tokio::test]
async fn a_line_longer_than_a_piece_goes_through_a_file() {
    let mut it = Fixture::new(Duration::ZERO, SMALL);
    let long = format!("{{\"text\":\"{}\"}}", "x".repeat(5000));
    let lines = ["{\"n\":1}", long.as_str(), "{\"n\":2}"];
    it.write("log.jsonl", lines.join("\n"));
    it.drain().await;
    assert_eq!(it.caller.lines(), lines);
    assert_eq!(it.drain().await, [""; 0]);
}

#[tokio::test]
async fn a_missing_folder_says_what_to_do() {
    let mut source = Folder::new("/nowhere/at/all".into(), Duration::ZERO, Duration::ZERO, SMALL);
    let error = source.poll(&Default::default()).await.unwrap_err();
    assert!(matches!(error, SourceError::Missing { .. }) && !error.is_transient());
    assert_eq!(
        error.to_string(),
        "the folder /nowhere/at/all does not exist: create it, mount it, or correct its path in the settings"
    );
}

/// What somebody does to the files.
#[derive(Debug, Clone)]
enum Step {
    /// Appends records; of the last one, only so many tenths are written now.
    Grow {
        file: usize,
        records: usize,
        tenths: usize,
    },
    Replace {
        file: usize,
    },
    Delete {
        file: usize,
    },
    Poll,
    /// The program dies with a batch taken in and its positions not saved.
    Crash,
}

fn steps(with_crashes_and_replacements: bool) -> impl Strategy<Value = Vec<Step>> {
    let grow = (0..3usize, 1..4usize, 0..=10usize).prop_map(|(file, records, tenths)| Step::Grow {
        file,
        records,
        tenths,
    });
    let step = if with_crashes_and_replacements {
        prop_oneof![
            4 => grow,
            1 => (0..3usize).prop_map(|file| Step::Replace { file }),
            1 => (0..3usize).prop_map(|file| Step::Delete { file }),
            4 => Just(Step::Poll),
            2 => Just(Step::Crash),
        ]
        .boxed()
    } else {
        prop_oneof![3 => grow, 2 => Just(Step::Poll)].boxed()
    };
    prop::collection::vec(step, 1..30)
}

/// Plays the steps; gives the records that somebody wrote in full, and those that were delivered in full.
async fn play(steps: Vec<Step>) -> (Vec<String>, Vec<String>) {
    let mut it = Fixture::new(Duration::from_secs(3600), SMALL);
    let mut written = Vec::new();
    // What is missing at the end of each file, and the record that it will complete.
    let mut unfinished = [const { None::<(String, String)> }; 3];
    let mut number = 0;
    for step in steps {
        match step {
            Step::Grow { file, records, tenths } => {
                let mut text = String::new();
                if let Some((rest, record)) = unfinished[file].take() {
                    text.push_str(&rest);
                    written.push(record);
                }
                for nth in 1..=records {
                    number += 1;
                    let record = format!("{{\"record\":{number}}}");
                    let line = format!("{record}\n");
                    let cut = if nth == records { line.len() * tenths / 10 } else { line.len() };
                    text.push_str(&line[..cut]);
                    if cut == line.len() {
                        written.push(record);
                    } else {
                        unfinished[file] = Some((line[cut..].to_owned(), record));
                    }
                }
                // A file that is touched and does not grow is read again, which is another property.
                if !text.is_empty() {
                    it.append(&format!("{file}.jsonl"), &text);
                }
            }
            Step::Replace { file } => {
                // Nobody is owed what was lost before it was read.
                it.drain().await;
                unfinished[file] = None;
                number += 1;
                let record = format!("{{\"record\":{number}}}");
                it.write(&format!("{file}.jsonl"), format!("{record}\n"));
                written.push(record);
            }
            Step::Delete { file } => {
                it.drain().await;
                unfinished[file] = None;
                let _ = fs::remove_file(it.folder.path().join(format!("{file}.jsonl")));
            }
            Step::Poll => {
                it.drain().await;
            }
            Step::Crash => {
                let batch = it.source.poll(&it.caller.saved).await.unwrap();
                it.caller.read(&batch);
                it.restart(Duration::from_secs(3600), SMALL);
            }
        }
    }
    for (file, unfinished) in unfinished.into_iter().enumerate() {
        if let Some((rest, record)) = unfinished {
            it.append(&format!("{file}.jsonl"), &rest);
            written.push(record);
        }
    }
    it.drain().await;
    let whole = |line: &&str| line.starts_with('{') && line.ends_with('}');
    (written, it.caller.lines().into_iter().filter(whole).map(str::to_owned).collect())
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn sorted(mut lines: Vec<String>) -> Vec<String> {
    lines.sort();
    lines
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_every_record_comes_at_least_once(steps in steps(true)) {
        let (written, delivered) = run(play(steps));
        for record in &written {
            prop_assert!(delivered.contains(record), "{record} is missing");
        }
    }

    #[test]
    fn without_crashes_growth_comes_exactly_once(steps in steps(false)) {
        let (written, delivered) = run(play(steps));
        prop_assert_eq!(sorted(written), sorted(delivered));
    }
}

#[tokio::test]
async fn one_file_is_followed_as_a_folder_is() {
    let mut it = Fixture::settled();
    it.write("named.tmp.json", "{\"n\":1}\n");
    it.write(".hidden", "whole");
    it.write("other.json", "{\"n\":0}\n");
    let follow = |name: &str| {
        Folder::new(it.folder.path().join(name), Duration::ZERO, Duration::ZERO, Limits::default())
    };
    let (mut lines, mut hidden) = (follow("named.tmp.json"), follow(".hidden"));
    assert_eq!(it.caller.drain(&mut lines).await.unwrap(), ["{\"n\":1}\n"]);
    assert_eq!(it.caller.saved.keys().collect::<Vec<_>>(), ["named.tmp.json"]);
    it.append("named.tmp.json", "{\"n\":2}\n");
    assert_eq!(it.caller.drain(&mut lines).await.unwrap(), ["{\"n\":2}\n"]);
    let mut caller = Caller::default();
    assert_eq!(caller.drain(&mut hidden).await.unwrap(), ["whole"], "it was named, so it is taken");

    // It is rotated away, and comes again.
    fs::remove_file(it.folder.path().join("named.tmp.json")).unwrap();
    let gone = it.caller.drain(&mut lines).await.unwrap_err();
    assert!(matches!(gone, SourceError::Missing { .. }), "{gone:?}");
    assert!(gone.to_string().starts_with("the file /"), "{gone}");
    it.write("named.tmp.json", "{\"n\":3}\n{\"n\":4}\n{\"n\":5}\n");
    assert_eq!(it.caller.drain(&mut lines).await.unwrap(), ["{\"n\":3}\n{\"n\":4}\n{\"n\":5}\n"]);
}
