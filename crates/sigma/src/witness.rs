//! Events that a rule matches, and events that it just does not, made up from the rule itself.
//!
//! Of each alternative of the rule this collects what it demands of each value, makes up values that may fit, and keeps
//! those that do. It may miss an event where demands are intertwined; it never gives one that does not hold.

use std::collections::BTreeMap;

use crate::fields::Log;
use crate::matching::{Cell, Comparison, Event, Form, Is, Match, Source, Test};
use crate::pattern::{Pattern, Piece, Shape};
use crate::regexes;

/// How many alternatives of a rule are looked at.
const CHOICES_MAX: usize = 32;

/// What a test must give.
#[derive(Clone)]
struct Demand<'a> {
    test: &'a Test,
    met: bool,
}

/// Events that `wanted` holds for, beginning with `base`, no two the same.
pub(crate) fn events(wanted: &Match, base: &Event, most: usize) -> Vec<Event> {
    let mut found: Vec<Event> = Vec::new();
    for demands in choices(wanted, true) {
        if found.len() >= most {
            break;
        }
        if let Some(event) = meet(&demands, base)
            && wanted.holds(&event)
            && !found.contains(&event)
        {
            found.push(event);
        }
    }
    found
}

/// An event that differs from a matching one in a single value and does not match.
pub(crate) struct NearMiss {
    /// A word for it, such as `other_operation`.
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) event: Event,
}

/// Near misses beside a matching event, different ones first.
pub(crate) fn near_misses(wanted: &Match, base: &Event, matching: &Event, most: usize) -> Vec<NearMiss> {
    let mut found: Vec<NearMiss> = Vec::new();
    let mut add = |name: String, description: String, event: Event| {
        let known = found.iter().any(|other| other.event == event || other.name == name);
        if found.len() < most && !known && !wanted.holds(&event) {
            found.push(NearMiss { name, description, event });
        }
    };
    let sources: Vec<&Source> =
        matching.keys().filter(|source| matching.get(source) != base.get(source)).collect();
    for change in [Change::Other, Change::Cut, Change::Without] {
        for source in &sources {
            let Some(cell) = change.of(matching.get(source)) else { continue };
            let mut event = matching.clone();
            match cell {
                Some(cell) => event.insert((*source).clone(), cell),
                None => event.remove(source),
            };
            let label = label(source);
            let (word, description) = change.words(&label);
            add(format!("{word}_{label}"), description, event);
        }
    }
    let refused = Match::not(wanted.clone());
    for (number, event) in (1..).zip(events(&refused, base, most)) {
        add(
            format!("something_else_{number}"),
            "An event of the same log that is something else.".to_owned(),
            event,
        );
    }
    found
}

#[derive(Clone, Copy)]
enum Change {
    Other,
    Cut,
    Without,
}

impl Change {
    /// The value after the change, none for no value; nothing if it does not apply.
    fn of(self, cell: Option<&Cell>) -> Option<Option<Cell>> {
        match (self, cell?) {
            (Self::Other, Cell::Text(_)) => Some(Some(Cell::Text("something-else".to_owned()))),
            (Self::Other, Cell::Number(number)) => Some(Some(Cell::Number(number.saturating_add(1)))),
            (Self::Cut, Cell::Text(text)) => {
                let mut text = text.clone();
                text.pop()?;
                (!text.trim().is_empty()).then_some(Some(Cell::Text(text)))
            }
            (Self::Cut, Cell::Number(number)) => Some(Some(Cell::Number(number.saturating_sub(1)))),
            (Self::Without, _) => Some(None),
        }
    }

    fn words(self, label: &str) -> (&'static str, String) {
        match self {
            Self::Other => ("other", format!("As the rule wants it, but {label} is another.")),
            Self::Cut => ("almost", format!("As the rule wants it, but {label} is a little less.")),
            Self::Without => ("without", format!("As the rule wants it, but the record has no {label}.")),
        }
    }
}

/// A word for where a value is.
fn label(source: &Source) -> String {
    let name = match source {
        Source::Column(column, _) => column,
        Source::Json(path) => path.last().map_or("properties", String::as_str),
    };
    let plain: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' })
        .take(40)
        .collect();
    plain.trim_matches('_').to_owned()
}

