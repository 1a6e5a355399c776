//! Pictures of codes: as a file, and as the pixels of one, whose first byte is the width and each
//! other byte a pixel.
#![no_main]

use std::io::Cursor;

use gatehand::enrolment::picture;
use image::{GrayImage, ImageFormat, ImageReader};
use libfuzzer_sys::fuzz_target;

/// Longest side of a picture that is searched, in pixels: a code has fewer modules. A few bytes can be a
/// file of millions of pixels, which takes seconds and shows nothing more.
const SIDE_LIMIT: u32 = 48;
/// The same where each input is one, for the time grows with the square.
const DRAWN_SIDE_LIMIT: u32 = 32;

fuzz_target!(|input: &[u8]| {
    if !is_large(input) {
        let _ = picture::read(input, None);
    }
    let Some((&width, pixels)) = input.split_first() else {
        return;
    };
    let width = u32::from(width).clamp(1, DRAWN_SIDE_LIMIT);
    let height = (pixels.len() as u32 / width).min(DRAWN_SIDE_LIMIT);
    let pixels = pixels[..(width * height) as usize].to_vec();
    let mut file = Cursor::new(Vec::new());
    let drawn = GrayImage::from_raw(width, height, pixels).unwrap();
    if drawn.write_to(&mut file, ImageFormat::Bmp).is_ok() {
        let _ = picture::read(file.get_ref(), None);
    }
});

fn is_large(file: &[u8]) -> bool {
    let reader = ImageReader::new(Cursor::new(file)).with_guessed_format();
    let size = reader.ok().and_then(|reader| reader.into_dimensions().ok());
    size.is_some_and(|(width, height)| width.max(height) > SIDE_LIMIT)
}
