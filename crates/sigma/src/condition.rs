//! The condition of a rule: text to tree.
//!
//! `not` binds tightest, then `and`, then `or`; words in any letter case. A name stands for a part of the detection, `1 of
//! selection*` and `all of them` for several. What follows a `|` counts or compares events, which Sigma has given up in
//! favour of correlation rules; it is recognised so that it can be reported.

/// How long a condition may be, in bytes.
const BYTES_MAX: usize = 16 << 10;

/// How deep parentheses and `not` may nest.
const DEPTH_MAX: usize = 64;

/// A condition that has been read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Condition {
    /// A part of the detection, by its name.
    Name(String),
    Not(Box<Condition>),
    And(Vec<Condition>),
    Or(Vec<Condition>),
    /// So many of the parts that a pattern names.
    Of(Quantity, Which),
}

/// How many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quantity {
    All,
    AtLeast(usize),
}

/// Which parts are counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Which {
    /// All but those whose name begins with an underscore.
    Them,
    /// Those whose name fits; `*` stands for anything.
    Like(String),
}

/// Why a condition cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ConditionError {
    /// It cannot be read. The column is that of the character, from 1.
    Syntax { column: usize, problem: String },
    /// It goes on with `| count() …` or the like.
    Aggregation,
}

/// Reads a condition.
pub(crate) fn parse(text: &str) -> Result<Condition, ConditionError> {
    if text.len() > BYTES_MAX {
        return Err(wrong(1, format!("it has {} bytes, more than {BYTES_MAX}", text.len())));
    }
    let words = words(text);
    let mut parser = Parser { words: &words, next: 0, end: text.chars().count() + 1 };
    let condition = parser.or(0)?;
    match parser.peek() {
        None => Ok(condition),
        Some(word) if word.text == "|" => Err(ConditionError::Aggregation),
        Some(word) => Err(wrong(word.column, format!("'{}' is not expected there", word.text))),
    }
}

fn wrong(column: usize, problem: impl Into<String>) -> ConditionError {
    ConditionError::Syntax { column, problem: problem.into() }
}

struct Word<'a> {
    text: &'a str,
    column: usize,
}

impl Word<'_> {
    fn is(&self, word: &str) -> bool {
        self.text.eq_ignore_ascii_case(word)
    }
}

/// Parentheses and bars alone; what stands between them and white space is a word.
fn words(text: &str) -> Vec<Word<'_>> {
    let mut words = Vec::new();
    let mut start = None;
    let mut finish = |start: &mut Option<(usize, usize)>, end: usize| {
        if let Some((from, column)) = start.take() {
            words.push((from, end, column));
        }
    };
    let mut singles = Vec::new();
    for (column, (at, letter)) in (1..).zip(text.char_indices()) {
        let single = matches!(letter, '(' | ')' | '|');
        if single || letter.is_whitespace() {
            finish(&mut start, at);
            if single {
                singles.push((at, at + 1, column));
            }
        } else if start.is_none() {
            start = Some((at, column));
        }
    }
    finish(&mut start, text.len());
    words.extend(singles);
    words.sort_unstable();
    words.into_iter().map(|(from, end, column)| Word { text: &text[from..end], column }).collect()
}

struct Parser<'a> {
    words: &'a [Word<'a>],
    next: usize,
    /// The column after the last character.
    end: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a Word<'a>> {
        self.words.get(self.next)
    }

    fn take(&mut self, word: &str) -> bool {
        let there = self.peek().is_some_and(|next| next.is(word));
        self.next += usize::from(there);
        there
    }

    fn or(&mut self, depth: usize) -> Result<Condition, ConditionError> {
        let mut parts = vec![self.and(depth)?];
        while self.take("or") {
            parts.push(self.and(depth)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Condition::Or(parts) })
    }

    fn and(&mut self, depth: usize) -> Result<Condition, ConditionError> {
        let mut parts = vec![self.not(depth)?];
        while self.take("and") {
            parts.push(self.not(depth)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Condition::And(parts) })
    }

    fn not(&mut self, depth: usize) -> Result<Condition, ConditionError> {
        if depth > DEPTH_MAX {
            let column = self.peek().map_or(self.end, |word| word.column);
            return Err(wrong(column, format!("it nests deeper than {DEPTH_MAX}")));
        }
        if self.take("not") {
            return Ok(Condition::Not(Box::new(self.not(depth + 1)?)));
        }
        if self.take("(") {
            let inner = self.or(depth + 1)?;
            if !self.take(")") {
                let column = self.peek().map_or(self.end, |word| word.column);
                return Err(wrong(column, "a closing parenthesis is missing"));
            }
            return Ok(inner);
        }
        self.name()
    }

    /// A name, or `1 of …`.
    fn name(&mut self) -> Result<Condition, ConditionError> {
        let Some(word) = self.peek() else {
            return Err(wrong(self.end, "it ends where a name is expected"));
        };
        let out_of_place = ["and", "or", "of", ")", "|"].iter().any(|other| word.is(other));
        if out_of_place {
            return Err(wrong(word.column, format!("'{}' stands where a name is expected", word.text)));
        }
        self.next += 1;
        if !self.peek().is_some_and(|next| next.is("of")) {
            return Ok(Condition::Name(word.text.to_owned()));
        }
        self.next += 1;
        let quantity = if word.is("all") {
            Quantity::All
        } else if word.is("any") {
            Quantity::AtLeast(1)
        } else {
            let number: usize = word
                .text
                .parse()
                .map_err(|_| wrong(word.column, format!("'{}' is no number of parts", word.text)))?;
            Quantity::AtLeast(number.max(1))
        };
        let Some(which) = self.peek() else {
            return Err(wrong(self.end, "it ends where 'them' or a pattern is expected"));
        };
        if ["(", ")", "|", "and", "or", "not"].iter().any(|other| which.is(other)) {
            return Err(wrong(
                which.column,
                format!("'{}' stands where 'them' or a pattern is expected", which.text),
            ));
        }
        self.next += 1;
        let which = if which.is("them") { Which::Them } else { Which::Like(which.text.to_owned()) };
        Ok(Condition::Of(quantity, which))
    }
}

