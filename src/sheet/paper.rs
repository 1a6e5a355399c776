//! What is printed on.

use std::str::FromStr;

/// Columns and rows of labels on a page that is cut.
const GRID: (usize, usize) = (2, 5);
/// What printers leave white at each edge, in millimetres.
const EDGE: f32 = 10.0;
/// Sides of a label, in millimetres: below, no reader sees a code's modules.
const LEAST: f32 = 20.0;
const MOST: f32 = 400.0;

/// What is printed on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Paper {
    /// Pages of this size, with labels to be cut.
    Pages { width: f32, height: f32 },
    /// Labels of this size, as label printers have them, one a page.
    Labels { width: f32, height: f32 },
}

/// Where something is, in millimetres.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Area {
    pub(super) x: f32,
    pub(super) y: f32,
    pub(super) width: f32,
    pub(super) height: f32,
}

/// Why a text names no paper.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "write a4, letter, or a label's width and height in millimetres from {LEAST} to {MOST}, as 62x29"
)]
pub(crate) struct PaperError;

impl Paper {
    /// Width and height of a page, in millimetres.
    pub(super) fn size(self) -> (f32, f32) {
        match self {
            Self::Pages { width, height } | Self::Labels { width, height } => (width, height),
        }
    }

    /// Labels on a page.
    pub(super) fn labels(self) -> usize {
        match self {
            Self::Pages { .. } => GRID.0 * GRID.1,
            Self::Labels { .. } => 1,
        }
    }

    /// Where on its page a label is.
    pub(super) fn area(self, place: usize) -> Area {
        match self {
            Self::Labels { width, height } => Area {
                x: 0.0,
                y: 0.0,
                width,
                height,
            },
            Self::Pages { width, height } => {
                let (columns, rows) = GRID;
                let width = (width - 2.0 * EDGE) / columns as f32;
                let height = (height - 2.0 * EDGE) / rows as f32;
                Area {
                    x: EDGE + width * (place % columns) as f32,
                    y: EDGE + height * (place / columns) as f32,
                    width,
                    height,
                }
            }
        }
    }

    /// Whether its labels are to be cut.
    pub(super) fn is_cut(self) -> bool {
        matches!(self, Self::Pages { .. })
    }
}

impl FromStr for Paper {
    type Err = PaperError;

    fn from_str(text: &str) -> Result<Self, PaperError> {
        match text.to_ascii_lowercase().as_str() {
            "a4" => Ok(Self::Pages {
                width: 210.0,
                height: 297.0,
            }),
            "letter" => Ok(Self::Pages {
                width: 215.9,
                height: 279.4,
            }),
            other => {
                let (width, height) = other.split_once('x').ok_or(PaperError)?;
                let side = |text: &str| {
                    let side: f32 = text.trim().parse().map_err(|_| PaperError)?;
                    match (LEAST..=MOST).contains(&side) {
                        true => Ok(side),
                        false => Err(PaperError),
                    }
                };
                Ok(Self::Labels {
                    width: side(width)?,
                    height: side(height)?,
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paper_is_named_or_measured() {
        let label = Paper::Labels {
            width: 62.0,
            height: 29.0,
        };
        assert_eq!("62x29".parse(), Ok(label));
        assert_eq!("A4".parse::<Paper>().unwrap().labels(), 10);
        for text in ["", "a5", "62", "62x", "5x5", "62x9000", "NaNx29", "infx29"] {
            assert_eq!(text.parse::<Paper>(), Err(PaperError), "{text}");
        }
    }

    #[test]
    fn labels_stay_on_their_page_and_apart() {
        for paper in ["a4", "letter", "62x29", "29x90"] {
            let paper: Paper = paper.parse().unwrap();
            let (width, height) = paper.size();
            let areas: Vec<Area> = (0..paper.labels()).map(|place| paper.area(place)).collect();
            for (place, area) in areas.iter().enumerate() {
                assert!(area.x >= 0.0 && area.x + area.width <= width + 0.01);
                assert!(area.y >= 0.0 && area.y + area.height <= height + 0.01);
                let meets = |other: &Area| {
                    (area.x - other.x).abs() < area.width - 0.01
                        && (area.y - other.y).abs() < area.height - 0.01
                };
                assert!(!areas[place + 1..].iter().any(meets), "{paper:?} {place}");
            }
        }
    }
}
