//! The manifest beside an export's files: which files are one run, and when it was made.
//!
//! Cost Management writes `manifest.json` into the folder of each run; of Partner Center's usage, the reply
//! that lists the blobs is one. Sources: MicrosoftDocs/azure-docs,
//! articles/cost-management-billing/costs/tutorial-improved-exports.md; microsoftgraph/microsoft-graph-docs-contrib,
//! api-reference/v1.0/resources/partners-billing-manifest.md.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use chrono::{DateTime, Utc};
use serde_json::value::RawValue;

use crate::json::loose::{Text, loose, read_or_empty};
use crate::time::Instant;

const NAMES: [&str; 2] = ["manifest.json", "_manifest.json"];
/// Files may lie in folders below their manifest.
const FOLDERS_ABOVE: usize = 3;
/// The manifest of a hundred thousand files is smaller.
const BYTES_MAX: u64 = 32 * 1024 * 1024;

/// What a manifest says of its run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Manifest {
    /// Tells this run from all others.
    pub(crate) run: String,
    pub(crate) stated_at: Option<DateTime<Utc>>,
    /// Whether the costs are amortised or actual, if it says so.
    pub(crate) is_amortized: Option<bool>,
}

loose! {
    struct Members {
        blobs: Option<&'a RawValue> = "blobs",
        run_info: Option<&'a RawValue> = "runinfo",
        export_config: Option<&'a RawValue> = "exportconfig",
        id: Text<'a> = "id",
        e_tag: Text<'a> = "etag",
        partner_tenant_id: Text<'a> = "partnertenantid",
        root_directory: Text<'a> = "rootdirectory",
        created_date_time: Text<'a> = "createddatetime",
    }
}

loose! {
    struct RunInfo {
        run_id: Text<'a> = "runid",
        submitted_time: Text<'a> = "submittedtime",
    }
}

loose! {
    struct ExportConfig {
        dataset: Text<'a> = "type",
    }
}

loose! {
    struct Blob {
        name: Text<'a> = "blobname" | "name",
    }
}

/// The manifest that lists a file, and the file's name within the run.
pub(crate) fn of(file: &Path) -> Option<(Manifest, String)> {
    for folder in file.ancestors().skip(1).take(FOLDERS_ABOVE) {
        let below = file.strip_prefix(folder).ok()?;
        let below: Vec<_> = below.components().map(|part| part.as_os_str().to_string_lossy()).collect();
        let part = below.join("/");
        let found = NAMES.iter().find_map(|name| parse(&text_of(&folder.join(name))?, &part));
        if let Some(manifest) = found {
            return Some((manifest, part));
        }
    }
    None
}

fn text_of(path: &Path) -> Option<String> {
    let mut text = String::new();
    let file = File::open(path).ok()?;
    file.take(BYTES_MAX).read_to_string(&mut text).ok()?;
    Some(text)
}

/// Reads a manifest; `None` if it is none, or none of the file `part`.
pub(crate) fn parse(text: &str, part: &str) -> Option<Manifest> {
    let members: Members<'_> = serde_json::from_str(text.trim_start_matches('\u{feff}')).ok()?;
    let blobs: Vec<Blob<'_>> = serde_json::from_str(members.blobs?.get()).ok()?;
    let lists_it = blobs.iter().filter_map(|blob| blob.name.get()).any(|name| ends_with_path(name, part));
    if !lists_it {
        return None;
    }
    let run_info: RunInfo<'_> = members.run_info.map(|raw| read_or_empty(raw.get())).unwrap_or_default();
    let config: ExportConfig<'_> =
        members.export_config.map(|raw| read_or_empty(raw.get())).unwrap_or_default();
    let of_graph = [&members.partner_tenant_id, &members.id, &members.e_tag, &members.root_directory];
    let run = match run_info.run_id.get() {
        Some(run) => run.to_owned(),
        // Without any of them it is no manifest that is known.
        None if of_graph.iter().all(|text| text.get().is_none()) => return None,
        None => of_graph.map(|text| text.as_written()).join("\n"),
    };
    let time = run_info.submitted_time.get().or_else(|| members.created_date_time.get());
    let stated_at = time.and_then(Instant::parse).and_then(|at| DateTime::from_timestamp_micros(at.micros));
    let is_amortized = match config.dataset.get().map(str::to_ascii_lowercase).as_deref() {
        Some("amortizedcost") => Some(true),
        Some("actualcost" | "usage") => Some(false),
        _ => None,
    };
    Some(Manifest { run, stated_at, is_amortized })
}

