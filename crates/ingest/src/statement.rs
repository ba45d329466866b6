//! Which statement of costs a file belongs to.
//!
//! Exports state the days of a month again and again, each time whole. A statement is one such run: the
//! files of a run of an export, or a file that is part of none, or what a sender says is one. Readers take, of
//! each day, the lines of the latest statement. So what is read in pieces must be one statement, or all but
//! the last piece would count for nothing.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Component, Path};

use chrono::{DateTime, Utc};

use crate::discover::InputFile;
use crate::manifest::{self, Manifest};
use crate::resource::is_guid;

/// How much of the beginning and of the end of a file tells it from others.
const SAMPLE_BYTES: u64 = 64 * 1024;
/// An export lies in `<name>/<period>/<run>`, with a time between in newer ones: so many folders above a file
/// may name its dataset.
const FOLDERS_NAMING: usize = 5;

/// The statement that a file's cost lines are part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statement {
    /// The run, or the file: the same for all files of a run.
    pub id: [u8; 16],
    /// The file within it, or the piece of a file. Ids of lines are counted from here, so that the same part must
    /// begin with the same line when it comes again.
    pub part: [u8; 16],
    /// When it was stated: the latest of a day counts.
    pub stated_at: DateTime<Utc>,
}

/// What the manifest of a run says of a file that it lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed {
    /// The statement that the run is.
    pub statement: Statement,
    /// Whether its costs are amortised or actual, if it says so.
    pub is_amortized: Option<bool>,
}

/// A piece of a file or blob that is read by lines.
#[derive(Debug, Clone, Copy)]
pub struct FilePiece<'a> {
    /// Tells files and blobs of the same name apart: the source's name.
    pub container: &'a str,
    /// The whole name of the file or blob within it, with `/` between folders.
    pub name: &'a str,
    /// The same for all pieces that continue each other, another for what took the place of the file.
    pub version: &'a str,
    /// The byte that the piece begins at.
    pub offset: u64,
    /// The file, if it is one that can be opened: manifests beside and above it are looked for.
    pub path: Option<&'a Path>,
}

/// What is known of a file's costs beside the file itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin {
    pub(crate) statement: Statement,
    /// Whether they are amortised or actual, if the manifest or the path tells.
    pub(crate) is_amortized: Option<bool>,
}

impl Statement {
    /// The statement of a blob in a container that is read as a whole: `name` is its whole name, with `/`
    /// between folders. Blobs in the folder of a run belong together.
    #[must_use]
    pub fn of_blob(container: &str, name: &str, size_bytes: u64, modified_at: DateTime<Utc>) -> Self {
        let folders: Vec<&str> = name.split('/').collect();
        match run_folder(&folders) {
            Some(at) => Self::of_run(folders[at], &folders[at + 1..].join("/"), size_bytes, modified_at),
            None => {
                let modified = modified_at.timestamp_micros().to_le_bytes();
                let id = hash(
                    "blob",
                    &[container.as_bytes(), name.as_bytes(), &size_bytes.to_le_bytes(), &modified],
                );
                Self::new(id, name, size_bytes, modified_at)
            }
        }
    }

    /// The statement of a file of a run; `run` is its id, `part` the name of the file within the run.
    #[must_use]
    pub fn of_run(run: &str, part: &str, size_bytes: u64, stated_at: DateTime<Utc>) -> Self {
        Self::new(run_id(run), part, size_bytes, stated_at)
    }

