//! Why there is no sheet.

/// Why there is no sheet.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SheetError {
    /// Not a page of it.
    #[error("there is nothing to draw: none of the devices waits for a scanner")]
    Empty,
    /// A page that was made here can't be read.
    #[error("a page can't be laid out")]
    Page(#[source] usvg::Error),
    /// What was drawn makes no document.
    #[error("the pages make no PDF: {0}")]
    Pdf(String),
}
