//! Spans of time as manifests and cases write them: `5m`, `36h`, `28d`.

use chrono::TimeDelta;

/// Reads a span.
///
/// # Errors
///
/// Words that say what is wrong with the text.
pub(crate) fn parse(text: &str) -> Result<TimeDelta, String> {
    let span = humantime::parse_duration(text.trim())
        .map_err(|error| format!("'{text}' is no span of time: {error}"))?;
    TimeDelta::from_std(span).map_err(|_| format!("'{text}' is longer than can be counted"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read() {
        assert_eq!(parse("28d"), Ok(TimeDelta::days(28)));
        assert_eq!(parse("1h 30m"), Ok(TimeDelta::minutes(90)));
        assert_eq!(parse("0s"), Ok(TimeDelta::zero()));
        assert!(parse("soon").unwrap_err().starts_with("'soon' is no span of time"));
    }
}
