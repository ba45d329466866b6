//! Reading a folder that is laid out like NAB: `data/*/*.csv` and `labels/combined_windows.json`.

use std::collections::BTreeMap;
use std::fs;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use chrono::NaiveDateTime;

/// Why a folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum NabError {
    /// A file or folder is missing or closed to us.
    #[error("cannot read {path}: a folder like NAB's has data/*/*.csv and labels/combined_windows.json")]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// There is nothing to score.
    #[error("no series in {folder}: expected files like data/realTweets/Twitter_volume_AAPL.csv")]
    Empty {
        /// The folder that was looked through.
        folder: PathBuf,
    },
    /// A line of a series does not read as a time and a number.
    #[error("{path}, line {line}: {reason}")]
    Row {
        /// The file.
        path: PathBuf,
        /// The line, the header being the first.
        line: u64,
        /// What is wrong and what is expected.
        reason: String,
    },
    /// The labels are no map of lists of pairs.
    #[error("{path}: expected {{\"folder/file.csv\": [[\"start\", \"end\"], …], …}}")]
    Labels {
        /// The file.
        path: PathBuf,
        /// Where it stops being what is expected.
        #[source]
        source: serde_json::Error,
    },
    /// A window cannot be one of its series.
    #[error("{path}, \"{series}\", window {number}: {reason}")]
    Window {
        /// The file with the labels.
        path: PathBuf,
        /// The series' key.
        series: String,
        /// Which of its windows, from 1.
        number: usize,
        /// What is wrong and how to mend it.
        reason: String,
    },
    /// A series has no entry in the labels, or an entry has no series.
    #[error("{path}: {reason}")]
    Unmatched {
        /// The file with the labels.
        path: PathBuf,
        /// Which key, and how to mend it.
        reason: String,
    },
}

/// One file of the corpus.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// `folder/file.csv`, the key of its labels.
    pub name: String,
    /// Seconds since 1970 (NAB's times have no zone; they are taken for UTC) and values.
    pub points: Vec<(i64, f64)>,
    /// The indices of the points in each window, in order and apart from each other.
    pub windows: Vec<RangeInclusive<usize>>,
}

type Labels = BTreeMap<String, Vec<(String, String)>>;

/// Reads all series with their windows, ordered by name.
///
/// # Errors
///
/// See [`NabError`]. A series and its labels must name each other: a corpus of which half is lost would
/// give a score that looks good.
pub fn read(folder: &Path) -> Result<Vec<Series>, NabError> {
    let labels_path = folder.join("labels").join("combined_windows.json");
    let text = fs::read_to_string(&labels_path).map_err(unreadable(&labels_path))?;
    let mut labels: Labels = serde_json::from_str(&text)
        .map_err(|source| NabError::Labels { path: labels_path.clone(), source })?;

    let mut corpus = Vec::new();
    for (name, path) in files(&folder.join("data"))? {
        let points = points(&path)?;
        let Some(windows) = labels.remove(&name) else {
            let reason = format!("no entry for data/{name}; add \"{name}\": [] if nothing is wrong in it");
            return Err(NabError::Unmatched { path: labels_path, reason });
        };
        let windows = windows_of(&points, &windows).map_err(|(number, reason)| NabError::Window {
            path: labels_path.clone(),
            series: name.clone(),
            number,
            reason,
        })?;
        corpus.push(Series { name, points, windows });
    }
    if corpus.is_empty() {
        return Err(NabError::Empty { folder: folder.join("data") });
    }
    if let Some(name) = labels.keys().next() {
        let reason = format!("\"{name}\" has labels, but data/{name} does not exist; remove the entry");
        return Err(NabError::Unmatched { path: labels_path, reason });
    }
    Ok(corpus)
}

fn unreadable(path: &Path) -> impl FnOnce(std::io::Error) -> NabError {
    let path = path.to_owned();
    move |source| NabError::Unreadable { path, source }
}

/// The files two levels down, with their keys.
fn files(data: &Path) -> Result<BTreeMap<String, PathBuf>, NabError> {
    let mut files = BTreeMap::new();
    for folder in entries(data)? {
        if !folder.is_dir() {
            continue;
        }
        for file in entries(&folder)? {
            if file.extension().is_some_and(|extension| extension == "csv") {
                let key = file.strip_prefix(data).unwrap_or(&file);
                // Windows' separator is not the one in the labels.
                files.insert(key.to_string_lossy().replace('\\', "/"), file);
            }
        }
    }
    Ok(files)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, NabError> {
    let read = fs::read_dir(folder);
    let paths = read.and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect());
    paths.map_err(unreadable(folder))
}

fn points(path: &Path) -> Result<Vec<(i64, f64)>, NabError> {
    let file = fs::File::open(path).map_err(unreadable(path))?;
    let at = |line: u64, reason: String| NabError::Row { path: path.to_owned(), line, reason };
    let broken = |error: csv::Error| at(error.position().map_or(1, csv::Position::line), error.to_string());
    let mut reader = csv::Reader::from_reader(file);
    let headers = reader.headers().map_err(broken)?;
    if headers.iter().map(str::trim).ne(["timestamp", "value"]) {
        return Err(at(1, "expected the header 'timestamp,value'".to_owned()));
    }
    let mut points = Vec::new();
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(broken)? {
        let line = record.position().map_or(0, csv::Position::line);
        let (Some(time), Some(value)) = (record.get(0), record.get(1)) else {
            return Err(at(line, "expected a time and a value".to_owned()));
        };
        let time = seconds(time)
            .ok_or_else(|| at(line, format!("'{time}' is not a time like 2014-02-14 14:30:00")))?;
        let value = value.trim().parse().map_err(|_| at(line, format!("'{value}' is not a number")))?;
        points.push((time, value));
    }
    Ok(points)
}

/// Reads `2014-02-14 14:30:00`, with or without a fraction.
fn seconds(text: &str) -> Option<i64> {
    let time = NaiveDateTime::parse_from_str(text.trim(), "%Y-%m-%d %H:%M:%S%.f").ok()?;
    Some(time.and_utc().timestamp())
}

/// The indices of the points within each window, or which window is wrong and why.
fn windows_of(
    points: &[(i64, f64)],
    windows: &[(String, String)],
) -> Result<Vec<RangeInclusive<usize>>, (usize, String)> {
    let mut ranges: Vec<RangeInclusive<usize>> = Vec::with_capacity(windows.len());
    for (number, (start, end)) in (1..).zip(windows) {
        let read = |text: &str| {
            seconds(text)
                .ok_or_else(|| (number, format!("'{text}' is not a time like 2014-02-14 14:30:00.000000")))
        };
        let period = read(start)?..=read(end)?;
        let first = points.iter().position(|(time, _)| period.contains(time));
        let last = points.iter().rposition(|(time, _)| period.contains(time));
        let (Some(first), Some(last)) = (first, last) else {
            return Err((number, format!("no point of the series lies between {start} and {end}")));
        };
        if ranges.last().is_some_and(|before| *before.end() >= first) {
            return Err((
                number,
                "starts before the window before it ends; order them, or make them one".into(),
            ));
        }
        ranges.push(first..=last);
    }
    Ok(ranges)
}

#[cfg(test)]
mod tests;
