//! The machine's name in its network, from an enrolment list.

use std::fs::Permissions;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::private_file;

/// Longest that Linux takes.
const LONGEST: usize = 63;

/// Whether it is one word of a host name (RFC 1123): letters, digits and hyphens, these not at its ends.
pub(super) fn is_valid(name: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || c == '-';
    (1..=LONGEST).contains(&name.len())
        && name.chars().all(inner)
        && !name.starts_with('-')
        && !name.ends_with('-')
}

/// Gives the machine this name, now and from every boot on. It takes root.
pub(super) fn set(root: &Path, name: &str) -> io::Result<()> {
    let folder = root.join("etc");
    let draft = folder.join(".hostname.gatehand");
    let mut file = std::fs::File::create(&draft)?;
    file.write_all(format!("{name}\n").as_bytes())?;
    // Every user reads it, whatever this process' mask is.
    file.set_permissions(Permissions::from_mode(0o644))?;
    file.sync_all()?;
    std::fs::rename(&draft, folder.join("hostname"))?;
    private_file::sync_folder(&folder)?;
    Ok(rustix::system::sethostname(name.as_bytes())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_name_is_one_word_of_letters_digits_and_hyphens() {
        let longest = "k".repeat(LONGEST);
        for name in ["kiosk-3", "3", "Gate-North", &longest] {
            assert!(is_valid(name), "{name}");
        }
        let too_long = "k".repeat(LONGEST + 1);
        for name in [
            "", "-a", "a-", "a b", "a.b", "kiösk", "a\nb", "a/b", &too_long,
        ] {
            assert!(!is_valid(name), "{name:?}");
        }
    }
}
