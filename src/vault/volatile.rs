//! Whether what is written to a folder is gone at the next boot: it is in memory, or in an overlay whose
//! changes are, as on kiosks and live systems.

use std::fs;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use crate::regular_file;

/// Most that is read of the list of mounts, in bytes: a machine of many containers has some 100,000.
const MOUNTS_LIMIT: u64 = 16 * 1024 * 1024;
/// How many overlays are looked through to what is below.
const OVERLAYS: u32 = 8;

/// What keeps the folder, or the nearest one above it that exists, in memory only; `None` if it is kept
/// or that can't be told.
pub(super) fn why_volatile(folder: &Path) -> Option<String> {
    let there = nearest(folder)?;
    let mut mounts = Vec::new();
    regular_file::open(Path::new("/proc/self/mountinfo"))
        .ok()?
        .take(MOUNTS_LIMIT)
        .read_to_end(&mut mounts)
        .ok()?;
    let is_missing = |path: &Path| {
        fs::symlink_metadata(path).is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound)
    };
    Mounts::read(&String::from_utf8_lossy(&mounts)).why_volatile(&there, is_missing)
}

/// The folder without links, or the nearest one above it that exists. `..` goes up from what stands before
/// it, which need not be there yet.
fn nearest(folder: &Path) -> Option<PathBuf> {
    let mut there = fs::canonicalize(".").ok().filter(|_| folder.is_relative());
    let mut is_missing = Vec::new();
    for part in folder.components() {
        match part {
            Component::ParentDir if is_missing.pop().is_some() => continue,
            Component::Normal(name) if !is_missing.is_empty() => {
                is_missing.push(name);
                continue;
            }
            _ => {}
        }
        let next = there.clone().unwrap_or_default().join(part);
        match (fs::canonicalize(&next), part) {
            (Ok(found), _) => there = Some(found),
            (Err(_), Component::Normal(name)) => is_missing.push(name),
            (Err(_), _) => {}
        }
    }
    there
}

/// The file systems that are mounted, as in `/proc/self/mountinfo`.
struct Mounts(Vec<Mount>);

struct Mount {
    id: String,
    parent: String,
    at: PathBuf,
    kind: String,
    source: String,
    /// Those of the file system.
    options: Vec<String>,
}

impl Mount {
    fn read(line: &str) -> Option<Self> {
        // id, parent, device, root, mount point, options, any number of tags, -, kind, source, options
        let (mount, file_system) = line.split_once(" - ")?;
        let mut mount = mount.split(' ');
        let mut file_system = file_system.split(' ');
        Some(Self {
            id: mount.next()?.to_owned(),
            parent: mount.next()?.to_owned(),
            at: PathBuf::from(unescaped(mount.nth(2)?)),
            kind: file_system.next()?.to_owned(),
            source: unescaped(file_system.next()?),
            options: options(file_system.next().unwrap_or_default()),
        })
    }

    fn option(&self, name: &str) -> Option<&str> {
        let values = self.options.iter().map(|option| option.split_once('='));
        values
            .flatten()
            .find(|(found, _)| *found == name)
            .map(|(_, value)| value)
    }
}

/// The options of a file system. A comma that is part of a value stands behind a backslash, in
/// whichever way that is escaped, and so may a backslash; before anything else it is itself.
fn options(list: &str) -> Vec<String> {
    let (mut options, mut option, mut is_escaped) = (Vec::new(), String::new(), false);
    let list = list.split(',').map(unescaped);
    for part in list {
        if is_escaped {
            option.push(',');
        }
        is_escaped = false;
        let mut characters = part.chars().peekable();
        while let Some(character) = characters.next() {
            let next = characters.peek();
            match character {
                '\\' if !is_escaped && next.is_none_or(|next| [',', '\\'].contains(next)) => {
                    is_escaped = true;
                }
                _ => {
                    option.push(character);
                    is_escaped = false;
                }
            }
        }
        if !is_escaped {
            options.push(std::mem::take(&mut option));
        }
    }
    options.extend(is_escaped.then(|| option + "\\"));
    options
}

impl Mounts {
    fn read(list: &str) -> Self {
        Self(list.lines().filter_map(Mount::read).collect())
    }

