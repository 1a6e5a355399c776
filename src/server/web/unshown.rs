//! Why a part of a page that turns by itself can't be shown now.

use super::code::CodeError;
use super::fault::Fault;
use crate::server::store::StoreError;

/// Why a part of a page can't be shown now.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unshown {
    /// What it shows can't be read.
    #[error("what a page shows can't be read")]
    Store(#[from] StoreError),
    /// The code of a device is none.
    #[error("the code of a device can't be shown")]
    Code(#[from] CodeError),
    /// The template was not filled.
    #[error("a template can't be filled")]
    Template(#[from] askama::Error),
}

impl From<Unshown> for Fault {
    fn from(unshown: Unshown) -> Self {
        match unshown {
            Unshown::Store(error) => error.into(),
            unshown => Self::Internal(unshown.into()),
        }
    }
}
