//! How alerts are shown: a table for people, JSON lines for programs, CSV for spreadsheets.

use chrono::{DateTime, Utc};
use clap::ValueEnum;
use comfy_table::{Table, presets};
use serde_json::Value;

use super::access::Object;
use crate::output;

/// How to show alerts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Table,
    Json,
    Csv,
}

/// What an admin agent decides by: property and heading.
const COLUMNS: [(&str, &str); 7] = [
    ("id", "ID"),
    ("severity", "SEVERITY"),
    ("status", "STATUS"),
    ("detectedDateTime", "DETECTED (UTC)"),
    ("customerTenantId", "CUSTOMER"),
    ("alertType", "TYPE"),
    ("displayName", "TITLE"),
];

/// Every property that is one value, in the order of the CSDL.
const SCALARS: [&str; 18] = [
    "id",
    "alertType",
    "displayName",
    "description",
    "severity",
    "confidenceLevel",
    "status",
    "detectedDateTime",
    "firstObservedDateTime",
    "lastObservedDateTime",
    "customerTenantId",
    "subscriptionId",
    "valueAddedResellerTenantId",
    "catalogOfferId",
    "resolvedBy",
    "resolvedOnDateTime",
    "resolvedReason",
    "isTest",
];

/// Rows that are shown as they come, but for a table, whose widths only the last row decides.
pub(super) enum Rows {
    /// Columns by their property, and the rows so far.
    Table { columns: Vec<String>, table: Table },
    /// One alert a line.
    Json,
    /// Columns by their property, and whether their names were written.
    Csv { columns: Vec<String>, named: bool },
}

impl Rows {
    /// Rows with the selected properties as columns, or with those that suit the format.
    pub(super) fn new(format: Format, select: &[String]) -> Self {
        let all = select.is_empty() || select.iter().any(|property| property == "*");
        let selected = || select.iter().map(|property| property.trim().to_owned()).collect::<Vec<_>>();
        match format {
            Format::Json => Self::Json,
            Format::Csv => {
                let columns = if all { SCALARS.map(str::to_owned).to_vec() } else { selected() };
                Self::Csv { columns, named: false }
            }
            Format::Table => {
                let (columns, headings): (Vec<_>, Vec<_>) = match all {
                    true => COLUMNS
                        .iter()
                        .map(|(name, heading)| ((*name).to_owned(), (*heading).to_owned()))
                        .unzip(),
                    false => (selected(), selected()),
                };
                Self::Table { columns, table: plain_table(&headings) }
            }
        }
    }

    /// Shows alerts, or keeps them for the table.
    pub(super) fn add(&mut self, alerts: &[Object]) -> anyhow::Result<()> {
        match self {
            Self::Table { columns, table } => {
                for alert in alerts {
                    table.add_row(columns.iter().map(|column| table_cell(property(alert, column))));
                }
            }
            Self::Json => {
                for alert in alerts {
                    output::print(&serde_json::to_string(alert)?)?;
                }
            }
            Self::Csv { columns, named } => {
                let text = csv_text(columns, !*named, alerts)?;
                *named = true;
                if !text.is_empty() {
                    output::print(&text)?;
                }
            }
        }
        Ok(())
    }

    /// Shows what is left to show.
    pub(super) fn finish(mut self) -> anyhow::Result<()> {
        // A file without a single alert still has its line of names.
        self.add(&[])?;
        if let Self::Table { table, .. } = self
            && !table.is_empty()
        {
            output::print(&table.trim_fmt())?;
        }
        Ok(())
    }
}

/// Shows one alert: a table has one property a line then, and JSON is indented.
pub(super) fn one(format: Format, alert: Object) -> anyhow::Result<()> {
    match format {
        Format::Json => output::print(&serde_json::to_string_pretty(&alert)?)?,
        Format::Csv => {
            let mut rows = Rows::new(format, &[]);
            rows.add(&[alert])?;
        }
        Format::Table => {
            let mut table = plain_table(&["PROPERTY".to_owned(), "VALUE".to_owned()]);
            for (name, value) in alert.iter().filter(|(name, _)| !name.contains('@')) {
                table.add_row([printable(name), printable(&cell(Some(value)))]);
            }
            output::print(&table.trim_fmt())?;
        }
    }
    Ok(())
}

