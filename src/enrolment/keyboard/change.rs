//! Telling that a text is a code whose characters became others.

use zeroize::Zeroizing;

use super::mapping::{Mapping, swapped};

/// What every enrolment code holds. No character of it is by AltGr or a dead key in any layout.
const MARKS: [&str; 2] = ["andshake_version", "retixscan://setup"];

/// A code's characters became others on their way.
pub(in crate::enrolment) struct Change {
    /// What became of one of [`MARKS`].
    mark: String,
    /// Whether it was by caps lock alone.
    pub(in crate::enrolment) is_of_case: bool,
}

impl Change {
    /// What is in a text if it is an enrolment code each of whose characters became another one, whatever
    /// the layout, known or not.
    pub(in crate::enrolment) fn find(text: &str) -> Option<Self> {
        // Between a US and a British keyboard no other character of a code changes.
        const BRITISH: &str = "@handshake_version@";
        if text.contains(BRITISH) {
            return Some(Self {
                mark: BRITISH.to_owned(),
                is_of_case: false,
            });
        }
        let typed = Zeroizing::new(text.chars().collect::<Vec<char>>());
        MARKS.iter().find_map(|mark| {
            let mark: Vec<char> = mark.chars().collect();
            let mut windows = typed.windows(mark.len());
            let window = windows.find(|window| *window != mark && is_renamed(window, &mark))?;
            Some(Self {
                mark: window.iter().collect(),
                is_of_case: window.iter().zip(&mark).all(|(c, m)| *c == swapped(*m)),
            })
        })
    }

    /// Whether it is undone by a mapping.
    pub(in crate::enrolment) fn is_by(&self, mapping: &Mapping) -> bool {
        let meant = mapping.undone(&self.mark);
        MARKS.iter().any(|mark| meant.contains(mark))
    }
}

/// Whether a text becomes another by giving each of its characters another name.
fn is_renamed(text: &[char], other: &[char]) -> bool {
    let pairs = || text.iter().zip(other);
    pairs()
        .enumerate()
        .all(|(index, (c, d))| pairs().take(index).all(|(e, f)| (c == e) == (d == f)))
}
