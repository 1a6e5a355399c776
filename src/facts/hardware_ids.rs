//! What tells this machine from one that a disk was copied to.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use base16ct::lower::encode_string;
use sha2::{Digest, Sha256};

use super::{bounded, device_tree, dmi};
use crate::wire::Text;

/// Where a privileged step leaves what only root may read, below the root.
const LEFT_FOR_US: &str = "run/gatehand/hardware-id";
/// UUIDs that boards have whose maker filled in none.
const NO_UUIDS: [&str; 2] = [
    "03000200-0400-0500-0006-000700080009",
    "12345678-1234-5678-90ab-cddeefaabbcc",
];
/// Disks that lie on disks are followed down so far.
const DEPTH: usize = 4;

/// What an id is read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HardwareSource {
    /// It was given.
    Given,
    /// The serial of the board, in its device tree.
    Board,
    /// The number of the card or eMMC that holds the vault.
    Card,
    /// The UUID that a PC's firmware has.
    Machine,
}

impl HardwareSource {
    /// Its name where it is kept, which never changes.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Given => "given",
            Self::Board => "device-tree",
            Self::Card => "card",
            Self::Machine => "dmi",
        }
    }

    /// The same for people.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Given => "hardware_id",
            Self::Board => "serial of the board",
            Self::Card => "number of the card",
            Self::Machine => "UUID of the machine",
        }
    }
}

/// What tells this machine from others, hashed: it is not repeated where it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HardwareId {
    /// What it was read from.
    pub source: HardwareSource,
    /// In hexadecimal digits.
    pub hash: String,
}

impl HardwareId {
    fn of(source: HardwareSource, value: &str) -> Self {
        let value = value.trim().to_ascii_lowercase();
        let mut hash = Sha256::new();
        hash.update(b"gatehand hardware\0");
        hash.update(source.name().as_bytes());
        hash.update([0]);
        hash.update(value.as_bytes());
        Self {
            source,
            hash: encode_string(&hash.finalize()),
        }
    }
}

/// The ids of the machine below `root`, `/` in production, whose vault is in `folder`. One that is given counts alone:
/// whoever gives it knows better. What the system is called, as in `/etc/machine-id`, is copied with the disk and is none.
pub fn hardware_ids(root: &Path, folder: &Path, given: Option<&str>) -> Vec<HardwareId> {
    let given = given.map(str::trim).filter(|given| !given.is_empty());
    if let Some(given) = given {
        return vec![HardwareId::of(HardwareSource::Given, given)];
    }
    let there = folder.ancestors().find_map(|path| fs::metadata(path).ok());
    let board = device_tree::serial(root).filter(|serial| !dmi::is_placeholder(serial));
    let card = there.and_then(|there| card(root, there.dev()));
    let of =
        |source, value: Option<Text>| value.map(|value| HardwareId::of(source, value.as_str()));
    let found = [
        of(HardwareSource::Board, board),
        of(HardwareSource::Card, card),
        machine(root).or_else(|| left_for_us(root)),
    ];
    found.into_iter().flatten().collect()
}

/// What a privileged step leaves for a service: the ids that only root may read, hashed.
pub fn hardware_file(root: &Path) -> String {
    let ids = machine(root).into_iter();
    let lines = ids.map(|id| format!("{} {}\n", id.source.name(), id.hash));
    lines.collect()
}

fn machine(root: &Path) -> Option<HardwareId> {
    let uuid = bounded::value(&root.join("sys/class/dmi/id/product_uuid"))?;
    let is_none = NO_UUIDS.contains(&uuid.as_str().to_ascii_lowercase().as_str());
    let is_one = !is_none && !dmi::is_placeholder(&uuid);
    is_one.then(|| HardwareId::of(HardwareSource::Machine, uuid.as_str()))
}

fn left_for_us(root: &Path) -> Option<HardwareId> {
    let text = bounded::text(&root.join(LEFT_FOR_US))?;
    let source = HardwareSource::Machine;
    let mut rows = text.lines().filter_map(|line| line.split_once(' '));
    let (_, hash) = rows.find(|(name, _)| *name == source.name())?;
    let is_hash = hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hash.then(|| HardwareId {
        source,
        hash: hash.to_ascii_lowercase(),
    })
}

/// The number of the card that a device of this number is on.
fn card(root: &Path, device: u64) -> Option<Text> {
    let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
    let device = root.join(format!("sys/dev/block/{major}:{minor}"));
    number_of(&fs::canonicalize(device).ok()?, DEPTH)
}

