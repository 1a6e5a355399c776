//! Drawing an enrolment as a QR code. Every drawing holds the token.

use std::io::Cursor;

use image::{ImageFormat, Luma};
use qrcode::render::svg;
use qrcode::types::QrError;
use qrcode::{Color, EcLevel};

use super::Enrolment;
use crate::secret::Secret;

/// Largest side of a module in a PNG, in pixels; the whole picture stays below 36 million.
pub const MODULE_PIXELS_LIMIT: u32 = 32;

/// Modules of quiet zone around a code in a terminal. Half of what the standard asks for, so that
/// a common code fits into 24 lines; readers manage with it.
const TERMINAL_QUIET_ZONE: usize = 2;
/// Black on white from the fixed part of the 256 colours, which themes don't change.
const BLACK_ON_WHITE: &str = "\x1b[38;5;16;48;5;231m";
const COLOURS_OFF: &str = "\x1b[0m";

/// Why an enrolment can't be drawn.
#[derive(Debug, thiserror::Error)]
pub enum DrawError {
    /// URL and token together exceed a QR code.
    #[error("the server's address and the token are too long for a QR code")]
    TooLong(#[source] QrError),
    /// A module side of 0 or of more than [`MODULE_PIXELS_LIMIT`] pixels.
    #[error("a QR code's modules are 1 to {MODULE_PIXELS_LIMIT} pixels wide, not {0}")]
    ModulePixels(u32),
    /// The picture could not be written as PNG.
    #[error("the QR code can't be written as PNG")]
    Png(#[source] image::ImageError),
}

/// Whether a terminal drawing brings its own colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colours {
    /// Black on white by ANSI escapes with 256 colours: right on every background.
    Ansi,
    /// No escapes: blocks are the light modules, which is right on a dark background only. On a
    /// light one the code is inverted, which some readers refuse.
    None,
}

/// An enrolment's payload, or another secret, as a QR code that stays readable with 15 % of it damaged.
pub struct QrCode(qrcode::QrCode);

impl QrCode {
    /// Lays the enrolment's payload out as a QR code.
    pub fn new(enrolment: &Enrolment) -> Result<Self, DrawError> {
        Self::of(&enrolment.to_payload())
    }

    /// Lays a text out as a QR code.
    pub fn of(text: &Secret) -> Result<Self, DrawError> {
        qrcode::QrCode::with_error_correction_level(text.expose(), EcLevel::M)
            .map(Self)
            .map_err(DrawError::TooLong)
    }

    /// A PNG with square modules of `module_pixels` and a quiet zone of 4 modules.
    pub fn png(&self, module_pixels: u32) -> Result<Vec<u8>, DrawError> {
        if !(1..=MODULE_PIXELS_LIMIT).contains(&module_pixels) {
            return Err(DrawError::ModulePixels(module_pixels));
        }
        let mut renderer = self.0.render::<Luma<u8>>();
        let picture = renderer
            .module_dimensions(module_pixels, module_pixels)
            .build();
        let mut png = Cursor::new(Vec::new());
        picture
            .write_to(&mut png, ImageFormat::Png)
            .map_err(DrawError::Png)?;
        Ok(png.into_inner())
    }

    /// An SVG document of any size with a quiet zone of 4 modules.
    pub fn svg(&self) -> String {
        self.0.render::<svg::Color<'_>>().build()
    }

    /// The dark modules as the path of an SVG, each of side 1, and the side of all with a quiet zone of 4 modules.
    #[cfg(feature = "server")]
    pub(crate) fn path(&self) -> (String, usize) {
        const QUIET_ZONE: usize = 4;
        let width = self.0.width();
        let modules = self.0.to_colors();
        let mut path = String::new();
        for (y, row) in modules.chunks(width).enumerate() {
            let mut x = 0;
            for run in row.chunk_by(|one, next| one == next) {
                if run.first() == Some(&Color::Dark) {
                    let (left, top, length) = (x + QUIET_ZONE, y + QUIET_ZONE, run.len());
                    path += &format!("M{left} {top}h{length}v1h-{length}z");
                }
                x += run.len();
            }
        }
        (path, width + 2 * QUIET_ZONE)
    }

