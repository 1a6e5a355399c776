//! Battery and contact of a device over the last day, as a small picture.
//!
//! Where things are is worked out here; the template draws it, in classes for the page's light and dark colours, and
//! says the same in words for whoever does not see it.

use askama::Template;
use jiff::{SignedDuration, Timestamp};

use super::frame::Frame;
use super::html::HtmlError;
use super::texts::count;
use crate::server::store::Sample;

/// What is shown.
pub(super) const DAY: SignedDuration = SignedDuration::from_hours(24);

/// A device that is in use reports each hour: what is further apart is not joined.
const JOINED: SignedDuration = SignedDuration::from_hours(2);

/// Where in the template's picture the day and the battery's 100 to 0 are.
const LEFT: f64 = 40.0;
const RIGHT: f64 = 470.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 90.0;

/// The hours before now that are marked.
const MARKS: [i64; 5] = [24, 18, 12, 6, 0];

/// The picture with its words.
#[derive(Template)]
#[template(path = "chart.html")]
struct Drawn<'f> {
    frame: &'f Frame,
    chart: Chart,
    words: String,
}

/// Draws the samples of a device, oldest first, as a part of a page.
pub(super) fn draw(frame: &Frame, samples: &[Sample], now: Timestamp) -> Result<String, HtmlError> {
    let chart = Chart::of(samples, now);
    let words = chart
        .summary
        .as_ref()
        .map(|summary| summary.in_words(frame));
    let drawn = Drawn {
        frame,
        words: words.unwrap_or_default(),
        chart,
    };
    Ok(drawn.render()?)
}

/// A picture of a device's day.
#[derive(Debug, PartialEq)]
pub(super) struct Chart {
    /// Where it reported, from the left.
    pub(super) contacts: Vec<f64>,
    /// Its battery, in pieces that are joined.
    pub(super) lines: Vec<Line>,
    /// The hours before now, and where they are.
    pub(super) marks: Vec<(i64, f64)>,
    /// What it says, if there was any report.
    pub(super) summary: Option<Summary>,
}

/// A piece of the battery's line.
#[derive(Debug, PartialEq)]
pub(super) struct Line {
    /// As SVG has them.
    pub(super) points: String,
    /// Whether the device ran on mains there.
    pub(super) mains: bool,
    /// Whether it is a point alone, and where.
    pub(super) dot: Option<(f64, f64)>,
}

/// The day in words.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Summary {
    /// How often it reported.
    pub(super) reports: usize,
    /// The battery at the last report that told it, and the least of the day.
    pub(super) battery: Option<(u8, u8)>,
    /// The longest time without a report since the first, in minutes, up to now.
    pub(super) silence: i64,
}

impl Chart {
    /// Of the samples of a device, oldest first. Those that are not of the day before now are left out.
    pub(super) fn of(samples: &[Sample], now: Timestamp) -> Self {
        let begin = now.checked_sub(DAY).unwrap_or(Timestamp::MIN);
        let samples: Vec<Sample> = samples
            .iter()
            .filter(|sample| begin <= sample.taken && sample.taken <= now)
            .copied()
            .collect();
        let x = |time: Timestamp| {
            let share = time.duration_since(begin).as_secs_f64() / DAY.as_secs_f64();
            rounded(LEFT + share * (RIGHT - LEFT))
        };
        Self {
            contacts: samples.iter().map(|sample| x(sample.taken)).collect(),
            lines: lines(&samples, x),
            marks: MARKS
                .iter()
                .map(|hours| {
                    let share = 1.0 - *hours as f64 / 24.0;
                    (*hours, rounded(LEFT + share * (RIGHT - LEFT)))
                })
                .collect(),
            summary: summary(&samples, now),
        }
    }
}

impl Summary {
    fn in_words(&self, frame: &Frame) -> String {
        let battery = match self.battery {
            Some((percent, least)) => frame
                .fill("chart:battery", "percent", percent)
                .replace("{least}", &least.to_string()),
            None => frame.say("chart:no_battery").to_owned(),
        };
        let (one, many) = ("chart:report", "chart:reports");
        let reports = count(frame.language, one, many, self.reports as u64);
        let silence = match self.silence {
            minutes @ ..120 => frame.fill("chart:minutes", "count", minutes),
            minutes => frame.fill("chart:hours", "count", minutes / 60),
        };
        let silence = frame.fill("chart:silence", "silence", silence);
        format!("{battery} {reports}; {silence}.")
    }
}

