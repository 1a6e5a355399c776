//! Pages as a PDF, whose texts can be searched.

use krilla::Document;
use krilla::geom::Size;
use krilla::page::PageSettings;
use krilla_svg::{SurfaceExt, SvgSettings};
use usvg::Tree;

use super::error::SheetError;
use super::fonts::Fonts;
use super::paper::Paper;

/// What a PDF measures in, for each millimetre.
const POINTS: f32 = 72.0 / 25.4;

pub(super) fn of(pages: &[String], paper: Paper, fonts: &Fonts) -> Result<Vec<u8>, SheetError> {
    let (width, height) = paper.size();
    let size = Size::from_wh(width * POINTS, height * POINTS).ok_or(SheetError::Empty)?;
    if pages.is_empty() {
        return Err(SheetError::Empty);
    }
    let mut document = Document::new();
    for drawn in pages {
        let tree = Tree::from_str(drawn, fonts.options()).map_err(SheetError::Page)?;
        let mut page = document.start_page_with(PageSettings::new(size));
        let mut surface = page.surface();
        let _ = surface.draw_svg(&tree, size, SvgSettings::default());
        surface.finish();
        page.finish();
    }
    document
        .finish()
        .map_err(|error| SheetError::Pdf(format!("{error:?}")))
}
