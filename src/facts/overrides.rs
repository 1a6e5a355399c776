//! What people want reported instead of what was found.

use serde::{Deserialize, Serialize};

use crate::wire::Text;

/// What people want reported instead of what was found. Texts too long for the wire are cut.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Overrides {
    /// In place of [`Facts::hardware_brand`](super::Facts::hardware_brand).
    pub hardware_brand: Option<String>,
    /// In place of [`Facts::hardware_model`](super::Facts::hardware_model).
    pub hardware_model: Option<String>,
    /// In place of [`Facts::os_name`](super::Facts::os_name).
    pub os_name: Option<String>,
    /// In place of [`Facts::os_version`](super::Facts::os_version).
    pub os_version: Option<String>,
}

/// An override without text in it.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the {field} to report is blank: give a text, or leave it out to report what was found")]
pub struct BlankOverride {
    field: &'static str,
}

/// The text to report, if one is given.
pub(super) fn given(
    field: &'static str,
    text: &Option<String>,
) -> Result<Option<Text>, BlankOverride> {
    match text {
        Some(text) => Text::fit(text).map(Some).ok_or(BlankOverride { field }),
        None => Ok(None),
    }
}