/// A part of the battery's line: until when it is known, whether on mains, and its points.
type Piece = (Timestamp, bool, Vec<(f64, f64)>);

/// The battery in pieces: each ends where nothing is known for long, or mains comes or goes.
fn lines(samples: &[Sample], x: impl Fn(Timestamp) -> f64) -> Vec<Line> {
    let mut pieces: Vec<Piece> = Vec::new();
    for sample in samples {
        let Some(battery) = sample.battery else {
            continue;
        };
        let point = (
            x(sample.taken),
            rounded(BOTTOM - f64::from(battery) / 100.0 * (BOTTOM - TOP)),
        );
        let mains = sample.mains.unwrap_or(false);
        match pieces.last_mut() {
            Some((last, piece_mains, points)) if sample.taken.duration_since(*last) <= JOINED => {
                points.push(point);
                *last = sample.taken;
                if *piece_mains != mains {
                    pieces.push((sample.taken, mains, vec![point]));
                }
            }
            _ => pieces.push((sample.taken, mains, vec![point])),
        }
    }
    let pieces = pieces.into_iter().map(|(_, mains, points)| Line {
        dot: match points.as_slice() {
            [point] => Some(*point),
            _ => None,
        },
        points: points
            .iter()
            .map(|(x, y)| format!("{x},{y}"))
            .collect::<Vec<_>>()
            .join(" "),
        mains,
    });
    pieces.collect()
}

fn summary(samples: &[Sample], now: Timestamp) -> Option<Summary> {
    let ends = samples.iter().skip(1).map(|sample| sample.taken);
    let ends = ends.chain([now]);
    let silences = samples
        .iter()
        .zip(ends)
        .map(|(sample, end)| end.duration_since(sample.taken).as_mins());
    let mut batteries = samples.iter().filter_map(|sample| sample.battery);
    let least = batteries.clone().min();
    Some(Summary {
        reports: samples.len(),
        battery: batteries.next_back().zip(least),
        silence: silences.max()?,
    })
}

/// A tenth of what a screen shows.
fn rounded(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2030-06-15T12:00:00Z".parse().unwrap()
    }

    fn sample(minutes_ago: i64, battery: Option<u8>, mains: bool) -> Sample {
        Sample {
            taken: now() - SignedDuration::from_mins(minutes_ago),
            battery,
            mains: Some(mains),
        }
    }

    #[test]
    fn a_day_is_drawn_from_left_to_right_and_the_battery_from_top_to_bottom() {
        let chart = Chart::of(
            &[sample(1440, Some(100), false), sample(0, Some(0), false)],
            now(),
        );
        assert_eq!(chart.contacts, [LEFT, RIGHT]);
        let dots: Vec<_> = chart.lines.iter().map(|line| line.dot).collect();
        assert_eq!(dots, [Some((LEFT, TOP)), Some((RIGHT, BOTTOM))]);
        assert_eq!(chart.marks.first(), Some(&(24, LEFT)));
        assert_eq!(chart.marks.last(), Some(&(0, RIGHT)));
    }

    #[test]
    fn a_line_ends_where_nothing_is_known_for_long_and_changes_with_mains() {
        let chart = Chart::of(
            &[
                sample(600, Some(50), false),
                sample(540, Some(40), false),
                sample(300, Some(30), false),
                sample(240, Some(35), true),
                sample(180, None, true),
                sample(150, Some(60), true),
            ],
            now(),
        );
        let joined: Vec<_> = chart
            .lines
            .iter()
            .map(|line| (line.points.split(' ').count(), line.mains))
            .collect();
        assert_eq!(joined, [(2, false), (2, false), (2, true)]);
        let summary = chart.summary.unwrap();
        assert_eq!(summary.reports, 6);
        assert_eq!(summary.battery, Some((60, 30)));
        assert_eq!(summary.silence, 240);
    }

    #[test]
    fn what_is_not_of_the_day_is_left_out_and_nothing_is_drawn_of_nothing() {
        let future = Sample {
            taken: now() + SignedDuration::from_mins(5),
            battery: Some(1),
            mains: None,
        };
        let chart = Chart::of(&[sample(1441, Some(100), false), future], now());
        assert_eq!(chart.contacts, [0.0; 0]);
        assert_eq!(chart.summary, None);
        let silent = Chart::of(&[sample(30, None, false)], now());
        assert_eq!(silent.lines, []);
        assert_eq!(silent.summary.unwrap().silence, 30);
    }
}
