//! Finding QR codes among a picture's pixels: at several sizes, dark on light and light on dark, and
//! by a single colour where the brightness alone shows no enrolment.

use std::panic::{AssertUnwindSafe, catch_unwind};

use image::imageops::FilterType;
use image::{DynamicImage, GrayImage, RgbImage};
use rxing::common::{BitMatrix, DetectorRXingResult, HybridBinarizer};
use rxing::qrcode::cpp_port::decoder::Decode;
use rxing::qrcode::cpp_port::detector::{FindFinderPatterns, GenerateFinderPatternSets, SampleQR};
use rxing::{Binarizer, Luma8Source};

use crate::secret::Secret;

/// Longest side that is searched, in pixels: that of a photo of 12 megapixels.
const LONGEST_SIDE: u32 = 4000;
/// Lengths of the longer side, in pixels, at which a picture is searched besides its own size, and
/// enlarged if it is small. Fine noise and moiré vanish in the smaller ones.
const SEARCHED_SIDES: [u32; 5] = [2000, 1400, 1000, 700, 500];
/// Longest side that is searched by single colours: thrice the work, for codes that are rare.
const LONGEST_COLOURED_SIDE: u32 = 1000;
/// Longest side at which light on dark is searched by both views.
const LONGEST_INVERTED_SIDE: u32 = 2000;
/// Longest side of the blurred picture that says how light it is around a pixel.
const LONGEST_BLURRED_SIDE: u32 = 500;
/// One pixel of so many may be darker or lighter than what counts as black and white.
const OUTLIERS: usize = 200;
/// Most corners of codes in a view that is searched: the time grows with their square, and a picture
/// with more is a pattern.
const CORNER_LIMIT: usize = 600;
/// Rows of a view in which corners are counted at a time.
const BAND: usize = 200;
/// Most groups of three corners in a view that are tried as a code.
const SET_LIMIT: usize = 200;

/// What is in a picture.
#[derive(Default)]
pub(super) struct Found {
    /// The different contents of its codes.
    pub(super) contents: Vec<Secret>,
    /// Whether there seems to be a code that can't be read.
    pub(super) is_something_unreadable: bool,
}

/// Searches a picture as a whole, so that no code in it is missed; by single colours only if there
/// is none among its contents that `is_meant`.
pub(super) fn codes(picture: DynamicImage, is_meant: impl Fn(&str) -> bool) -> Found {
    let own_side = picture.width().max(picture.height());
    let picture = on_white(shrunk(picture, LONGEST_SIDE));
    let mut found = Found::default();
    found.search_all_sizes(with_full_contrast(picture.to_luma8()), own_side);
    if let DynamicImage::ImageRgb8(picture) = shrunk(picture, LONGEST_COLOURED_SIDE) {
        for colour in 0..3 {
            if found.contents.iter().any(|text| is_meant(text.expose())) {
                break;
            }
            if let Some(picture) = only(&picture, colour) {
                found.search_all_sizes(with_full_contrast(picture), own_side);
            }
        }
    }
    found
}

fn shrunk(picture: DynamicImage, longest_side: u32) -> DynamicImage {
    if picture.width().max(picture.height()) > longest_side {
        picture.thumbnail(longest_side, longest_side)
    } else {
        picture
    }
}

/// The picture without transparency, what is transparent on white; gray or in colours.
fn on_white(picture: DynamicImage) -> DynamicImage {
    let over_white = |shade: u8, alpha: u8| {
        let (shade, alpha) = (u32::from(shade), u32::from(alpha));
        ((shade * alpha + 255 * (255 - alpha)) / 255) as u8
    };
    match (picture.color().has_alpha(), picture.color().has_color()) {
        (false, false) => picture.into_luma8().into(),
        (false, true) => picture.into_rgb8().into(),
        (true, _) => {
            let picture = picture.into_rgba8();
            let mut opaque = RgbImage::new(picture.width(), picture.height());
            for (to, from) in opaque.pixels_mut().zip(picture.pixels()) {
                let [red, green, blue, alpha] = from.0;
                to.0 = [red, green, blue].map(|shade| over_white(shade, alpha));
            }
            opaque.into()
        }
    }
}

/// One of a picture's three colours.
fn only(picture: &RgbImage, colour: usize) -> Option<GrayImage> {
    let pixels = picture.as_raw().chunks_exact(3);
    let shades = pixels.filter_map(|pixel| pixel.get(colour).copied());
    GrayImage::from_raw(picture.width(), picture.height(), shades.collect())
}

/// The picture with its shades spread from black to white, but for a few outliers.
fn with_full_contrast(mut picture: GrayImage) -> DynamicImage {
    let mut counts = [0_usize; 256];
    for &shade in picture.as_raw() {
        if let Some(count) = counts.get_mut(usize::from(shade)) {
            *count += 1;
        }
    }
    let outliers = picture.as_raw().len() / OUTLIERS;
    let darkest = first_beyond(outliers, counts.iter().enumerate());
    let lightest = first_beyond(outliers, counts.iter().enumerate().rev());
    if let (Some(darkest), Some(lightest)) = (darkest, lightest)
        && darkest < lightest
    {
        for shade in picture.iter_mut() {
            let spread = usize::from(*shade).saturating_sub(darkest) * 255 / (lightest - darkest);
            *shade = spread.min(255) as u8;
        }
    }
    picture.into()
}

/// The first shade with which more than so many pixels are counted.
fn first_beyond<'a>(
    limit: usize,
    mut counts: impl Iterator<Item = (usize, &'a usize)>,
) -> Option<usize> {
    let mut passed = 0;
    let (shade, _) = counts.find(|(_, count)| {
        passed += **count;
        passed > limit
    })?;
    Some(shade)
}

