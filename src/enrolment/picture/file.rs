//! Opening a picture's file: what it is by its first bytes, and its pixels.

use std::io::Cursor;

use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};

use super::error::{OtherFormat, PictureError};

/// Most pixels of a picture that is read; phones make photos of up to 50 million.
const PIXEL_LIMIT: u64 = 64_000_000;
/// Longest side of a picture that is read, in pixels: a thin strip would be enlarged without end.
const SIDE_LIMIT: u32 = 20_000;
/// Most memory for a decoded picture: [`PIXEL_LIMIT`] with four channels of 8 bits.
const MEMORY_LIMIT: u64 = 4 * PIXEL_LIMIT;
/// How far into a file its first tag or header may be.
const HEAD: usize = 1024;

const SCREENSHOT: &str = "open it and take a screenshot of the QR code";
const SAVE: &str = "save it as PNG or JPEG, or take a screenshot of it";
const SAVE_PHOTO: &str = "share or save the photo as JPEG, or take a screenshot of it";
const PHOTOGRAPH: &str = "take a photo or a screenshot of the QR code";

/// The pixels of a PNG, JPEG, WebP, GIF (its first picture) or BMP.
pub(super) fn decode(bytes: &[u8]) -> Result<DynamicImage, PictureError> {
    if bytes.is_empty() {
        return Err(PictureError::Empty);
    }
    let format = match image::guess_format(bytes) {
        Ok(
            format @ (ImageFormat::Png
            | ImageFormat::Jpeg
            | ImageFormat::WebP
            | ImageFormat::Gif
            | ImageFormat::Bmp),
        ) => format,
        _ => return Err(other_format(bytes).map_or(PictureError::Format, PictureError::Other)),
    };
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

/// Whether a JPEG's end is missing. What came of it is decoded all the same, the rest is grey.
///
/// Its segments are walked to its own picture: a thumbnail stands before it, and a phone may put a film
/// behind it.
pub(super) fn is_cut_off(bytes: &[u8]) -> bool {
    const END: &[u8] = b"\xff\xd9";
    let Some(mut rest) = bytes.strip_prefix(b"\xff\xd8") else {
        return false;
    };
    loop {
        rest = match rest {
            [0xff, 0xda, scan @ ..] => return memchr::memmem::find(scan, END).is_none(),
            // Filled up, and markers of nothing.
            [0xff, 0xff, ..] => rest.get(1..).unwrap_or_default(),
            [0xff, 0x01 | 0xd0..=0xd7, rest @ ..] => rest,
            [0xff, _, high, low, rest @ ..] => {
                let length = usize::from(u16::from_be_bytes([*high, *low]));
                match length.checked_sub(2).map(|length| rest.get(length..)) {
                    Some(Some(rest)) => rest,
                    Some(None) => return true,
                    None => return false,
                }
            }
            [] | [0xff, ..] => return true,
            [_, ..] => return false,
        }
    }
}

/// A known format that is not read.
fn other_format(bytes: &[u8]) -> Option<OtherFormat> {
    let head = bytes.get(..HEAD).unwrap_or(bytes);
    let has = |tag: &[u8]| memchr::memmem::find(head, tag).is_some();
    let (name, advice) = match head {
        _ if has(b"%PDF-") => ("a PDF", SCREENSHOT),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => of_brands(head),
        [b'I', b'I', b'*' | b'+', 0, ..] | [b'M', b'M', 0, b'*' | b'+', ..] => {
            ("a TIFF or raw picture", SAVE)
        }
        [0xff, 0x0a, ..] | [0, 0, 0, 0x0c, b'J', b'X', b'L', b' ', ..] => {
            ("a JPEG XL picture", SAVE)
        }
        [0, 0, 0, 0x0c, b'j', b'P', ..] => ("a JPEG 2000 picture", SAVE),
        [0, 0, 1, 0, ..] => ("an icon", SAVE),
        [b'8', b'B', b'P', b'S', ..] => ("a Photoshop document", SAVE),
        [b'%', b'!', b'P', b'S', ..] => ("a PostScript document", SCREENSHOT),
        [b'P', b'K', 3, 4, ..] => (
            "an archive or a document of an office program",
            "open it, and take a screenshot of the QR code or save the picture as PNG or JPEG",
        ),
        [0x1a, 0x45, 0xdf, 0xa3, ..] => ("a video", PHOTOGRAPH),
        _ if has(b"<svg") => ("an SVG drawing", SCREENSHOT),
        _ if has(b"<html") || has(b"<HTML") || has(b"<!doctype") || has(b"<!DOCTYPE") => {
            ("a web page", SCREENSHOT)
        }
        _ => return None,
    };
    Some(OtherFormat { name, advice })
}

/// What a file of the family of MP4 holds: its major brand says so, or the compatible ones do.
fn of_brands(head: &[u8]) -> (&'static str, &'static str) {
    let length = match head {
        [a, b, c, d, ..] => u32::from_be_bytes([*a, *b, *c, *d]) as usize,
        _ => 0,
    };
    let brands = head.get(..length).unwrap_or(head);
    let has = |wanted: &[&[u8]]| {
        let mut brands = brands.chunks(4).skip(2);
        brands.any(|brand| wanted.contains(&brand))
    };
    if has(&[b"avif", b"avis"]) {
        ("an AVIF picture", SAVE)
    } else if has(&[
        b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1",
    ]) {
        ("a HEIC picture", SAVE_PHOTO)
    } else {
        ("a video", PHOTOGRAPH)
    }
}

#[cfg(test)]
mod tests {
    use image::{GrayImage, ImageFormat};

    use super::*;

    #[test]
    fn a_format_that_is_not_read_is_named_with_what_to_do() {
        for (bytes, name) in [
            (b"%PDF-1.7\n".as_slice(), "a PDF"),
            (b"\xef\xbb\xbf%PDF-1.4", "a PDF"),
            (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "a HEIC picture"),
            (b"\0\0\0\x1cftypmif1\0\0\0\0mif1heicmiaf", "a HEIC picture"),
            (b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf", "an AVIF picture"),
            (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf", "an AVIF picture"),
            (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "a video"),
            (b"II*\0\x08\0\0\0", "a TIFF or raw picture"),
            (b"MM\0*\0\0\0\x08", "a TIFF or raw picture"),
            (b"\xff\x0a\xfa\x1f", "a JPEG XL picture"),
            (
                b"<svg xmlns='http://www.w3.org/2000/svg'/>",
                "an SVG drawing",
            ),
            (
                b"<?xml version='1.0'?>\n<!-- made -->\n<svg/>",
                "an SVG drawing",
            ),
            (b"<!DOCTYPE html><html>", "a web page"),
        ] {
            let refusal = decode(bytes).err().unwrap();
            assert!(
                matches!(&refusal, PictureError::Other(format) if format.name == name),
                "{name}: {refusal}"
            );
            assert!(refusal.to_string().contains(name), "{refusal}");
            assert!(refusal.advice().unwrap().contains("screenshot"), "{name}");
        }
    }

    #[test]
    fn what_is_no_picture_or_nothing_at_all_is_said_to_be() {
        assert!(matches!(decode(b""), Err(PictureError::Empty)));
        for bytes in [
            br#"{"handshake_version":1}"#.as_slice(),
            b"\0",
            b"\0\0\0\0ftyp",
            b"pretixscan://setup",
        ] {
            assert!(
                !matches!(decode(bytes), Ok(_) | Err(PictureError::Damaged(_))),
                "{bytes:?}"
            );
        }
    }

    fn jpeg(side: u32) -> Vec<u8> {
        let mut file = Cursor::new(Vec::new());
        let picture = GrayImage::from_fn(side, side, |x, y| image::Luma([(x * y) as u8]));
        picture.write_to(&mut file, ImageFormat::Jpeg).unwrap();
        file.into_inner()
    }

    #[test]
    fn a_jpeg_is_cut_off_only_where_its_own_picture_is() {
        let (whole, thumbnail) = (jpeg(64), jpeg(8));
        let length = u16::try_from(thumbnail.len() + 2).unwrap().to_be_bytes();
        let segment = [&[0xff, 0xe1][..], &length, &thumbnail].concat();
        let with_thumbnail = [&whole[..2], &segment, &whole[2..]].concat();
        for picture in [&whole, &with_thumbnail] {
            assert!(!is_cut_off(picture));
            let film = b"\0\0\0\x18ftypmp42\xff\xda and no end";
            assert!(!is_cut_off(&[&picture[..], film].concat()));
            for kept in 2..picture.len() - 1 {
                assert!(is_cut_off(&picture[..kept]), "{kept} of {}", picture.len());
            }
        }
    }
}
