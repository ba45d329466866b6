//! `tenantwatch evaluate nab`

use std::path::PathBuf;

use clap::Args;

use crate::output;

/// Score the series scorer on a folder laid out like the Numenta Anomaly Benchmark
///
/// Reads data/*/*.csv and labels/combined_windows.json. No file has settings of its own; one threshold for all
/// files is chosen for each of the benchmark's three profiles, as its rules say.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  tenantwatch evaluate nab ../NAB --json\n\nWith --json: {\"windows\",\"points\",\"standard\":{\"score\",\"threshold\",\"windows_found\",\"false_alerts\"},\"reward_low_FP_rate\":…,\"reward_low_FN_rate\":…,\"files\":[…]}"
)]
pub(super) struct Nab {
    /// The folder that holds `data` and `labels`
    #[arg(value_name = "DIR")]
    folder: PathBuf,

    /// Print the scores as one JSON object
    #[arg(long)]
    json: bool,
}

impl Nab {
    pub(super) fn run(&self) -> anyhow::Result<()> {
        let report = evaluation::nab::evaluate(&self.folder)?;
        if self.json {
            output::print(&serde_json::to_string(&report)?)?;
        } else {
            output::print(report.to_string().trim_end())?;
        }
        Ok(())
    }
}