    /// The mount that a path is in. What is mounted over something else hides it: each step goes to
    /// the mount that the way to the path meets first.
    fn of(&self, path: &Path) -> Option<&Mount> {
        let is_root = |mount: &&Mount| {
            self.0
                .iter()
                .all(|other| other.id != mount.parent || other.id == mount.id)
        };
        let mut found = self
            .0
            .iter()
            .find(is_root)
            .filter(|root| path.starts_with(&root.at))?;
        for _ in &self.0 {
            let above = self
                .0
                .iter()
                .filter(|mount| mount.parent == found.id && mount.id != found.id);
            let on_the_way = above.filter(|mount| path.starts_with(&mount.at));
            match on_the_way.min_by_key(|mount| mount.at.components().count()) {
                Some(next) => found = next,
                None => break,
            }
        }
        Some(found)
    }

    /// The mount that a path is in which is relative to a folder that isn't known: that of whoever mounted
    /// the overlay. It is looked for from the folders above the overlay, and then from all file
    /// systems in memory, since it is better to ask once too often than to lose a key.
    fn of_relative(
        &self,
        path: &Path,
        overlay: &Mount,
        is_missing: impl Fn(&Path) -> bool,
    ) -> Option<&Mount> {
        let around = overlay.at.ancestors().skip(1);
        let in_memory = self.0.iter().filter(|mount| mount.kind == "tmpfs");
        around
            .chain(in_memory.map(|mount| mount.at.as_path()))
            .map(|folder| folder.join(path))
            .filter(|path| !is_missing(path))
            .find_map(|path| self.of(&path).filter(|below| below.id != overlay.id))
    }

    fn why_volatile(&self, path: &Path, is_missing: impl Fn(&Path) -> bool) -> Option<String> {
        let mut mount = self.of(path)?;
        let mut overlay: Option<&Mount> = None;
        for _ in 0..OVERLAYS {
            let in_memory = match mount.kind.as_str() {
                "tmpfs" | "ramfs" | "rootfs" | "devtmpfs" => {
                    Some(format!("a {} in memory", mount.kind))
                }
                _ if ["/dev/zram", "/dev/ram"]
                    .iter()
                    .any(|disk| mount.source.starts_with(disk)) =>
                {
                    Some(format!("the memory disk {}", mount.source))
                }
                _ => None,
            };
            if let Some(what) = in_memory {
                return Some(match overlay {
                    Some(overlay) => format!(
                        "an overlay, at {}, that keeps changes in {what}",
                        overlay.at.display()
                    ),
                    None => format!("{what}, at {}", mount.at.display()),
                });
            }
            if mount.kind != "overlay" {
                return None;
            }
            if mount
                .options
                .iter()
                .any(|option| option == "volatile" || option == "fsync=volatile")
            {
                return Some(format!("a volatile overlay, at {}", mount.at.display()));
            }
            // It may be of another machine's view, as in a container, or be of an earlier root.
            let upper = Path::new(mount.option("upperdir")?);
            let below = match upper.is_absolute() {
                true if is_missing(upper) => return None,
                true => self.of(upper).filter(|below| below.id != mount.id)?,
                false => self.of_relative(upper, mount, &is_missing)?,
            };
            overlay = overlay.or(Some(mount));
            mount = below;
        }
        None
    }
}

