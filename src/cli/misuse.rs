//! What is told of arguments that make no command.

use std::process;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::exit_code::ExitCode;
use super::output;
use super::repeated::{NOT_REPEATED, Repeated};

/// For a code or token that stands alone.
const CODE_TIP: &str = "
To enrol, give a code or link with gatehand init --payload, or an address and a token with --url and --token.
";

/// Tells it and ends. The words repeat arguments and variables, which may hold anything: what steers a
/// terminal, would begin a line of its own, or may be a token or key in the wrong place is replaced first.
/// Help and version are printed as they are.
pub(super) fn end(error: &clap::Error, command: &clap::Command) -> ! {
    if !error.use_stderr() {
        error.exit();
    }
    let styled = error.render().ansi().to_string();
    let text = named_by(error, command, in_plain_words(styled));
    let plain = harmless(&text, &Repeated::of_this_process());
    let mut plain = without_said(&plain, &said_by_variables(command));
    if is_of_bare_argument(error) && plain.contains(NOT_REPEATED) {
        plain.push_str(CODE_TIP);
    }
    output::complain_of_arguments(&plain);
    process::exit(ExitCode::Usage as i32)
}

/// Whether an argument is none of the command's.
fn is_of_bare_argument(error: &clap::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::UnknownArgument | ErrorKind::InvalidSubcommand
    )
}

/// What clap says in a line, without what surrounds it for a terminal.
pub(super) fn in_a_line(error: &clap::Error, command: &clap::Command) -> String {
    let text = named_by(error, command, error.to_string());
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default();
    let first = first.trim_start_matches("error: ");
    // What is missing stands below.
    let below = lines.take_while(|line| line.starts_with(' '));
    let below: Vec<&str> = below.map(str::trim).collect();
    match first.ends_with(':') {
        true => format!("{first} {}", below.join(", ")),
        false => first.to_owned(),
    }
}

/// With the variable that said a value in the place of the option that was not given.
fn named_by(error: &clap::Error, command: &clap::Command, text: String) -> String {
    let Some(ContextValue::String(option)) = error.get(ContextKind::InvalidArg) else {
        return text;
    };
    let name = option.split([' ', '=', '[']).next().unwrap_or_default();
    match variable_of(command, name.trim_start_matches('-')).filter(|_| !is_typed(name)) {
        Some(variable) => text.replacen(option, &variable, 1),
        None => text,
    }
}

/// Whether an option was given, as `--name`.
fn is_typed(name: &str) -> bool {
    std::env::args_os().any(|argument| {
        let argument = argument.to_string_lossy().into_owned();
        argument.split('=').next() == Some(name)
    })
}

/// The options that variables have said, and whether each takes a value.
fn said_by_variables(command: &clap::Command) -> Vec<(String, bool)> {
    let own = command.get_arguments().filter_map(|argument| {
        let is_set = argument
            .get_env()
            .is_some_and(|variable| std::env::var_os(variable).is_some());
        let option = format!("--{}", argument.get_long()?);
        let takes_value = argument.get_action().takes_values();
        (is_set && !is_typed(&option)).then_some((option, takes_value))
    });
    let below = command.get_subcommands().flat_map(said_by_variables);
    own.chain(below).collect()
}

/// Without these in the usage, as if they had to be typed.
fn without_said(text: &str, said: &[(String, bool)]) -> String {
    let lines = text
        .split('\n')
        .map(|line| match line.starts_with("Usage: ") {
            true => said
                .iter()
                .fold(line.to_owned(), |line, (option, takes_value)| {
                    without_option(&line, option, *takes_value)
                }),
            false => line.to_owned(),
        });
    lines.collect::<Vec<_>>().join("\n")
}

/// Without an option, and its value as ` <FILE>`, `=<FILE>` or `[=<FILE>]`.
fn without_option(usage: &str, option: &str, takes_value: bool) -> String {
    let Some((before, after)) = usage.split_once(&format!(" {option}")) else {
        return usage.to_owned();
    };
    let ends = [(" <", '>'), ("=<", '>'), ("[=<", ']')];
    let mut ends = ends.into_iter().filter(|_| takes_value);
    let end = ends.find(|(begin, _)| after.starts_with(begin));
    let rest = match end.map(|(_, end)| after.split_once(end)) {
        Some(Some((_, rest))) => rest,
        // Another one that begins so.
        _ if after.starts_with(|c: char| c != ' ') => return usage.to_owned(),
        _ => after,
    };
    format!("{before}{rest}")
}

/// The variable that says what an option of this program says, if it is set.
fn variable_of(command: &clap::Command, long: &str) -> Option<String> {
    let own = command.get_arguments().find_map(|argument| {
        let variable = argument
            .get_env()
            .filter(|_| argument.get_long() == Some(long))?;
        std::env::var_os(variable)?;
        Some(variable.to_string_lossy().into_owned())
    });
    own.or_else(|| {
        command
            .get_subcommands()
            .find_map(|one| variable_of(one, long))
    })
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

fn harmless(text: &str, repeated: &Repeated) -> String {
    let text = repeated.without_secrets(text);
    let steering = repeated
        .values()
        .filter(|value| value.chars().any(char::is_control));
    let replaced = steering.fold(text, |text, value| {
        repeated_as(&text, value, &output::printable(value))
    });
    anstream::adapter::strip_str(&replaced).to_string()
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
                harmless(&text, &Repeated::of([argument].into_iter())),
                "error: no 'x\u{fffd}[1m\u{fffd}error: y'\n\nUsage: …\n"
            );
        }
    }

    #[test]
    fn a_usage_is_without_what_variables_say() {
        let said = [("--token-file", true), ("--trust", true), ("--name", false)];
        let said = said.map(|(option, takes_value)| (option.to_owned(), takes_value));
        for (usage, left) in [
            ("show --token-file <FILE> <DEVICE>...", "show <DEVICE>..."),
            ("show --trust[=<BOOL>] <DEVICE>...", "show <DEVICE>..."),
            ("show --token-file <FILE>", "show"),
            ("show --name <DEVICE>", "show <DEVICE>"),
            ("show --names <NAME>", "show --names <NAME>"),
        ] {
            let text =
                |usage| format!("error: --token-file <FILE>\n\nUsage: gatehand fleet {usage}\n");
            assert_eq!(without_said(&text(usage), &said), text(left));
        }
    }

    #[test]
    fn a_line_end_as_an_argument_leaves_the_other_lines_as_they_are() {
        let text = "error: no '\x1b[33m\n\x1b[0m'\n\nUsage: …\n".to_owned();
        let said = harmless(&text, &Repeated::of(["\n".to_owned()].into_iter()));
        assert_eq!(said, "error: no '\u{fffd}'\n\nUsage: …\n");
    }
}
