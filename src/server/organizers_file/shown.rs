//! Pieces of a file as they are shown to people.

/// Longest piece that is shown, in characters.
const SHOWN: usize = 40;

/// The text in quotes, shortened, with everything escaped that a terminal would act on.
pub(in crate::server) fn quote(text: &str) -> String {
    format!("{:?}", shorten(text))
}

pub(super) fn shorten(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
