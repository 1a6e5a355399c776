//! Pictures of codes: as a file, and as the pixels of one, whose first byte is the width and each
//! other byte a pixel.
#![no_main]

use std::io::Cursor;

use gatehand::enrolment::picture;
use image::{GrayImage, ImageFormat};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let _ = picture::read(input, None);
    let Some((&width, pixels)) = input.split_first() else {
        return;
    };
    let width = u32::from(width).max(1);
    let height = pixels.len() as u32 / width;
    let pixels = pixels[..(width * height) as usize].to_vec();
    let mut file = Cursor::new(Vec::new());
    let drawn = GrayImage::from_raw(width, height, pixels).unwrap();
    if drawn.write_to(&mut file, ImageFormat::Bmp).is_ok() {
        let _ = picture::read(file.get_ref(), None);
    }
});