/// Whether a blob's name ends with a path, folder by folder.
fn ends_with_path(name: &str, path: &str) -> bool {
    name.strip_suffix(path).is_some_and(|before| before.is_empty() || before.ends_with('/'))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const COST: &str = r#"{
      "manifestVersion": "2024-04-01", "byteCount": 8032, "blobCount": 2, "dataRowCount": 36,
      "exportConfig": {"exportName": "sample", "type": "AmortizedCost", "timeFrame": "MonthToDate"},
      "deliveryConfig": {"partitionData": true, "fileFormat": "Csv", "compressionMode": "None"},
      "runInfo": {"executionType": "Scheduled", "submittedTime": "2031-02-03T04:05:06.5234447Z",
        "runId": "0f0e0d0c-aaaa-4000-8000-00000000000a", "startDate": "2031-02-01T00:00:00"},
      "blobs": [
        {"blobName": "folder/sample/20310201-20310228/run/part_0_0001.csv", "byteCount": 8032},
        {"blobName": "folder/sample/20310201-20310228/run/part_1_0001.csv", "byteCount": 8032}
      ]}"#;

    const USAGE: &str = r##"{"@odata.type": "#microsoft.graph.partners.billing.manifest", "id": "m-1",
      "schemaVersion": "2", "dataFormat": "compressedJSONLines", "createdDateTime": "2031-02-03T04:05:06Z",
      "partnerTenantId": "0f0e0d0c-bbbb-4000-8000-00000000000b", "rootDirectory": "https://billing.example/usage",
      "sasToken": "x", "partitionType": "default", "eTag": "e-1", "blobCount": 1,
      "blobs": [{"name": "part-00000.json.gz", "partitionValue": "default"}]}"##;

    #[test]
    fn manifests_name_their_run() {
        let found = parse(COST, "part_1_0001.csv").unwrap();
        assert_eq!(found.run, "0f0e0d0c-aaaa-4000-8000-00000000000a");
        assert_eq!(found.stated_at.unwrap().to_rfc3339(), "2031-02-03T04:05:06.523444+00:00");
        assert_eq!(found.is_amortized, Some(true));
        assert_eq!(parse(COST, "1_0001.csv"), None, "no file is called so");
        let usage = parse(USAGE, "part-00000.json.gz").unwrap();
        assert_eq!(usage.stated_at.unwrap().to_rfc3339(), "2031-02-03T04:05:06+00:00");
        assert_eq!(usage.is_amortized, None);
        let newer = parse(&USAGE.replace("e-1", "e-2"), "part-00000.json.gz").unwrap();
        assert_ne!(newer.run, usage.run);
        for other in ["", "{}", "[]", r#"{"blobs":7}"#, r#"{"blobs":[{"name":"a"}]}"#] {
            assert_eq!(parse(other, "a"), None, "{other}");
        }
    }

    #[test]
    fn a_manifest_is_found_beside_and_above() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("sample");
        fs::create_dir_all(folder.join("run/deep/deeper")).unwrap();
        fs::write(folder.join("manifest.json"), COST).unwrap();
        let (_, part) = of(&folder.join("part_0_0001.csv")).unwrap();
        assert_eq!(part, "part_0_0001.csv");
        let (_, part) = of(&folder.join("run/part_0_0001.csv")).unwrap();
        assert_eq!(part, "run/part_0_0001.csv");
        assert_eq!(of(&folder.join("run/other.csv")), None);
        assert_eq!(of(&folder.join("run/deep/deeper/part_0_0001.csv")), None);
    }
}
