//! Hardware of PCs: the names their firmware carries in DMI tables, as the kernel shows them.

use std::path::Path;

use super::bounded;
use super::source::Hardware;
use crate::wire::Text;

/// What firmware holds where its maker has filled in nothing: letters and digits, in lower case.
const PLACEHOLDERS: [&str; 37] = [
    "0123456789",
    "123456789",
    "allseries", // ASUS, on mainboards sold on their own
    "baseboardmanufacturer",
    "baseboardproductname",
    "baseboardserialnumber",
    "boardmanufacturer",
    "boardproductname",
    "boardserialnumber",
    "default",
    "defaultstring",
    "empty",
    "invalid",
    "lenovoproduct",
    "manufacturer",
    "na",
    "none",
    "notapplicable",
    "notavailable",
    "notdefined",
    "notspecified",
    "null",
    "oem",
    "productname",
    "systemmanufacturer",
    "systemname",
    "systemproductname",
    "systemserialnumber",
    "systemversion",
    "tbd",
    "tobefilledbyoem",
    "type1productconfigid",
    "type2boardproductname1",
    "type2boardvendorname1",
    "undefined",
    "unknown",
    "unspecified",
];

/// Reads `sys/class/dmi/id`. The mainboard's names stand in for a system's that are placeholders.
pub(super) fn read(root: &Path) -> Hardware {
    let folder = root.join("sys/class/dmi/id");
    let name = |file| bounded::value(&folder.join(file)).filter(|name| !is_placeholder(name));
    let brand = name("sys_vendor").or_else(|| name("board_vendor"));
    let product = name("product_name");
    let model = match (&brand, &product) {
        // Lenovo puts the type number there, and the name that people know into the version.
        (Some(brand), Some(product)) if is_lenovo(brand) && is_type_number(product) => {
            name("product_version").filter(|name| name.as_str().contains(char::is_alphabetic))
        }
        _ => None,
    };
    Hardware {
        brand,
        model: model.or(product).or_else(|| name("board_name")),
    }
}

/// The system's serial, else the mainboard's.
pub(super) fn serial(root: &Path) -> Option<Text> {
    let folder = root.join("sys/class/dmi/id");
    ["product_serial", "board_serial"]
        .iter()
        .filter_map(|file| bounded::value(&folder.join(file)))
        .find(|serial| !is_placeholder(serial))
}

pub(super) fn is_placeholder(name: &Text) -> bool {
    let bare: String = name
        .as_str()
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect();
    // Also `0`, `XXXXXXXX` and, with nothing left, `-----`.
    let one_character_only = bare.chars().all(|c| bare.starts_with(c));
    one_character_only || PLACEHOLDERS.contains(&bare.as_str())
}

fn is_lenovo(brand: &Text) -> bool {
    brand.as_str().eq_ignore_ascii_case("lenovo")
}

/// As `20XXS3HC26` or `81NC`.
fn is_type_number(name: &Text) -> bool {
    name.as_str()
        .bytes()
        .all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// Brand and model of a machine with these files.
    fn read_files(files: &[(&str, &str)]) -> (Option<String>, Option<String>) {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("sys/class/dmi/id");
        fs::create_dir_all(&folder).unwrap();
        for (file, text) in files {
            fs::write(folder.join(file), text).unwrap();
        }
        let hardware = read(root.path());
        (
            hardware.brand.map(String::from),
            hardware.model.map(String::from),
        )
    }

    #[test]
    fn placeholders_are_known_in_every_spelling() {
        for text in [
            "To Be Filled By O.E.M.",
            "To be filled by O.E.M.",
            "System manufacturer",
            "Default string",
            "Not Specified",
            "O.E.M.",
            "INVALID",
            "0",
            "None",
            "N/A",
            "xxxxxxxx",
            "......",
            "Type2 - Board Vendor Name1",
        ] {
            assert!(is_placeholder(&Text::fit(text).unwrap()), "{text}");
        }
        for text in ["HP", "NUC7i5BNH", "MS-7C02", "B450M Pro4", "1000", "联想"] {
            assert!(!is_placeholder(&Text::fit(text).unwrap()), "{text}");
        }
    }

    #[test]
    fn a_lenovo_is_called_by_its_name_but_not_by_a_revision() {
        let lenovo = |product, version| {
            read_files(&[
                ("sys_vendor", "LENOVO\n"),
                ("product_name", product),
                ("product_version", version),
            ])
            .1
        };
        assert_eq!(
            lenovo("10M7S0KC00\n", "ThinkCentre M710q\n").unwrap(),
            "ThinkCentre M710q"
        );
        assert_eq!(lenovo("81NC\n", "05\n").unwrap(), "81NC");
        assert_eq!(lenovo("81NC\n", "INVALID\n").unwrap(), "81NC");
        assert_eq!(
            lenovo("ThinkSystem SR650 -[7X06CTO1WW]-\n", "x05\n").unwrap(),
            "ThinkSystem SR650 -[7X06CTO1WW]-"
        );
    }

    #[test]
    fn a_file_that_cannot_be_read_is_passed_over() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("sys/class/dmi/id");
        fs::create_dir_all(folder.join("product_name")).unwrap();
        fs::write(folder.join("board_name"), "B450M Pro4\n").unwrap();
        let hardware = read(root.path());
        assert!(hardware.brand.is_none());
        assert_eq!(hardware.model.unwrap().as_str(), "B450M Pro4");
    }

    #[test]
    fn a_vendor_is_kept_where_every_model_is_a_placeholder() {
        let told = read_files(&[
            ("sys_vendor", "AZW\n"),
            ("product_name", "Default string\n"),
            ("board_name", "Default string\n"),
        ]);
        assert_eq!(told, (Some("AZW".to_owned()), None));
    }
}
