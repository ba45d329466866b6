//! Rules as people write them, and rules as nobody would: what comes out is a detector that passes its own checks.
#![expect(clippy::unwrap_used, reason = "tests; clippy excuses only the bodies of test functions")]

use std::fs;

use detect::cases::Case;
use detect::{Catalogue, lint};
use proptest::prelude::*;
use sigma::{Importer, Outcome, Translation};

/// What lint says of a detector, and the cases that fail.
async fn problems(translation: &Translation) -> Vec<String> {
    let around = tempfile::tempdir().unwrap();
    let folder = around.path().join(&translation.id);
    for (name, text) in &translation.files {
        let file = folder.join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    let catalogue = match Catalogue::at(&folder) {
        Ok(catalogue) => catalogue,
        Err(error) => return vec![format!("{error:?}")],
    };
    let mut problems = Vec::new();
    for detector in catalogue.detectors() {
        problems.extend(lint(detector).await);
        if !problems.is_empty() {
            return problems;
        }
        for case in Case::of(detector).unwrap() {
            let outcome = case.run(detector).await.unwrap();
            let slices = case.differs_in_slices(detector, &outcome.findings).await.unwrap();
            problems.extend(
                outcome.mismatches.into_iter().chain(slices).map(|text| format!("{}: {text}", case.name)),
            );
        }
    }
    problems
}

fn translations(text: &str) -> Vec<Translation> {
    Importer::default().import(text).into_iter().filter_map(|outcome| outcome.result.ok()).collect()
}

/// The files of a folder in one text.
fn shown(translation: &Translation) -> String {
    let files = translation.files.iter().map(|(name, text)| format!("==> {name} <==\n{text}"));
    files.collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn rules_become_detectors() {
    let locks = translations(include_str!("rules/locks.yml"));
    assert_eq!(locks.len(), 1);
    insta::assert_snapshot!("locks", shown(&locks[0]));
    let entra = translations(include_str!("rules/entra.yml"));
    assert_eq!(entra.len(), 5);
    let queries: Vec<String> = entra
        .iter()
        .map(|translation| {
            let query = translation.files.iter().find(|(name, _)| name == "query.sql").unwrap();
            let condition = query.1.split("interval '2 hours'\n    and ").nth(1).unwrap();
            let condition = condition.split("\n)\nselect").next().unwrap();
            format!("{}\n    {condition}\nnotes: {:?}\n", translation.id, translation.notes)
        })
        .collect();
    insta::assert_snapshot!("entra", queries.join("\n"));
    for translation in locks.iter().chain(&entra) {
        assert_eq!(problems(translation).await, Vec::<String>::new(), "{}", shown(translation));
    }
}

#[test]
fn what_is_not_translated_is_told() {
    let outcomes = Importer::default().import(include_str!("rules/not_translated.yml"));
    let told: Vec<String> = outcomes
        .into_iter()
        .map(|Outcome { title, result, .. }| {
            let skipped = result.expect_err(&title);
            format!("{title}: {}: {skipped}", skipped.because.words())
        })
        .collect();
    insta::assert_snapshot!("not_translated", told.join("\n"));
}

#[test]
fn rules_of_one_title_stay_apart() {
    let rule = |id: &str| {
        format!(
            "title: Same\n{id}logsource: {{product: azure, service: activitylogs}}\ndetection: {{s: {{operationName: a}}, condition: s}}\n"
        )
    };
    let text = [rule(""), rule("id: ABCD-1234-5678\n"), rule(""), rule("id: ABCD-1234-5678\n")].join("---\n");
    let ids: Vec<String> = translations(&text).into_iter().map(|translation| translation.id).collect();
    assert_eq!(ids, ["sigma_same", "sigma_same_abcd1234", "sigma_same_2", "sigma_same_3"]);
}

/// What must not get out of the quotes.
#[tokio::test]
async fn nothing_of_a_rule_runs() {
    for nasty in [
        "'; drop table activity; --",
        "\\'; select 1; --",
        "x') or true or ('",
        "$since",
        "%_",
        "a\\nb",
        "*/",
        "\\",
        "é😀\u{202e}",
        "${x}",
        "(?i)[",
    ] {
        let quoted = serde_json::to_string(nasty).unwrap();
        let text = format!(
            "title: {quoted}\nid: {quoted}\ndescription: {quoted}\nauthor: {quoted}\nreferences: [{quoted}]\nfalsepositives: [{quoted}]\n\
             logsource: {{product: azure, service: auditlogs}}\ndetection:\n  s:\n    ResultReason|contains: {quoted}\n    \
             AdditionalDetails.x|startswith: {quoted}\n  condition: s\n"
        );
        let made = translations(&text);
        assert_eq!(made.len(), 1, "{nasty}: {:?}", Importer::default().import(&text));
        assert_eq!(problems(&made[0]).await, Vec::<String>::new(), "{nasty}\n{}", shown(&made[0]));
    }
}

/// A large rule is planned on the small stack of a worker thread.
#[tokio::test]
async fn large_rules_are_planned() {
    let values: Vec<String> = (0..490).map(|number| format!("      - 'a?{number}*b'\n")).collect();
    let text = format!(
        "title: Large\nlogsource: {{product: azure, service: activitylogs}}\ndetection:\n  s:\n    operationName:\n{}  condition: s\n",
        values.concat()
    );
    let made = translations(&text);
    assert_eq!(made.len(), 1);
    assert_eq!(problems(&made[0]).await, Vec::<String>::new());
    let nested = format!("{}s{}", "not (s and ".repeat(60), ")".repeat(60));
    let text = format!(
        "title: Deep\nlogsource: {{product: azure, service: activitylogs}}\ndetection:\n  s: {{operationName: a}}\n  condition: {nested}\n"
    );
    for translation in translations(&text) {
        assert_eq!(problems(&translation).await, Vec::<String>::new());
    }
}

/// Fields with a value that may be any text, or a number.
fn items() -> impl Strategy<Value = String> {
    let text = prop_oneof!["[a-zA-Z*?'\\\\ ./%_$-]{1,8}", "\\PC{1,6}"]
        .prop_map(|text: String| serde_json::to_string(&text).unwrap());
    let texts = prop::collection::vec(text, 1..4).prop_map(|texts| format!("[{}]", texts.join(", ")));
    let field = prop::sample::select(vec![
        "UserPrincipalName",
        "UserAgent",
        "AppDisplayName",
        "FailureReason",
        "properties.deviceDetail.trustType",
        "AuthenticationDetails.it's",
        "Location",
    ]);
    let modifier =
        prop::sample::select(vec!["", "|contains", "|startswith", "|endswith", "|contains|all", "|neq"]);
    let of_text = (field, modifier, texts).prop_map(|(field, modifier, texts)| {
        format!("{}: {texts}", serde_json::to_string(&format!("{field}{modifier}")).unwrap())
    });
    let number = prop::sample::select(vec![
        "ResultType",
        "ResultType|gt",
        "autonomousSystemNumber|lte",
        "ResultType|neq",
    ]);
    let of_number = (number, -3..70_000_i64).prop_map(|(field, number)| format!("{field}: {number}"));
    let exists = prop::sample::select(vec![
        "RiskState|exists: true",
        "MfaDetail|exists: false",
        "RiskState: null",
        "DeviceDetail.deviceId: ''",
        "Status: failure",
        "IPAddress|cidr: 198.51.0.0/17",
        "UserAgent|re: '^[a-z]{3}(/|x)+'",
        "NetworkLocationDetails: '[]'",
    ])
    .prop_map(ToOwned::to_owned);
    prop_oneof![4 => of_text, 2 => of_number, 2 => exists]
}

fn rules() -> impl Strategy<Value = String> {
    let part = prop::collection::btree_map("[a-z]{1,3}", items(), 1..3).prop_map(|items| {
        // A key twice is refused, so each stands in a map of its own, one of which must fit.
        let maps: Vec<String> = items.into_values().map(|item| format!("    - {item}\n")).collect();
        maps.concat()
    });
    let condition = prop::sample::select(vec![
        "a",
        "a and b",
        "a or b",
        "a and not b",
        "not a or b and c",
        "1 of them",
        "all of them",
        "2 of them",
        "not 2 of them",
        "a and (b or not c)",
        "not (a and not (b or c))",
    ]);
    (prop::collection::vec(part, 3), condition).prop_map(|(parts, condition)| {
        let parts: Vec<String> =
            ["a", "b", "c"].iter().zip(parts).map(|(name, part)| format!("  {name}:\n{part}")).collect();
        format!(
            "title: Any\nlogsource: {{product: azure, service: signinlogs}}\ndetection:\n{}  condition: {condition}\n",
            parts.concat()
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// The query plans, finds the events that the importer says it finds, and none of the near misses: the tests in memory
    /// and those in SQL agree.
    #[test]
    fn any_rule_gives_a_detector_that_works(text in rules()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        for outcome in Importer::default().import(&text) {
            if let Ok(translation) = outcome.result {
                let problems = runtime.block_on(problems(&translation));
                prop_assert!(problems.is_empty(), "{}\n{:?}\n{}", text, problems, shown(&translation));
            }
        }
    }
}

proptest! {
    /// Whatever the text, there is an outcome for it or it says nothing, and every outcome has a line of it.
    #[test]
    fn any_text_has_an_outcome(text in "\\PC{0,60}|([a-z: \n'|*-]{0,80})") {
        let lines = text.lines().count() + 2;
        for outcome in Importer::default().import(&text) {
            prop_assert!((1..=lines).contains(&outcome.line), "{}", outcome.line);
        }
    }
}
