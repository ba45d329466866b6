//! The table of a run.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::rules::Outcome;

/// What was counted, by rule and by reason.
#[derive(Debug, Default)]
pub(crate) struct Report {
    rules: BTreeMap<String, [usize; 4]>,
    reasons: BTreeMap<String, usize>,
    not_ours: BTreeMap<&'static str, usize>,
}

impl Report {
    pub(crate) fn add(&mut self, rule: &str, outcome: &Outcome) {
        let column = match outcome {
            Outcome::Accepted => 0,
            Outcome::OnPurpose(reason) => {
                *self.reasons.entry(reason.clone()).or_default() += 1;
                1
            }
            Outcome::AsDemanded => 2,
            Outcome::Failed(_) => 3,
            Outcome::NotOurs(what) => {
                *self.not_ours.entry(what).or_default() += 1;
                return;
            }
        };
        self.rules.entry(rule.to_owned()).or_default()[column] += 1;
    }

    pub(crate) fn markdown(&self) -> String {
        let mut text = String::from(
            "| rule | cases | accepted | refused on purpose | refused as the case demands | failed |\n\
             | --- | ---: | ---: | ---: | ---: | ---: |\n",
        );
        let mut sums = [0; 4];
        for (rule, counts) in &self.rules {
            row(&mut text, rule, counts);
            sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        }
        row(&mut text, "**all**", &sums);
        text.push_str("\n| refused on purpose | cases |\n| --- | ---: |\n");
        for (reason, count) in &self.reasons {
            writeln!(text, "| {reason} | {count} |").unwrap();
        }
        text.push_str("\n| not run, because the rule is about | cases |\n| --- | ---: |\n");
        for (what, count) in &self.not_ours {
            writeln!(text, "| {what} | {count} |").unwrap();
        }
        text
    }
}

fn row(text: &mut String, name: &str, counts: &[usize; 4]) {
    let sum: usize = counts.iter().sum();
    let [accepted, on_purpose, as_demanded, failed] = counts;
    writeln!(text, "| {name} | {sum} | {accepted} | {on_purpose} | {as_demanded} | {failed} |").unwrap();
}