/// Sets of demands, each of which makes `wanted` give `met`.
fn choices(wanted: &Match, met: bool) -> Vec<Vec<Demand<'_>>> {
    match wanted {
        Match::Test(test) => vec![vec![Demand { test, met }]],
        Match::Not(inner) => choices(inner, !met),
        Match::All(parts) if met => together(parts, met),
        Match::Any(parts) if !met => together(parts, met),
        Match::All(parts) | Match::Any(parts) => {
            one_of(parts.iter().map(|part| choices(part, met)).collect())
        }
        Match::AtLeast(number, parts) => {
            // So many hold, or so many fail that too few are left.
            let needed = if met { *number } else { (parts.len() + 1).saturating_sub(*number) };
            one_of(parts.windows(needed.max(1)).map(|some| together(some, met)).collect())
        }
    }
}

/// The choices of all parts together.
fn together(parts: &[Match], met: bool) -> Vec<Vec<Demand<'_>>> {
    let mut all: Vec<Vec<Demand<'_>>> = vec![Vec::new()];
    for part in parts {
        let more = choices(part, met);
        let mut joined = Vec::new();
        for one in &more {
            for before in &all {
                if joined.len() < CHOICES_MAX {
                    joined.push([before.as_slice(), one.as_slice()].concat());
                }
            }
        }
        all = joined;
    }
    all
}

