//! `tenantwatch detectors import`

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use detect::cases::Case;
use detect::{Catalogue, lint};
use serde_json::{Value, json};
use sigma::{Because, Importer, Outcome, Skipped, Translation};

use super::folder;
use crate::output;

/// Make detectors of Sigma rules about Azure: activity log, sign-ins, audit log
///
/// Each rule becomes a folder with manifest, query and cases, which is linted and whose cases are run before it is kept.
/// What could not be translated is listed with the line and the reason. A folder that is there already stays as it is.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tenantwatch detectors import sigma/rules/cloud/azure --into ./ours\n  tenantwatch detectors import lock_removed.yml --into ./ours --json\n  tenantwatch replay --detectors ./ours --detector sigma_lock_removed --since 2026-10-01"
)]
pub(super) struct Import {
    /// The folder in which the folders of the detectors are made
    #[arg(long, value_name = "DIR")]
    into: PathBuf,

    /// Print one JSON object a rule
    #[arg(long)]
    json: bool,

    /// Files of rules (YAML, several in one allowed), and folders of such files, however deep
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
}

/// How deep folders are looked into. Whoever links a folder into itself gets no further.
const DEPTH_MAX: usize = 16;

/// What became of the rules so far.
#[derive(Default)]
struct Tally {
    made: usize,
    unchanged: usize,
    skipped: BTreeMap<Because, usize>,
}

impl Import {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let mut files = Vec::new();
        for path in &self.paths {
            files_at(path, DEPTH_MAX, &mut files)?;
        }
        if files.is_empty() {
            bail!("there is no file that ends in .yml or .yaml; name a file or folder of Sigma rules");
        }
        let mut importer = Importer::default();
        let mut tally = Tally::default();
        for file in &files {
            for outcome in outcomes(&mut importer, file)? {
                self.keep(file, outcome, &mut tally).await?;
            }
        }
        self.conclude(&tally)
    }

    /// Checks what came out, writes it, and tells.
    async fn keep(&self, file: &Path, outcome: Outcome, tally: &mut Tally) -> anyhow::Result<()> {
        let Outcome { line, title, rule_id, result } = outcome;
        let written = match &result {
            Ok(translation) => self.write(line, translation).await?,
            Err(skipped) => Err(skipped.clone()),
        };
        match &written {
            Ok(Written::Made) => tally.made += 1,
            Ok(Written::Unchanged) => tally.unchanged += 1,
            Err(skipped) => *tally.skipped.entry(skipped.because).or_default() += 1,
        }
        let about =
            json!({"file": file.display().to_string(), "line": line, "title": title, "ruleId": rule_id});
        match (&written, &result) {
            (Ok(how), Ok(translation)) => self.tell_made(how, translation, about),
            (Err(skipped), _) => self.tell_skipped(file, skipped, about),
            (Ok(_), Err(skipped)) => self.tell_skipped(file, skipped, about),
        }
    }

    fn tell_made(&self, how: &Written, translation: &Translation, about: Value) -> anyhow::Result<()> {
        let place = self.into.join(&translation.id);
        let word = match how {
            Written::Made => "made",
            Written::Unchanged => "unchanged",
        };
        if self.json {
            let more = json!({
                "outcome": word,
                "detector": translation.id,
                "folder": place.display().to_string(),
                "notes": translation.notes,
            });
            return Ok(output::print(&merged(about, more).to_string())?);
        }
        output::print(&format!("{word:9} {}", place.display()))?;
        for note in &translation.notes {
            output::print(&format!("          {note}"))?;
        }
        Ok(())
    }

    fn tell_skipped(&self, file: &Path, skipped: &Skipped, about: Value) -> anyhow::Result<()> {
        if self.json {
            let more = json!({
                "outcome": "skipped",
                "because": skipped.because,
                "atLine": skipped.line,
                "reason": skipped.reason,
            });
            return Ok(output::print(&merged(about, more).to_string())?);
        }
        Ok(output::print(&format!("skipped   {}:{}: {}", file.display(), skipped.line, skipped.reason))?)
    }

    /// Writes the folder of a detector that passes its own checks, unless something is there.
    async fn write(
        &self,
        line: usize,
        translation: &Translation,
    ) -> anyhow::Result<Result<Written, Skipped>> {
        let place = self.into.join(&translation.id);
        if place.exists() {
            let same = translation
                .files
                .iter()
                .all(|(name, text)| fs::read_to_string(place.join(name)).is_ok_and(|there| there == *text));
            let reason = format!(
                "{} is there already and differs; remove or rename it to import the rule",
                place.display()
            );
            let taken = Skipped { line, because: Because::NameTaken, reason };
            return Ok(if same { Ok(Written::Unchanged) } else { Err(taken) });
        }
        let problems = problems(translation).await?;
        if !problems.is_empty() {
            let reason = format!("the detector that came out failed its checks: {}", problems.join("; "));
            return Ok(Err(Skipped { line, because: Because::FailedChecks, reason }));
        }
        folder::write(&place, &translation.files)?;
        Ok(Ok(Written::Made))
    }

    fn conclude(&self, tally: &Tally) -> anyhow::Result<()> {
        let became = tally.made + tally.unchanged;
        let skipped: usize = tally.skipped.values().sum();
        let mut text =
            format!("{became} of {} rules are detectors in {}", became + skipped, self.into.display());
        if tally.unchanged > 0 {
            text.push_str(&format!(", {} of them as before", tally.unchanged));
        }
        for (because, count) in &tally.skipped {
            text.push_str(&format!("\n{count:6}  {}", because.words()));
        }
        output::say(&text);
        if became == 0 {
            bail!("no rule became a detector");
        }
        output::say(&format!(
            "Try them on the past with `tenantwatch replay --detectors {0} --detector ID`, and run them with --detectors {0}",
            self.into.display()
        ));
        Ok(())
    }
}