impl Found {
    /// Searches a picture as it is, enlarged if the file's own longest side is short, and smaller.
    fn search_all_sizes(&mut self, mut picture: DynamicImage, own_side: u32) {
        let longest_side = picture.width().max(picture.height());
        self.search_views(picture.clone());
        for (factor, is_small) in [(2, own_side <= 1000), (4, own_side <= 250)] {
            if is_small {
                let side = factor * own_side;
                self.search_views(picture.resize(side, side, FilterType::Triangle));
            }
        }
        for side in SEARCHED_SIDES
            .into_iter()
            .filter(|&side| side < longest_side)
        {
            picture = picture.thumbnail(side, side);
            self.search_views(picture.clone());
        }
    }

    /// Searches a picture of one size dark on light and light on dark, by what is dark in its part of
    /// the picture and by what is darker than what is right around it.
    fn search_views(&mut self, mut picture: DynamicImage) {
        let side = picture.width().max(picture.height());
        let mut around = match side > LONGEST_BLURRED_SIDE {
            true => blurred(&picture.thumbnail(LONGEST_BLURRED_SIDE, LONGEST_BLURRED_SIDE)),
            false => blurred(&picture),
        };
        for is_inverted in [false, true] {
            if self.search(|| darker_than(&picture, &around)).is_err() {
                return;
            }
            // Light on dark is rare, and a large picture takes long.
            let is_spared = is_inverted && side > LONGEST_INVERTED_SIDE;
            if !is_spared && self.search(|| dark_in_its_part(&picture)).is_err() {
                return;
            }
            picture.invert();
            around.invert();
        }
    }

    fn search(&mut self, view: impl FnOnce() -> Option<BitMatrix>) -> Result<(), Crowded> {
        // The library's arithmetic may panic on an odd picture; then no code is seen in this view.
        let seen = catch_unwind(AssertUnwindSafe(|| view().map(|dark| Self::seen(&dark))));
        let Ok(Some(seen)) = seen else { return Ok(()) };
        let seen = seen?;
        self.is_something_unreadable |= seen.is_something_unreadable;
        for content in seen.contents {
            let is_known = |known: &Secret| known.expose() == content.expose();
            if !self.contents.iter().any(is_known) {
                self.contents.push(content);
            }
        }
        Ok(())
    }

    fn seen(dark: &BitMatrix) -> Result<Self, Crowded> {
        if is_crowded(dark) {
            return Err(Crowded);
        }
        let mut corners = FindFinderPatterns(dark, true, 1);
        let mut seen = Self::default();
        let mut used = Vec::new();
        let sets = GenerateFinderPatternSets(&mut corners);
        for set in sets.into_iter().take(SET_LIMIT) {
            if [set.bl, set.tl, set.tr].iter().any(|it| used.contains(it)) {
                continue;
            }
            let Ok(sampled) = SampleQR(dark, &set) else {
                continue;
            };
            match Decode(sampled.getBits()) {
                Ok(code) if code.isValid() => {
                    seen.contents.push(Secret::new(code.text()));
                    used.extend([set.bl, set.tl, set.tr]);
                }
                _ => seen.is_something_unreadable = true,
            }
        }
        Ok(seen)
    }
}

/// More corners of codes than any picture of codes has.
struct Crowded;

/// Counted in bands, where they are few enough to be counted quickly.
fn is_crowded(dark: &BitMatrix) -> bool {
    let mut corners = 0;
    (0..dark.height()).step_by(BAND).any(|top| {
        let rows = (dark.height() - top).min(BAND as u32);
        let Ok(mut band) = BitMatrix::new(dark.width(), rows) else {
            return false;
        };
        for row in 0..rows {
            band.setRow(row, &dark.getRow(top + row));
        }
        corners += FindFinderPatterns(&band, true, 1).len();
        corners > CORNER_LIMIT
    })
}

/// The library's own view: each block of pixels against the blocks about it.
fn dark_in_its_part(picture: &DynamicImage) -> Option<BitMatrix> {
    let shades = picture.as_bytes();
    let source = Luma8Source::new_with_slice(shades, picture.width(), picture.height()).ok()?;
    let blocks = HybridBinarizer::new(source);
    blocks.get_black_matrix().ok().cloned()
}

fn blurred(picture: &DynamicImage) -> DynamicImage {
    let side = picture.width().max(picture.height());
    picture.fast_blur(side as f32 / 100.0)
}

/// Each pixel against what is right around it, of which `around` may be a smaller picture: shadows,
/// glare and a low contrast don't count.
fn darker_than(picture: &DynamicImage, around: &DynamicImage) -> Option<BitMatrix> {
    let (width, height) = (picture.width(), picture.height());
    let columns: Vec<usize> = places(width, around.width()).collect();
    let rows = places(height, around.height());
    let mut dark = BitMatrix::new(width, height).ok()?;
    let lines = picture.as_bytes().chunks_exact(width as usize);
    for ((y, shades), row) in (0..).zip(lines).zip(rows) {
        let around = around.as_bytes().get(row * around.width() as usize..)?;
        for ((x, &shade), &column) in (0..).zip(shades).zip(&columns) {
            if u32::from(shade) * 100 < u32::from(*around.get(column)?) * 95 {
                dark.set(x, y);
            }
        }
    }
    Some(dark)
}

/// Where each of so many pixels in a row is in a row of fewer.
fn places(pixels: u32, fewer: u32) -> impl Iterator<Item = usize> {
    let (pixels, fewer) = (u64::from(pixels), u64::from(fewer));
    (0..pixels).map(move |at| (at * fewer / pixels) as usize)
}