/// The choices of each, in turn, so that the first of each come first.
fn one_of(each: Vec<Vec<Vec<Demand<'_>>>>) -> Vec<Vec<Demand<'_>>> {
    let mut all = Vec::new();
    let longest = each.iter().map(Vec::len).max().unwrap_or(0);
    for turn in 0..longest {
        for choices in &each {
            if all.len() >= CHOICES_MAX {
                return all;
            }
            if let Some(choice) = choices.get(turn) {
                all.push(choice.clone());
            }
        }
    }
    all
}

/// An event that meets all demands.
fn meet(demands: &[Demand<'_>], base: &Event) -> Option<Event> {
    let mut of_source: BTreeMap<&Source, Vec<&Demand<'_>>> = BTreeMap::new();
    for demand in demands {
        of_source.entry(&demand.test.source).or_default().push(demand);
    }
    let mut event = base.clone();
    for (source, demands) in of_source {
        let fits = |cell: &Option<Cell>| {
            demands.iter().all(|demand| demand.test.is.holds(cell.as_ref()) == demand.met)
        };
        match candidates(source, &demands, base.get(source)).into_iter().find(fits)? {
            Some(cell) => event.insert(source.clone(), cell),
            None => event.remove(source),
        };
    }
    Some(event)
}

/// Values that may meet the demands on one place, the likely ones first.
fn candidates(source: &Source, demands: &[&Demand<'_>], base: Option<&Cell>) -> Vec<Option<Cell>> {
    let mut numbers = Vec::new();
    let mut texts = Vec::new();
    let (mut starts, mut middles, mut ends) = (Vec::new(), Vec::new(), Vec::new());
    for demand in demands.iter().filter(|demand| demand.met) {
        match &demand.test.is {
            Is::Like { pattern, .. } => {
                let text = sample(pattern, "");
                match pattern.shape() {
                    Shape::Starts(_) => starts.push(text.clone()),
                    Shape::Ends(_) => ends.push(text.clone()),
                    Shape::Exactly(_) | Shape::Contains(_) | Shape::Anything | Shape::Mixed => {
                        middles.push(text.clone());
                    }
                }
                texts.push(text);
                texts.push(sample(pattern, "x"));
            }
            Is::Regex(expression) => {
                let text = regexes::sample(expression);
                middles.extend(text.clone());
                texts.extend(text);
            }
            Is::Number(comparison, number) => numbers.push(match comparison {
                Comparison::Equal | Comparison::AtMost | Comparison::AtLeast => *number,
                Comparison::Less => number.saturating_sub(1),
                Comparison::Greater => number.saturating_add(1),
            }),
            Is::Absent | Is::Empty => {}
        }
    }
    // The longest start and end hold the shorter ones, if any text can.
    starts.sort_by_key(|text| std::cmp::Reverse(text.len()));
    ends.sort_by_key(String::len);
    let ordered = [starts, middles, ends].concat();
    texts.push(ordered.concat());
    texts.push(ordered.join(" "));
    texts.extend(["something".to_owned(), "x".to_owned(), String::new()]);
    numbers.extend([0, 1]);

    let is_column = matches!(source, Source::Column(..));
    let made = match source {
        Source::Column(_, Form::Number) => numbers.into_iter().map(Cell::Number).collect::<Vec<_>>(),
        Source::Column(_, Form::Lower) => {
            texts.into_iter().map(|text| Cell::Text(text.to_lowercase())).collect()
        }
        Source::Column(_, Form::AsWritten) | Source::Json(_) => texts.into_iter().map(Cell::Text).collect(),
    };
    // A column keeps no blank text, and none around a text.
    let kept = |cell: &Cell| match cell {
        Cell::Text(text) => !is_column || (!text.is_empty() && text.trim() == text),
        Cell::Number(_) => true,
    };
    let made = made.into_iter().filter(kept).map(Some);
    let only_refused = demands.iter().all(|demand| !demand.met);
    let as_it_is = [base.cloned(), None];
    if only_refused { as_it_is.into_iter().chain(made).collect() } else { made.chain(as_it_is).collect() }
}

/// A text that fits a pattern, with `filler` for anything.
fn sample(pattern: &Pattern, filler: &str) -> String {
    pattern
        .pieces()
        .iter()
        .map(|piece| match piece {
            Piece::Text(text) => text.as_str(),
            Piece::Many => filler,
            Piece::One => "x",
        })
        .collect()
}

/// What events of a log say of themselves, whatever the rule: who did something for whom.
pub(crate) fn base(log: Log) -> Event {
    let columns: &[(&'static str, Form, &str)] = match log {
        Log::Activity => &[
            ("subscription_id", Form::Lower, "sub-1"),
            ("customer_tenant_id", Form::Lower, "customer-1"),
            ("caller_id", Form::Lower, "user-eve"),
            ("caller", Form::Lower, "eve@customer.example"),
            ("caller_ip", Form::Lower, "198.51.100.7"),
        ],
        Log::SignIn | Log::Risk => &[
            ("customer_tenant_id", Form::Lower, "customer-1"),
            ("user_id", Form::Lower, "user-eve"),
            ("user_principal_name", Form::Lower, "eve@customer.example"),
            ("ip", Form::Lower, "198.51.100.7"),
        ],
        Log::Audit => &[
            ("customer_tenant_id", Form::Lower, "customer-1"),
            ("actor_id", Form::Lower, "user-eve"),
            ("actor", Form::AsWritten, "eve@customer.example"),
            ("actor_ip", Form::Lower, "198.51.100.7"),
        ],
    };
    columns
        .iter()
        .map(|(column, form, text)| (Source::Column(column, *form), Cell::Text((*text).to_owned())))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn like(column: &'static str, text: &str) -> Match {
        let is = Is::Like { pattern: Pattern::parse(text), cased: false };
        Match::test(Source::Column(column, Form::Lower), is)
    }

    fn operation(event: &Event) -> Option<&Cell> {
        event.get(&Source::Column("operation", Form::Lower))
    }

    #[test]
    fn a_start_and_an_end_become_one_text() {
        let wanted = Match::All(vec![
            Match::Any(vec![like("operation", "A/*"), like("operation", "A/B/*")]),
            Match::Any(vec![like("operation", "*/Write"), like("operation", "*/Delete")]),
        ]);
        let found = events(&wanted, &base(Log::Activity), 10);
        let texts: Vec<_> = found.iter().filter_map(operation).collect();
        assert_eq!(texts.len(), 4, "{texts:?}");
        assert_eq!(texts[0], &Cell::Text("a//write".to_owned()));
    }

    #[test]
    fn what_must_not_be_is_left_out_or_is_another() {
        let wanted = Match::All(vec![
            like("operation", "x"),
            Match::not(like("caller", "*@customer.example")),
            Match::not(Match::test(Source::Column("status", Form::Lower), Is::Absent)),
        ]);
        let found = events(&wanted, &base(Log::Activity), 1);
        assert_eq!(found[0].get(&Source::Column("caller", Form::Lower)), None);
        assert!(found[0].contains_key(&Source::Column("status", Form::Lower)));
        let never = Match::All(vec![like("operation", "x"), like("operation", "y")]);
        assert!(events(&never, &base(Log::Activity), 1).is_empty());
    }

    #[test]
    fn near_misses_miss() {
        let wanted = Match::All(vec![like("operation", "a"), like("status", "b*")]);
        let base = base(Log::Activity);
        let matching = events(&wanted, &base, 1).remove(0);
        let names: Vec<String> = near_misses(&wanted, &base, &matching, 8)
            .into_iter()
            .map(|miss| {
                assert!(!wanted.holds(&miss.event), "{}", miss.name);
                miss.name
            })
            .collect();
        assert_eq!(names[..4], ["other_operation", "other_status", "without_operation", "without_status"]);
    }

    #[test]
    fn so_many_of_several() {
        let parts = vec![like("operation", "a"), like("status", "b"), like("category", "c")];
        let two = Match::AtLeast(2, parts);
        for event in events(&two, &Event::new(), 5) {
            assert!(two.holds(&event));
        }
        let fewer = Match::not(two);
        assert!(!events(&fewer, &Event::new(), 5).is_empty());
    }
}