fn number_of(device: &Path, depth: usize) -> Option<Text> {
    // A partition lies in its disk.
    let disks = [Some(device), device.parent()].into_iter().flatten();
    let mut numbers = disks.filter_map(|disk| bounded::value(&disk.join("device/cid")));
    let number = numbers.find(|number| !dmi::is_placeholder(number));
    if number.is_some() || depth == 0 {
        return number;
    }
    // An encrypted disk, or one of several, lies on others.
    let below = fs::read_dir(device.join("slaves")).ok()?.flatten();
    let mut below: Vec<PathBuf> = below.map(|disk| disk.path()).collect();
    below.sort();
    below
        .iter()
        .filter_map(|disk| fs::canonicalize(disk).ok())
        .find_map(|disk| number_of(&disk, depth - 1))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    struct Machine(tempfile::TempDir);

    impl Machine {
        fn new(files: &[(&str, &str)]) -> Self {
            let root = tempfile::tempdir().unwrap();
            fs::create_dir_all(root.path().join("vault")).unwrap();
            for (file, text) in files {
                let file = root.path().join(file);
                fs::create_dir_all(file.parent().unwrap()).unwrap();
                fs::write(file, text).unwrap();
            }
            Self(root)
        }

        /// Has the disk of the vault be this one of the kernel's.
        fn on(self, disk: &str) -> Self {
            let device = fs::metadata(self.0.path()).unwrap().dev();
            let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
            let all = self.0.path().join("sys/dev/block");
            fs::create_dir_all(&all).unwrap();
            let disk = self.0.path().join(disk);
            fs::create_dir_all(&disk).unwrap();
            symlink(disk, all.join(format!("{major}:{minor}"))).unwrap();
            self
        }

        fn ids(&self, given: Option<&str>) -> Vec<HardwareId> {
            hardware_ids(self.0.path(), &self.0.path().join("vault/none"), given)
        }

        fn sources(&self) -> Vec<HardwareSource> {
            self.ids(None).iter().map(|id| id.source).collect()
        }
    }

    const UUID: (&str, &str) = (
        "sys/class/dmi/id/product_uuid",
        "4C4C4544-0042-4B10-8056-B4C04F4D3332\n",
    );
    const BOARD: (&str, &str) = ("proc/device-tree/serial-number", "10000000a1b2c3d4\0");
    const CARD: &str = "sys/devices/platform/mmc/mmc0:aaaa/block/mmcblk0";

    #[test]
    fn a_board_with_a_card_has_two_ids_and_its_system_none() {
        let cid = format!("{CARD}/device/cid");
        let files = [
            BOARD,
            (&cid, "035344534c31364780b1c2d3e400ea00\n"),
            ("etc/machine-id", "0123456789abcdef0123456789abcdef\n"),
        ];
        let pi = Machine::new(&files).on(&format!("{CARD}/mmcblk0p2"));
        assert_eq!(pi.sources(), [HardwareSource::Board, HardwareSource::Card]);
        let copy = Machine::new(&[BOARD, (&cid, "1b534d3030303030100a1b2c3d016c00\n")])
            .on(&format!("{CARD}/mmcblk0p2"));
        assert_eq!(pi.ids(None)[0], copy.ids(None)[0]);
        assert_ne!(pi.ids(None)[1], copy.ids(None)[1]);
        let text = format!("{:?}", pi.ids(None));
        assert!(!text.contains("a1b2c3d4"), "{text}");
    }

    #[test]
    fn a_card_is_found_below_an_encrypted_disk() {
        let cid = format!("{CARD}/device/cid");
        let machine = Machine::new(&[(&cid, "035344534c31364780b1c2d3e400ea00\n")]);
        let mapped = "sys/devices/virtual/block/dm-0";
        let slaves = machine.0.path().join(mapped).join("slaves");
        fs::create_dir_all(&slaves).unwrap();
        let partition = machine.0.path().join(CARD).join("mmcblk0p2");
        fs::create_dir_all(&partition).unwrap();
        symlink(partition, slaves.join("mmcblk0p2")).unwrap();
        assert_eq!(machine.on(mapped).sources(), [HardwareSource::Card]);
    }

    #[test]
    fn a_machines_uuid_is_read_or_left_by_who_may_read_it() {
        let read = Machine::new(&[UUID]);
        let left = hardware_file(read.0.path());
        assert!(
            !left.contains("4c4c4544") && !left.contains("4C4C4544"),
            "{left}"
        );
        let service = Machine::new(&[("run/gatehand/hardware-id", &left)]);
        assert_eq!(read.ids(None), service.ids(None));
        for nothing in ["", "dmi\n", "dmi 12\n", "nonsense"] {
            let service = Machine::new(&[("run/gatehand/hardware-id", nothing)]);
            assert!(service.ids(None).is_empty(), "{nothing}");
        }
        for none in [
            "03000200-0400-0500-0006-000700080009\n",
            "00000000-0000-0000-0000-000000000000\n",
            "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF\n",
            "\n",
        ] {
            let board = Machine::new(&[("sys/class/dmi/id/product_uuid", none)]);
            assert!(board.ids(None).is_empty(), "{none}");
            assert!(hardware_file(board.0.path()).is_empty(), "{none}");
        }
    }

    #[test]
    fn an_id_that_is_given_counts_alone() {
        let machine = Machine::new(&[BOARD, UUID]);
        let given = machine.ids(Some(" kiosk-7 \n"));
        assert_eq!(given, Machine::new(&[]).ids(Some("KIOSK-7")));
        assert_eq!(given.len(), 1);
        assert_eq!(machine.ids(Some(" ")).len(), 2);
    }
}
