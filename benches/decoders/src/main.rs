//! Compares libraries that read QR codes on shots of the tests' camera, each behind the same
//! pre-steps: the shares read, the times, and the panics on damaged pictures. Arguments: how many
//! shots of each kind (300), then the kinds; or how
//! many damaged pictures, and `hostile`.
#![allow(clippy::unwrap_used, reason = "a comparison fails by panicking")]

use std::cell::LazyCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use gatehand_camera::{Noise, Photo};
use image::imageops::{self, FilterType};
use image::{DynamicImage, GrayImage, Luma, Rgb, RgbImage};
use qrcode::{EcLevel, QrCode};

const PAYLOAD: &str = r#"{"handshake_version":1,"url":"https://tickets.example.org/shop","token":"kpp4jn8g2ynzonp6"}"#;

/// Reads what codes a picture in shades of gray holds.
type Decoder = fn(&GrayImage) -> Vec<String>;

const DECODERS: [(&str, Decoder); 3] = [
    ("quircs", |picture| {
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        let mut detector = quircs::Quirc::new();
        let codes = detector.identify(width, height, picture);
        let contents = codes.filter_map(|code| code.ok()?.decode().ok());
        contents
            .filter_map(|content| String::from_utf8(content.payload).ok())
            .collect()
    }),
    ("rxing", rxing),
    ("rqrr", |picture| {
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        let mut prepared = rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| {
            picture.get_pixel(x as u32, y as u32).0[0]
        });
        let codes = prepared.detect_grids();
        codes
            .iter()
            .filter_map(|code| Some(code.decode().ok()?.1))
            .collect()
    }),
];

fn rxing(picture: &GrayImage) -> Vec<String> {
    use rxing::common::HybridBinarizer;
    use rxing::multi::MultipleBarcodeReader;
    let source =
        rxing::Luma8Source::new_with_slice(picture, picture.width(), picture.height()).unwrap();
    let hints = rxing::DecodeHints {
        TryHarder: Some(true),
        PossibleFormats: Some([rxing::BarcodeFormat::QR_CODE].into()),
        ..Default::default()
    };
    let mut bitmap = rxing::BinaryBitmap::new(HybridBinarizer::new(source));
    let codes = rxing::qrcode::cpp_port::QrReader.decode_multiple_with_hints(&mut bitmap, &hints);
    let codes = codes.unwrap_or_default();
    codes.iter().map(|code| code.getText().to_owned()).collect()
}

struct Rng(Noise);

impl Rng {
    fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * (self.0.up_to(10_000) + 10_000) as f32 / 20_000.0
    }
}

fn code(content: &str) -> GrayImage {
    QrCode::with_error_correction_level(content, EcLevel::M)
        .unwrap()
        .render::<Luma<u8>>()
        .module_dimensions(1, 1)
        .build()
}

/// The enrolment among codes of other things.
fn sheet(rng: &mut Rng) -> GrayImage {
    let others = [
        "https://apps.apple.com/app/pretixscan/id1462310543",
        "https://play.google.com/store/apps/details?id=eu.pretix.pretixscan.droid",
        "WIFI:T:WPA;S:Backstage;P:not-for-you;;",
    ];
    let mut sheet = GrayImage::from_pixel(100, 100, Luma([255]));
    let enrolment = (rng.between(0.0, 3.999)) as usize;
    let mut others = others.iter();
    for place in 0..4 {
        let code = match place == enrolment {
            true => code(PAYLOAD),
            false => code(others.next().unwrap()),
        };
        let (x, y) = (place % 2 * 50, place / 2 * 50);
        imageops::replace(&mut sheet, &code, x as i64, y as i64);
    }
    sheet
}

fn decoded(jpeg: &[u8]) -> RgbImage {
    image::load_from_memory(jpeg).unwrap().into_rgb8()
}

