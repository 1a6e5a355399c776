//! What can be said of hardware that nothing names.

use std::path::Path;

use super::kernel::architecture;
use super::{bounded, device_tree};

/// As `Virtual machine (AMD EPYC, x86_64)`: enough to tell machines apart in a list.
///
/// Only files that everyone may read are used, so that root and the service say the same.
pub(super) fn describe(root: &Path) -> String {
    let cpuinfo = bounded::text(&root.join("proc/cpuinfo")).unwrap_or_default();
    let kind = if is_virtual_machine(root, &cpuinfo) {
        "Virtual machine"
    } else if is_container(root) {
        "Container"
    } else {
        "Computer"
    };
    let architecture = architecture(root);
    match field(&cpuinfo, "model name") {
        Some(processor) => format!("{kind} ({processor}, {architecture})"),
        None => format!("{kind} ({architecture})"),
    }
}

fn is_virtual_machine(root: &Path, cpuinfo: &str) -> bool {
    let flags = field(cpuinfo, "flags").unwrap_or_default();
    flags.split_whitespace().any(|flag| flag == "hypervisor")
        || root.join("sys/hypervisor/type").exists()
        || device_tree::is_virtual(root)
}

fn is_container(root: &Path) -> bool {
    [".dockerenv", "run/.containerenv", "run/systemd/container"]
        .iter()
        .any(|mark| root.join(mark).exists())
}

/// The first value of a field: that of the first processor.
fn field<'a>(cpuinfo: &'a str, name: &str) -> Option<&'a str> {
    cpuinfo
        .lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(field, value)| (field.trim(), value.trim()))
        .find(|(field, value)| *field == name && !value.is_empty())
        .map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn describe_files(files: &[(&str, &str)]) -> String {
        let root = tempfile::tempdir().unwrap();
        for (file, text) in files {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        describe(root.path())
    }

    #[test]
    fn the_kind_of_machine_is_said_first() {
        let arch = ("proc/sys/kernel/arch", "aarch64\n");
        assert_eq!(describe_files(&[arch]), "Computer (aarch64)");
        assert_eq!(
            describe_files(&[arch, (".dockerenv", "")]),
            "Container (aarch64)"
        );
        for virtual_machine in [
            ("proc/device-tree/model", "linux,dummy-virt\0"),
            ("sys/hypervisor/type", "xen\n"),
            ("proc/cpuinfo", "flags\t\t: fpu hypervisor lahf_lm\n"),
        ] {
            assert_eq!(
                describe_files(&[arch, (".dockerenv", ""), virtual_machine]),
                "Virtual machine (aarch64)"
            );
        }
    }

    #[test]
    fn a_tree_that_tells_nothing_still_has_an_architecture() {
        assert_eq!(
            describe_files(&[]),
            format!("Computer ({})", std::env::consts::ARCH)
        );
    }
}
