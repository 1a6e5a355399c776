//! Writing for people and for scripts.

use std::io::{self, Write};
#[cfg(feature = "server")]
use std::os::unix::fs::MetadataExt;

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use super::advice::{self, Told};
use super::error::CliError;
use super::exit_code::ExitCode;
use super::repeated::Repeated;
#[cfg(feature = "server")]
use crate::enrolment::Enrolment;
#[cfg(feature = "server")]
use crate::enrolment::draw::{Colours, QrCode};
use crate::shown;

/// Side of a QR code's modules in a PNG: large enough for a screen, small enough for a message.
#[cfg(feature = "server")]
pub(super) const MODULE_PIXELS: u32 = 8;
/// For what a reader's eye looks for.
pub(super) const STRONG: Style = Style::new().bold();
const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();

/// Prints one JSON document and a line's end.
pub(super) fn print_json(value: &impl Serialize) -> Result<(), CliError> {
    let document = serde_json::to_string_pretty(value).map_err(io::Error::from)?;
    writeln!(io::stdout(), "{}", escape(&document))?;
    Ok(())
}

/// A JSON document without what a terminal would obey: the same document, since JSON lets any
/// character be written so. Between its texts stand line ends only.
pub(super) fn escape(document: &str) -> String {
    let mut escaped = String::with_capacity(document.len());
    for c in document.chars() {
        match c {
            '\n' => escaped.push(c),
            c if shown::does_more_than_be_read(c) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    escaped.push_str(&format!("\\u{unit:04x}"));
                }
            }
            c => escaped.push(c),
        }
    }
    escaped
}

/// Prints text of many lines on a terminal, all of it.
pub(super) fn print_text(text: &str) -> Result<(), CliError> {
    let mut out = io::stdout().lock();
    for line in text.lines() {
        writeln!(out, "{}", shown::line(line))?;
    }
    Ok(())
}

/// Prints one line, whatever the text holds.
pub(super) fn print_line(text: &str) -> Result<(), CliError> {
    writeln!(anstream::stdout(), "{}", printable(text))?;
    Ok(())
}

/// Prints a line that stands out.
pub(super) fn print_heading(text: &str) -> Result<(), CliError> {
    writeln!(anstream::stdout(), "{STRONG}{text}{STRONG:#}")?;
    Ok(())
}

/// Prints labelled lines, their values aligned.
pub(super) fn print_table(rows: &[(&str, String)]) -> Result<(), CliError> {
    let mut out = anstream::stdout().lock();
    let width = rows
        .iter()
        .map(|(label, _)| label.len())
        .max()
        .unwrap_or_default();
    let room = columns().map_or(usize::MAX, |columns| columns.saturating_sub(width + 4));
    for (label, value) in rows {
        let mut label = *label;
        for line in wrapped(&printable(value), room) {
            writeln!(out, "  {label:width$}  {line}")?;
            label = "";
        }
    }
    Ok(())
}