/// A shot of a kind.
fn shot(kind: &str, rng: &mut Rng) -> RgbImage {
    let enrolment = code(PAYLOAD);
    let plain = Photo {
        yaw: rng.between(-20.0, 20.0),
        pitch: rng.between(-20.0, 20.0),
        roll: rng.between(-15.0, 15.0),
        distance: rng.between(0.8, 1.6),
        blur: rng.between(0.3, 1.0),
        noise: rng.between(2.0, 12.0) as i32,
        ..Photo::default()
    };
    let photo = match kind {
        "at an angle" => Photo {
            yaw: rng.between(-45.0, 45.0),
            pitch: rng.between(-30.0, 30.0),
            ..plain
        },
        "turned" => Photo {
            roll: rng.between(0.0, 360.0),
            ..plain
        },
        "blurred" => Photo {
            blur: rng.between(1.0, 3.0),
            ..plain
        },
        "noise and moire" => Photo {
            noise: rng.between(20.0, 70.0) as i32,
            moire: rng.between(0.0, 0.7),
            quality: rng.between(10.0, 60.0) as u8,
            ..plain
        },
        "in shadow" => Photo {
            shadow: rng.between(0.4, 0.9),
            ..plain
        },
        "low contrast" => Photo {
            contrast: rng.between(0.05, 0.2),
            noise: rng.between(0.0, 4.0) as i32,
            ..plain
        },
        "light on dark" => Photo {
            inverted: true,
            ..plain
        },
        "mirrored" => Photo {
            mirrored: true,
            ..plain
        },
        "coloured" => {
            let colours = [
                [[200, 30, 40], [255, 255, 255]],
                [[255, 150, 0], [255, 255, 255]],
                [[255, 225, 0], [255, 255, 255]],
                [[200, 0, 0], [0, 100, 40]],
                [[20, 30, 140], [250, 200, 60]],
                [[0, 110, 60], [220, 60, 60]],
                [[230, 0, 120], [0, 200, 230]],
            ];
            let colours = colours[rng.between(0.0, 6.999) as usize];
            Photo { colours, ..plain }
        }
        "beside others" => {
            let photo = Photo {
                distance: rng.between(0.6, 0.9),
                ..plain
            };
            return decoded(&photo.take(&sheet(rng)));
        }
        "160 px in 12 megapixels" => {
            let photo = Photo {
                size: (400, 300),
                distance: 0.94,
                yaw: rng.between(-12.0, 12.0),
                pitch: rng.between(-12.0, 12.0),
                noise: rng.between(1.0, 5.0) as i32,
                blur: rng.between(0.3, 0.8),
                ..plain
            };
            let mut large = RgbImage::from_fn(4000, 3000, |x, y| {
                let stripes = (x / 7 * 13 + y / 5 * 29 + x * y / 997) % 160;
                Rgb([(60 + stripes) as u8; 3])
            });
            let part = decoded(&photo.take(&enrolment));
            let (x, y) = (rng.between(0.0, 3600.0), rng.between(0.0, 2700.0));
            imageops::replace(&mut large, &part, x as i64, y as i64);
            return large;
        }
        _ => panic!("{kind}: no such kind"),
    };
    decoded(&photo.take(&enrolment))
}

const KINDS: [&str; 11] = [
    "at an angle",
    "turned",
    "blurred",
    "noise and moire",
    "in shadow",
    "low contrast",
    "light on dark",
    "mirrored",
    "coloured",
    "beside others",
    "160 px in 12 megapixels",
];

/// What a shot is searched as, one after the other: a size, then a view.
fn views(shot: &RgbImage) -> Vec<(u32, View)> {
    let own = shot.width().max(shot.height());
    let mut sides = vec![own];
    sides.extend((own <= 1000).then_some(own * 2));
    sides.extend(
        [2000, 1400, 1000, 700, 500]
            .into_iter()
            .filter(|&side| side < own),
    );
    let all = |colour| {
        sides.clone().into_iter().flat_map(move |side| {
            [
                (
                    side,
                    View {
                        colour,
                        inverted: false,
                        mirrored: false,
                        stretched: false,
                    },
                ),
                (
                    side,
                    View {
                        colour,
                        inverted: false,
                        mirrored: false,
                        stretched: true,
                    },
                ),
                (
                    side,
                    View {
                        colour,
                        inverted: true,
                        mirrored: false,
                        stretched: true,
                    },
                ),
                (
                    side,
                    View {
                        colour,
                        inverted: false,
                        mirrored: true,
                        stretched: true,
                    },
                ),
            ]
        })
    };
    [None, Some(0), Some(1), Some(2)]
        .into_iter()
        .flat_map(all)
        .collect()
}

#[derive(Clone, Copy)]
struct View {
    colour: Option<usize>,
    inverted: bool,
    mirrored: bool,
    stretched: bool,
}

impl View {
    fn of(self, shot: &RgbImage, side: u32) -> GrayImage {
        let mut picture = match self.colour {
            None => DynamicImage::ImageRgb8(shot.clone()).into_luma8(),
            Some(colour) => channel_of(shot, colour),
        };
        if side != shot.width().max(shot.height()) {
            picture = DynamicImage::ImageLuma8(picture)
                .resize(side, side, FilterType::Triangle)
                .into_luma8();
        }
        if self.inverted {
            imageops::invert(&mut picture);
        }
        if self.mirrored {
            imageops::flip_horizontal_in_place(&mut picture);
        }
        match self.stretched {
            true => stretched(&picture),
            false => picture,
        }
    }
}

fn channel_of(shot: &RgbImage, channel: usize) -> GrayImage {
    GrayImage::from_fn(shot.width(), shot.height(), |x, y| {
        Luma([shot.get_pixel(x, y).0[channel]])
    })
}

/// Local contrast brought to full range: what differs from its surroundings becomes black or white.
fn stretched(picture: &GrayImage) -> GrayImage {
    let around = imageops::fast_blur(
        picture,
        picture.width().max(picture.height()) as f32 / 100.0,
    );
    let mut pixels = picture.clone();
    for (pixel, around) in pixels.iter_mut().zip(around.as_raw()) {
        let dark = u32::from(*pixel) * 100 < u32::from(*around) * 95;
        *pixel = if dark { 0 } else { 255 };
    }
    pixels
}

