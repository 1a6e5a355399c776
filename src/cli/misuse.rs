//! What is told of arguments that make no command.

use std::process;

use super::exit_code::ExitCode;
use super::output;

/// Tells it and ends. The words repeat arguments, which may hold anything: what steers a terminal, or
/// would begin a line of its own, is replaced first. Help and version are printed as they are.
pub(super) fn end(error: &clap::Error) -> ! {
    if !error.use_stderr() {
        error.exit();
    }
    let styled = error.render().ansi().to_string();
    let arguments = std::env::args_os().map(|argument| argument.to_string_lossy().into_owned());
    let plain = harmless(in_plain_words(styled), arguments.collect());
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

fn harmless(text: String, arguments: Vec<String>) -> String {
    let values = arguments.iter().flat_map(|argument| {
        let value = argument.split_once('=').map(|(_, value)| value);
        [Some(argument.as_str()), value]
    });
    let replaced = values
        .flatten()
        .filter(|value| value.chars().any(char::is_control))
        .fold(text, |text, value| {
            text.replace(value, &output::printable(value))
        });
    anstream::adapter::strip_str(&replaced).to_string()
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
}