    /// The statement that a piece of a file or blob of lines is part of, together with all that continues it.
    #[must_use]
    pub fn of_piece(piece: &FilePiece<'_>, modified_at: DateTime<Utc>) -> Self {
        // Its length says nothing: a piece that comes again may have grown at its end.
        let place = piece.offset.to_le_bytes();
        let listed = piece.path.and_then(manifest::of);
        let names = match piece.path {
            Some(path) => names_of(path),
            None => piece.name.split('/').map(str::to_owned).collect(),
        };
        let folders: Vec<&str> = names.iter().map(String::as_str).collect();
        let (id, name, stated_at) = match (listed, run_folder(&folders)) {
            (Some((manifest, name)), _) => {
                (run_id(&manifest.run), name, manifest.stated_at.unwrap_or(modified_at))
            }
            (None, Some(at)) => (run_id(folders[at]), folders[at + 1..].join("/"), modified_at),
            (None, None) => {
                let fields = [piece.container.as_bytes(), piece.name.as_bytes(), piece.version.as_bytes()];
                (hash("lines", &fields), piece.name.to_owned(), modified_at)
            }
        };
        Self { id, part: hash("piece", &[&id, name.as_bytes(), &place]), stated_at }
    }

    /// The statement that a sender says its records are part of. `sender` tells those apart who may call theirs the
    /// same, `part` the parts of one statement.
    #[must_use]
    pub fn of_sender(sender: &str, statement: &str, part: &[u8], stated_at: DateTime<Utc>) -> Self {
        let id = hash("sender", &[sender.as_bytes(), statement.as_bytes()]);
        Self { id, part: hash("part", &[&id, part]), stated_at }
    }

    /// The statement that some bytes are.
    pub(crate) fn of_bytes(bytes: &[u8], arrived_at: DateTime<Utc>) -> Self {
        Self::new(hash("bytes", &[bytes]), "", bytes.len() as u64, arrived_at)
    }

    fn new(id: [u8; 16], part: &str, size_bytes: u64, stated_at: DateTime<Utc>) -> Self {
        let part = hash("part", &[&id, part.as_bytes(), &size_bytes.to_le_bytes()]);
        Self { id, part, stated_at }
    }
}

impl Listed {
    /// What the text of a manifest says of a blob: `part` is the blob's name below the folder that the manifest lies
    /// in, with `/` between folders. `None` if it is no manifest, or does not list the blob; then only the blob's
    /// name tells ([`Statement::of_blob`]).
    #[must_use]
    pub fn find(manifest: &str, part: &str, size_bytes: u64, modified_at: DateTime<Utc>) -> Option<Self> {
        Some(Self::of(&manifest::parse(manifest, part)?, part, size_bytes, modified_at))
    }

    fn of(manifest: &Manifest, part: &str, size_bytes: u64, modified_at: DateTime<Utc>) -> Self {
        let stated_at = manifest.stated_at.unwrap_or(modified_at);
        let statement = Statement::of_run(&manifest.run, part, size_bytes, stated_at);
        Self { statement, is_amortized: manifest.is_amortized }
    }
}

impl Origin {
    /// Of a file on disk. What cannot be found out of it is taken from the file itself, or is `arrived_at`.
    pub(crate) fn of_file(file: &InputFile, arrived_at: DateTime<Utc>) -> Self {
        // Links may lead here from a folder that says nothing.
        let path = fs::canonicalize(&file.path).unwrap_or_else(|_| file.path.clone());
        let modified_at = fs::metadata(&path).and_then(|metadata| metadata.modified()).ok();
        let stated_at = modified_at.map_or(arrived_at, DateTime::<Utc>::from);
        let names = names_of(&path);
        let folders: Vec<&str> = names.iter().map(String::as_str).collect();
        let told_by_path = told_by_names(&folders);
        if let Some((manifest, part)) = manifest::of(&path) {
            let Listed { statement, is_amortized } = Listed::of(&manifest, &part, file.size_bytes, stated_at);
            return Self { statement, is_amortized: is_amortized.or(told_by_path) };
        }
        let statement = match run_folder(&folders) {
            Some(at) => {
                Statement::of_run(folders[at], &folders[at + 1..].join("/"), file.size_bytes, stated_at)
            }
            None => {
                let name = folders.last().copied().unwrap_or_default();
                let modified = modified_at.map(|_| stated_at.timestamp_micros()).unwrap_or_default();
                let sample = sample(&path).unwrap_or_default();
                let id = hash(
                    "file",
                    &[name.as_bytes(), &file.size_bytes.to_le_bytes(), &modified.to_le_bytes(), &sample],
                );
                Statement::new(id, name, file.size_bytes, stated_at)
            }
        };
        Self { statement, is_amortized: told_by_path }
    }

