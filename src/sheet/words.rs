//! A text in lines that have room, as large as may be.

use super::fonts::Fonts;

/// What a text is made smaller to, as parts of the height that it may have.
const STEPS: [f32; 10] = [1.0, 0.85, 0.7, 0.6, 0.5, 0.42, 0.35, 0.3, 0.25, 0.2];
/// What it is made smaller to before it is broken.
const IN_A_LINE: f32 = 0.5;
/// Heights of all its lines together, as a part of that height.
const TOGETHER: f32 = 1.5;
/// What is added to a width, for what stands out of letters.
const SLACK: f32 = 1.02;
/// From here on are the letters of scripts that are written without blanks.
const UNSPACED: char = '\u{2e80}';

/// A part of a text that is not broken, and how wide it is for each unit of its height.
struct Part {
    text: String,
    width: f32,
    /// Whether a blank stands before it.
    is_apart: bool,
}

/// The lines, and the height of their letters: whole words at the largest height at which all of them have room; what
/// has none at the smallest is broken within words, and then cut.
pub(super) fn fitted(text: &str, high: f32, room: f32, fonts: &Fonts) -> Vec<(String, f32)> {
    let in_a_line = room / (fonts.width(text) * SLACK).max(f32::EPSILON);
    if in_a_line >= high * IN_A_LINE {
        return vec![(text.to_owned(), in_a_line.min(high))];
    }
    let parts = parts(text, fonts);
    let blank = (fonts.width("n n") - fonts.width("nn")).max(0.0);
    for step in STEPS {
        let size = high * step;
        let wide = room / (size * SLACK);
        if parts.iter().any(|part| part.width > wide) {
            continue;
        }
        let lines = lines(&parts, wide, blank);
        if lines.len() <= most(step) {
            return lines.into_iter().map(|line| (line, size)).collect();
        }
    }
    let least = STEPS.last().copied().unwrap_or(1.0);
    broken(text, high * least, room, most(least), fonts)
}

/// Lines that there may be at a step.
fn most(step: f32) -> usize {
    (TOGETHER / step).floor().max(1.0) as usize
}

fn parts(text: &str, fonts: &Fonts) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    for word in text.split_whitespace() {
        let mut is_apart = true;
        let mut rest = word;
        while let Some(first) = rest.chars().next() {
            let end = match first >= UNSPACED {
                true => first.len_utf8(),
                false => rest.find(|c| c >= UNSPACED).unwrap_or(rest.len()),
            };
            let (part, after) = rest.split_at(end);
            parts.push(Part {
                text: part.to_owned(),
                width: fonts.width(part),
                is_apart,
            });
            (rest, is_apart) = (after, false);
        }
    }
    parts
}

/// As many parts in each line as have room.
fn lines(parts: &[Part], room: f32, blank: f32) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut taken = 0.0;
    for part in parts {
        let gap = if part.is_apart { blank } else { 0.0 };
        match lines.last_mut() {
            Some(line) if taken + gap + part.width <= room => {
                if part.is_apart {
                    line.push(' ');
                }
                line.push_str(&part.text);
                taken += gap + part.width;
            }
            _ => {
                lines.push(part.text.clone());
                taken = part.width;
            }
        }
    }
    lines
}

/// Lines that are broken wherever the room ends.
fn broken(text: &str, size: f32, room: f32, most: usize, fonts: &Fonts) -> Vec<(String, f32)> {
    let mut lines = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() && lines.len() < most {
        let (line, after) = rest.split_at(beginning(rest, size, room, fonts));
        let mut line = line.to_owned();
        if lines.len() + 1 == most && !after.is_empty() {
            line.pop();
            line = line.trim_end().to_owned() + "…";
        }
        lines.push((line, size));
        rest = after.trim_start();
    }
    lines
}

/// How much of a text has room, in bytes, and at least a character of it.
fn beginning(text: &str, size: f32, room: f32, fonts: &Fonts) -> usize {
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
