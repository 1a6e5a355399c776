//! The serial that the hardware's maker gave it.

use std::path::Path;

use super::{device_tree, dmi};
use crate::wire::Text;

/// The serial of the hardware below `root`, `/` in production: of the device tree, as a Raspberry Pi
/// has it, else of DMI, which only root may read. Nothing where its maker filled in nothing.
///
/// It is no secret: it stands on the case, and whoever has the device reads it.
pub fn hardware_serial(root: &Path) -> Option<Text> {
    let of_board = device_tree::serial(root).filter(|serial| !dmi::is_placeholder(serial));
    of_board.or_else(|| dmi::serial(root))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn serial_of(files: &[(&str, &str)]) -> Option<String> {
        let root = tempfile::tempdir().unwrap();
        for (file, text) in files {
            let file = root.path().join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        hardware_serial(root.path()).map(String::from)
    }

    #[test]
    fn it_is_the_boards_or_the_systems_and_no_placeholder() {
        let pi = ("proc/device-tree/serial-number", "10000000abcdef01\0");
        assert_eq!(serial_of(&[pi]).unwrap(), "10000000abcdef01");
        let system = ("sys/class/dmi/id/product_serial", "PF2ABCDE\n");
        let board = ("sys/class/dmi/id/board_serial", "L1HF0001\n");
        assert_eq!(serial_of(&[system, board]).unwrap(), "PF2ABCDE");
        assert_eq!(serial_of(&[pi, system]).unwrap(), "10000000abcdef01");
        // As of a board whose serial was never burnt in.
        let none = ("proc/device-tree/serial-number", "0000000000000000\0");
        assert_eq!(serial_of(&[none, system]).unwrap(), "PF2ABCDE");
        assert_eq!(serial_of(&[none]), None);
        for nothing in [
            "0123456789\n",
            "To be filled by O.E.M.\n",
            "0\n",
            "System Serial Number\n",
            "\n",
        ] {
            let system = ("sys/class/dmi/id/product_serial", nothing);
            assert_eq!(
                serial_of(&[system, board]).unwrap(),
                "L1HF0001",
                "{nothing}"
            );
            assert_eq!(serial_of(&[system]), None, "{nothing}");
        }
    }
}