/// A table without lines, two spaces between columns, one row a line whatever the terminal's width: it
/// reads well, and `grep` and `awk` read it too.
fn plain_table(headings: &[String]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(headings.iter().map(|heading| printable(heading)));
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table
}

/// CSV by RFC 4180, without the last line's end.
fn csv_text(columns: &[String], with_names: bool, alerts: &[Object]) -> anyhow::Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    if with_names {
        writer.write_record(columns)?;
    }
    for alert in alerts {
        writer.write_record(columns.iter().map(|column| cell(property(alert, column))))?;
    }
    let mut text = String::from_utf8(writer.into_inner()?)?;
    text.truncate(text.trim_end_matches('\n').len());
    Ok(text)
}

/// The value at a path as `$select` writes it, such as `additionalDetails/VmCount`.
fn property<'a>(alert: &'a Object, path: &str) -> Option<&'a Value> {
    let mut steps = path.split('/');
    let first = alert.get(steps.next()?)?;
    steps.try_fold(first, |value, step| value.get(step))
}

/// A value as text: nothing for null, JSON for what has parts.
fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// A value as a table shows it: times to the minute, everything on one line.
fn table_cell(value: Option<&Value>) -> String {
    let text = cell(value);
    match text.parse::<DateTime<Utc>>() {
        Ok(at) => at.format("%Y-%m-%d %H:%M").to_string(),
        Err(_) => printable(&text),
    }
}

/// Text without the control characters that would break a row or steer the terminal: names of resources
/// are the attacker's to choose.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use ::alerts::PartnerSecurityAlert;
    use serde_json::json;

    use super::*;

    fn alert() -> Object {
        let body: PartnerSecurityAlert = serde_json::from_value(json!({
            "id": "a-1", "alertType": "CryptoMining", "displayName": "Mining, \"loud\"\n\u{1b}[2Jon vm1",
            "severity": "high", "confidenceLevel": "low", "status": "active",
            "detectedDateTime": "2031-01-01T00:59:30Z", "customerTenantId": "c", "subscriptionId": "s",
            "additionalDetails": {"VmCount": "12"}, "isTest": false
        }))
        .unwrap();
        serde_json::from_value(serde_json::to_value(body).unwrap()).unwrap()
    }

    fn table(select: &[String]) -> String {
        let mut rows = Rows::new(Format::Table, select);
        rows.add(&[alert(), alert()]).unwrap();
        match rows {
            Rows::Table { table, .. } => table.trim_fmt(),
            Rows::Json | Rows::Csv { .. } => unreachable!("a table was asked for"),
        }
    }

    #[test]
    fn csv_has_every_property_that_is_one_value() {
        let with_parts = ["affectedResources", "additionalDetails", "activityLogs"];
        let alert = alert();
        let names: Vec<_> = alert.keys().filter(|name| !with_parts.contains(&name.as_str())).collect();
        assert_eq!(names, SCALARS);
    }

    #[test]
    fn a_table_has_one_line_an_alert_and_steers_no_terminal() {
        insta::assert_snapshot!(table(&[]), @r#"
        ID   SEVERITY  STATUS  DETECTED (UTC)    CUSTOMER  TYPE          TITLE
        a-1  high      active  2031-01-01 00:59  c         CryptoMining  Mining, "loud"  [2Jon vm1
        a-1  high      active  2031-01-01 00:59  c         CryptoMining  Mining, "loud"  [2Jon vm1
        "#);
        insta::assert_snapshot!(table(&["status".into(), "additionalDetails/VmCount".into()]), @r"
        status  additionalDetails/VmCount
        active  12
        active  12
        ");
    }

    #[test]
    fn csv_keeps_values_as_they_are() {
        let columns: Vec<_> = ["id", "displayName", "isTest", "resolvedBy", "additionalDetails", "nothing"]
            .map(str::to_owned)
            .into();
        assert_eq!(
            csv_text(&columns, true, &[alert()]).unwrap(),
            "id,displayName,isTest,resolvedBy,additionalDetails,nothing\n\
             a-1,\"Mining, \"\"loud\"\"\n\u{1b}[2Jon vm1\",false,,\"{\"\"VmCount\"\":\"\"12\"\"}\","
        );
        assert_eq!(csv_text(&columns[..1], false, &[]).unwrap(), "");
    }
}
