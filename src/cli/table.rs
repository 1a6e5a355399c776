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

/// A column of a list.
#[derive(Clone, Copy)]
pub(super) struct Column {
    head: &'static str,
    /// Whether a part of a cell says nothing, as of a number or a time.
    is_whole: bool,
}

/// One whose cells are cut where there is too little room.
pub(super) const fn words(head: &'static str) -> Column {
    Column {
        head,
        is_whole: false,
    }
}

/// One whose cells are never cut.
pub(super) const fn whole(head: &'static str) -> Column {
    Column {
        head,
        is_whole: true,
    }
}

/// Prints a list under a header, as wide as the terminal at most; scripts get the whole with `--json`.
pub(super) fn print(header: &[Column], rows: &[Vec<String>]) -> Result<(), CliError> {
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

/// The lines of a list, the header first, without the columns in which there is nothing. Where the room is too little,
/// the widest columns that may be are narrowed, and then the last ones left out.
pub(super) fn lines(header: &[Column], rows: &[Vec<String>], room: Option<usize>) -> Vec<String> {
    let is_filled = |place: usize| {
        let mut cells = rows.iter().filter_map(|row| row.get(place));
        // The first two say which thing it is.
        place < 2 || rows.is_empty() || cells.any(|cell| !cell.is_empty())
    };
    let (places, header): (Vec<usize>, Vec<Column>) = header
        .iter()
        .copied()
        .enumerate()
        .filter(|(place, _)| is_filled(*place))
        .unzip();
    let head: Vec<String> = header.iter().map(|column| column.head.to_owned()).collect();
    let rows = rows.iter().map(|row| {
        let cells = places.iter().map(|place| row.get(*place));
        let cells = cells.map(|cell| output::printable(cell.map_or("", String::as_str)));
        cells.collect()
    });
    let all: Vec<Vec<String>> = std::iter::once(head).chain(rows).collect();
    let widest = |column: usize| {
        let cells = all.iter().filter_map(|row: &Vec<String>| row.get(column));
        cells.map(|cell| cell.width()).max().unwrap_or_default()
    };
    let last = header.len().saturating_sub(1);
    let natural = header.iter().enumerate().map(|(place, column)| {
        let width = match column.is_whole || place == last {
            true => widest(place),
            false => widest(place).min(WIDEST),
        };
        Width {
            width,
            least: if column.is_whole { width } else { COMFORTABLE },
        }
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

/// How wide a column is, and what it is narrowed to at most.
#[derive(Clone, Copy)]
struct Width {
    width: usize,
    least: usize,
}

fn fitted(natural: Vec<Width>, room: Option<usize>) -> Vec<usize> {
    let Some(room) = room else {
        return natural.iter().map(|column| column.width).collect();
    };
    for count in (2..=natural.len()).rev() {
        let widths = narrowed(natural.iter().take(count).copied().collect(), room);
        if taken(&widths) <= room {
            return widths;
        }
    }
    let first = natural.into_iter().take(2);
    let first = first.map(|column| Width { least: 1, ..column });
    narrowed(first.collect(), room)
}

fn taken(widths: &[usize]) -> usize {
    widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1)
}

/// The widest of those that may be narrower are narrowed as long as there is too little room.
fn narrowed(mut columns: Vec<Width>, room: usize) -> Vec<usize> {
    let widths = |columns: &[Width]| {
        columns
            .iter()
            .map(|column| column.width)
            .collect::<Vec<_>>()
    };
    while taken(&widths(&columns)) > room {
        let may_be = columns
            .iter_mut()
            .filter(|column| column.width > column.least);
        match may_be.max_by_key(|column| column.width) {
            Some(column) => column.width -= 1,
            None => break,
        }
    }
    widths(&columns)
}

/// As much of a text as has room, with a mark if that is not all of it.
pub(super) fn cut(text: &str, width: usize) -> String {
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

    const HEADER: [Column; 4] = [whole("ID"), words("NAME"), words("GATE"), words("HARDWARE")];

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

    #[test]
    fn what_is_no_good_in_part_is_whole_or_left_out_and_what_is_empty_is_not_there() {
        let header = [
            whole("ID"),
            words("NAME"),
            words("GATE"),
            whole("LAST SEEN"),
            whole("SERIAL"),
        ];
        let time = "2027-05-08 16:00:00 UTC";
        let row = [
            "7",
            "Lane 7, left of the stairs",
            "",
            time,
            "HHZ9LW9JWP390VFZ",
        ];
        let rows = vec![row.map(str::to_owned).to_vec()];
        let wide = lines(&header, &rows, Some(80));
        assert_eq!(
            wide[0],
            "ID  NAME                        LAST SEEN                SERIAL"
        );
        assert!(wide[1].ends_with("HHZ9LW9JWP390VFZ"), "{wide:?}");
        let narrow = lines(&header, &rows, Some(50));
        assert!(narrow[1].ends_with(time), "{narrow:?}");
        let narrower = lines(&header, &rows, Some(38));
        assert!(!narrower[1].contains("2027"), "{narrower:?}");
    }
}
