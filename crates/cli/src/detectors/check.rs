//! `tenantwatch detectors lint` and `test`

use anyhow::bail;
use clap::Args;
use detect::cases::Case;
use detect::{Detector, lint};

use crate::installation::Installation;
use crate::output;

/// Check detectors without running them: manifest, query, columns, number of cases
///
/// Every problem says where it is and how to mend it.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tenantwatch detectors lint ./our-detectors/odd_hours")]
pub(super) struct Lint {
    #[command(flatten)]
    installation: Installation,

    /// Ids, folders of a detector, or folders of several; all that run here if none is named
    #[arg(value_name = "DETECTOR")]
    names: Vec<String>,
}

/// Run the cases of detectors: what they must fire on, and near misses that they must not
///
/// Each case is looked at as a whole and in slices of time, since daily work sees the same events in slices.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tenantwatch detectors test\n  tenantwatch detectors test ./our-detectors/odd_hours --case night_shift --findings"
)]
pub(super) struct Test {
    #[command(flatten)]
    installation: Installation,

    /// Only cases of this name
    #[arg(long, value_name = "NAME")]
    case: Option<String>,

    /// Print what was found, one JSON object a finding
    #[arg(long)]
    findings: bool,

    /// Ids, folders of a detector, or folders of several; all that run here if none is named
    #[arg(value_name = "DETECTOR")]
    names: Vec<String>,
}

impl Lint {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let detectors = super::named(&self.installation, &self.names)?;
        let mut wrong = 0;
        for detector in &detectors {
            let problems = lint(detector).await;
            wrong += usize::from(!problems.is_empty());
            for problem in problems {
                output::print(&format!("{}: {problem}", detector.origin))?;
            }
        }
        if wrong > 0 {
            bail!("{wrong} of {} detectors need mending", detectors.len());
        }
        output::say(&format!("{} detectors, nothing wrong", detectors.len()));
        Ok(())
    }
}

impl Test {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let (mut passed, mut failed) = (0, 0);
        for detector in super::named(&self.installation, &self.names)? {
            for case in Case::of(&detector)? {
                if self.case.as_ref().is_some_and(|name| *name != case.name) {
                    continue;
                }
                let problems = self.problems(&detector, &case).await?;
                let (verdict, count) =
                    if problems.is_empty() { ("ok  ", &mut passed) } else { ("FAIL", &mut failed) };
                *count += 1;
                output::print(&format!("{verdict}  {}/{}", detector.manifest.id, case.name))?;
                for problem in problems {
                    output::print(&format!("      {problem}"))?;
                }
            }
        }
        if failed > 0 {
            bail!("{failed} of {} cases failed", passed + failed);
        }
        if passed == 0 {
            bail!("no case was run; `tenantwatch detectors show ID` names the cases of a detector");
        }
        output::say(&format!("{passed} cases passed"));
        Ok(())
    }

    async fn problems(&self, detector: &Detector, case: &Case) -> anyhow::Result<Vec<String>> {
        let outcome = case.run(detector).await?;
        if self.findings {
            for finding in &outcome.findings {
                output::print(&serde_json::to_string(finding)?)?;
            }
        }
        let differences = case.differs_in_slices(detector, &outcome.findings).await?;
        Ok([outcome.mismatches, differences].concat())
    }
}