enum Written {
    Made,
    /// The same folder was there.
    Unchanged,
}

fn merged(mut one: Value, other: Value) -> Value {
    if let (Some(members), Value::Object(more)) = (one.as_object_mut(), other) {
        members.extend(more);
    }
    one
}

/// The outcomes of a file; one that is too large or no text has one that says so.
fn outcomes(importer: &mut Importer, file: &Path) -> anyhow::Result<Vec<Outcome>> {
    let unreadable = |reason: String| {
        let skipped = Skipped { line: 1, because: Because::Unreadable, reason };
        vec![Outcome { line: 1, title: String::new(), rule_id: None, result: Err(skipped) }]
    };
    let size = fs::metadata(file).with_context(|| format!("reading {}", file.display()))?.len();
    if size > sigma::FILE_BYTES_MAX as u64 {
        let most = sigma::FILE_BYTES_MAX;
        return Ok(unreadable(format!("the file has {size} bytes; a file of rules has at most {most}")));
    }
    let bytes = fs::read(file).with_context(|| format!("reading {}", file.display()))?;
    Ok(match String::from_utf8(bytes) {
        Ok(text) => importer.import(&text),
        Err(_) => unreadable("the file is no text in UTF-8".to_owned()),
    })
}

/// What is wrong with a detector: what lint says, and cases that do not go as they should.
async fn problems(translation: &Translation) -> anyhow::Result<Vec<String>> {
    let around = tempfile::tempdir().context("making a folder to check a detector in")?;
    let place = around.path().join(&translation.id);
    folder::write(&place, &translation.files)?;
    let catalogue = match Catalogue::at(&place) {
        Ok(catalogue) => catalogue,
        Err(error) => return Ok(vec![output::chain(&error.into())]),
    };
    let mut problems = Vec::new();
    for detector in catalogue.detectors() {
        problems.extend(lint(detector).await);
        if !problems.is_empty() {
            return Ok(problems);
        }
        for case in Case::of(detector)? {
            let outcome = match case.run(detector).await {
                Ok(outcome) => outcome,
                Err(error) => return Ok(vec![output::chain(&error.into())]),
            };
            let differences = case.differs_in_slices(detector, &outcome.findings).await?;
            let wrong = outcome.mismatches.into_iter().chain(differences);
            problems.extend(wrong.map(|problem| format!("case {}: {problem}", case.name)));
        }
    }
    Ok(problems)
}

/// The files of rules at a path, in the order of their names.
fn files_at(path: &Path, depth: usize, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let about = fs::metadata(path).with_context(|| format!("reading {}", path.display()))?;
    if !about.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    if depth == 0 {
        bail!("{} lies more than {DEPTH_MAX} folders deep; name it itself", path.display());
    }
    let mut inner = Vec::new();
    for entry in fs::read_dir(path).with_context(|| format!("reading {}", path.display()))? {
        inner.push(entry.with_context(|| format!("reading {}", path.display()))?.path());
    }
    inner.sort();
    for path in inner {
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        let is_yaml = path
            .extension()
            .is_some_and(|ending| ending.eq_ignore_ascii_case("yml") || ending.eq_ignore_ascii_case("yaml"));
        if !hidden && (path.is_dir() || is_yaml) {
            files_at(&path, depth - 1, files)?;
        }
    }
    Ok(())
}
