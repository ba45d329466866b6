use std::error::Error as _;

use super::*;

const SERIES: &str = "timestamp,value\n2014-02-14 14:30:00,1.5\n2014-02-14 14:35:00.000000,-2\n\
                      2014-02-14 14:40:00,3e5\n2014-02-14 14:45:00,0\n";

/// Writes a corpus of one file, and reads it.
fn corpus(series: &str, labels: &str) -> Result<Vec<Series>, NabError> {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("data/a")).unwrap();
    fs::create_dir_all(folder.path().join("labels")).unwrap();
    fs::write(folder.path().join("data/a/b.csv"), series).unwrap();
    fs::write(folder.path().join("data/README.md"), "no series").unwrap();
    fs::write(folder.path().join("labels/combined_windows.json"), labels).unwrap();
    read(folder.path())
}

/// The whole error with its cause, less the folder.
fn error(series: &str, labels: &str) -> String {
    let error = corpus(series, labels).unwrap_err();
    let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
    let text = format!("{error}{cause}");
    // The path up to the corpus is another each time.
    let from = ["data/", "labels/"].iter().filter_map(|part| text.find(part)).min().unwrap_or(0);
    text[from..].to_owned()
}

#[test]
fn reads_points_and_windows() {
    let labels = r#"{"a/b.csv": [["2014-02-14 14:34:00.000000", "2014-02-14 14:40:00.000000"]]}"#;
    let corpus = corpus(SERIES, labels).unwrap();
    let start = 1_392_388_200;
    assert_eq!(
        corpus,
        [Series {
            name: "a/b.csv".to_owned(),
            points: vec![(start, 1.5), (start + 300, -2.0), (start + 600, 3e5), (start + 900, 0.0)],
            windows: vec![1..=2],
        }]
    );
}

#[test]
fn says_what_is_wrong_where_and_how_to_mend_it() {
    let fine = r#"{"a/b.csv": []}"#;
    for (series, labels, expected) in [
        ("time,value\n", fine, "data/a/b.csv, line 1: expected the header 'timestamp,value'"),
        (
            "timestamp,value\nyesterday,1\n",
            fine,
            "data/a/b.csv, line 2: 'yesterday' is not a time like 2014-02-14 14:30:00",
        ),
        (
            "timestamp,value\n2014-02-14 14:30:00,1\n2014-02-14 14:35:00,n/a\n",
            fine,
            "data/a/b.csv, line 3: 'n/a' is not a number",
        ),
        (
            SERIES,
            "{}",
            "labels/combined_windows.json: no entry for data/a/b.csv; add \"a/b.csv\": [] if nothing is wrong in it",
        ),
        (
            SERIES,
            r#"{"a/b.csv": [], "c/d.csv": []}"#,
            "labels/combined_windows.json: \"c/d.csv\" has labels, but data/c/d.csv does not exist; remove the entry",
        ),
        (
            SERIES,
            r#"{"a/b.csv": [["2015-02-14 14:30:00", "2015-02-14 14:40:00"]]}"#,
            "labels/combined_windows.json, \"a/b.csv\", window 1: no point of the series lies between 2015-02-14 14:30:00 and 2015-02-14 14:40:00",
        ),
        (
            SERIES,
            r#"{"a/b.csv": [["2014-02-14 14:30:00", "2014-02-14 14:40:00"], ["2014-02-14 14:40:00", "2014-02-14 14:45:00"]]}"#,
            "labels/combined_windows.json, \"a/b.csv\", window 2: starts before the window before it ends; order them, or make them one",
        ),
    ] {
        assert_eq!(error(series, labels), expected);
    }
    let labels = error(SERIES, "[1]");
    assert!(
        labels.contains("expected {\"folder/file.csv\": [[\"start\", \"end\"], …], …}: invalid type"),
        "{labels}"
    );
}

#[test]
fn a_folder_without_series_is_no_corpus() {
    let folder = tempfile::tempdir().unwrap();
    let missing = read(folder.path()).unwrap_err().to_string();
    assert!(missing.contains("combined_windows.json"), "{missing}");
    fs::create_dir_all(folder.path().join("labels")).unwrap();
    fs::write(folder.path().join("labels/combined_windows.json"), "{}").unwrap();
    assert!(read(folder.path()).unwrap_err().to_string().contains("data"));
    fs::create_dir_all(folder.path().join("data")).unwrap();
    assert!(read(folder.path()).unwrap_err().to_string().starts_with("no series in "));
}
