//! The fonts that texts are written in: one that comes along, and this machine's for what that lacks.

use std::collections::BTreeSet;
use std::sync::Arc;

use usvg::fontdb::{Database, Source};
use usvg::{Node, Options, Tree};

/// DejaVu Sans: Latin, Greek, Cyrillic, Arabic, Hebrew and more; see the licence beside it.
static BUILT_IN: &[u8] = include_bytes!("font/DejaVuSans.ttf");
const FAMILY: &str = "DejaVu Sans";

/// In which a text is measured.
const MEASURED: f32 = 100.0;

/// The fonts of this machine, and which texts they can't write.
pub(super) struct Fonts {
    options: Options<'static>,
    unwritable: BTreeSet<String>,
}

impl Fonts {
    pub(super) fn of_this_machine() -> Self {
        let mut database = Database::new();
        database.load_font_source(Source::Binary(Arc::new(BUILT_IN)));
        database.load_system_fonts();
        Self {
            options: Options {
                fontdb: Arc::new(database),
                font_family: FAMILY.to_owned(),
                ..Options::default()
            },
            unwritable: BTreeSet::new(),
        }
    }

    /// For a document with texts in these fonts.
    pub(super) fn options(&self) -> &Options<'static> {
        &self.options
    }

    /// How wide a text is for each unit of its height.
    pub(super) fn width(&self, text: &str) -> f32 {
        self.measured(text).0
    }

    /// Notes a text if it has characters of no font.
    pub(super) fn note(&mut self, text: &str) {
        if self.measured(text).1 {
            self.unwritable.insert(text.to_owned());
        }
    }

    /// How wide a text is for each unit of its height, and whether it has characters of no font.
    fn measured(&self, text: &str) -> (f32, bool) {
        let document = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"1\" height=\"1\"><text font-size=\"{MEASURED}\">{}</text></svg>",
            escaped(text)
        );
        let Ok(tree) = Tree::from_str(&document, &self.options) else {
            return (0.0, false);
        };
        let nodes = tree.root().children();
        let width = nodes.iter().map(|node| node.abs_bounding_box().width());
        let width = width.fold(0.0, f32::max);
        (width / MEASURED, nodes.iter().any(has_unknown_glyph))
    }

    /// Texts that were noted.
    pub(super) fn unwritable(self) -> Vec<String> {
        self.unwritable.into_iter().collect()
    }
}

fn has_unknown_glyph(node: &Node) -> bool {
    match node {
        Node::Text(text) => {
            let mut glyphs = text
                .layouted()
                .iter()
                .flat_map(|span| &span.positioned_glyphs);
            glyphs.any(|glyph| glyph.id.0 == 0)
        }
        Node::Group(group) => group.children().iter().any(has_unknown_glyph),
        _ => false,
    }
}

/// A text as it stands in a document.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            // No document may have these.
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}
