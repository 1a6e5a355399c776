//! The keyboard layout this system is set to.

use std::fs::File;
use std::io::Read;

use crate::enrolment::Layout;

/// Where Linux distributions keep it, and the names under which they do.
const FILES: [&str; 2] = ["/etc/default/keyboard", "/etc/vconsole.conf"];
const NAMES: [&str; 2] = ["XKBLAYOUT", "KEYMAP"];
const LENGTH_LIMIT: u64 = 64 * 1024;

/// The layout, if the system's configuration names one that is known.
pub(super) fn find() -> Option<Layout> {
    FILES.iter().find_map(|path| {
        let mut text = String::new();
        let file = File::open(path).ok()?;
        file.take(LENGTH_LIMIT).read_to_string(&mut text).ok()?;
        of_configuration(&text)
    })
}

fn of_configuration(text: &str) -> Option<Layout> {
    let value = |wanted: &str| {
        text.lines().find_map(|line| {
            let (name, value) = line.split_once('=')?;
            let value = value.trim().trim_matches(['"', '\'']);
            // Of several layouts the first is the one to begin with.
            (name.trim() == wanted).then(|| value.split(',').next().unwrap_or(value).trim())
        })
    };
    let variant = value("XKBVARIANT").unwrap_or_default();
    NAMES
        .iter()
        .find_map(|name| Layout::of_name(&format!("{}-{variant}", value(name)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layout_is_that_of_the_configuration() {
        for (text, expected) in [
            (
                "XKBMODEL=\"pc105\"\nXKBLAYOUT=\"de\"\n",
                Some(Layout::German),
            ),
            (
                "XKBLAYOUT='ch,us'\nXKBVARIANT=\"fr,\"\n",
                Some(Layout::SwissFrench),
            ),
            ("# KEYMAP=fr\nKEYMAP=be-latin1\n", Some(Layout::Belgian)),
            ("KEYMAP=de-latin1-nodeadkeys", Some(Layout::German)),
            ("XKBLAYOUT=\nKEYMAP=sv-latin1", Some(Layout::Swedish)),
            ("XKBLAYOUT=us", Some(Layout::Us)),
            ("XKBLAYOUT=ru", None),
            ("", None),
        ] {
            assert_eq!(of_configuration(text), expected, "{text}");
        }
    }
}
