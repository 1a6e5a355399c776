//! What an error and its causes are, and what they say, each thing once.

use std::error::Error;

/// An error and its causes, from the nearest on.
pub(crate) fn chain<'e>(
    error: &'e (dyn Error + 'static),
) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| (*error).source())
}

/// The words of an error's causes, from the nearest on. Some libraries repeat a cause in their own
/// words, with a code before them or in capitals.
pub(crate) fn of(error: &dyn Error) -> Vec<String> {
    let mut said = vec![error.to_string()];
    for cause in error.source().into_iter().flat_map(chain) {
        let words = cause.to_string();
        let is_said = said.last().is_some_and(|last| {
            let (last, words) = (last.to_ascii_lowercase(), words.to_ascii_lowercase());
            last.ends_with(&words) || words.ends_with(&format!(": {last}"))
        });
        if !is_said {
            said.push(words);
        }
    }
    said.split_off(1)
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::*;
    use crate::vault::VaultError;

    #[test]
    fn what_a_database_says_of_a_disk_is_said_once() {
        let words = "attempt to write a readonly database";
        let source = rusqlite::Error::SqliteFailure(
            ffi::Error::new(ffi::SQLITE_READONLY),
            Some(words.to_owned()),
        );
        let path = "vault.db".into();
        assert_eq!(of(&VaultError::NotWritten { path, source }), [words]);
    }

    #[test]
    fn causes_that_differ_are_all_said() {
        #[derive(Debug, thiserror::Error)]
        #[error("{0}")]
        struct Link(&'static str, #[source] Option<Box<Link>>);
        let chain = |texts: [&'static str; 3]| {
            let [first, second, third] = texts;
            Link(
                first,
                Some(Box::new(Link(second, Some(Box::new(Link(third, None)))))),
            )
        };
        assert_eq!(of(&chain(["a", "b", "c"])), ["b", "c"]);
        assert_eq!(of(&chain(["a", "lab", "b"])), ["lab"]);
        assert_eq!(
            of(&chain(["a", "Disk full", "code 7: disk full"])),
            ["Disk full"]
        );
    }
}