/// Prints a list in columns under a header, with cells of any length, which are broken where they have no room.
pub(super) fn print_whole_columns<const N: usize>(
    header: [&str; N],
    rows: impl Iterator<Item = [String; N]>,
) -> Result<(), CliError> {
    let rows: Vec<[String; N]> = rows.map(|row| row.map(|cell| printable(&cell))).collect();
    let header = header.map(str::to_owned);
    let mut widths = [0; N];
    for row in rows.iter().chain([&header]) {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    if let Some(columns) = columns() {
        narrow(&mut widths, columns);
    }
    let mut out = anstream::stdout().lock();
    for line in lines_of(&header, widths) {
        writeln!(out, "{STRONG}{line}{STRONG:#}")?;
    }
    for line in rows.iter().flat_map(|row| lines_of(row, widths)) {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

/// Makes the widest column as narrow as it has to be for all to fit.
fn narrow<const N: usize>(widths: &mut [usize; N], columns: usize) {
    let all = widths.iter().sum::<usize>() + 2 * N.saturating_sub(1);
    if let Some(widest) = widths.iter_mut().max() {
        let narrower = widest.saturating_sub(all.saturating_sub(columns));
        *widest = narrower.max(LEAST_ROOM.min(*widest));
    }
}

/// A row in as many lines as its cells take.
fn lines_of<const N: usize>(row: &[String; N], widths: [usize; N]) -> Vec<String> {
    let mut cells = row.iter().zip(widths);
    let cells: [Vec<String>; N] = std::array::from_fn(|_| {
        cells.next().map_or(Vec::new(), |(cell, width)| {
            wrapped(cell, width.max(LEAST_ROOM))
        })
    });
    let count = cells.iter().map(Vec::len).max().unwrap_or_default();
    let line = |number: usize| {
        let parts = cells.iter().zip(widths).map(|(lines, width)| {
            let part = lines.get(number).map_or("", String::as_str);
            format!("{part:width$}")
        });
        parts.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    (0..count).map(line).collect()
}

/// Something that was found: the first words in a colour on a terminal, in columns of these widths.
pub(super) struct FoundRow<'a> {
    pub(super) verdict: &'a str,
    pub(super) name: &'a str,
    pub(super) words: &'a str,
    pub(super) advice: Option<&'a str>,
}

/// Prints what was found, each in a line, with what to do below it.
pub(super) fn print_found(rows: &[FoundRow<'_>]) -> Result<(), CliError> {
    let columns = columns();
    let mut out = anstream::stdout().lock();
    let width = |of: fn(&FoundRow<'_>) -> usize| rows.iter().map(of).max().unwrap_or_default();
    let (verdicts, names) = (width(|row| row.verdict.len()), width(|row| row.name.len()));
    for row in rows {
        let style = match row.verdict {
            "ok" => AnsiColor::Green.on_default(),
            "warning" => WARNING,
            "failed" => ERROR,
            _ => Style::new().dimmed(),
        };
        let FoundRow {
            verdict,
            name,
            words,
            advice,
        } = row;
        let before = verdicts + 2 + names + 2;
        let room = columns.map_or(usize::MAX, |columns| columns.saturating_sub(before));
        let advice = advice.map(|advice| format!("what to do: {}", printable(advice)));
        let mut lines = wrapped(&printable(words), room);
        lines.extend(advice.iter().flat_map(|advice| wrapped(advice, room)));
        let mut lines = lines.into_iter();
        let first = lines.next().unwrap_or_default();
        writeln!(
            out,
            "{style}{verdict:verdicts$}{style:#}  {name:names$}  {first}"
        )?;
        for line in lines {
            writeln!(out, "{:before$}{line}", "")?;
        }
    }
    Ok(())
}

/// Of a terminal that does not tell, as a serial line.
const USUAL_COLUMNS: usize = 80;

/// Columns of the terminal that standard output is, if it is one: what goes elsewhere keeps its lines whole.
pub(super) fn columns() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
    match usize::from(size.ws_col) {
        0 => Some(USUAL_COLUMNS),
        columns => Some(columns),
    }
}

/// Rows of the terminal that standard output is, if it is one.
#[cfg(feature = "server")]
pub(super) fn rows() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
    Some(size.ws_row.into()).filter(|rows| *rows > 0)
}

/// Room that is too little to break lines for.
const LEAST_ROOM: usize = 20;

/// A text in lines of at most so many characters, broken between words; a word that is longer stays whole.
fn wrapped(text: &str, room: usize) -> Vec<String> {
    if room < LEAST_ROOM {
        return vec![text.to_owned()];
    }
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= room => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// So many of something, as `1 device` or `2 devices`.
#[cfg(feature = "server")]
pub(super) fn counted(count: usize, one: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        count => format!("{count} {one}s"),
    }
}

/// A time for people; scripts get it as the API writes it.
pub(super) fn time(time: jiff::Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// Whether something is so, for people.
#[cfg(feature = "server")]
pub(super) fn yes(is: bool) -> String {
    if is { "yes" } else { "no" }.to_owned()
}

/// Whether standard output is closed, which Rust opens as `/dev/null`, or is that.
#[cfg(feature = "server")]
pub(super) fn leads_nowhere() -> bool {
    let nowhere = std::fs::metadata("/dev/null").map(|nowhere| nowhere.rdev());
    let output = rustix::fs::fstat(io::stdout()).map(|output| output.st_rdev);
    matches!((nowhere, output), (Ok(nowhere), Ok(output)) if nowhere == output)
}

/// Prints an enrolment's QR code in blocks.
#[cfg(feature = "server")]
pub(super) fn print_qr(enrolment: &Enrolment) -> Result<(), CliError> {
    print_code(&QrCode::new(enrolment)?)
}

/// Prints a QR code in blocks.
#[cfg(feature = "server")]
pub(super) fn print_code(code: &QrCode) -> Result<(), CliError> {
    let out = anstream::stdout();
    let colours = match anstream::AutoStream::choice(out.as_inner()) {
        anstream::ColorChoice::Never => Colours::None,
        _ => Colours::Ansi,
    };
    write!(out.lock(), "\n{}\n", code.terminal(colours))?;
    Ok(())
}

/// Says something on standard error, beside what a script reads.
pub(super) fn say(text: &str) {
    // With standard error closed there is no one left to tell.
    let _ = writeln!(anstream::stderr(), "{}", printable(text));
}

/// Says what somebody should see to, and what to do about it.
pub(super) fn warn(words: &str, advice: &str) {
    let text = format!(
        "{WARNING}warning:{WARNING:#} {}\n  what to do: {}\n",
        printable(words),
        printable(advice)
    );
    // With standard error closed there is no one left to tell.
    let _ = anstream::stderr().write_all(text.as_bytes());
}

/// Says something on standard error, for `--json` as one line of JSON.
pub(super) fn notice(text: &str, json: bool) {
    #[derive(Serialize)]
    struct Notice<'a> {
        notice: &'a str,
    }
    if !json {
        return say(text);
    }
    let line = serde_json::to_string(&Notice { notice: text }).unwrap_or_default();
    // With standard error closed there is no one left to tell.
    let _ = writeln!(io::stderr(), "{}", escape(&line));
}

/// What was done is told on standard error where it could not be told on standard output, so that
/// nobody takes it for not done.
pub(super) fn has_told(told: Result<(), CliError>, words: &str) -> Result<(), CliError> {
    match told {
        // Whoever reads our output has seen enough.
        Err(CliError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            say(words);
            Ok(())
        }
        told => told.map_err(|source| CliError::Done {
            words: words.to_owned(),
            source: Box::new(source),
        }),
    }
}

/// What is told of an error, without what may be a secret in the place of a path or name.
fn told(error: &CliError) -> Told {
    let repeated = Repeated::of_this_process().except(error.idempotency_key());
    let Told {
        error,
        causes,
        advice,
    } = advice::told(error);
    Told {
        error: repeated.without_secrets(&error),
        causes: causes
            .iter()
            .map(|cause| repeated.without_secrets(cause))
            .collect(),
        advice: advice.map(|advice| repeated.without_secrets(&advice)),
    }
}

/// An error, its causes and what to do, as a terminal shows them.
pub(super) fn as_told(error: &CliError, told: &Told) -> String {
    let (style, label) = match error {
        CliError::ChecksWarn { .. } => (WARNING, "warning"),
        _ => (ERROR, "error"),
    };
    let mut text = format!(
        "{style}{label}:{style:#} {}\n",
        printable_lines(&told.error)
    );
    for cause in &told.causes {
        text.push_str(&format!("  because: {}\n", printable_lines(cause)));
    }
    if let Some(advice) = &told.advice {
        text.push_str(&format!("  what to do: {}\n", printable(advice)));
    }
    text
}

/// Prints an error, its causes and what to do on standard error.
pub(super) fn complain(error: &CliError) {
    let text = as_told(error, &told(error));
    // With standard error closed there is no one left to tell.
    let _ = anstream::stderr().write_all(text.as_bytes());
}

/// Prints on standard error what is wrong with the arguments, in as many lines as there are.
pub(super) fn complain_of_arguments(text: &str) {
    let mut out = anstream::stderr().lock();
    for line in text.lines() {
        let line = printable(line);
        // With standard error closed there is no one left to tell.
        let _ = match line.strip_prefix("error:") {
            Some(rest) => writeln!(out, "{ERROR}error:{ERROR:#}{rest}"),
            None => writeln!(out, "{line}"),
        };
    }
}

/// What `--json` prints on standard error.
#[derive(Serialize)]
struct Complaint<'a> {
    /// The process' exit code.
    code: u8,
    /// The same as a word.
    kind: &'static str,
    error: String,
    causes: Vec<String>,
    /// What to do, where something can be done.
    advice: Option<String>,
    /// Of a call that may have been done: under it the server repeats its answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    idempotency_key: Option<&'a str>,
}

/// The same for scripts: one line of JSON.
pub(super) fn complain_in_json(error: &CliError, code: ExitCode) {
    let told = told(error);
    let complaint = Complaint {
        code: code as u8,
        kind: code.kind(),
        error: told.error,
        causes: told.causes,
        advice: told.advice,
        idempotency_key: error.idempotency_key(),
    };
    let text = serde_json::to_string(&complaint).unwrap_or_default();
    // With standard error closed there is no one left to tell.
    let _ = writeln!(io::stderr(), "{}", escape(&text));
}

/// Lines of a text that are shown at most.
const LINES: usize = 50;

/// The same for several lines, as of a list of faults.
fn printable_lines(text: &str) -> String {
    text.lines()
        .take(LINES)
        .map(printable)
        .collect::<Vec<_>>()
        .join("\n")
}

/// Characters of a line that are shown at most.
const SHOWN: usize = 1000;

/// Fit for a terminal: what a server says must neither steer it nor flood it.
pub(super) fn printable(text: &str) -> String {
    shown::line(&beginning(text, SHOWN))
}

/// As many characters of a text, with a mark if that is not all of it.
fn beginning(text: &str, length: usize) -> String {
    match text.char_indices().nth(length) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(feature = "server")]
/// Text as a shell takes it for one word.
pub(super) fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    match text.chars().all(is_plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_broken_between_words() {
        let text = "the server answered 12 min ago (2026-11-30 03:00 UTC)";
        assert_eq!(wrapped(text, usize::MAX), [text]);
        assert_eq!(
            wrapped(text, 24),
            [
                "the server answered 12",
                "min ago (2026-11-30",
                "03:00 UTC)"
            ]
        );
        assert_eq!(wrapped(text, 5), [text], "no room at all");
        let long = "/a/path/that/is/longer/than/the/line";
        assert_eq!(wrapped(&format!("at {long} now"), 24), ["at", long, "now"]);
    }

    #[test]
    fn a_table_that_is_too_wide_has_its_widest_column_broken() {
        let row = [
            "one",
            "a name that takes more room than there is",
            "built in",
        ]
        .map(str::to_owned);
        let mut widths = row.each_ref().map(|cell| cell.len());
        narrow(&mut widths, 200);
        assert_eq!(lines_of(&row, widths).len(), 1);
        narrow(&mut widths, 40);
        let lines = lines_of(&row, widths);
        assert_eq!(
            lines,
            [
                "one  a name that takes more     built in",
                "     room than there is"
            ]
        );
        narrow(&mut widths, 1);
        assert_eq!(widths, [3, LEAST_ROOM, 8], "no room at all");
    }

    #[test]
    fn the_beginning_of_a_text_is_marked_where_more_follows() {
        assert_eq!(beginning("Größe", 5), "Größe");
        assert_eq!(beginning("Größen", 5), "Größe…");
        assert_eq!(beginning("", 5), "");
    }

    #[test]
    fn a_json_document_is_the_same_when_it_is_escaped() {
        let text = "a\u{1b}\u{202e}\u{200b}\u{feff}\u{e0041}b";
        let document = serde_json::to_string(text).unwrap();
        let escaped = escape(&document);
        assert!(escaped.is_ascii(), "{escaped}");
        assert_eq!(serde_json::from_str::<String>(&escaped).unwrap(), text);
    }
}
