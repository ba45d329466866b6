//! Plain text of HTML, as far as the mails of Service Health need it.

/// Entities that occur; others stay as they are.
const ENTITIES: &[(&str, char)] = &[
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("nbsp", ' '),
    ("ndash", '–'),
    ("mdash", '—'),
    ("rsquo", '’'),
    ("lsquo", '‘'),
    ("rdquo", '”'),
    ("ldquo", '“'),
    ("bull", '•'),
    ("hellip", '…'),
];

/// The longest entity that is looked for, without `&` and `;`.
const ENTITY_BYTES_MAX: usize = 8;

/// The text without tags, with entities replaced and white space as single blanks.
pub(super) fn plain_text(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find(['<', '&']) {
        push_words(&mut text, &rest[..at]);
        rest = &rest[at..];
        let taken = if rest.starts_with('<') { tag(rest) } else { None };
        if let Some(length) = taken {
            // Tags stand between words: `<p>one</p><p>two</p>`.
            if is_block(&rest[..length]) {
                push_words(&mut text, " ");
            }
            rest = &rest[length..];
        } else if let Some((character, length)) = entity(rest) {
            push_words(&mut text, character.encode_utf8(&mut [0; 4]));
            rest = &rest[length..];
        } else {
            push_words(&mut text, &rest[..1]);
            rest = &rest[1..];
        }
    }
    push_words(&mut text, rest);
    text.truncate(text.trim_end().len());
    text
}

/// Appends a text; white space, however much, becomes one blank.
fn push_words(text: &mut String, part: &str) {
    for character in part.chars() {
        if !character.is_whitespace() {
            text.push(character);
        } else if !text.is_empty() && !text.ends_with(' ') {
            text.push(' ');
        }
    }
}

/// The length of the tag or comment at the start, if one is there.
fn tag(text: &str) -> Option<usize> {
    if let Some(rest) = text.strip_prefix("<!--") {
        return rest.find("-->").map(|end| end + 7);
    }
    let second = text.as_bytes().get(1)?;
    // `a < b` is no tag.
    let is_tag = second.is_ascii_alphabetic() || matches!(second, b'/' | b'!');
    if is_tag { text.find('>').map(|end| end + 1) } else { None }
}

/// Whether words before and after the tag are apart; `<b>` and the like stand within words.
fn is_block(tag: &str) -> bool {
    let name = tag.trim_start_matches(['<', '/']);
    let name = name.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
    const INLINE: &[&str] = &["a", "b", "i", "u", "em", "strong", "span", "code", "font", "sub", "sup"];
    !INLINE.iter().any(|inline| name.eq_ignore_ascii_case(inline))
}

/// The character of the entity at the start, and its length.
fn entity(text: &str) -> Option<(char, usize)> {
    let rest = text.strip_prefix('&')?;
    let end = rest.bytes().take(ENTITY_BYTES_MAX + 1).position(|byte| byte == b';')?;
    let name = &rest[..end];
    let character = if let Some(hex) = name.strip_prefix("#x").or(name.strip_prefix("#X")) {
        char::from_u32(u32::from_str_radix(hex, 16).ok()?)?
    } else if let Some(number) = name.strip_prefix('#') {
        char::from_u32(number.parse().ok()?)?
    } else {
        ENTITIES.iter().find(|(known, _)| *known == name)?.1
    };
    Some((character, end + 2))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn tags_go_and_words_stay() {
        let check = |html: &str, expected: &str| assert_eq!(plain_text(html), expected, "{html}");
        check("<p>One&nbsp;<b>bo</b>ld</p><p class=\"x\">two</p>\r\n", "One bold two");
        check("a < b &amp; c &lt;d&gt; &#39;e&#x27; &unknown; &", "a < b & c <d> 'e' &unknown; &");
        check("<ul><li>x</li><li>y</li></ul><!-- no -->z<br/>end", "x y z end");
        check("open <b", "open <b");
        check("&#xD800; &#99999999; &é;", "&#xD800; &#99999999; &é;");
        check("", "");
    }

    proptest! {
        #[test]
        fn any_text(text in "(?s)[<>&;#x/!a-z0-9 é\\-]{0,80}") {
            let plain = plain_text(&text);
            prop_assert!(plain.len() <= text.len());
            prop_assert!(!plain.contains("  "));
        }
    }
}
