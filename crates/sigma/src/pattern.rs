//! A value with wildcards: `*` for anything, `?` for one character, `\` before either to mean itself.

/// Parts of a value, in order. Texts are not empty and do not follow one another; neither do two `Many`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern(Vec<Piece>);

/// A part of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    Text(String),
    /// Any characters, or none.
    Many,
    /// One character, whichever.
    One,
}

/// The simple forms, which SQL has functions for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Shape<'a> {
    Exactly(&'a str),
    Starts(&'a str),
    Ends(&'a str),
    Contains(&'a str),
    Anything,
    Mixed,
}

impl Pattern {
    /// Reads a value. A backslash before anything but `*`, `?` and `\` is a backslash.
    pub(crate) fn parse(text: &str) -> Self {
        let mut pattern = Self(Vec::new());
        let mut letters = text.chars().peekable();
        while let Some(letter) = letters.next() {
            match letter {
                '*' => pattern.push(Piece::Many),
                '?' => pattern.push(Piece::One),
                '\\' => {
                    let escaped = letters.next_if(|next| matches!(next, '*' | '?' | '\\'));
                    pattern.push_letter(escaped.unwrap_or('\\'));
                }
                letter => pattern.push_letter(letter),
            }
        }
        pattern
    }

    /// A value that has no wildcards.
    pub(crate) fn literal(text: &str) -> Self {
        Self(if text.is_empty() { Vec::new() } else { vec![Piece::Text(text.to_owned())] })
    }

    /// With anything before it.
    pub(crate) fn after_anything(mut self) -> Self {
        if self.0.first() != Some(&Piece::Many) {
            self.0.insert(0, Piece::Many);
        }
        self
    }

    /// With anything after it.
    pub(crate) fn before_anything(mut self) -> Self {
        self.push(Piece::Many);
        self
    }

    /// With a text after it.
    pub(crate) fn then(mut self, text: &str) -> Self {
        text.chars().for_each(|letter| self.push_letter(letter));
        self
    }

    /// With its texts changed.
    pub(crate) fn map(&self, change: impl Fn(&str) -> String) -> Self {
        let mut changed = Self(Vec::new());
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => change(text).chars().for_each(|letter| changed.push_letter(letter)),
                other => changed.push(other.clone()),
            }
        }
        changed
    }

    /// In lower case.
    pub(crate) fn lower(&self) -> Self {
        self.map(str::to_lowercase)
    }

    pub(crate) fn pieces(&self) -> &[Piece] {
        &self.0
    }

    /// What it looks like.
    pub(crate) fn shape(&self) -> Shape<'_> {
        match self.0.as_slice() {
            [] => Shape::Exactly(""),
            [Piece::Text(text)] => Shape::Exactly(text),
            [Piece::Text(text), Piece::Many] => Shape::Starts(text),
            [Piece::Many, Piece::Text(text)] => Shape::Ends(text),
            [Piece::Many, Piece::Text(text), Piece::Many] => Shape::Contains(text),
            [Piece::Many] => Shape::Anything,
            _ => Shape::Mixed,
        }
    }

    /// The text that it stands for, if it has no wildcards.
    pub(crate) fn as_literal(&self) -> Option<&str> {
        match self.shape() {
            Shape::Exactly(text) => Some(text),
            _ => None,
        }
    }

    fn push(&mut self, piece: Piece) {
        if piece != Piece::Many || self.0.last() != Some(&Piece::Many) {
            self.0.push(piece);
        }
    }

    fn push_letter(&mut self, letter: char) {
        if let Some(Piece::Text(text)) = self.0.last_mut() {
            text.push(letter);
        } else {
            self.0.push(Piece::Text(letter.to_string()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read() {
        let check = |text: &str, expected: Shape<'_>| {
            assert_eq!(Pattern::parse(text).shape(), expected, "{text}");
        };
        check("abc", Shape::Exactly("abc"));
        check("", Shape::Exactly(""));
        check("abc*", Shape::Starts("abc"));
        check("*abc", Shape::Ends("abc"));
        check("**abc*", Shape::Contains("abc"));
        check("*", Shape::Anything);
        check("a*b", Shape::Mixed);
        check("a?", Shape::Mixed);
        check(r"a\*b", Shape::Exactly("a*b"));
        check(r"a\?b", Shape::Exactly("a?b"));
        check(r"C:\Windows", Shape::Exactly(r"C:\Windows"));
        check(r"a\\*", Shape::Starts(r"a\"));
        check(r"a\\\*", Shape::Exactly(r"a\*"));
        check(r"a\", Shape::Exactly(r"a\"));
    }

    #[test]
    fn values_are_widened() {
        let contains = Pattern::parse("x").after_anything().before_anything();
        assert_eq!(contains.shape(), Shape::Contains("x"));
        assert_eq!(Pattern::parse("*x*").after_anything().before_anything(), contains);
        assert_eq!(Pattern::parse("X").lower().then("/").before_anything().shape(), Shape::Starts("x/"));
        assert_eq!(Pattern::literal("*").as_literal(), Some("*"));
    }
}
