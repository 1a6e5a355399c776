//! Lists that fit into a terminal's width.

use std::io::Write;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::error::CliError;
use super::output;

/// Columns of a cell that are shown at most, also where there is room; the last one is whole.
const WIDEST: usize = 50;
/// What a column is narrowed to at most, before the last ones are left out.
const COMFORTABLE: usize = 12;
/// Between two columns.
const GAP: usize = 2;

/// Prints a list under a header, as wide as the terminal at most; scripts get the whole with `--json`.
pub(super) fn print(header: &[&str], rows: &[Vec<String>]) -> Result<(), CliError> {
    let mut out = anstream::stdout().lock();
    let strong = output::STRONG;
    for (number, line) in lines(header, rows, output::columns()).iter().enumerate() {
        match number {
            0 => writeln!(out, "{strong}{line}{strong:#}")?,
            _ => writeln!(out, "{line}")?,
        }
    }
    Ok(())
}

/// The lines of a list, the header first. Where the room is too little, the widest columns are narrowed, and then the
/// last ones left out.
pub(super) fn lines(header: &[&str], rows: &[Vec<String>], room: Option<usize>) -> Vec<String> {
    let head: Vec<String> = header.iter().map(|&cell| cell.to_owned()).collect();
    let all: Vec<Vec<String>> = std::iter::once(&head)
        .chain(rows)
        .map(|row| row.iter().map(|cell| output::printable(cell)).collect())
        .collect();
    let widest = |column: usize| {
        let cells = all.iter().filter_map(|row: &Vec<String>| row.get(column));
        cells.map(|cell| cell.width()).max().unwrap_or_default()
    };
    let natural = (0..header.len()).map(|column| match column + 1 == header.len() {
        true => widest(column),
        false => widest(column).min(WIDEST),
    });
    let widths = fitted(natural.collect(), room);
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, &width)| {
            let cell = cut(cell, width);
            let blanks = width.saturating_sub(cell.width());
            format!("{cell}{:blanks$}", "")
        });
        let cells: Vec<String> = cells.collect();
        cells.join(&" ".repeat(GAP)).trim_end().to_owned()
    };
    all.iter().map(line).collect()
}

fn fitted(natural: Vec<usize>, room: Option<usize>) -> Vec<usize> {
    let Some(room) = room else {
        return natural;
    };
    // The first says which one it is, the second how people call it.
    for count in (2..=natural.len()).rev() {
        let columns = natural.iter().take(count).copied().collect();
        let widths = narrowed(columns, room, COMFORTABLE);
        if taken(&widths) <= room {
            return widths;
        }
    }
    narrowed(natural.into_iter().take(2).collect(), room, 1)
}

fn taken(widths: &[usize]) -> usize {
    widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1)
}

/// The widest are narrowed as long as there is too little room, and to so much at most.
fn narrowed(mut widths: Vec<usize>, room: usize, least: usize) -> Vec<usize> {
    while taken(&widths) > room {
        match widths.iter_mut().max_by_key(|width| **width) {
            Some(width) if *width > least => *width -= 1,
            _ => break,
        }
    }
    widths
}

/// As much of a text as has room, with a mark if that is not all of it.
fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut left = width.saturating_sub(1);
    let mut cut = String::new();
    for c in text.chars() {
        let taken = c.width().unwrap_or_default();
        if taken > left {
            break;
        }
        left -= taken;
        cut.push(c);
    }
    cut + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Vec<String>> {
        let row = |cells: [&str; 4]| cells.map(str::to_owned).to_vec();
        vec![
            row(["1", "Lane 1, left of the stairs", "north", "Zebra TC25"]),
            row(["12", "入口の左側の改札機", "", "Zebra TC25"]),
        ]
    }

    const HEADER: [&str; 4] = ["ID", "NAME", "GATE", "HARDWARE"];

    #[test]
    fn columns_are_as_wide_as_their_cells_where_there_is_room() {
        let lines = lines(&HEADER, &rows(), None);
        assert_eq!(lines[0], "ID  NAME                        GATE   HARDWARE");
        assert_eq!(
            lines[1],
            "1   Lane 1, left of the stairs  north  Zebra TC25"
        );
        assert_eq!(lines[2].width(), lines[1].width());
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        for room in 8..60 {
            for line in lines(&HEADER, &rows(), Some(room)) {
                assert!(line.width() <= room, "{room}: {line:?}");
            }
        }
        let narrow = lines(&HEADER, &rows(), Some(36));
        assert!(narrow[1].contains("Lane 1, left…"), "{narrow:?}");
        let tiny = lines(&HEADER, &rows(), Some(14));
        assert_eq!(tiny[0], "ID  NAME", "{tiny:?}");
    }
}