/// A text without the escapes of a character by its octal number, as `\040` for a blank.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let number = after.get(..3).filter(|_| *first == b'\\');
        let number = number.and_then(|digits| std::str::from_utf8(digits).ok());
        match number.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(3..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RASPBERRY_PI_OVERLAYROOT: &str = "\
22 28 0:20 / /sys rw,nosuid,nodev,noexec,relatime shared:7 - sysfs sysfs rw
23 28 0:21 / /proc rw,relatime shared:14 - proc proc rw
24 28 0:5 / /dev rw,relatime shared:2 - devtmpfs udev rw,size=1794100k,nr_inodes=448525,mode=755
26 28 0:23 / /run rw,nosuid,nodev,noexec,relatime shared:5 - tmpfs tmpfs rw,size=388096k,mode=755
28 1 0:25 / / rw,noatime shared:1 - overlay overlayroot rw,lowerdir=/media/root-ro,upperdir=/media/root-rw/overlay,workdir=/media/root-rw/overlay-workdir/_,uuid=on
29 28 179:2 / /media/root-ro ro,relatime shared:29 - ext4 /dev/mmcblk0p2 ro
30 28 0:24 / /media/root-rw rw,relatime shared:30 - tmpfs tmpfs-root rw
44 28 179:1 / /boot/firmware ro,relatime shared:31 - vfat /dev/mmcblk0p1 ro,fmask=0022
51 28 8:1 / /mnt/usb\\040stick rw,relatime shared:40 - ext4 /dev/sda1 rw
";

    /// Its initramfs has the upper layer where nothing is after the switch to the root.
    const RASPBERRY_PI_OLD: &str = "\
21 26 0:19 / /proc rw,relatime shared:12 - proc proc rw
26 0 0:24 / / rw,relatime shared:1 - overlay overlay rw,lowerdir=/lower,upperdir=/upper/data,workdir=/upper/work
";

    const DEBIAN_LIVE: &str = "\
24 29 0:22 / /sys rw,nosuid,nodev,noexec,relatime shared:7 - sysfs sysfs rw
28 29 0:25 / /run rw,nosuid,nodev,noexec,relatime shared:5 - tmpfs tmpfs rw,size=401532k,mode=755
29 1 0:28 / / rw,noatime shared:1 - overlay overlay rw,lowerdir=/run/live/rootfs/filesystem.squashfs/,upperdir=/run/live/overlay/rw,workdir=/run/live/overlay/work
30 28 11:0 / /run/live/medium ro,noatime shared:12 - iso9660 /dev/sr0 ro
31 28 7:0 / /run/live/rootfs/filesystem.squashfs ro,noatime shared:13 - squashfs /dev/loop0 ro
32 28 0:27 / /run/live/overlay rw,noatime shared:14 - tmpfs tmpfs rw,size=2007648k,mode=755
";

    const DOCKER: &str = "\
1019 722 0:98 / / rw,relatime master:352 - overlay overlay rw,lowerdir=/var/lib/docker/overlay2/l/A:/var/lib/docker/overlay2/l/B,upperdir=/var/lib/docker/overlay2/4f/diff,workdir=/var/lib/docker/overlay2/4f/work
1020 1019 0:101 / /proc rw,nosuid,nodev,noexec,relatime - proc proc rw
1021 1019 0:102 / /dev rw,nosuid - tmpfs tmpfs rw,size=65536k,mode=755
1025 1021 0:99 / /dev/shm rw,nosuid,nodev,noexec,relatime - tmpfs shm rw,size=65536k
1026 1019 254:1 /var/lib/docker/volumes/gatehand/_data /var/lib/gatehand rw,relatime - ext4 /dev/vda1 rw
1027 1019 0:103 / /var/lib/docker rw,relatime - tmpfs tmpfs rw
";

    /// The host of such a container, with its root on a disk.
    const HOST: &str = "\
22 27 0:21 / /proc rw,relatime - proc proc rw
25 24 0:23 / /dev/shm rw,relatime - tmpfs tmpfs rw,size=24684084k
24 27 0:6 / /dev rw,relatime - devtmpfs devtmpfs rw
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard
28 27 0:30 / /tmp rw - tmpfs tmpfs rw
29 27 0:35 / /home rw,relatime shared:3 - btrfs /dev/nvme0n1p3 rw,ssd,space_cache=v2,subvolid=257,subvol=/@home
30 27 252:0 / /var/log rw - ext4 /dev/zram0 rw
31 27 0:44 / /srv/merged rw,relatime - overlay overlay rw,lowerdir=/srv/lower,upperdir=/srv/upper,workdir=/srv/work
32 27 0:45 / /srv/fast rw,relatime - overlay overlay rw,lowerdir=/srv/lower,upperdir=/srv/up\\054per,workdir=/srv/work,volatile
33 27 0:46 / /srv/a\\040b rw,relatime - overlay overlay rw,lowerdir=/srv/lower,upperdir=/tmp/c\\040d,workdir=/tmp/work
34 27 0:47 / /srv/reading ro,relatime - overlay overlay ro,lowerdir=/srv/lower:/tmp/x
35 27 0:48 / /srv/twice rw,relatime - overlay overlay rw,lowerdir=/srv/lower,upperdir=/srv/a\\040b/upper,workdir=/srv/a\\040b/work
36 27 0:49 / /srv/a rw - tmpfs tmpfs rw
37 36 254:0 /srv/b /srv/a/b rw - ext4 /dev/vda rw
38 27 254:0 /hidden /opt/a/b rw - ext4 /dev/vda rw
39 27 0:50 / /opt/a rw - tmpfs tmpfs rw
40 28 0:51 / /tmp/ov rw - tmpfs tmpfs rw
41 40 0:52 / /tmp/ov/m rw - overlay overlay rw,lowerdir=ov/l,upperdir=ov/u,workdir=ov/w
42 27 0:53 / /srv/disk/m rw - overlay overlay rw,lowerdir=disk/l,upperdir=disk/u,workdir=disk/w
43 27 0:54 / /srv/far rw - overlay overlay rw,lowerdir=l,upperdir=u,workdir=w
44 27 0:55 / /srv/comma rw - overlay overlay rw,lowerdir=/l,upperdir=/tmp/a\\,b,workdir=/w
45 27 0:56 / /srv/octal rw - overlay overlay rw,lowerdir=/l,upperdir=/tmp/a\\134\\054b,workdir=/w
46 27 0:57 / /srv/both rw - overlay overlay rw,lowerdir=/l,upperdir=/tmp/a\\134,b,workdir=/w
47 27 0:58 / /srv/nowhere rw - overlay overlay rw,lowerdir=/l,upperdir=no/u,workdir=/w
";

    const INITRAMFS: &str = "\
0 0 0:1 / / rw - rootfs rootfs rw,size=8118276k
15 0 0:17 / /proc rw,relatime - proc proc rw
";

    #[test]
    fn what_is_gone_at_the_next_boot_is_told_from_what_is_kept() {
        for (list, path, words) in [
            (
                RASPBERRY_PI_OVERLAYROOT,
                "/var/lib/gatehand",
                Some("overlay, at /, that keeps changes in a tmpfs"),
            ),
            (
                RASPBERRY_PI_OVERLAYROOT,
                "/run/gatehand",
                Some("a tmpfs in memory, at /run"),
            ),
            (RASPBERRY_PI_OVERLAYROOT, "/mnt/usb stick/gatehand", None),
            (RASPBERRY_PI_OLD, "/var/lib/gatehand", None),
            (
                DEBIAN_LIVE,
                "/root/.local/share/gatehand",
                Some("overlay, at /, that keeps"),
            ),
            (DEBIAN_LIVE, "/run/live/medium/x", None),
            (DOCKER, "/root/.local/share/gatehand", None),
            (DOCKER, "/var/lib/gatehand", None),
            (DOCKER, "/dev/shm/x", Some("tmpfs")),
            (HOST, "/var/lib/gatehand", None),
            (HOST, "/home/ada/.local/share/gatehand", None),
            (HOST, "/tmp/x", Some("a tmpfs in memory, at /tmp")),
            (HOST, "/tmpx", None),
            (
                HOST,
                "/var/log/gatehand",
                Some("the memory disk /dev/zram0"),
            ),
            (HOST, "/srv/merged/x", None),
            (
                HOST,
                "/srv/fast/x",
                Some("a volatile overlay, at /srv/fast"),
            ),
            (
                HOST,
                "/srv/a b/x",
                Some("overlay, at /srv/a b, that keeps changes in a tmpfs"),
            ),
            (HOST, "/srv/reading/x", None),
            (
                HOST,
                "/srv/twice/x",
                Some("overlay, at /srv/twice, that keeps changes in a tmpfs"),
            ),
            (
                HOST,
                "/tmp/ov/m/x",
                Some("an overlay, at /tmp/ov/m, that keeps"),
            ),
            (HOST, "/srv/disk/m/x", None),
            (
                HOST,
                "/srv/far/x",
                Some("an overlay, at /srv/far, that keeps"),
            ),
            (HOST, "/srv/nowhere/x", None),
            (
                HOST,
                "/srv/comma/x",
                Some("overlay, at /srv/comma, that keeps"),
            ),
            (
                HOST,
                "/srv/octal/x",
                Some("overlay, at /srv/octal, that keeps"),
            ),
            (
                HOST,
                "/srv/both/x",
                Some("overlay, at /srv/both, that keeps"),
            ),
            (HOST, "/srv/a/x", Some("tmpfs")),
            (HOST, "/srv/a/b/x", None),
            (HOST, "/opt/a/b/x", Some("tmpfs")),
            (INITRAMFS, "/var/lib/gatehand", Some("a rootfs in memory")),
            ("", "/var/lib/gatehand", None),
            ("nonsense\n1 2 3 - x\n", "/var/lib/gatehand", None),
        ] {
            // A container does not see the folders of its host, nor a system those of its initramfs.
            let is_missing = |path: &Path| {
                let is_relative =
                    path.ends_with("ov/u") || path.ends_with("disk/u") || path.ends_with("u");
                let is_there = ["/tmp/ov/u", "/srv/disk/u", "/tmp/u"]
                    .iter()
                    .any(|there| path == Path::new(there));
                path.starts_with("/var/lib/docker/overlay2")
                    || path.starts_with("/upper")
                    || is_relative && !is_there
            };
            let told = Mounts::read(list).why_volatile(Path::new(path), is_missing);
            match (&told, words) {
                (Some(told), Some(words)) => assert!(told.contains(words), "{path}: {told}"),
                _ => assert_eq!(told.as_deref(), words, "{path}"),
            }
        }
    }

    #[test]
    fn the_nearest_folder_is_found_behind_links_and_folders_that_are_not_there_yet() {
        let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(other.path(), &link).unwrap();
        let [here, there] = [&folder, &other].map(|dir| fs::canonicalize(dir.path()).unwrap());
        for (path, expected) in [
            ("link/new/../v/n", &there),
            ("link/new/more/../../v", &there),
            ("link/v", &there),
            ("new/../link/v", &there),
            ("new/v", &here),
        ] {
            let found = nearest(&folder.path().join(path));
            assert_eq!(found.as_ref(), Some(expected), "{path}");
        }
    }

    #[test]
    fn a_comma_in_an_option_does_not_end_it() {
        for list in [
            "rw,u=/a\\,b,w=c",
            "rw,u=/a\\134\\054b,w=c",
            "rw,u=/a\\134,b,w=c",
            "rw,u=/a\\054b,w=c",
        ] {
            assert_eq!(options(list), ["rw", "u=/a,b", "w=c"], "{list}");
        }
    }

    #[test]
    fn a_backslash_in_an_option_is_a_part_of_it() {
        for (list, value) in [
            ("rw,u=/a\\134b,w=c", "u=/a\\b"),
            ("rw,u=/a\\b,w=c", "u=/a\\b"),
            ("rw,u=/a\\134\\134b,w=c", "u=/a\\b"),
            ("rw,u=/a\\134\\134,w=c", "u=/a\\"),
        ] {
            assert_eq!(options(list), ["rw", value, "w=c"], "{list}");
        }
        assert_eq!(options("rw,u=/a\\134"), ["rw", "u=/a\\"]);
    }

    #[test]
    fn overlays_in_a_circle_end() {
        let list = "\
1 0 0:1 / / rw - ext4 /dev/vda rw
2 1 0:2 / /a rw - overlay overlay rw,upperdir=/b/x
3 1 0:3 / /b rw - overlay overlay rw,upperdir=/a/x
";
        let told = Mounts::read(list).why_volatile(Path::new("/a/y"), |_| false);
        assert_eq!(told, None);
    }

    #[test]
    fn escapes_of_characters_are_read() {
        for (escaped, text) in [
            ("a\\040b\\011\\012\\134", "a b\t\n\\"),
            ("\\", "\\"),
            ("\\04", "\\04"),
            ("\\999", "\\999"),
            ("t\\303\\274r", "tür"),
        ] {
            assert_eq!(unescaped(escaped), text);
        }
    }
}
