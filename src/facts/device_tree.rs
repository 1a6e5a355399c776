//! Hardware of boards without DMI: the model in the device tree that their firmware hands over.

use std::path::Path;

use super::bounded;
use super::source::Hardware;
use crate::wire::Text;

/// The model that QEMU, Firecracker and others give an ARM machine: it names nothing.
const VIRTUAL: &str = "linux,dummy-virt";

/// Reads `model`, and the vendor from `compatible`; `None` if the tree names no hardware.
pub(super) fn read(root: &Path) -> Option<Hardware> {
    let model = property(root, "model").filter(|model| model.as_str() != VIRTUAL)?;
    // The first entry names the board, as `raspberrypi,4-model-b`; the others what it builds on.
    let compatible = property(root, "compatible");
    let vendor = compatible
        .as_ref()
        .and_then(|compatible| compatible.as_str().split_once(','))
        .map_or("", |(vendor, _)| vendor);
    Some(match split(model.as_str(), vendor) {
        Some((brand, rest)) => Hardware {
            brand: Text::fit(brand),
            model: Text::fit(rest),
        },
        None => Hardware {
            brand: Text::fit(&capitalized(vendor)),
            model: Some(model),
        },
    })
}

/// The board's serial.
pub(super) fn serial(root: &Path) -> Option<Text> {
    property(root, "serial-number")
}

/// Whether the device tree is that of a virtual machine.
pub(super) fn is_virtual(root: &Path) -> bool {
    property(root, "model").is_some_and(|model| model.as_str() == VIRTUAL)
}

fn property(root: &Path, name: &str) -> Option<Text> {
    ["proc/device-tree", "sys/firmware/devicetree/base"]
        .iter()
        .find_map(|folder| bounded::value(&root.join(folder).join(name)))
}

/// Splits `Raspberry Pi 4 Model B` after the words that spell the vendor `raspberrypi`.
fn split<'a>(model: &'a str, vendor: &str) -> Option<(&'a str, &'a str)> {
    let mut vendor = vendor.chars().filter(|c| c.is_alphanumeric()).peekable();
    for (start, c) in model.char_indices().filter(|(_, c)| c.is_alphanumeric()) {
        if !vendor.next()?.eq_ignore_ascii_case(&c) {
            return None;
        }
        if vendor.peek().is_none() {
            let (brand, rest) = model.split_at_checked(start + c.len_utf8())?;
            let name = rest.trim_start_matches([' ', ',', '-', '_']);
            let between_words = name.len() < rest.len();
            return (between_words && !name.is_empty()).then_some((brand, name));
        }
    }
    None
}

fn capitalized(word: &str) -> String {
    let mut chars = word.chars();
    let first = chars.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(chars).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;

    use super::*;

    fn read_tree(model: &str, compatible: &str) -> Option<(Option<String>, Option<String>)> {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("proc/device-tree");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("model"), model).unwrap();
        fs::write(folder.join("compatible"), compatible).unwrap();
        let hardware = read(root.path())?;
        Some((
            hardware.brand.map(String::from),
            hardware.model.map(String::from),
        ))
    }

    #[test]
    fn the_vendor_is_split_from_the_model() {
        for (model, compatible, brand, name) in [
            (
                "Raspberry Pi 5 Model B Rev 1.0\0",
                "raspberrypi,5-model-b\0brcm,bcm2712\0",
                "Raspberry Pi",
                "5 Model B Rev 1.0",
            ),
            (
                "NVIDIA Jetson Nano Developer Kit\0",
                "nvidia,p3450-0000\0nvidia,tegra210\0",
                "NVIDIA",
                "Jetson Nano Developer Kit",
            ),
            (
                "Rockchip RK3288 Asus Tinker Board\0",
                "asus,rk3288-tinker\0rockchip,rk3288\0",
                "Asus",
                "Rockchip RK3288 Asus Tinker Board",
            ),
            (
                "TI AM335x BeagleBone Black\0",
                "ti,am335x-bone-black\0ti,am33xx\0",
                "TI",
                "AM335x BeagleBone Black",
            ),
            // A vendor that is only the beginning of a word, or all there is.
            ("Time Machine\0", "ti,x\0", "Ti", "Time Machine"),
            ("Toradex\0", "toradex,x\0", "Toradex", "Toradex"),
        ] {
            let expected = (Some(brand.to_owned()), Some(name.to_owned()));
            assert_eq!(read_tree(model, compatible), Some(expected), "{model}");
        }
    }

    #[test]
    fn a_model_without_a_vendor_stands_alone() {
        let expected = (None, Some("Some board".to_owned()));
        assert_eq!(read_tree("Some board\0", "board\0"), Some(expected));
    }

    #[test]
    fn a_virtual_machines_tree_names_no_hardware() {
        assert_eq!(read_tree("linux,dummy-virt\0", "linux,dummy-virt\0"), None);
    }

    proptest! {
        #[test]
        fn a_split_loses_only_separators(model in ".*", vendor in "[a-z0-9-]*") {
            if let Some((brand, name)) = split(&model, &vendor) {
                prop_assert!(model.starts_with(brand) && model.ends_with(name));
                let between = &model[brand.len()..model.len() - name.len()];
                prop_assert!(between.chars().all(|c| " ,-_".contains(c)));
            }
        }
    }
}
