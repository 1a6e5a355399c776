//! Reading an enrolment's QR code from a picture: a saved code, a screenshot, a photo of a screen.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use image::imageops::FilterType;
use image::{DynamicImage, GrayImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};

use crate::secret::Secret;

/// Most pixels of a picture that is read; phones make photos of up to 50 million.
const PIXEL_LIMIT: u64 = 64_000_000;
/// Longest side of a picture that is read, in pixels: a thin strip would be enlarged without end.
const SIDE_LIMIT: u32 = 20_000;
/// Most memory for a decoded picture: [`PIXEL_LIMIT`] with four channels of 8 bits.
const MEMORY_LIMIT: u64 = 4 * PIXEL_LIMIT;
/// Lengths of the longer side, in pixels, at which a picture is searched. A code may fill it or be
/// a small part of it; fine noise and moiré vanish in the smaller ones.
const SEARCHED_SIDES: [u32; 5] = [2000, 1400, 1000, 700, 500];

/// Why no code was read from a picture.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// Something else than PNG and JPEG, by content.
    #[error("this is not a PNG or JPEG picture; save it as one of these")]
    Format,
    /// Begins as PNG or JPEG but can't be decoded.
    #[error("the picture is damaged; save it again or make a new one")]
    Damaged(#[source] ImageError),
    /// More pixels or memory than is read.
    #[error(
        "the picture is too large with {width} x {height} pixels; \
         cut out the part with the QR code, or save it smaller"
    )]
    TooLarge {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
    },
    /// No QR code in sight.
    #[error("there is no QR code in the picture, or it is too small or blurred to be seen")]
    NoCode,
    /// QR codes with different contents.
    #[error("there are different QR codes in the picture; cut out the one that is meant")]
    SeveralCodes,
    /// A QR code without readable content.
    #[error(
        "there seems to be a QR code in the picture, but it can't be read; \
         make a sharper picture that shows the whole code"
    )]
    Unreadable,
}

/// Reads the content of the one QR code in a PNG or JPEG picture, recognised by its first bytes.
///
/// The code may be turned, skewed, unevenly lit, or light on dark. The same content may be there
/// more than once, but of different ones nobody can tell which is meant.
pub fn read(bytes: &[u8]) -> Result<Secret, PictureError> {
    let gray = on_white(decode(bytes)?);
    let long_side = gray.width().max(gray.height());
    let mut scaled = DynamicImage::ImageLuma8(gray);
    let mut content: Option<Secret> = None;
    let mut unreadable = false;
    for side in SEARCHED_SIDES {
        if side > long_side.saturating_mul(2).max(1000) {
            continue; // enlarging it more shows nothing new
        }
        scaled = scaled.resize(side, side, FilterType::Triangle);
        let around = scaled.fast_blur(side as f32 / 100.0);
        let views = [
            black_and_white(&scaled, &around),
            black_and_white(&scaled.unsharpen(2.0, 0), &around),
            black_and_white(&inverted(&scaled), &inverted(&around)),
        ];
        for view in views {
            for found in search(&view) {
                match (found, &content) {
                    (None, _) => unreadable = true,
                    (Some(found), None) => content = Some(found),
                    (Some(found), Some(content)) if found.expose() != content.expose() => {
                        return Err(PictureError::SeveralCodes);
                    }
                    (Some(_), Some(_)) => {}
                }
            }
        }
    }
    match content {
        Some(content) => Ok(content),
        None if unreadable => Err(PictureError::Unreadable),
        None => Err(PictureError::NoCode),
    }
}

fn decode(bytes: &[u8]) -> Result<DynamicImage, PictureError> {
    let format = image::guess_format(bytes).map_err(|_| PictureError::Format)?;
    if !matches!(format, ImageFormat::Png | ImageFormat::Jpeg) {
        return Err(PictureError::Format);
    }
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MEMORY_LIMIT);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(PictureError::Damaged)?;
    let (width, height) = decoder.dimensions();
    let too_large = PictureError::TooLarge { width, height };
    if width.max(height) > SIDE_LIMIT
        || u64::from(width) * u64::from(height) > PIXEL_LIMIT
        || decoder.total_bytes() > MEMORY_LIMIT
    {
        return Err(too_large);
    }
    DynamicImage::from_decoder(decoder).map_err(|error| match error {
        ImageError::Limits(_) => too_large,
        error => PictureError::Damaged(error),
    })
}