    /// Of bytes that came under a name, of a statement that is known.
    pub(crate) fn of_named(name: &str, statement: Statement) -> Self {
        Self { statement, is_amortized: told_by_names(&name.split(['/', '\\']).collect::<Vec<_>>()) }
    }
}

/// The names of the folders of a path, and of its file.
fn names_of(path: &Path) -> Vec<String> {
    let name = |component| match component {
        Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
        _ => None,
    };
    path.components().filter_map(name).collect()
}

/// Two files of the same name, size and time may lie in two folders, so that their content decides.
fn sample(path: &Path) -> io::Result<[u8; 32]> {
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    let mut sample = Vec::new();
    file.by_ref().take(SAMPLE_BYTES).read_to_end(&mut sample)?;
    file.seek(SeekFrom::Start(size.saturating_sub(SAMPLE_BYTES)))?;
    file.take(SAMPLE_BYTES).read_to_end(&mut sample)?;
    Ok(*blake3::hash(&sample).as_bytes())
}

/// Where the folder of a run stands in a path: its name is a GUID, and one of the two above is a period. A
/// GUID alone may be a tenant or a subscription, with many runs below it.
fn run_folder(path: &[&str]) -> Option<usize> {
    let folders = &path[..path.len().saturating_sub(1)];
    let is_run = |at: &usize| {
        let above = &folders[at.saturating_sub(2)..*at];
        is_guid(folders[*at]) && above.iter().any(|name| is_period(name))
    };
    (0..folders.len()).rev().find(is_run)
}

/// `20310201-20310228`
fn is_period(name: &str) -> bool {
    let is_day = |day: &str| day.len() == 8 && day.bytes().all(|byte| byte.is_ascii_digit());
    name.split_once('-').is_some_and(|(from, to)| is_day(from) && is_day(to))
}

/// Whether the last names of a path say that costs are amortised or actual.
fn told_by_names(path: &[&str]) -> Option<bool> {
    path.iter().rev().take(FOLDERS_NAMING + 1).find_map(|name| {
        let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
        let name = name.to_ascii_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
        if has(&["amortized", "amortised"]) {
            Some(true)
        } else if has(&["actualcost", "costactual"]) {
            Some(false)
        } else {
            None
        }
    })
}

fn run_id(run: &str) -> [u8; 16] {
    hash("run", &[run.to_ascii_lowercase().as_bytes()])
}

