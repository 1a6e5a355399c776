//! Sheets of devices' codes, to be printed and cut, or labels.

mod error;
mod fonts;
mod label;
mod page;
mod paper;
mod pdf;
mod words;

use fonts::Fonts;

pub(crate) use error::SheetError;
pub(crate) use label::Label;
pub(crate) use paper::Paper;

/// Draws sheets for one kind of paper.
pub(crate) struct Sheet {
    paper: Paper,
}

/// A sheet that was drawn. It holds the devices' tokens.
pub(crate) struct Drawn {
    pub(crate) pdf: Vec<u8>,
    /// Texts with characters that no font of this machine has.
    pub(crate) unwritable: Vec<String>,
}

impl Sheet {
    pub(crate) fn new(paper: Paper) -> Self {
        Self { paper }
    }

    /// As many pages as it takes, in the order of the labels.
    pub(crate) fn draw(&self, labels: &[Label]) -> Result<Drawn, SheetError> {
        let mut fonts = Fonts::of_this_machine();
        let pages: Vec<String> = labels
            .chunks(self.paper.labels())
            .map(|labels| page::svg(self.paper, labels, &mut fonts))
            .collect();
        let pdf = pdf::of(&pages, self.paper, &fonts)?;
        Ok(Drawn {
            pdf,
            unwritable: fonts.unwritable(),
        })
    }
}

#[cfg(test)]
mod tests;
