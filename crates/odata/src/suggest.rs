//! "Did you mean": the known name that is nearest to an unknown one.

/// Longer words are not compared, so that the cost stays small whatever a caller sends.
const WORD_CHARS_MAX: usize = 64;

/// The candidate that differs from the word in case only, or by few letters; the first of equals.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word: Vec<char> = word.to_lowercase().chars().collect();
    if word.is_empty() || word.len() > WORD_CHARS_MAX {
        return None;
    }
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let letters: Vec<char> = candidate.to_lowercase().chars().collect();
        let allowed = (word.len().min(letters.len()) / 3).min(3);
        if letters.len() > WORD_CHARS_MAX || word.len().abs_diff(letters.len()) > allowed {
            continue;
        }
        let edits = distance(&word, &letters);
        if edits <= allowed && best.is_none_or(|(least, _)| edits < least) {
            best = Some((edits, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// How many letters must be put in, taken out, replaced or swapped with a neighbour.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut two_back = vec![0; b.len() + 1];
    let mut back: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let replaced = back[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = replaced.min(back[j] + 1).min(row[j - 1] + 1);
            let swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if swapped {
                row[j] = row[j].min(two_back[j - 2] + 1);
            }
        }
        two_back = std::mem::replace(&mut back, row);
    }
    back[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let check = |word: &str, expected: Option<&str>| {
            let names = ["id", "severity", "status", "detectedDateTime"];
            assert_eq!(nearest(word, names), expected, "{word}");
        };
        check("severty", Some("severity"));
        check("Severity", Some("severity"));
        check("sevreity", Some("severity"));
        check("statsu", Some("status"));
        check("detecteddatetime", Some("detectedDateTime"));
        check("ID", Some("id"));
        check("ix", None);
        check("colour", None);
        check("", None);
        check(&"s".repeat(10_000), None);
    }
}
