//! Writing for people and for scripts.

use std::error::Error;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use super::CliError;
use crate::enrolment::Enrolment;
use crate::enrolment::draw::{Colours, QrCode};

/// Side of a QR code's modules in a PNG: large enough for a screen, small enough for a message.
#[cfg(feature = "server")]
pub(super) const MODULE_PIXELS: u32 = 8;
/// For what a reader's eye looks for.
pub(super) const STRONG: Style = Style::new().bold();
const ERROR: Style = AnsiColor::Red.on_default().bold();

/// Prints one JSON document and a line's end.
pub(super) fn print_json(value: &impl Serialize) -> Result<(), CliError> {
    let document = serde_json::to_string_pretty(value).map_err(io::Error::from)?;
    let mut escaped = String::with_capacity(document.len());
    for c in document.chars() {
        // JSON lets these through, and a terminal obeys them.
        match c {
            '\u{7f}'..='\u{9f}' => escaped.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => escaped.push(c),
        }
    }
    writeln!(io::stdout(), "{escaped}")?;
    Ok(())
}

/// Prints text and a line's end.
pub(super) fn print_line(text: &str) -> Result<(), CliError> {
    let mut out = anstream::stdout().lock();
    for line in text.split('\n') {
        writeln!(out, "{}", printable(line))?;
    }
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
    for (label, value) in rows {
        writeln!(out, "  {label:width$}  {}", printable(value))?;
    }
    Ok(())
}

/// Prints a list in columns under a header.
pub(super) fn print_columns<const N: usize>(
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
    let line = |row: &[String; N]| {
        let cells = row
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let mut out = anstream::stdout().lock();
    writeln!(out, "{STRONG}{}{STRONG:#}", line(&header))?;
    for row in &rows {
        writeln!(out, "{}", line(row))?;
    }
    Ok(())
}

/// Prints an enrolment's QR code in blocks.
#[cfg(feature = "server")]
pub(super) fn print_qr(enrolment: &Enrolment) -> Result<(), CliError> {
    let out = anstream::stdout();
    let colours = match anstream::AutoStream::choice(out.as_inner()) {
        anstream::ColorChoice::Never => Colours::None,
        _ => Colours::Ansi,
    };
    write!(
        out.lock(),
        "\n{}\n",
        QrCode::new(enrolment)?.terminal(colours)
    )?;
    Ok(())
}

/// Says something on standard error, beside what a script reads.
pub(super) fn say(text: &str) {
    // With standard error closed there is no one left to tell.
    let _ = writeln!(anstream::stderr(), "{}", printable(text));
}

/// Prints an error and its causes on standard error.
pub(super) fn complain(error: &CliError) {
    let mut text = format!(
        "{ERROR}error:{ERROR:#} {}\n",
        printable_lines(&error.to_string())
    );
    let causes = std::iter::successors(error.source(), |cause| (*cause).source());
    let mut last = error.to_string();
    for cause in causes {
        let words = cause.to_string();
        // Some libraries repeat their cause in their own words.
        if !last.ends_with(&words) {
            text.push_str(&format!("  because: {}\n", printable_lines(&words)));
        }
        last = words;
    }
    // With standard error closed there is no one left to tell.
    let _ = anstream::stderr().write_all(text.as_bytes());
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
    let mut shown: String = text.chars().take(SHOWN).map(harmless).collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

/// Control characters, line separators, and what turns the direction of writing.
fn harmless(c: char) -> char {
    let steers =
        matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if c.is_control() || steers {
        '\u{fffd}'
    } else {
        c
    }
}
