//! One page, as a drawing that a browser shows too.

use super::fonts::{Fonts, escaped};
use super::label::Label;
use super::paper::{Area, Paper};
use crate::shown;

/// How wide a label is for its height, at least, to have its words beside the code and not below.
const WIDE: f32 = 1.2;
/// Of a label's longer side, what the code takes at most.
const CODE: f32 = 0.58;
/// Heights of number, name and gate, as parts of the room for all three.
const NUMBER: f32 = 0.42;
const NAME: f32 = 0.17;
const GATE: f32 = 0.14;
/// What a name is made smaller to before it is broken or cut.
const SMALLEST: f32 = 0.55;
/// From one line to the next, as a part of the height of the lower.
const LEADING: f32 = 1.25;

/// A page with these labels, in millimetres.
pub(super) fn svg(paper: Paper, labels: &[Label], fonts: &mut Fonts) -> String {
    let (width, height) = paper.size();
    let mut page = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}mm\" height=\"{height}mm\" viewBox=\"0 0 {width} {height}\">\n"
    );
    for (place, label) in labels.iter().enumerate() {
        let area = paper.area(place);
        if paper.is_cut() {
            page += &format!(
                "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"none\" stroke=\"#aaa\" stroke-width=\"0.1\"/>\n",
                area.x, area.y, area.width, area.height
            );
        }
        page += &draw(label, area, fonts);
    }
    page + "</svg>\n"
}

fn draw(label: &Label, area: Area, fonts: &mut Fonts) -> String {
    let (code, words) = parts(area);
    let (path, modules) = label.code.path();
    let module = code.width / modules as f32;
    let mut drawn = format!(
        "<path transform=\"translate({} {}) scale({module})\" shape-rendering=\"crispEdges\" d=\"{path}\"/>\n",
        code.x, code.y
    );
    let number = label.number.to_string();
    let lines = [
        Some((number.as_str(), NUMBER, 1)),
        Some((label.name.as_str(), NAME, 2)),
        label.gate.as_deref().map(|gate| (gate, GATE, 1)),
    ];
    let lines: Vec<(String, f32)> = lines
        .into_iter()
        .flatten()
        .flat_map(|(text, part, most)| {
            fitted(
                &shown::line(text),
                words.height * part,
                words.width,
                most,
                fonts,
            )
        })
        .collect();
    let taken: f32 = lines.iter().map(|(_, size)| size * LEADING).sum();
    let mut y = words.y + ((words.height - taken) / 2.0).max(0.0);
    for (text, size) in lines {
        y += size;
        drawn += &format!(
            "<text x=\"{}\" y=\"{y}\" font-size=\"{size}\">{}</text>\n",
            words.x,
            escaped(&text)
        );
        y += size * (LEADING - 1.0);
    }
    drawn
}

/// Where the code is, which is square, and where the words are.
fn parts(area: Area) -> (Area, Area) {
    let margin = (area.width.min(area.height) * 0.06).clamp(1.0, 4.0);
    let (width, height) = (area.width - 2.0 * margin, area.height - 2.0 * margin);
    let (left, top) = (area.x + margin, area.y + margin);
    if area.width >= area.height * WIDE {
        let side = height.min(width * CODE);
        let code = Area {
            x: left,
            y: top + (height - side) / 2.0,
            width: side,
            height: side,
        };
        let words = Area {
            x: left + side + margin,
            y: top,
            width: width - side - margin,
            height,
        };
        return (code, words);
    }
    let side = width.min(height * CODE);
    let code = Area {
        x: left + (width - side) / 2.0,
        y: top,
        width: side,
        height: side,
    };
    let words = Area {
        x: left,
        y: top + side + margin,
        width,
        height: height - side - margin,
    };
    (code, words)
}

/// A text in at most so many lines that have room, and their height: as high as it may be, else smaller, else broken,
/// else cut.
fn fitted(text: &str, high: f32, room: f32, most: usize, fonts: &mut Fonts) -> Vec<(String, f32)> {
    let size = |text: &str, fonts: &mut Fonts| {
        let width = fonts.width(text);
        if width <= 0.0 {
            high
        } else {
            high.min(room / width)
        }
    };
    let whole = size(text, fonts);
    if whole >= high * SMALLEST {
        return vec![(text.to_owned(), whole)];
    }
    let small = high * SMALLEST;
    let mut lines = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() && lines.len() < most {
        let is_last = lines.len() + 1 == most;
        let end = beginning(rest, small, room, fonts);
        let (line, after) = rest.split_at(end);
        if after.is_empty() {
            lines.push((line.to_owned(), small));
            break;
        }
        if is_last {
            let mut line = line.to_owned();
            line.pop();
            lines.push((line.trim_end().to_owned() + "…", small));
            break;
        }
        // Between words, where there are any.
        let end = line.rfind(' ').unwrap_or(end);
        let (line, after) = rest.split_at(end);
        lines.push((line.to_owned(), small));
        rest = after.trim_start();
    }
    lines
}

/// How much of a text has room, in bytes, and at least a character of it.
fn beginning(text: &str, size: f32, room: f32, fonts: &mut Fonts) -> usize {
    let ends: Vec<usize> = text
        .char_indices()
        .map(|(start, c)| start + c.len_utf8())
        .collect();
    let (mut low, mut high) = (0, ends.len());
    while low + 1 < high {
        let middle = (low + high) / 2;
        let end = ends.get(middle).copied().unwrap_or(text.len());
        let part = text.get(..end).unwrap_or(text);
        match fonts.width(part) * size <= room {
            true => low = middle,
            false => high = middle,
        }
    }
    ends.get(low).copied().unwrap_or(text.len())
}
