//! What came of estates, kept in a folder: a long evaluation is stopped and goes on, or is shared by several runs.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::trial::Compared;

/// A folder with a file for each seed.
pub(super) struct Kept {
    folder: PathBuf,
    /// Of the program and of what it evaluates: figures of another build are not this one's.
    fingerprint: String,
}

impl Kept {
    /// `what` tells everything that figures depend on beside the seed and the program.
    pub(super) fn open(folder: &Path, what: &str) -> anyhow::Result<Self> {
        fs::create_dir_all(folder).with_context(|| format!("making the folder {}", folder.display()))?;
        let program = std::env::current_exe().context("finding the program's own file")?;
        let mut hasher = blake3::Hasher::new();
        let file = fs::File::open(&program).with_context(|| format!("reading {}", program.display()))?;
        hasher.update_reader(file).with_context(|| format!("reading {}", program.display()))?;
        hasher.update(what.as_bytes());
        Ok(Self { folder: folder.to_owned(), fingerprint: hasher.finalize().to_hex()[..16].to_owned() })
    }

    /// What came of an estate, if it is there.
    pub(super) fn trial(&self, seed: u64) -> anyhow::Result<Option<Compared>> {
        let path = self.path(seed);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("reading {}", path.display())),
        };
        let trial = serde_json::from_slice(&text);
        Ok(Some(trial.with_context(|| format!("{} is no result of an estate; remove it", path.display()))?))
    }

    /// Keeps what came of an estate.
    pub(super) fn put(&self, seed: u64, trial: &Compared) -> anyhow::Result<()> {
        let path = self.path(seed);
        let failed = || format!("writing {}", path.display());
        let mut file = tempfile::NamedTempFile::new_in(&self.folder).with_context(failed)?;
        serde_json::to_writer(&mut file, trial).with_context(failed)?;
        file.persist(&path).with_context(failed)?;
        Ok(())
    }

    fn path(&self, seed: u64) -> PathBuf {
        self.folder.join(format!("seed-{seed}-{}.json", self.fingerprint))
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};
    use simulate::{Label, Pace, ScoredAlert, Trial};

    use super::*;

    fn trial() -> Compared {
        let at: DateTime<Utc> = "2031-02-03T04:05:06Z".parse().unwrap();
        let label = Label {
            scenario: "spray-01".to_owned(),
            kind: "spray".to_owned(),
            malicious: true,
            customer_tenant: "c".to_owned(),
            subscription: "s".to_owned(),
            from: at,
            until: at + TimeDelta::hours(1),
            first_event: at,
            principals: vec!["p".to_owned()],
            resources: Vec::new(),
            spend: Vec::new(),
        };
        let alert = ScoredAlert {
            alert_type: "t".to_owned(),
            detector_id: "d".to_owned(),
            pace: Pace::Hourly,
            publication_lag: TimeDelta::microseconds(1_500_001),
            customer_tenant_id: "c".to_owned(),
            subscription_id: "s".to_owned(),
            first_observed_at: at,
            last_observed_at: at,
            detected_at: Some(at),
        };
        let own = Trial { labels: vec![label], alerts: vec![alert], clean_subscription_days: 3 };
        Compared { baselines: vec![own.clone(), Trial::default()], own }
    }

    #[test]
    fn a_trial_is_kept_for_the_same_evaluation_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("not/there/yet");
        let kept = Kept::open(&path, "200 customers").unwrap();
        assert_eq!(kept.trial(7).unwrap(), None);
        kept.put(7, &trial()).unwrap();
        let again = Kept::open(&path, "200 customers").unwrap();
        assert_eq!(again.trial(7).unwrap(), Some(trial()));
        assert_eq!(again.trial(8).unwrap(), None);
        assert_eq!(Kept::open(&path, "300 customers").unwrap().trial(7).unwrap(), None);
    }

    #[test]
    fn a_broken_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let kept = Kept::open(folder.path(), "").unwrap();
        kept.put(7, &trial()).unwrap();
        for file in fs::read_dir(folder.path()).unwrap() {
            fs::write(file.unwrap().path(), "{").unwrap();
        }
        let error = kept.trial(7).unwrap_err().to_string();
        assert!(error.contains("seed-7-") && error.contains("remove it"), "{error}");
    }
}