fn hash(domain: &str, fields: &[&[u8]]) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new();
    for field in [domain.as_bytes()].iter().chain(fields) {
        hasher.update(&(field.len() as u64).to_le_bytes());
        hasher.update(field);
    }
    let mut id = [0; 16];
    id.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    id
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::time::{Duration, SystemTime};

    use super::*;

    const RUN: &str = "0f0e0d0c-aaaa-4000-8000-00000000000a";

    fn arrival() -> DateTime<Utc> {
        DateTime::from_timestamp(1_930_000_000, 0).unwrap()
    }

    /// Writes a file with a fixed time of change, and gives its origin.
    fn origin(root: &Path, name: &str, content: &str) -> Origin {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        let modified = SystemTime::UNIX_EPOCH + Duration::from_secs(1_929_000_000);
        File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
        Origin::of_file(&InputFile { path, size_bytes: content.len() as u64 }, arrival())
    }

    #[test]
    fn files_of_a_run_belong_together() {
        let root = tempfile::tempdir().unwrap();
        let name = |part: &str| format!("daily/20310201-20310228/{RUN}/{part}");
        let first = origin(root.path(), &name("part_0_0001.csv"), "a").statement;
        let second = origin(root.path(), &name("part_1_0001.csv"), "b").statement;
        assert_eq!(first.id, second.id);
        assert_ne!(first.part, second.part);
        assert_eq!(first.stated_at.timestamp(), 1_929_000_000);
        assert_eq!(origin(root.path(), &name("part_0_0001.csv"), "a").statement, first, "and again");
        let timed =
            origin(root.path(), &format!("d/20310201-20310228/203102030405/{RUN}/p.csv"), "c").statement;
        assert_eq!(timed.id, first.id);
        let blob = Statement::of_blob("c", &name("part_0_0001.csv"), 1, first.stated_at);
        assert_eq!(blob, first, "a blob and its copy are the same");
    }

    #[test]
    fn other_files_stand_alone() {
        let root = tempfile::tempdir().unwrap();
        let first = origin(root.path(), &format!("{RUN}/cost.csv"), "a").statement;
        let other = origin(root.path(), &format!("{RUN}/next.csv"), "a").statement;
        assert_ne!(first.id, other.id, "a folder of a tenant is none of a run");
        let elsewhere = origin(root.path(), "x/cost.csv", "a").statement;
        assert_eq!(elsewhere, first, "a file that was moved is the same");
        let changed = origin(root.path(), "x/cost.csv", "b").statement;
        assert_ne!(changed.id, first.id);
        let blob = |name: &str| Statement::of_blob("c", name, 1, arrival());
        assert_ne!(blob("a/cost.csv").id, blob("b/cost.csv").id);
        let gone =
            Origin::of_file(&InputFile { path: PathBuf::from("/nowhere/x"), size_bytes: 1 }, arrival());
        assert_eq!(gone.statement.stated_at, arrival());
    }

    /// A blob in a container and its copy on disk are told by the same manifest, and so are one.
    #[test]
    fn a_manifest_tells_of_blobs_as_of_files() {
        let manifest = |dataset: &str| {
            format!(
                r#"{{"exportConfig":{{"type":"{dataset}"}},"runInfo":{{"runId":"{RUN}","submittedTime":"2031-02-03T04:05:06Z"}},
                "blobs":[{{"blobName":"exports/daily/part_0_0001.csv"}},{{"blobName":"exports/daily/b/part_1_0001.csv"}}]}}"#
            )
        };
        let blob = |manifest: &str, part: &str| Listed::find(manifest, part, 1, arrival());
        let root = tempfile::tempdir().unwrap();
        for (dataset, is_amortized) in
            [("AmortizedCost", Some(true)), ("ActualCost", Some(false)), ("FocusCost", None)]
        {
            let manifest = manifest(dataset);
            fs::write(root.path().join("manifest.json"), &manifest).unwrap();
            for name in ["part_0_0001.csv", "b/part_1_0001.csv"] {
                let found = blob(&manifest, name).unwrap();
                assert_eq!(found.statement.stated_at.to_rfc3339(), "2031-02-03T04:05:06+00:00");
                assert_eq!(found.is_amortized, is_amortized);
                let on_disk = origin(root.path(), name, "a");
                assert_eq!((on_disk.statement, on_disk.is_amortized), (found.statement, is_amortized));
            }
        }
        let manifest = manifest("AmortizedCost");
        assert_ne!(blob(&manifest, "part_0_0001.csv"), blob(&manifest, "b/part_1_0001.csv"));
        assert_eq!(blob(&manifest, "part_2_0001.csv"), None, "it is not listed");
        assert_eq!(blob("{}", "part_0_0001.csv"), None, "that is no manifest");
    }

    #[test]
    fn pieces_of_a_file_are_one_statement() {
        let piece = |name, version, offset| {
            let piece = FilePiece { container: "c", name, version, offset, path: None };
            Statement::of_piece(&piece, arrival())
        };
        let first = piece("a/usage.jsonl", "v1", 0);
        let next = piece("a/usage.jsonl", "v1", 40);
        assert_eq!(next.id, first.id);
        assert_ne!(next.part, first.part);
        assert_eq!(piece("a/usage.jsonl", "v1", 40), next, "and again");
        assert_ne!(piece("a/usage.jsonl", "v2", 0).id, first.id, "another file in its place");
        assert_ne!(piece("b/usage.jsonl", "v1", 0).id, first.id);

        let in_run = |name: &str, offset| {
            let name = format!("d/20310201-20310228/{RUN}/{name}");
            let piece = FilePiece { container: "c", name: &name, version: "v1", offset, path: None };
            Statement::of_piece(&piece, arrival())
        };
        let whole = Statement::of_blob("c", &format!("d/20310201-20310228/{RUN}/b.csv"), 7, arrival());
        let parts = [whole, in_run("a.jsonl", 0), in_run("a.jsonl", 9), in_run("b.jsonl", 0)];
        assert!(parts.iter().all(|statement| statement.id == whole.id), "one run");
        let different: std::collections::BTreeSet<_> = parts.iter().map(|statement| statement.part).collect();
        assert_eq!(different.len(), parts.len());
    }

    #[test]
    fn pieces_of_files_that_a_manifest_lists_are_one_statement() {
        let root = tempfile::tempdir().unwrap();
        let manifest = r#"{"id":"m-1","eTag":"e-1","createdDateTime":"2031-02-03T04:05:06Z","partnerTenantId":"p",
            "blobs":[{"name":"part-0.json"},{"name":"part-1.json"}]}"#;
        fs::write(root.path().join("manifest.json"), manifest).unwrap();
        let piece = |name: &str, offset| {
            let path = root.path().join(name);
            let piece = FilePiece { container: "c", name, version: name, offset, path: Some(&path) };
            Statement::of_piece(&piece, arrival())
        };
        let of_file = origin(root.path(), "part-1.json", "{}").statement;
        for (name, offset) in [("part-0.json", 0), ("part-0.json", 9), ("part-1.json", 0)] {
            let statement = piece(name, offset);
            assert_eq!((statement.id, statement.stated_at), (of_file.id, of_file.stated_at), "{name}");
        }
        assert_ne!(piece("other.json", 0).id, of_file.id, "no part of it");
    }

    #[test]
    fn senders_tell_their_statements() {
        let of = |sender, statement, part: &[u8]| Statement::of_sender(sender, statement, part, arrival());
        let one = of("", "may", b"1");
        assert_eq!(of("", "may", b"1"), one);
        assert_eq!(of("", "may", b"2").id, one.id);
        assert_ne!(of("", "may", b"2").part, one.part);
        assert_ne!(of("", "june", b"1").id, one.id);
        assert_ne!(of("c-1", "may", b"1").id, one.id, "each sender has its own");
    }

    #[test]
    fn bytes_are_told_by_their_content() {
        assert_eq!(Statement::of_bytes(b"a", arrival()), Statement::of_bytes(b"a", arrival()));
        assert_ne!(Statement::of_bytes(b"a", arrival()).part, Statement::of_bytes(b"b", arrival()).part);
    }

    #[test]
    fn names_tell_the_dataset() {
        let check = |name: &str, expected: Option<bool>| {
            let path: Vec<&str> = name.split('/').collect();
            assert_eq!(told_by_names(&path), expected, "{name}");
        };
        check(&format!("exports/Amortized-daily/20310201-20310228/{RUN}/part_0.csv"), Some(true));
        check("costs/amortisedcost.csv", Some(true));
        check("exports/actual_cost/20310201-20310228/x/part_0.csv", Some(false));
        check("exports/daily/part_0.csv", None);
        check("amortized/1/2/3/4/5/part_0.csv", None);
    }
}
