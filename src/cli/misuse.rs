//! What is told of arguments that make no command.

use std::process;

use super::exit_code::ExitCode;
use super::output;

/// As long as an initialization token, which is shorter than an API key.
const SECRET_LENGTH: usize = 16;

/// Tells it and ends. The words repeat arguments and variables, which may hold anything: what steers a
/// terminal, would begin a line of its own, or may be a token or key in the wrong place is replaced first.
/// Help and version are printed as they are.
pub(super) fn end(error: &clap::Error) -> ! {
    if !error.use_stderr() {
        error.exit();
    }
    let styled = error.render().ansi().to_string();
    let variables = std::env::vars_os()
        .filter(|(name, _)| name.to_string_lossy().starts_with("GATEHAND_"))
        .map(|(_, value)| value);
    let repeated = std::env::args_os().chain(variables);
    let repeated = repeated.map(|text| text.to_string_lossy().into_owned());
    let plain = harmless(in_plain_words(styled), repeated.collect());
    output::complain_of_arguments(&plain);
    process::exit(ExitCode::Usage as i32)
}

/// What the standard library says of numbers, for people.
fn in_plain_words(text: String) -> String {
    const NO_NUMBER: &str = "write a whole number, as in 12";
    [
        ("invalid digit found in string", NO_NUMBER),
        ("cannot parse integer from empty string", NO_NUMBER),
        (
            "number too large to fit in target type",
            "the number is too large",
        ),
        (
            "number too small to fit in target type",
            "the number is too small",
        ),
    ]
    .into_iter()
    .fold(text, |text, (library, plain)| text.replace(library, plain))
}

fn harmless(text: String, repeated: Vec<String>) -> String {
    let values = repeated.iter().flat_map(|argument| {
        let value = argument.split_once('=').map(|(_, value)| value);
        [Some(argument.as_str()), value]
    });
    let replaced = values.flatten().fold(text, |text, value| {
        if may_hold_secret(value) {
            repeated_as(&text, value, "[not repeated: it may hold a token or key]")
        } else if value.chars().any(char::is_control) {
            repeated_as(&text, value, &output::printable(value))
        } else {
            text
        }
    });
    anstream::adapter::strip_str(&replaced).to_string()
}

/// Whether there is a word in it as long as a token, which is of letters and digits, and no number, or the
/// password of an address.
fn may_hold_secret(value: &str) -> bool {
    let after_scheme = value.split_once("://").map(|(_, rest)| rest);
    let host = after_scheme.and_then(|rest| rest.split('/').next());
    host.is_some_and(|host| host.contains('@'))
        || value
            .split(|c: char| !c.is_ascii_alphanumeric())
            .any(|word| {
                word.len() >= SECRET_LENGTH && !word.bytes().all(|byte| byte.is_ascii_digit())
            })
}

/// The text with something else in the places where this value is repeated, in quotes or coloured; a value
/// of a line end alone is not any line end.
fn repeated_as(text: &str, value: &str, instead: &str) -> String {
    const ENDS: [&str; 2] = ["'", "\x1b[0m"];
    ENDS.iter().fold(text.to_owned(), |text, end| {
        text.replace(&format!("{value}{end}"), &format!("{instead}{end}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_argument_that_is_repeated_begins_no_line_and_steers_nothing() {
        let value = "x\x1b[1m\nerror: y";
        for argument in [value.to_owned(), format!("--name={value}")] {
            let text = format!("\x1b[31merror:\x1b[0m no '{value}'\n\nUsage: …\n");
            assert_eq!(
                harmless(text, vec![argument]),
                "error: no 'x\u{fffd}[1m\u{fffd}error: y'\n\nUsage: …\n"
            );
        }
    }

    #[test]
    fn a_token_or_key_in_the_wrong_place_is_not_repeated() {
        let token = "kpp4jn8g2ynzonp6";
        let link = format!("pretixscan://setup?url=https%3A%2F%2Fpretix.eu&token={token}");
        let json = format!(r#"{{"handshake_version": 1, "token": "{token}"}}"#);
        let key = "6ur3tfn2".repeat(8);
        let address = format!("https://admin:{}@tickets.example", &token[..8]);
        for value in [token, &token.to_uppercase(), &link, &json, &key, &address] {
            for argument in [value.to_owned(), format!("--token={value}")] {
                let text = format!("error: no '\x1b[33m{value}\x1b[0m' or '{value}'\n");
                let said = harmless(text, vec!["gatehand".to_owned(), argument]);
                assert!(
                    !said.contains(&token[..8]) && !said.contains(&key),
                    "{said}"
                );
                assert!(said.contains("not repeated"), "{said}");
            }
        }
        let text = "error: no 'tikets' in --database /srv/tickets/gatehand.db\n";
        let arguments = ["tikets", "/srv/tickets/gatehand.db", "2026112812345678"];
        let arguments = arguments.map(str::to_owned).to_vec();
        assert_eq!(harmless(text.to_owned(), arguments), text);
    }

    #[test]
    fn a_line_end_as_an_argument_leaves_the_other_lines_as_they_are() {
        let text = "error: no '\x1b[33m\n\x1b[0m'\n\nUsage: …\n".to_owned();
        let said = harmless(text, vec!["\n".to_owned()]);
        assert_eq!(said, "error: no '\u{fffd}'\n\nUsage: …\n");
    }
}