/// The picture in shades of gray, what is transparent on white.
fn on_white(picture: DynamicImage) -> GrayImage {
    if !picture.color().has_alpha() {
        return picture.into_luma8();
    }
    let picture = picture.into_luma_alpha8();
    let mut gray = GrayImage::new(picture.width(), picture.height());
    for (to, from) in gray.pixels_mut().zip(picture.pixels()) {
        let [shade, alpha] = from.0.map(u32::from);
        to.0 = [((shade * alpha + 255 * (255 - alpha)) / 255) as u8];
    }
    gray
}

fn inverted(picture: &DynamicImage) -> DynamicImage {
    let mut inverted = picture.clone();
    inverted.invert();
    inverted
}

/// Black where a pixel is darker than what is around it, so that shadows and glare don't count.
fn black_and_white(picture: &DynamicImage, around: &DynamicImage) -> GrayImage {
    let mut pixels = picture.to_luma8();
    for (pixel, around) in pixels.iter_mut().zip(around.as_bytes()) {
        let dark = u32::from(*pixel) * 100 < u32::from(*around) * 95;
        *pixel = if dark { 0 } else { 255 };
    }
    pixels
}

/// The contents of the QR codes in a picture; `None` for one that can't be read.
fn search(picture: &GrayImage) -> Vec<Option<Secret>> {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    // The detector's geometry has panicked on odd pictures before; then it sees no code in this one.
    let found = catch_unwind(AssertUnwindSafe(|| {
        let mut detector = quircs::Quirc::new();
        let codes = detector.identify(width, height, picture.as_raw());
        let contents = codes.map(|code| {
            let content = code.ok()?.decode().ok()?.payload;
            String::from_utf8(content).ok().map(Secret::new)
        });
        contents.collect()
    }));
    found.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use image::Luma;
    use image::imageops;
    use proptest::prelude::*;

    use super::super::draw::QrCode;
    use super::super::photo::{Noise, Photo};
    use super::super::{Enrolment, ParseError, Reading};
    use super::*;

    const TOKEN: &str = "kpp4jn8g2ynzonp6";

    fn enrolment(token: &str) -> Enrolment {
        let url = "https://tickets.example.org/shop".parse().unwrap();
        Enrolment::new(url, Secret::new(token.to_owned()))
            .ok()
            .unwrap()
    }

    fn code(token: &str, module_pixels: u32) -> GrayImage {
        let png = QrCode::new(&enrolment(token))
            .unwrap()
            .png(module_pixels)
            .unwrap();
        image::load_from_memory(&png).unwrap().into_luma8()
    }

    fn png(picture: impl Into<DynamicImage>) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        picture
            .into()
            .write_to(&mut bytes, ImageFormat::Png)
            .unwrap();
        bytes.into_inner()
    }

    fn refusal(bytes: &[u8]) -> PictureError {
        read(bytes).err().expect("the picture should be refused")
    }

    #[track_caller]
    fn assert_read(bytes: &[u8], what: &dyn std::fmt::Debug) {
        match read(bytes) {
            Ok(content) => assert_eq!(content.expose(), enrolment(TOKEN).to_payload().expose()),
            Err(error) => panic!("{error}: {what:?}"),
        }
    }

    fn assert_shots_are_read(shots: impl IntoIterator<Item = Photo>) {
        let code = code(TOKEN, 1);
        for shot in shots {
            assert_read(&shot.take(&code), &shot);
        }
    }

    #[test]
    fn codes_of_other_makers_are_read() {
        let content = |bytes: &[u8]| read(bytes).ok().unwrap();
        for picture in [
            include_bytes!("../../tests/data/enrolment/screen-at-an-angle.jpg").as_slice(),
            include_bytes!("../../tests/data/enrolment/dark-terminal.png"),
        ] {
            let reading = Reading::of(content(picture).expose(), None).ok().unwrap();
            let enrolment = reading.enrolment();
            assert_eq!(enrolment.url().to_string(), "https://pretix.eu");
            assert_eq!(enrolment.token().expose(), TOKEN);
        }
        let predecessor =
            include_bytes!("../../tests/data/enrolment/predecessor-transparent.png").as_slice();
        let ticket = include_bytes!("../../tests/data/enrolment/ticket.jpg");
        let parsed = |bytes| Reading::of(content(bytes).expose(), None).err().unwrap();
        assert!(matches!(parsed(predecessor), ParseError::Predecessor));
        assert!(matches!(parsed(ticket), ParseError::TicketLike));
    }

    #[test]
    fn a_photo_of_two_codes_and_one_of_none_are_refused() {
        let two = include_bytes!("../../tests/data/enrolment/two-codes.jpg");
        assert!(matches!(refusal(two), PictureError::SeveralCodes));
        let none = include_bytes!("../../tests/data/enrolment/no-code.jpg");
        assert!(matches!(refusal(none), PictureError::NoCode));
    }

    #[test]
    fn a_screen_is_read_from_all_sides() {
        let angles = [
            (-35.0, 10.0),
            (35.0, -10.0),
            (0.0, 35.0),
            (10.0, -35.0),
            (-25.0, -25.0),
        ];
        assert_shots_are_read(angles.map(|(yaw, pitch)| Photo {
            yaw,
            pitch,
            ..Photo::default()
        }));
    }

    #[test]
    fn a_turned_screen_is_read() {
        let turns = [20.0, 45.0, 90.0, 137.0, 180.0, 271.0];
        assert_shots_are_read(turns.map(|roll| Photo {
            roll,
            yaw: 12.0,
            ..Photo::default()
        }));
    }

    #[test]
    fn a_poor_photo_is_read() {
        let tilted = Photo {
            yaw: 15.0,
            pitch: 8.0,
            ..Photo::default()
        };
        assert_shots_are_read([
            Photo {
                noise: 60,
                ..tilted.clone()
            },
            Photo {
                blur: 2.2,
                ..tilted.clone()
            },
            Photo {
                moire: 0.7,
                ..tilted.clone()
            },
            Photo {
                contrast: 0.15,
                noise: 2,
                ..tilted.clone()
            },
            Photo {
                quality: 12,
                ..tilted.clone()
            },
            Photo {
                noise: 25,
                blur: 1.0,
                moire: 0.4,
                contrast: 0.5,
                quality: 50,
                ..tilted
            },
        ]);
    }

    #[test]
    fn a_shadow_across_the_code_does_not_hide_it() {
        let shadows = [0.4, 0.65, 0.85];
        assert_shots_are_read(shadows.map(|shadow| Photo {
            shadow,
            yaw: -10.0,
            ..Photo::default()
        }));
    }

    #[test]
    fn light_on_dark_is_read() {
        let dark = Photo {
            inverted: true,
            ..Photo::default()
        };
        assert_shots_are_read([
            dark.clone(),
            Photo {
                yaw: 25.0,
                noise: 15,
                ..dark.clone()
            },
            Photo {
                shadow: 0.5,
                roll: 90.0,
                ..dark
            },
        ]);
    }

    #[test]
    fn a_small_code_is_read() {
        assert_shots_are_read([
            Photo {
                distance: 2.5,
                ..Photo::default()
            },
            Photo {
                size: (240, 180),
                noise: 2,
                blur: 0.3,
                ..Photo::default()
            },
        ]);
    }

    #[test]
    fn a_photo_of_many_megapixels_is_read() {
        let shot = Photo {
            yaw: 20.0,
            noise: 12,
            ..Photo::default()
        };
        let shot = image::load_from_memory(&shot.take(&code(TOKEN, 1))).unwrap();
        assert_read(
            &png(shot.resize(5000, 5000, FilterType::Triangle)),
            &"large",
        );
    }

    #[test]
    fn the_same_code_twice_counts_once_and_another_beside_it_is_refused() {
        let beside = |other: &GrayImage| {
            let first = code(TOKEN, 4);
            let mut both = GrayImage::from_pixel(first.width() * 2, first.height(), Luma([255]));
            imageops::replace(&mut both, &first, 0, 0);
            imageops::replace(&mut both, other, i64::from(first.width()), 0);
            png(both)
        };
        assert_read(&beside(&code(TOKEN, 4)), &"equal");
        assert_read(&beside(&code(TOKEN, 2)), &"one smaller");
        for module_pixels in [2, 4] {
            let other = code("frkso3m2w58zuw70", module_pixels);
            assert!(matches!(
                refusal(&beside(&other)),
                PictureError::SeveralCodes
            ));
        }
    }

    #[test]
    fn transparency_counts_as_white() {
        let code = code(TOKEN, 4);
        let picture = image::RgbaImage::from_fn(code.width(), code.height(), |x, y| {
            image::Rgba([0, 0, 0, 255 - code.get_pixel(x, y).0[0]])
        });
        assert_read(&png(picture), &"transparent");
    }

    #[test]
    fn a_covered_code_is_seen_but_unreadable() {
        let mut code = code(TOKEN, 6);
        let side = code.width();
        let cover = GrayImage::from_pixel(side / 2, side / 2, Luma([255]));
        imageops::replace(&mut code, &cover, i64::from(side / 4), i64::from(side / 4));
        assert!(matches!(refusal(&png(code)), PictureError::Unreadable));
    }

    #[test]
    fn pictures_of_another_format_and_damaged_ones_are_refused() {
        for bytes in [
            b"".as_slice(),
            b"GIF89a\x01\0\x01\0",
            b"BM",
            b"<svg xmlns='http://www.w3.org/2000/svg'/>",
            br#"{"handshake_version":1}"#,
            b"%PDF-1.7",
        ] {
            assert!(matches!(refusal(bytes), PictureError::Format));
        }
        let whole = png(code(TOKEN, 4));
        for kept in [8, 20, 40, whole.len() / 2, whole.len() - 20] {
            assert!(
                matches!(refusal(&whole[..kept]), PictureError::Damaged(_)),
                "{kept}"
            );
        }
    }

    #[test]
    fn a_picture_that_would_fill_the_memory_is_refused_before_it_is_decoded() {
        // The size is in the header; its checksum must be right for the decoder to believe it.
        for (width, height) in [(8001_u32, 8000_u32), (100_000, 100_000), (64_000_001, 1)] {
            let mut bomb = png(GrayImage::new(1, 1));
            bomb[16..20].copy_from_slice(&width.to_be_bytes());
            bomb[20..24].copy_from_slice(&height.to_be_bytes());
            let checksum = crc32(&bomb[12..29]);
            bomb[29..33].copy_from_slice(&checksum.to_be_bytes());
            let refusal = refusal(&bomb);
            assert!(
                matches!(refusal, PictureError::TooLarge { .. }),
                "{refusal:?}"
            );
            assert!(refusal.to_string().contains(&format!("{width} x {height}")));
        }
    }

    fn crc32(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(u32::MAX, |crc, &byte| {
            (0..8).fold(crc ^ u32::from(byte), |crc, _| {
                (crc >> 1) ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 }
            })
        })
    }

    #[test]
    fn odd_pictures_are_refused_without_a_panic() {
        let mut noise = Noise(7);
        let mut random = |width, height| {
            GrayImage::from_fn(width, height, |_, _| {
                Luma([noise.up_to(127).wrapping_add(128) as u8])
            })
        };
        for picture in [
            random(1, 1),
            random(1, 3000),
            random(3000, 2),
            random(40, 40),
            random(300, 200),
            GrayImage::from_fn(400, 400, |x, y| Luma([((x / 3 + y / 3) % 2 * 255) as u8])),
            // Nothing but finder patterns.
            GrayImage::from_fn(400, 400, |x, y| {
                let ring = (x % 9).abs_diff(4).max((y % 9).abs_diff(4));
                Luma([if ring == 2 || ring == 4 { 255 } else { 0 }])
            }),
        ] {
            let size = picture.dimensions();
            let refusal = refusal(&png(picture));
            assert!(
                matches!(refusal, PictureError::NoCode | PictureError::Unreadable),
                "{size:?}: {refusal}"
            );
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn no_bytes_make_the_reader_panic(
            bytes in proptest::collection::vec(any::<u8>(), 0..200),
            changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
        ) {
            let _ = read(&bytes);
            let mut picture = Photo { size: (60, 45), ..Photo::default() }.take(&code(TOKEN, 1));
            for (at, byte) in changes {
                let at = at.index(picture.len());
                picture[at] = byte;
            }
            let _ = read(&picture);
        }
    }
}
