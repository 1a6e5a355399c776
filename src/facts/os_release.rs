//! The operating system of Linux distributions, from `os-release` (see os-release(5)).

use std::collections::HashMap;
use std::path::Path;

use super::bounded;
use super::source::OperatingSystem;
use crate::wire::Text;

/// Reads `etc/os-release`, else `usr/lib/os-release`; `None` if neither tells a name.
pub(super) fn read(root: &Path) -> Option<OperatingSystem> {
    ["etc/os-release", "usr/lib/os-release"]
        .iter()
        .find_map(|file| {
            let text = bounded::text(&root.join(file))?;
            let fields = parse(&text);
            let field = |name| fields.get(name).and_then(|text| Text::fit(text));
            Some(OperatingSystem {
                name: field("NAME").or_else(|| field("PRETTY_NAME"))?,
                version: point_release(root, &fields)
                    .or_else(|| field("VERSION_ID"))
                    // Distributions that never stand still have no VERSION_ID.
                    .or_else(|| field("VERSION_CODENAME"))
                    .or_else(|| field("BUILD_ID")),
            })
        })
}

/// Debian's `12.11`, where os-release has but `12`.
fn point_release(root: &Path, fields: &HashMap<&str, String>) -> Option<Text> {
    if !["debian", "raspbian"].contains(&fields.get("ID")?.as_str()) {
        return None;
    }
    let version = bounded::value(&root.join("etc/debian_version"))?;
    let point = version
        .as_str()
        .strip_prefix(fields.get("VERSION_ID")?.as_str())?
        .strip_prefix('.')?;
    let numeric = !point.is_empty() && point.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    numeric.then_some(version)
}

/// The assignments of the file. As in a shell, the last one of a name counts.
fn parse(text: &str) -> HashMap<&str, String> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name, unquoted(value)))
        .collect()
}

/// A value without its quotes and backslashes; what follows a closing quote is dropped.
fn unquoted(value: &str) -> String {
    let mut chars = value.chars().peekable();
    let quote = chars.next_if(|c| matches!(c, '"' | '\''));
    let mut text = String::new();
    while let Some(c) = chars.next() {
        match c {
            c if Some(c) == quote => break,
            '\\' if quote != Some('\'') => text.extend(chars.next()),
            c => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;

    use super::*;

    fn read_files(files: &[(&str, &str)]) -> Option<(String, Option<String>)> {
        let root = tempfile::tempdir().unwrap();
        for (file, text) in files {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let os = read(root.path())?;
        Some((os.name.into(), os.version.map(String::from)))
    }

    fn told(name: &str, version: &str) -> Option<(String, Option<String>)> {
        Some((name.to_owned(), Some(version.to_owned())))
    }

    #[test]
    fn values_lose_quotes_and_backslashes() {
        for (value, text) in [
            ("plain", "plain"),
            ("\"with blanks\"", "with blanks"),
            ("'single'", "single"),
            (
                r#""a \"quoted\" \$name \\ \`x\`""#,
                r#"a "quoted" $name \ `x`"#,
            ),
            (r"'a\b'", r"a\b"),
            ("\"closed\" # comment", "closed"),
            ("\"unclosed", "unclosed"),
            ("\\", ""),
            ("", ""),
        ] {
            assert_eq!(unquoted(value), text, "{value}");
        }
    }

    #[test]
    fn comments_and_blank_lines_are_skipped_and_the_last_assignment_counts() {
        let fields = parse("# NAME=no\n\n  NAME=first\nNAME=\"last\"\r\nnonsense\n");
        assert_eq!(fields, HashMap::from([("NAME", "last".to_owned())]));
    }

    #[test]
    fn rolling_distributions_have_a_codename_or_a_build() {
        let sid = "NAME=\"Debian GNU/Linux\"\nVERSION_CODENAME=forky\nID=debian\n";
        assert_eq!(
            read_files(&[
                ("etc/os-release", sid),
                ("etc/debian_version", "forky/sid\n")
            ]),
            told("Debian GNU/Linux", "forky")
        );
        let arch = "NAME=\"Arch Linux\"\nID=arch\nBUILD_ID=rolling\n";
        assert_eq!(
            read_files(&[("usr/lib/os-release", arch)]),
            told("Arch Linux", "rolling")
        );
    }

    #[test]
    fn a_point_release_must_fit_the_release() {
        let debian = "NAME=Debian\nID=debian\nVERSION_ID=\"12\"\n";
        for (file, version) in [
            ("12.11\n", "12.11"),
            ("12\n", "12"),
            ("12.\n", "12"),
            ("13.1\n", "12"),
            ("120.1\n", "12"),
            ("12.x\n", "12"),
        ] {
            assert_eq!(
                read_files(&[("etc/os-release", debian), ("etc/debian_version", file)]),
                told("Debian", version),
                "{file}"
            );
        }
        let derived = "NAME=Other\nID=other\nID_LIKE=debian\nVERSION_ID=12\n";
        assert_eq!(
            read_files(&[
                ("etc/os-release", derived),
                ("etc/debian_version", "12.11\n")
            ]),
            told("Other", "12")
        );
    }

    #[test]
    fn a_nameless_file_gives_way_to_the_next() {
        assert_eq!(
            read_files(&[
                ("etc/os-release", "VERSION_ID=1\n"),
                ("usr/lib/os-release", "NAME=Alpine\nVERSION_ID=3.20\n"),
            ]),
            told("Alpine", "3.20")
        );
        assert_eq!(read_files(&[("etc/os-release", "\n")]), None);
    }

    proptest! {
        #[test]
        fn no_text_trips_the_parser(text in "([A-Z_]{0,4}[=#\"'\\\\\n]?\\PC{0,8})*") {
            for value in parse(&text).values() {
                prop_assert!(value.len() <= text.len());
            }
        }
    }
}