    /// Lines of half blocks, two modules high and one wide, with a quiet zone of 2 modules.
    pub fn terminal(&self, colours: Colours) -> String {
        let (before, after, block) = match colours {
            Colours::Ansi => (BLACK_ON_WHITE, COLOURS_OFF, Color::Dark),
            Colours::None => ("", "", Color::Light),
        };
        let width = self.0.width();
        let modules = self.0.to_colors();
        let is_block = |x: usize, y: usize| {
            let inside = |at: usize| at.checked_sub(TERMINAL_QUIET_ZONE).filter(|&at| at < width);
            let module = inside(y).zip(inside(x)).map(|(y, x)| y * width + x);
            let colour = module.and_then(|module| modules.get(module));
            *colour.unwrap_or(&Color::Light) == block
        };
        let side = width + 2 * TERMINAL_QUIET_ZONE;
        let mut lines = String::new();
        for y in (0..side).step_by(2) {
            lines += before;
            lines.extend(
                (0..side).map(|x| match (is_block(x, y), is_block(x, y + 1)) {
                    (true, true) => '█',
                    (true, false) => '▀',
                    (false, true) => '▄',
                    (false, false) => ' ',
                }),
            );
            lines += after;
            lines.push('\n');
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use image::{DynamicImage, GrayImage};

    use super::super::picture;
    use super::*;
    use crate::secret::Secret;

    const URL: &str = "https://tickets.example.org/shop";

    fn enrolment(url: &str) -> Enrolment {
        let token = Secret::new("kpp4jn8g2ynzonp6".to_owned());
        Enrolment::new(url.parse().unwrap(), token).ok().unwrap()
    }

    fn read(picture: &GrayImage) -> String {
        let mut png = Cursor::new(Vec::new());
        picture.write_to(&mut png, ImageFormat::Png).unwrap();
        let enrolment = picture::read(png.get_ref(), None)
            .ok()
            .unwrap()
            .into_enrolment();
        enrolment.to_payload().expose().to_owned()
    }

    /// What a terminal with cells of 7 x 15 pixels shows, within a margin of its background.
    fn screenshot(text: &str, ink: u8, background: u8) -> GrayImage {
        let lines: Vec<Vec<char>> = text.lines().map(|line| line.chars().collect()).collect();
        let (columns, rows) = (lines.first().unwrap().len() as u32, lines.len() as u32);
        GrayImage::from_fn((columns + 4) * 7, (rows + 4) * 15, |x, y| {
            let line = (y / 15)
                .checked_sub(2)
                .and_then(|row| lines.get(row as usize));
            let column = (x / 7).checked_sub(2);
            let cell = line
                .zip(column)
                .and_then(|(line, column)| line.get(column as usize));
            let inked = match cell {
                Some('█') => true,
                Some('▀') => y % 15 < 7,
                Some('▄') => y % 15 >= 7,
                _ => false,
            };
            Luma([if inked { ink } else { background }])
        })
    }

    #[test]
    fn a_png_of_any_module_size_is_read_back() {
        let enrolment = enrolment(URL);
        let code = QrCode::new(&enrolment).unwrap();
        for module_pixels in [1, 2, 3, 8, MODULE_PIXELS_LIMIT] {
            let png = code.png(module_pixels).unwrap();
            let read = picture::read(&png, None)
                .ok()
                .unwrap()
                .into_enrolment()
                .to_payload();
            assert_eq!(read.expose(), enrolment.to_payload().expose());
        }
        for module_pixels in [0, MODULE_PIXELS_LIMIT + 1, u32::MAX] {
            let refusal = code.png(module_pixels).unwrap_err();
            assert!(matches!(refusal, DrawError::ModulePixels(_)));
        }
    }

    #[test]
    fn a_png_has_a_quiet_zone_of_four_modules() {
        let png = QrCode::new(&enrolment(URL)).unwrap().png(3).unwrap();
        let picture = image::load_from_memory(&png).unwrap().into_luma8();
        let side = picture.width();
        assert_eq!(side, picture.height());
        for (x, y, pixel) in picture.enumerate_pixels() {
            let edge = x.min(y).min(side - 1 - x).min(side - 1 - y);
            assert!(edge >= 12 || pixel.0 == [255]);
        }
        assert_eq!(picture.get_pixel(12, 12).0, [0]);
    }

    #[test]
    fn the_svg_draws_the_same_modules_as_the_png() {
        let code = QrCode::new(&enrolment(URL)).unwrap();
        let svg = code.svg();
        let picture = image::load_from_memory(&code.png(1).unwrap())
            .unwrap()
            .into_luma8();
        let side: u32 = between(&svg, "viewBox=\"0 0 ", " ").parse().unwrap();
        let module = side / picture.width();
        assert_eq!(side % picture.width(), 0);

        let dark = picture
            .enumerate_pixels()
            .filter(|(_, _, pixel)| pixel.0 == [0]);
        let mut expected: Vec<_> = dark.map(|(x, y, _)| (x * module, y * module)).collect();
        // The last path is of squares such as M32 32h8v8H32V32.
        let path = svg.rsplit_once(" d=\"").unwrap().1;
        let path = path.split_once('"').unwrap().0;
        let mut drawn: Vec<(u32, u32)> = path
            .split('M')
            .skip(1)
            .map(|square| {
                let (x, rest) = square.split_once(' ').unwrap();
                let (y, rest) = rest.split_once('h').unwrap();
                assert!(rest.starts_with(&format!("{module}v{module}")), "{rest}");
                (x.parse().unwrap(), y.parse().unwrap())
            })
            .collect();
        expected.sort_unstable();
        drawn.sort_unstable();
        assert_eq!(drawn, expected);
    }

    fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
        let (_, rest) = text.split_once(before).unwrap();
        rest.split_once(after).unwrap().0
    }

    #[test]
    fn a_terminal_code_is_read_from_screenshots_of_light_and_dark_terminals() {
        let enrolment = enrolment(URL);
        let code = QrCode::new(&enrolment).unwrap();
        let ansi: String = code
            .terminal(Colours::Ansi)
            .replace(BLACK_ON_WHITE, "")
            .replace(COLOURS_OFF, "");
        for around in [0, 20, 255] {
            let mut shot = screenshot(&ansi, 0, 255);
            let (width, height) = shot.dimensions();
            for (x, y, pixel) in shot.enumerate_pixels_mut() {
                if x < 14 || y < 30 || x >= width - 14 || y >= height - 30 {
                    pixel.0 = [around];
                }
            }
            assert_eq!(read(&shot), enrolment.to_payload().expose());
        }
        let plain = code.terminal(Colours::None);
        assert_eq!(
            read(&screenshot(&plain, 230, 20)),
            enrolment.to_payload().expose()
        );
        assert_eq!(
            read(&screenshot(&plain, 20, 250)),
            enrolment.to_payload().expose()
        );
    }

    #[test]
    fn without_colours_the_light_modules_are_blocks() {
        let plain = QrCode::new(&enrolment(URL))
            .unwrap()
            .terminal(Colours::None);
        assert!(!plain.contains('\x1b'));
        let shot = DynamicImage::ImageLuma8(screenshot(&plain, 255, 0)).into_luma8();
        assert_eq!(
            shot.get_pixel(14 + 3, 30 + 3).0,
            [255],
            "the quiet zone is light"
        );
        assert_eq!(
            shot.get_pixel(14 + 17, 30 + 18).0,
            [0],
            "the finder's corner is dark"
        );
    }

    #[test]
    fn a_common_code_fits_into_a_terminal_of_80_by_24() {
        let code = QrCode::new(&enrolment("https://pretix.eu")).unwrap();
        for colours in [Colours::Ansi, Colours::None] {
            let text = code.terminal(colours);
            let text = text.replace(BLACK_ON_WHITE, "").replace(COLOURS_OFF, "");
            assert!(text.lines().count() <= 23, "{}", text.lines().count());
            assert!(text.lines().all(|line| line.chars().count() <= 80));
        }
    }

    #[test]
    fn the_longest_enrolment_fits_into_a_code() {
        let url: super::super::ServerUrl = format!("https://x.org/{}", "a".repeat(1000))
            .parse()
            .unwrap();
        let enrolment = Enrolment::new(url, Secret::new("~".repeat(190)))
            .ok()
            .unwrap();
        assert!(QrCode::new(&enrolment).is_ok());
    }
}
