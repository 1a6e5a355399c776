//! What is on a sheet, read back as scanners and people do.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::*;
use crate::enrolment::draw::QrCode;
use crate::enrolment::{Enrolment, picture};
use crate::secret::Secret;

const URL: &str = "https://tickets.example.org/shop";

fn label(number: u64, name: &str, gate: Option<&str>) -> Label {
    let token = Secret::new(format!("kpp4jn8g2y{number:06}"));
    let enrolment = Enrolment::new(URL.parse().unwrap(), token).ok().unwrap();
    Label {
        code: QrCode::new(&enrolment).unwrap(),
        number,
        name: name.to_owned(),
        gate: gate.map(str::to_owned),
        organizer: "bigevents".to_owned(),
    }
}

/// Whether Debian's poppler-utils are here; where everything has to be checked, they must be.
fn can_look() -> bool {
    let ran = Command::new("pdftoppm").arg("-v").output();
    let works = ran.is_ok_and(|ran| ran.status.success());
    let is_wanted = std::env::var("CI").as_deref() == Ok("true");
    assert!(works || !is_wanted, "pdftoppm can't be run here");
    works
}

fn run(program: &str, folder: &Path, arguments: &[&str]) {
    let ran = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .status();
    assert!(ran.unwrap().success(), "{program}");
}

/// The pages as pictures of as many dots an inch as a plain printer has.
fn pages(pdf: &[u8]) -> (tempfile::TempDir, Vec<Vec<u8>>) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("sheet.pdf"), pdf).unwrap();
    let render = ["-r", "200", "-gray", "-png", "sheet.pdf", "page"];
    run("pdftoppm", folder.path(), &render);
    let mut files: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "png"))
        .collect();
    files.sort();
    let pages = files.iter().map(|file| fs::read(file).unwrap()).collect();
    (folder, pages)
}

/// The code of one label of a page.
fn read(page: &[u8], paper: Paper, place: usize) -> String {
    let picture = image::load_from_memory(page).unwrap();
    let (area, scale) = (paper.area(place), picture.width() as f32 / paper.size().0);
    let [x, y, width, height] =
        [area.x, area.y, area.width, area.height].map(|side| (side * scale) as u32);
    let label = picture.crop_imm(x, y, width, height);
    let mut png = std::io::Cursor::new(Vec::new());
    label.write_to(&mut png, image::ImageFormat::Png).unwrap();
    let read = picture::read(png.get_ref(), None).ok().unwrap();
    read.into_enrolment().token().expose().to_owned()
}

#[test]
fn every_code_is_read_from_the_printed_sheet_and_every_name_is_text() {
    if !can_look() {
        return;
    }
    let long =
        "Lane at the end of the long corridor behind the second cloakroom, ask Kim ".repeat(2);
    for paper in ["a4", "62x29", "29x90"] {
        let paper: Paper = paper.parse().unwrap();
        let labels: Vec<Label> = (1..=12)
            .map(|number| match number {
                3 => label(number, &long, Some("North <&> \"gate\"")),
                4 => label(number, "Größe Ελλάδα Вход", None),
                _ => label(number, &format!("Lane {number:02}"), Some("North gate")),
            })
            .collect();
        let drawn = Sheet::new(paper).draw(&labels).unwrap();
        assert!(drawn.unwritable.is_empty(), "{:?}", drawn.unwritable);
        let (folder, pages) = pages(&drawn.pdf);
        assert_eq!(pages.len(), 12_usize.div_ceil(paper.labels()));
        for (place, label) in labels.iter().enumerate() {
            let page = &pages[place / paper.labels()];
            let token = read(page, paper, place % paper.labels());
            assert_eq!(token, format!("kpp4jn8g2y{:06}", label.number), "{paper:?}");
        }
        run(
            "pdftotext",
            folder.path(),
            &["-layout", "sheet.pdf", "text"],
        );
        let text = fs::read_to_string(folder.path().join("text")).unwrap();
        for words in [
            "Lane 01",
            "Lane 12",
            "# 12",
            "Größe",
            "Ελλάδα",
            "North gate",
            "bigevents",
        ] {
            assert!(text.contains(words), "{words} is not in {text}");
        }
        assert!(text.contains("North <&>"), "{text}");
    }
}

#[test]
fn words_stay_on_their_label_however_long() {
    let mut fonts = Fonts::of_this_machine();
    for name in ["x".repeat(190), "W W ".repeat(47), "ﷺ".repeat(190)] {
        for paper in ["a4", "62x29", "29x90"] {
            let paper: Paper = paper.parse().unwrap();
            let page = page::svg(paper, &[label(123_456, &name, Some(&name))], &mut fonts);
            let tree = usvg::Tree::from_str(&page, fonts.options()).unwrap();
            let box_ = tree.root().abs_bounding_box();
            let (width, height) = (tree.size().width(), tree.size().height());
            assert!(
                box_.right() <= width + 1.0 && box_.bottom() <= height + 1.0,
                "{paper:?}: {box_:?} in {width} {height}"
            );
        }
    }
}

/// The texts of a label's words, with their heights.
fn lines(paper: &str, label: Label) -> Vec<(String, f32)> {
    let mut fonts = Fonts::of_this_machine();
    let page = page::svg(paper.parse().unwrap(), &[label], &mut fonts);
    let texts = page.lines().filter(|line| line.starts_with("<text"));
    let line = |line: &str| {
        let (_, size) = line.split_once("font-size=\"").unwrap();
        let (size, text) = size.split_once("\">").unwrap();
        let text = text.strip_suffix("</text>").unwrap();
        (text.to_owned(), size.parse().unwrap())
    };
    texts.map(line).collect()
}

#[test]
fn the_name_is_the_largest_and_all_of_a_long_one_is_there() {
    for paper in ["a4", "62x29", "29x90"] {
        let shown = lines(paper, label(7, "Lane 7", Some("North")));
        let texts: Vec<&str> = shown.iter().map(|(text, _)| text.as_str()).collect();
        assert_eq!(texts, ["Lane 7", "# 7", "North", "bigevents"], "{paper}");
        let others = shown.iter().skip(1).map(|(_, size)| *size);
        assert!(
            others.fold(0.0, f32::max) < shown[0].1,
            "{paper}: {shown:?}"
        );

        let long = "Lane at the end of the long corridor behind the second cloakroom";
        let shown = lines(paper, label(7, long, Some("North")));
        let texts: Vec<&str> = shown.iter().map(|(text, _)| text.as_str()).collect();
        assert!(texts.join(" ").starts_with(long), "{paper}: {texts:?}");
        let unspaced = "入口の左側の改札機の後ろ";
        let shown = lines(paper, label(7, unspaced, None));
        let texts: String = shown.iter().map(|(text, _)| text.as_str()).collect();
        assert!(texts.starts_with(unspaced), "{paper}: {texts}");
    }
}

#[test]
fn a_name_that_no_font_has_is_told() {
    // For private use: no font of a system has it.
    let drawn = Sheet::new("a4".parse().unwrap()).draw(&[label(1, "Lane \u{f8aa3}", None)]);
    assert_eq!(drawn.unwrap().unwritable, ["Lane \u{f8aa3}"]);
}

#[test]
fn a_sheet_of_nothing_is_refused() {
    let drawn = Sheet::new("a4".parse().unwrap()).draw(&[]);
    assert!(matches!(drawn.map(drop), Err(SheetError::Empty)));
}