impl Which {
    /// Whether a part is among those meant.
    pub(crate) fn means(&self, name: &str) -> bool {
        match self {
            Self::Them => !name.starts_with('_'),
            Self::Like(pattern) => fits(pattern, name),
        }
    }
}

/// Whether a name fits a pattern in which `*` stands for anything.
fn fits(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = name.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
impl std::fmt::Display for Condition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let joined = |parts: &[Condition], word: &str| {
            parts.iter().map(ToString::to_string).collect::<Vec<_>>().join(&format!(" {word} "))
        };
        match self {
            Self::Name(name) => write!(f, "{name}"),
            Self::Not(inner) => write!(f, "not {inner}"),
            Self::And(parts) => write!(f, "({})", joined(parts, "and")),
            Self::Or(parts) => write!(f, "({})", joined(parts, "or")),
            Self::Of(quantity, which) => {
                match quantity {
                    Quantity::All => write!(f, "all of ")?,
                    Quantity::AtLeast(number) => write!(f, "{number} of ")?,
                }
                match which {
                    Which::Them => write!(f, "them"),
                    Which::Like(pattern) => write!(f, "{pattern}"),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn conditions_are_read() {
        let check = |text: &str, expected: &str| {
            assert_eq!(parse(text).map(|condition| condition.to_string()), Ok(expected.to_owned()), "{text}");
        };
        check("selection", "selection");
        check("a or b and c", "(a or (b and c))");
        check("a and b or c", "((a and b) or c)");
        check("not a and b", "(not a and b)");
        check("not (a and b)", "not (a and b)");
        check("not not a", "not not a");
        check("a AND NOT b", "(a and not b)");
        check("(a)", "a");
        check("((a or b))and(c)", "((a or b) and c)");
        check("1 of selection_*", "1 of selection_*");
        check("any of them", "1 of them");
        check("ALL OF them", "all of them");
        check("2 of a* and not 1 of filter_main_*", "(2 of a* and not 1 of filter_main_*)");
        check("0 of them", "1 of them");
        check("all", "all");
        check("and_more or nothing", "(and_more or nothing)");
        check("  selection\n and not\tfilter ", "(selection and not filter)");
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_place() {
        let check = |text: &str, column: usize, problem: &str| {
            let expected = ConditionError::Syntax { column, problem: problem.to_owned() };
            assert_eq!(parse(text), Err(expected), "{text}");
        };
        check("", 1, "it ends where a name is expected");
        check("a and", 6, "it ends where a name is expected");
        check("a b", 3, "'b' is not expected there");
        check("(a", 3, "a closing parenthesis is missing");
        check("a)", 2, "')' is not expected there");
        check("or a", 1, "'or' stands where a name is expected");
        check("ä and and", 7, "'and' stands where a name is expected");
        check("some of them", 1, "'some' is no number of parts");
        check("1 of", 5, "it ends where 'them' or a pattern is expected");
        check("1 of (a)", 6, "'(' stands where 'them' or a pattern is expected");
        check(&"not ".repeat(70), 261, "it nests deeper than 64");
        check(&"(".repeat(70), 66, "it nests deeper than 64");
        check(&"a".repeat(20_000), 1, "it has 20000 bytes, more than 16384");
        for text in ["a | count() > 5", "a and not b | count(x) by y >= 2", "a | near b"] {
            assert_eq!(parse(text), Err(ConditionError::Aggregation), "{text}");
        }
    }

    #[test]
    fn patterns_name_parts() {
        let check = |pattern: &str, name: &str, expected: bool| {
            assert_eq!(Which::Like(pattern.to_owned()).means(name), expected, "{pattern} and {name}");
        };
        check("selection_*", "selection_1", true);
        check("selection_*", "selection_", true);
        check("selection_*", "selection", false);
        check("selection", "selection", true);
        check("selection", "selections", false);
        check("*", "anything", true);
        check("a*b*c", "a-b-c", true);
        check("a*b*c", "a-c-b", false);
        check("*_main_*", "filter_main_x", true);
        check("*a*a", "a", false);
        assert!(!Which::Them.means("_hidden") && Which::Them.means("shown"));
    }

    fn conditions() -> impl Strategy<Value = Condition> {
        let leaf = prop_oneof![
            "[a-z_]{1,6}[0-9]".prop_map(Condition::Name),
            "[a-z_]{1,6}[*]".prop_map(|text| Condition::Of(Quantity::All, Which::Like(text))),
            (1..5usize).prop_map(|number| Condition::Of(Quantity::AtLeast(number), Which::Them)),
        ];
        leaf.prop_recursive(5, 40, 4, |inner| {
            prop_oneof![
                inner.clone().prop_map(|one| Condition::Not(Box::new(one))),
                prop::collection::vec(inner.clone(), 2..4).prop_map(Condition::And),
                prop::collection::vec(inner, 2..4).prop_map(Condition::Or),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_the_same(condition in conditions()) {
            prop_assert_eq!(parse(&condition.to_string()), Ok(condition));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[a-z0-9 ()|*]{0,60}|.{0,40}") {
            if let Err(ConditionError::Syntax { column, .. }) = parse(&text) {
                prop_assert!((1..=text.chars().count() + 1).contains(&column));
            }
        }
    }
}
