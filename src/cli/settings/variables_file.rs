//! Settings as variables for the environment, as systemd's `EnvironmentFile` takes them.

/// Why a line sets no variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::cli) enum LineError {
    #[error("is not NAME=value")]
    NoPair,
    #[error("has a quote that does not end")]
    OpenQuote,
}

/// A variable, its value, and the line that sets it.
pub(in crate::cli) type Said<'t> = (&'t str, &'t str, usize);

/// The variables of the file. One that has no value is not set, as an option that is left away.
pub(in crate::cli) fn parse(text: &str) -> Result<Vec<Said<'_>>, (usize, LineError)> {
    let mut pairs = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        let pair = line.split_once('=');
        let (name, value) = pair.ok_or((number, LineError::NoPair))?;
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.is_empty() || !name.chars().all(is_name) {
            return Err((number, LineError::NoPair));
        }
        let value = unquoted(value).ok_or((number, LineError::OpenQuote))?;
        if !value.is_empty() {
            pairs.push((name, value, number));
        }
    }
    Ok(pairs)
}

/// What stands in quotes, if anything does.
fn unquoted(value: &str) -> Option<&str> {
    let Some(quote) = value.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
        return Some(value);
    };
    value.strip_prefix(quote)?.strip_suffix(quote)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_variable_a_remark_or_a_mistake_that_is_told() {
        let text = "# remark\n\n; remark\nA=1\n B_2=x=y \nC=\"a b\"\nD='#'\nE=\n";
        let expected = [
            ("A", "1", 4),
            ("B_2", "x=y", 5),
            ("C", "a b", 6),
            ("D", "#", 7),
        ];
        assert_eq!(parse(text).unwrap(), expected);
        for (text, expected) in [
            ("A=1\nexport B=2", (2, LineError::NoPair)),
            ("A", (1, LineError::NoPair)),
            ("=1", (1, LineError::NoPair)),
            ("A=\"1", (1, LineError::OpenQuote)),
            ("A='", (1, LineError::OpenQuote)),
        ] {
            assert_eq!(parse(text).unwrap_err(), expected, "{text}");
        }
    }
}
