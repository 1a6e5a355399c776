//! Where a visitor goes on afterwards: only within this page, whatever the address said.

/// A path of the page with its query, below the public address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LocalPath(String);

/// Longest path that is gone back to, in bytes: that of a board of devices whose numbers are all apart.
const LIMIT: usize = 8192;

impl LocalPath {
    /// None if a browser, or what is between it and this server, could take it for an address of anything else: what
    /// the paths of pages are written with is nothing that means more than itself.
    pub(super) fn read(text: &str) -> Option<Self> {
        let end = text.find(['?', '#']).unwrap_or(text.len());
        let (path, rest) = text.split_at(end);
        let mut segments = path.strip_prefix('/')?.split('/');
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let is_segment = |segment: &str| {
            segment.bytes().all(is_plain) && !segment.bytes().all(|byte| byte == b'.')
        };
        let is_ours = path == "/" || segments.all(is_segment);
        let is_local = text.len() <= LIMIT
            && is_ours
            && rest
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && byte != b'\\');
        is_local.then(|| Self(text.to_owned()))
    }

    /// Where a visitor goes who was nowhere.
    pub(super) fn devices() -> Self {
        Self("/devices".to_owned())
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stays_on_the_page_is_gone_back_to() {
        for text in [
            "/",
            "/?state=all",
            "/devices?state=active&q=%2F%2F..",
            "/devices/1#log",
            "/devices.csv",
            "/devices/1/edit?next=/../evil",
        ] {
            assert_eq!(LocalPath::read(text).unwrap().as_str(), text);
        }
        for text in [
            "",
            "devices",
            "//evil.example",
            "//",
            "/devices//evil",
            "/devices/",
            "/\\evil.example",
            "/devices?\\",
            "\\\\evil.example",
            "https://evil.example",
            "javascript:alert(1)",
            "/../evil",
            "/..",
            "/.",
            "/./evil",
            "/devices/../../evil",
            "/%2e%2e/evil",
            "/.%2E/evil",
            "/%2fevil.example",
            "/%5cevil.example",
            "/%252e%252e/evil",
            "/..;/evil",
            "/devices%00",
            "/\t/evil.example",
            "/\u{7f}",
            "/ü",
            "/a b",
            "/a?b c",
            "/a\r\nSet-Cookie: x=y",
            "/a?\r\nSet-Cookie: x=y",
        ] {
            assert!(LocalPath::read(text).is_none(), "{text:?}");
        }
        assert!(LocalPath::read(&format!("/{}", "a".repeat(LIMIT))).is_none());
    }
}
