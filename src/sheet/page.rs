//! One page, as a drawing that a browser shows too.

use super::fonts::{Fonts, escaped};
use super::label::Label;
use super::paper::{Area, Paper};
use super::words::fitted;
use crate::shown;

/// How wide a label is for its height, at least, to have its words beside the code and not below.
const WIDE: f32 = 1.2;
/// Of a label's longer side, what the code takes at most.
const CODE: f32 = 0.58;
/// Heights of name, number, gate and organizer, as parts of the room for all: people look for the name.
const NAME: f32 = 0.32;
const NUMBER: f32 = 0.19;
const GATE: f32 = 0.19;
const ORGANIZER: f32 = 0.1;
/// Height of the others at most, as a part of that of the name.
const BESIDE_NAME: f32 = 0.8;
/// Height of any of them, as a part of the width of that room at most, so that a short name has one line.
const WIDTH: f32 = 0.3;
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
    let number = format!("# {}", label.number);
    let texts = [
        Some((label.name.as_str(), NAME)),
        Some((number.as_str(), NUMBER)),
        label.gate.as_deref().map(|gate| (gate, GATE)),
        Some((label.organizer.as_str(), ORGANIZER)),
    ];
    let mut lines: Vec<(String, f32)> = Vec::new();
    for (text, part) in texts.into_iter().flatten() {
        let text = shown::line(text);
        fonts.note(&text);
        // Nothing is as large as the name.
        let name = lines.first();
        let largest = name.map_or(f32::INFINITY, |(_, size)| size * BESIDE_NAME);
        let high = largest.min(words.height * part).min(words.width * WIDTH);
        lines.extend(fitted(&text, high, words.width, fonts));
    }
    let taken = |lines: &[(String, f32)]| lines.iter().map(|(_, size)| size * LEADING).sum::<f32>();
    // Where each takes all that it may, there is too little room.
    let scale = (words.height / taken(&lines).max(f32::EPSILON)).min(1.0);
    for (_, size) in &mut lines {
        *size *= scale;
    }
    let mut y = words.y + ((words.height - taken(&lines)) / 2.0).max(0.0);
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
