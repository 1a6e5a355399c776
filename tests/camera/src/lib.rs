//! A camera that photographs a screen with a QR code, a new shot for every setting and
//! the same for the same one.
#![allow(clippy::unwrap_used, reason = "what tests show fails by panicking")]

use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, GrayImage, Luma, Pixel, Rgb, RgbImage, imageops};

/// How a shot is taken; the default is a straight one of a bright screen.
#[derive(Clone, Debug)]
pub struct Photo {
    /// Pixels of width and height.
    pub size: (u32, u32),
    /// Degrees the screen is turned about the vertical axis.
    pub yaw: f32,
    /// Degrees it is turned about the horizontal axis.
    pub pitch: f32,
    /// Degrees it is turned in its own plane.
    pub roll: f32,
    /// How far away it is: at 1 the code takes half of the photo's height.
    pub distance: f32,
    /// Standard deviation of the blur, in pixels.
    pub blur: f32,
    /// Largest deviation of a pixel's brightness by the sensor's noise.
    pub noise: i32,
    /// How much of the light is missing in the shadow that falls across the code, 0 to 1.
    pub shadow: f32,
    /// Largest loss of brightness between the screen's own pixels, 0 to 1.
    pub moire: f32,
    /// Difference between black and white, 0 to 1.
    pub contrast: f32,
    /// Whether the screen shows light on dark.
    pub inverted: bool,
    /// Whether it is a front camera's picture, left for right.
    pub mirrored: bool,
    /// Colours in place of black and of white.
    pub colours: [[u8; 3]; 2],
    /// Quality of the JPEG, 1 to 100.
    pub quality: u8,
}

impl Default for Photo {
    fn default() -> Self {
        Self {
            size: (800, 600),
            yaw: 0.0,
            pitch: 0.0,
            roll: 0.0,
            distance: 1.0,
            blur: 0.5,
            noise: 4,
            shadow: 0.0,
            moire: 0.0,
            contrast: 0.9,
            inverted: false,
            mirrored: false,
            colours: [[0; 3], [255; 3]],
            quality: 80,
        }
    }
}

impl Photo {
    /// The JPEG of a screen that shows `code` (one pixel a module, quiet zone included).
    ///
    /// # Panics
    ///
    /// If the quality or size is none of a JPEG.
    pub fn take(&self, code: &GrayImage) -> Vec<u8> {
        let mut noise = Noise(0x2545_f491);
        let axes = self.axes();
        let (width, height) = self.size;
        let sharp = GrayImage::from_fn(width, height, |x, y| {
            // Four rays a pixel, so that edges are soft.
            let light: f32 = [(0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)]
                .into_iter()
                .map(|(dx, dy)| {
                    let (x, y) = (x as f32 + dx, y as f32 + dy);
                    let (u, v) = self.point_on_screen(&axes, x, y);
                    self.brightness(code, u, v)
                })
                .sum();
            Luma([to_shade(light / 4.0)])
        });
        let mut shot = DynamicImage::ImageLuma8(sharp).blur(self.blur).into_luma8();
        for pixel in shot.iter_mut() {
            let shade = i32::from(*pixel) + noise.up_to(self.noise);
            *pixel = shade.clamp(0, 255) as u8;
        }
        if self.mirrored {
            imageops::flip_horizontal_in_place(&mut shot);
        }
        let shot = self.coloured(&shot);
        let mut jpeg = Vec::new();
        shot.write_with_encoder(JpegEncoder::new_with_quality(&mut jpeg, self.quality))
            .unwrap();
        jpeg
    }

    fn coloured(&self, shot: &GrayImage) -> RgbImage {
        let [dark, light] = self.colours.map(Rgb);
        RgbImage::from_fn(shot.width(), shot.height(), |x, y| {
            let Luma([shade]) = *shot.get_pixel(x, y);
            dark.map2(&light, |dark, light| {
                let (dark, light) = (i32::from(dark), i32::from(light));
                (dark + (light - dark) * i32::from(shade) / 255) as u8
            })
        })
    }

    /// The screen's axes as the camera sees them: across, down, and away from it.
    fn axes(&self) -> [[f32; 3]; 3] {
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]].map(|[x, y, z]| {
            let (sin, cos) = self.roll.to_radians().sin_cos();
            let [x, y] = [x * cos - y * sin, x * sin + y * cos];
            let (sin, cos) = self.pitch.to_radians().sin_cos();
            let [y, z] = [y * cos - z * sin, y * sin + z * cos];
            let (sin, cos) = self.yaw.to_radians().sin_cos();
            [x * cos + z * sin, y, z * cos - x * sin]
        })
    }

    /// Where the ray through a pixel meets the screen's plane; the code spans -0.5 to 0.5.
    fn point_on_screen(&self, axes: &[[f32; 3]; 3], x: f32, y: f32) -> (f32, f32) {
        let (width, height) = (self.size.0 as f32, self.size.1 as f32);
        let depth = 3.0 * self.distance;
        let ray = [x - width / 2.0, y - height / 2.0, height * 1.5];
        let [across, down, away] = axes;
        let reach = dot(away, &[0.0, 0.0, depth]) / dot(away, &ray);
        let [x, y, z] = ray.map(|step| step * reach);
        let point = [x, y, z - depth];
        (dot(&point, across), dot(&point, down))
    }

    /// Light that comes from a point: the code, the page around it, the bezel, the desk.
    fn brightness(&self, code: &GrayImage, u: f32, v: f32) -> f32 {
        let side = code.width() as f32;
        let module = |at: f32| ((at + 0.5) * side).floor();
        let (x, y) = (module(u), module(v));
        let shown = if (0.0..side).contains(&x) && (0.0..side).contains(&y) {
            f32::from(code.get_pixel(x as u32, y as u32).0[0]) / 255.0
        } else if u.abs() > 1.3 || v.abs() > 0.9 {
            return 0.45 + 0.1 * (u * 9.0).sin() * (v * 7.0).cos(); // the desk
        } else if u.abs() > 1.2 || v.abs() > 0.8 {
            return 0.05; // the bezel
        } else {
            // Lines of text on the page.
            let text = v.abs() > 0.6 && (v * 60.0).sin() > 0.3 && (u * 90.0).sin() > 0.0;
            if text { 0.2 } else { 0.96 }
        };
        let shown = if self.inverted { 1.0 - shown } else { shown };
        let grid = (0.5 + 0.5 * (u * 700.0).sin()) * (0.5 + 0.5 * (v * 700.0).sin());
        let out_of_shadow = ((u * 0.8 + v * 0.6) / 0.15).clamp(0.0, 1.0);
        let lit = 1.0 - self.shadow * (1.0 - out_of_shadow);
        (0.5 + (shown - 0.5) * self.contrast) * (1.0 - self.moire * grid) * lit
    }
}

fn dot(a: &[f32; 3], b: &[f32; 3]) -> f32 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn to_shade(light: f32) -> u8 {
    (light.clamp(0.0, 1.0) * 255.0) as u8
}

/// Evenly spread numbers, the same each time (xorshift).
pub struct Noise(pub u32);

impl Noise {
    /// A number from `-limit` to `limit`.
    pub fn up_to(&mut self, limit: i32) -> i32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        (self.0 % (2 * limit as u32 + 1)) as i32 - limit
    }
}