/// Pictures of 12 megapixels made to take long: nothing but corners of codes, noise, stripes.
fn hostile() -> [(&'static str, GrayImage); 4] {
    let mut noise = Noise(7);
    let corners = |module: u32| {
        GrayImage::from_fn(4000, 3000, |x, y| {
            let ring = |at: u32| (at / module % 9).abs_diff(4);
            let ring = ring(x).max(ring(y));
            Luma([if ring == 2 || ring == 4 { 255 } else { 0 }])
        })
    };
    [
        ("a wall of corners", corners(1)),
        ("a wall of larger corners", corners(4)),
        (
            "noise",
            GrayImage::from_fn(4000, 3000, |_, _| Luma([(noise.up_to(127) + 128) as u8])),
        ),
        (
            "a checkerboard",
            GrayImage::from_fn(4000, 3000, |x, y| Luma([((x / 3 + y / 3) % 2 * 255) as u8])),
        ),
    ]
}

/// A code with some pixels spoilt, turned and cut: what a decoder's arithmetic has to bear.
fn damaged(rng: &mut Rng) -> GrayImage {
    let code = code(PAYLOAD);
    let (width, height) = (rng.between(20.0, 200.0), rng.between(20.0, 200.0));
    let mut picture = imageops::resize(&code, width as u32, height as u32, FilterType::Triangle);
    let spoilt = rng.between(0.0, 0.3);
    let shear = rng.between(-0.8, 0.8);
    for pixel in picture.iter_mut() {
        if rng.between(0.0, 1.0) < spoilt {
            *pixel = rng.between(0.0, 255.0) as u8;
        }
    }
    GrayImage::from_fn(picture.width(), picture.height(), |x, y| {
        let from = x as f32 + shear * y as f32;
        *picture
            .get_pixel_checked(from as u32, y)
            .unwrap_or(&Luma([255]))
    })
}

/// Prints how many damaged pictures make each decoder panic, and how long it takes of hostile ones.
fn be_hostile(pictures: usize) {
    for (name, decode) in DECODERS {
        let mut rng = Rng(Noise(0x9e37_79b9));
        let panics = (0..pictures)
            .map(|_| damaged(&mut rng))
            .filter(|picture| catch_unwind(AssertUnwindSafe(|| decode(picture))).is_err())
            .count();
        println!("{name} | {pictures} damaged pictures | panics {panics}");
        for (what, picture) in hostile() {
            let begun = Instant::now();
            let outcome = catch_unwind(AssertUnwindSafe(|| decode(&picture)));
            let panicked = if outcome.is_err() { ", panicked" } else { "" };
            println!("{name} | {what} | {:.1?}{panicked}", begun.elapsed());
        }
    }
}

#[derive(Default)]
struct Score {
    first: usize,
    read: usize,
    panics: usize,
    times: Vec<Duration>,
}

fn main() {
    std::panic::set_hook(Box::new(|_| {}));
    let mut arguments = std::env::args().skip(1);
    let shots: usize = arguments.next().map_or(300, |shots| shots.parse().unwrap());
    let kinds: Vec<String> = arguments.collect();
    if kinds == ["hostile"] {
        return be_hostile(shots);
    }
    for kind in KINDS {
        if !kinds.is_empty() && !kinds.iter().any(|wanted| wanted == kind) {
            continue;
        }
        let mut scores: [Score; DECODERS.len()] = Default::default();
        let mut rng = Rng(Noise(0x9e37_79b9));
        for _ in 0..shots {
            let shot = shot(kind, &mut rng);
            let views: Vec<_> = views(&shot)
                .into_iter()
                .map(|(side, view)| {
                    LazyCell::new({
                        let shot = &shot;
                        move || view.of(shot, side)
                    })
                })
                .collect();
            for ((_, decode), score) in DECODERS.iter().zip(&mut scores) {
                for (index, view) in views.iter().enumerate() {
                    let begun = Instant::now();
                    let found = catch_unwind(AssertUnwindSafe(|| decode(LazyCell::force(view))));
                    if index == 0 {
                        score.times.push(begun.elapsed());
                    }
                    let found = found.unwrap_or_else(|_| {
                        score.panics += 1;
                        Vec::new()
                    });
                    if found.iter().any(|content| content == PAYLOAD) {
                        score.read += 1;
                        score.first += usize::from(index == 0);
                        break;
                    }
                }
            }
        }
        for ((name, _), score) in DECODERS.iter().zip(&mut scores) {
            score.times.sort_unstable();
            println!(
                "{kind} | {name} | at once {:.1} % | in the end {:.1} % | panics {} | median {:.1?} | worst {:.1?}",
                score.first as f32 * 100.0 / shots as f32,
                score.read as f32 * 100.0 / shots as f32,
                score.panics,
                score.times[shots / 2],
                score.times[shots - 1],
            );
        }
    }
}
