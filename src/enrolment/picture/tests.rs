//! Pictures as cameras take them and programs make them.

use std::io::Cursor;

use image::imageops::{self, FilterType};
use image::{DynamicImage, GrayImage, ImageFormat, Luma, RgbImage};
use proptest::prelude::*;

use super::super::Enrolment;
use super::super::draw::QrCode;
use super::*;
use gatehand_camera::{Noise, Photo};

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

/// A code of any content, with modules of 4 pixels.
fn other_code(content: &str) -> GrayImage {
    let code = qrcode::QrCode::new(content).unwrap();
    code.render::<Luma<u8>>().module_dimensions(4, 4).build()
}

fn side_by_side(codes: &[GrayImage]) -> GrayImage {
    let width = codes.iter().map(GrayImage::width).sum();
    let height = codes.iter().map(GrayImage::height).max().unwrap();
    let mut sheet = GrayImage::from_pixel(width, height, Luma([255]));
    let mut x = 0;
    for code in codes {
        imageops::replace(&mut sheet, code, x, 0);
        x += i64::from(code.width());
    }
    sheet
}

fn saved(picture: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.into().write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn png(picture: impl Into<DynamicImage>) -> Vec<u8> {
    saved(picture, ImageFormat::Png)
}

fn read(bytes: &[u8]) -> Result<Enrolment, PictureError> {
    Ok(super::read(bytes, None)?.into_enrolment())
}

fn refusal(bytes: &[u8]) -> PictureError {
    read(bytes).err().expect("the picture should be refused")
}

#[track_caller]
fn assert_read(bytes: &[u8], what: &dyn std::fmt::Debug) {
    match read(bytes) {
        Ok(read) => assert!(read.is(&enrolment(TOKEN)), "{what:?}"),
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
    for picture in [
        include_bytes!("../../../tests/data/enrolment/screen-at-an-angle.jpg").as_slice(),
        include_bytes!("../../../tests/data/enrolment/dark-terminal.png"),
    ] {
        let enrolment = read(picture).ok().unwrap();
        assert_eq!(enrolment.url().to_string(), "https://pretix.eu");
        assert_eq!(enrolment.token().expose(), TOKEN);
    }
    let predecessor =
        include_bytes!("../../../tests/data/enrolment/predecessor-transparent.png").as_slice();
    let ticket = include_bytes!("../../../tests/data/enrolment/ticket.jpg");
    assert!(matches!(
        refusal(predecessor),
        PictureError::Code(ParseError::Predecessor)
    ));
    assert!(matches!(
        refusal(ticket),
        PictureError::Code(ParseError::TicketLike)
    ));
}

#[test]
fn a_photo_of_two_codes_and_one_of_none_are_refused() {
    let two = include_bytes!("../../../tests/data/enrolment/two-codes.jpg");
    let PictureError::SeveralEnrolments(servers) = refusal(two) else {
        panic!("both are enrolments");
    };
    assert_eq!(servers, ["https://pretix.eu"]);
    let none = include_bytes!("../../../tests/data/enrolment/no-code.jpg");
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
    let beside = |other: GrayImage| png(side_by_side(&[code(TOKEN, 4), other]));
    assert_read(&beside(code(TOKEN, 4)), &"equal");
    assert_read(&beside(code(TOKEN, 2)), &"one smaller");
    let link = other_code(enrolment(TOKEN).to_link().expose());
    assert_read(&beside(link), &"as a link");
    for module_pixels in [2, 4] {
        let other = code("frkso3m2w58zuw70", module_pixels);
        assert!(matches!(
            refusal(&beside(other)),
            PictureError::SeveralEnrolments(_)
        ));
    }
}

#[test]
fn of_different_enrolments_the_servers_are_named_and_no_tokens() {
    let elsewhere = other_code(
        r#"{"handshake_version":1,"url":"https://pretix.eu","token":"frkso3m2w58zuw70"}"#,
    );
    let message = refusal(&png(side_by_side(&[code(TOKEN, 4), elsewhere]))).to_string();
    assert!(
        message.contains("https://pretix.eu and https://tickets.example.org/shop"),
        "{message}"
    );
    assert!(!message.contains(TOKEN) && !message.contains("frkso3m2w58zuw70"));
}

const STORE: &str = "https://apps.apple.com/app/id1462310543";
const NETWORK: &str = "WIFI:T:WPA;S:Backstage;P:not-for-you;;";
const TICKET: &str = "q9wkn3ptaedbf7x2m5hr8vzu4csgyj6d";

#[test]
fn the_one_enrolment_among_codes_of_other_things_is_meant() {
    let mut codes: Vec<_> = [STORE, NETWORK, TICKET].map(other_code).into();
    for place in 0..4 {
        codes.insert(place, code(TOKEN, 4));
        assert_read(&png(side_by_side(&codes)), &place);
        codes.remove(place);
    }
    let mut renderer = code(TOKEN, 1);
    renderer = imageops::resize(&renderer, 492, 492, FilterType::Nearest);
    let page = side_by_side(&[renderer, other_code(STORE)]);
    let photo = Photo {
        size: (1200, 900),
        distance: 0.8,
        yaw: 20.0,
        ..Photo::default()
    };
    let square = GrayImage::from_fn(page.width(), page.width(), |x, y| {
        *page.get_pixel_checked(x, y).unwrap_or(&Luma([255]))
    });
    assert_read(&photo.take(&square), &photo);
}

#[test]
fn all_codes_on_a_page_of_many_are_seen() {
    const MANY: usize = 48;
    let page = |enrolments: &[(usize, &str)]| {
        let codes = (0..MANY).map(|at| match enrolments.iter().find(|it| it.0 == at) {
            Some((_, token)) => code(token, 1),
            None => other_code(&format!("https://example.org/a/page/of/codes/{at}")),
        });
        let mut page = GrayImage::from_pixel(1600, 1200, Luma([255]));
        for (at, code) in codes.enumerate() {
            let (x, y) = ((at % 8 * 200) as i64, (at / 8 * 200) as i64);
            let code = imageops::resize(&code, 180, 180, FilterType::Nearest);
            imageops::replace(&mut page, &code, x, y);
        }
        png(page)
    };
    assert_read(&page(&[(28, TOKEN)]), &"one");
    assert!(matches!(
        refusal(&page(&[(0, TOKEN), (47, "frkso3m2w58zuw70")])),
        PictureError::SeveralEnrolments(_)
    ));
}

#[test]
fn what_a_code_holds_is_read_like_any_other_text() {
    let payload = enrolment(TOKEN).to_payload();
    for text in [
        format!(
            "Set the scanner up: {}",
            enrolment(TOKEN).to_link().expose()
        ),
        format!("\u{feff}{}\r\n", payload.expose()),
        payload.expose().replace('"', "\u{201d}"),
    ] {
        assert_read(&png(other_code(&text)), &text);
    }
    let under_caps_lock: String = payload
        .expose()
        .chars()
        .map(|c| match c.is_ascii_lowercase() {
            true => c.to_ascii_uppercase(),
            false => c.to_ascii_lowercase(),
        })
        .collect();
    let reading = super::read(&png(other_code(&under_caps_lock)), None);
    assert!(reading.ok().unwrap().mapping().is_some());
}

#[test]
fn codes_of_other_things_alone_are_told_by_kind_without_what_they_hold() {
    let refused = refusal(&png(side_by_side(&[STORE, NETWORK].map(other_code))));
    let PictureError::OtherCodes(kinds) = &refused else {
        panic!("{refused}");
    };
    assert_eq!(kinds, &["a Wi-Fi network", "a link to an app store"]);
    assert!(!refused.to_string().contains("not-for-you"));
    let predecessor = r#"{"version": 1, "url": "https://pretix.eu", "key": "ABC"}"#;
    assert!(matches!(
        refusal(&png(side_by_side(&[STORE, predecessor].map(other_code)))),
        PictureError::Code(ParseError::Predecessor)
    ));
    assert!(matches!(
        refusal(&png(other_code(STORE))),
        PictureError::Code(ParseError::WebAddress)
    ));
}

#[test]
fn a_picture_is_read_whichever_way_its_pixels_are_stored() {
    // What EXIF's orientations 1 to 8 mean, four of them mirrored.
    let code = code(TOKEN, 4);
    let mirrored = imageops::flip_horizontal(&code);
    for (picture, what) in [(code, "plain"), (mirrored, "mirrored")] {
        let turned = imageops::rotate90(&picture);
        for picture in [
            imageops::rotate180(&picture),
            imageops::rotate270(&picture),
            picture,
            turned,
        ] {
            assert_read(&png(picture), &what);
        }
    }
}

#[test]
fn a_mirrored_photo_is_read() {
    assert_shots_are_read([
        Photo {
            mirrored: true,
            ..Photo::default()
        },
        Photo {
            mirrored: true,
            yaw: 25.0,
            roll: 100.0,
            noise: 15,
            ..Photo::default()
        },
        Photo {
            mirrored: true,
            inverted: true,
            ..Photo::default()
        },
    ]);
}

#[test]
fn a_coloured_code_is_read() {
    // The last three are as bright as what they are on, or nearly.
    let colours = [
        [[200, 30, 40], [255, 255, 255]],
        [[20, 30, 140], [250, 200, 60]],
        [[255, 225, 0], [255, 255, 255]],
        [[200, 0, 0], [0, 100, 40]],
        [[0, 110, 60], [220, 60, 60]],
    ];
    assert_shots_are_read(colours.map(|colours| Photo {
        colours,
        yaw: 10.0,
        ..Photo::default()
    }));
}

#[test]
fn grey_on_grey_is_read() {
    for (dark, light) in [(0xb0, 0xc8), (0x60, 0x70), (0xe8, 0xf8)] {
        let mut picture = code(TOKEN, 4);
        for pixel in picture.iter_mut() {
            *pixel = if *pixel == 0 { dark } else { light };
        }
        assert_read(&png(picture), &(dark, light));
    }
}

#[test]
fn a_code_of_160_pixels_in_a_photo_of_12_megapixels_is_read() {
    let close = Photo {
        size: (400, 300),
        distance: 0.94,
        yaw: 10.0,
        noise: 3,
        ..Photo::default()
    };
    let close = image::load_from_memory(&close.take(&code(TOKEN, 1))).unwrap();
    let mut room = RgbImage::from_fn(4000, 3000, |x, y| {
        image::Rgb([(60 + (x / 7 * 13 + y / 5 * 29) % 160) as u8; 3])
    });
    imageops::replace(&mut room, &close.into_rgb8(), 2900, 400);
    assert_read(&saved(room, ImageFormat::Jpeg), &"small in large");
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
fn every_format_that_is_read_is_told_by_its_content() {
    for format in [
        ImageFormat::Png,
        ImageFormat::Jpeg,
        ImageFormat::WebP,
        ImageFormat::Bmp,
        ImageFormat::Gif,
    ] {
        let picture = DynamicImage::from(code(TOKEN, 4)).into_rgba8();
        let picture = match format {
            ImageFormat::Jpeg => DynamicImage::from(picture).into_rgb8().into(),
            _ => DynamicImage::from(picture),
        };
        assert_read(&saved(picture, format), &format);
    }
}

#[test]
fn a_picture_that_is_cut_off_is_said_to_be_damaged() {
    let photo = Photo::default().take(&code(TOKEN, 1));
    let formats = [ImageFormat::Png, ImageFormat::WebP, ImageFormat::Bmp];
    let picture = DynamicImage::from(code(TOKEN, 4)).into_rgb8();
    let files = formats.map(|format| saved(picture.clone(), format));
    for whole in [&[photo], files.as_slice()].concat() {
        for share in [4, 10, 25, 40, 50] {
            let kept = &whole[..whole.len() * share / 100];
            let refusal = refusal(kept);
            assert!(refusal.to_string().contains("damaged"), "{refusal}");
        }
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
