//! Where a visitor goes on afterwards: only within this page, whatever the address said.

/// A path of the page with its query, below the public address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LocalPath(String);

/// Longest path that is gone back to, in bytes.
const LIMIT: usize = 2048;

impl LocalPath {
    /// None if a browser could take it for an address of anything else.
    pub(super) fn read(text: &str) -> Option<Self> {
        let is_plain = |byte: u8| byte.is_ascii_graphic() && byte != b'\\';
        let is_local = text.starts_with('/')
            && !text.starts_with("//")
            && text.len() <= LIMIT
            && text.bytes().all(is_plain);
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
        for text in ["/", "/devices?state=active&q=%2F%2F", "/devices/1#log"] {
            assert_eq!(LocalPath::read(text).unwrap().as_str(), text);
        }
        for text in [
            "",
            "devices",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "https://evil.example",
            "javascript:alert(1)",
            "/\t/evil.example",
            "/ü",
            "/a b",
            "/a\r\nSet-Cookie: x=y",
        ] {
            assert!(LocalPath::read(text).is_none(), "{text:?}");
        }
        assert!(LocalPath::read(&format!("/{}", "a".repeat(LIMIT))).is_none());
    }
}
