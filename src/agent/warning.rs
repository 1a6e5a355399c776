//! What somebody should see to though the device works.

/// What somebody should see to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// A word that never changes its meaning.
    pub kind: &'static str,
    /// What it is.
    pub words: String,
    /// What to do about it.
    pub advice: &'static str,
}

impl Warning {
    /// The same as one text.
    pub fn in_words(&self) -> String {
        format!("{}; what to do: {}", self.words, self.advice)
    }
}
