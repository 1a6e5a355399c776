#!/usr/bin/env bash
# Builds a disk image that boots: Debian, and packages such as gatehand's. One image serves many kiosks:
# it holds no identity, no key and no machine id. README.md beside this file tells how to use it.
#
# It needs root, for debootstrap; it mounts nothing and needs no loop device.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

usage() {
  cat <<'END'
packaging/image/build.sh --output FILE [OPTION…] [PACKAGE.deb…]

  --output FILE      the image; FILE.kernel and FILE.initrd beside it are those that it boots
  --size SIZE        size of the image (default 2G)
  --suite SUITE      Debian's release (default bookworm)
  --mirror URL       where Debian's packages come from (default http://deb.debian.org/debian)
  --hostname NAME    the kiosk's name in its network (default kiosk)
  --keyboard LAYOUT  layout of the console, as XKBLAYOUT in keyboard(5) (default us)
  --include PACKAGE  one more of Debian's packages; may come several times
  --overlay FOLDER   laid over the root at the end; may come several times
  --cache FOLDER     where Debian without the rest is kept for the next image

Every PACKAGE.deb is installed with what it depends on.
END
}

output='' size=2G suite=bookworm mirror=http://deb.debian.org/debian hostname=kiosk keyboard=us cache=''
include=() overlays=() packages=()
while [ $# -gt 0 ]; do
  case $1 in
    --help) usage && exit 0 ;;
    --output | --size | --suite | --mirror | --hostname | --keyboard | --cache)
      [ $# -ge 2 ] || { echo "$1 needs a value; see --help" >&2 && exit 2; }
      declare "${1#--}=$2" && shift 2 ;;
    --include) include+=("${2:?--include needs a package}") && shift 2 ;;
    --overlay) overlays+=("${2:?--overlay needs a folder}") && shift 2 ;;
    -*) echo "$1 is no option; see --help" >&2 && exit 2 ;;
    *) packages+=("$1") && shift ;;
  esac
done
[ -n "$output" ] || { echo "--output is missing; see --help" >&2 && exit 2; }
for package in "${packages[@]}"; do
  [ -f "$package" ] || { echo "there is no package $package" >&2 && exit 2; }
done
for overlay in "${overlays[@]}"; do
  [ -d "$overlay" ] || { echo "there is no folder $overlay" >&2 && exit 2; }
done
[ "$(id -u)" -eq 0 ] || { echo "debootstrap needs root" >&2 && exit 77; }
missing=()
for tool in debootstrap mke2fs:e2fsprogs sfdisk:fdisk mkfs.vfat:dosfstools mcopy:mtools zstd; do
  PATH=$PATH:/usr/sbin command -v "${tool%%:*}" >/dev/null || missing+=("${tool##*:}")
done
[ ${#missing[@]} -eq 0 ] || { echo "needs the Debian packages ${missing[*]}" >&2 && exit 77; }

# What a kiosk needs of Debian. The kernel is the common one: the one for clouds knows no USB, HID or TPM.
base=(
  systemd-sysv udev dbus linux-image-amd64 initramfs-tools zstd systemd-boot-efi
  systemd-timesyncd systemd-resolved iproute2 ca-certificates
  kbd console-setup keyboard-configuration
)
include=("${base[@]}" "${include[@]}")

work=$(mktemp -d "${TMPDIR:-/tmp}/gatehand-image.XXXXXX")
mounts=()
clean() {
  for mount in "${mounts[@]}"; do umount "$mount" 2>/dev/null || umount --lazy "$mount"; done
  rm -rf --one-file-system "$work"
}
trap clean EXIT
root=$work/root

# within COMMAND…: a command in the image's root, without questions and without starting services.
within() {
  DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot "$root" "$@"
}

# Debian without the rest takes minutes, and is the same for every image of these packages.
name=$(printf '%s\n' "$suite" "$mirror" "${include[@]}" | sha256sum | cut -c 1-16)
kept=${cache:+$cache/debian-$suite-$name.tar}
mkdir -p "$root"
if [ -n "$kept" ] && [ -f "$kept" ]; then
  tar -x --numeric-owner --xattrs -f "$kept" -C "$root"
  touch "$kept"
else
  list=$(IFS=,; echo "${include[*]}")
  if ! debootstrap --variant=minbase --include="$list" "$suite" "$root" "$mirror" >"$work/debootstrap.log" 2>&1; then
    tail -n 30 "$work/debootstrap.log" >&2
    exit 1
  fi
  rm -rf "$root"/var/cache/apt/archives/*.deb
  if [ -n "$kept" ]; then
    mkdir -p "$cache"
    tar -c --numeric-owner --xattrs -f "$kept.new" -C "$root" .
    mv "$kept.new" "$kept"
  fi
fi

if [ ${#packages[@]} -gt 0 ]; then
  # A package's scripts want these; no service is started in a folder.
  for each in proc sys; do
    mount --bind "/$each" "$root/$each"
    mounts=("$root/$each" "${mounts[@]}")
  done
  printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
  chmod 755 "$root/usr/sbin/policy-rc.d"
  mkdir "$root/packages"
  cp "${packages[@]}" "$root/packages/"
  # It leads to a service that runs in a booted system only.
  mv "$root/etc/resolv.conf" "$work/resolv.conf"
  cp /etc/resolv.conf "$root/etc/resolv.conf"
  if ! within sh -c 'dpkg --unpack /packages/*.deb && apt-get -y -o Dpkg::Use-Pty=0 --no-install-recommends --fix-broken install' \
    >"$work/packages.log" 2>&1; then
    tail -n 30 "$work/packages.log" >&2
    exit 1
  fi
  rm -rf "$root/packages" "$root/usr/sbin/policy-rc.d" "$root/etc/resolv.conf" "$root"/var/cache/apt/archives/*.deb
  mv "$work/resolv.conf" "$root/etc/resolv.conf"
  for mount in "${mounts[@]}"; do umount "$mount"; done
  mounts=()
fi

# What makes a machine a kiosk, beside the packages.
cp -r --no-preserve=ownership "$here/root/." "$root/"
for overlay in "${overlays[@]}"; do cp -r --no-preserve=ownership "$overlay/." "$root/"; done
echo "$hostname" >"$root/etc/hostname"
grep -q "$hostname" "$root/etc/hosts" 2>/dev/null || printf '127.0.0.1 localhost\n127.0.1.1 %s\n' "$hostname" >>"$root/etc/hosts"
sed -i "s/^XKBLAYOUT=.*/XKBLAYOUT=\"$keyboard\"/" "$root/etc/default/keyboard"
sed -i 's/^CHARMAP=.*/CHARMAP="UTF-8"/' "$root/etc/default/console-setup"
# Made now, for a small kiosk takes long over it at its first boot.
rm -f "$root"/etc/console-setup/cached_*
within setupcon --save-only
root_id=$(cat /proc/sys/kernel/random/uuid)
cat >"$root/etc/fstab" <<END
UUID=$root_id / ext4 defaults,errors=remount-ro 0 1
LABEL=ESP /efi vfat umask=0077,nofail 0 2
END
mkdir -p "$root/efi"
# It looks into fstab for what is to be checked at a boot.
within update-initramfs -u -k all >/dev/null
within systemctl --quiet enable systemd-networkd systemd-timesyncd systemd-time-wait-sync gatehand-enrol
within systemctl --quiet mask getty@tty1.service
# What there is to install is old soon; apt update fetches it.
rm -rf "$root"/var/lib/apt/lists/*
# Its own in each kiosk: the first boot makes them.
: >"$root/etc/machine-id"
rm -f "$root/var/lib/dbus/machine-id" "$root/var/lib/systemd/random-seed" "$root"/etc/ssh/ssh_host_*
if [ -e "$root/var/lib/gatehand/vault.db" ]; then
  echo "the image would hold a vault: every kiosk would be the same device" >&2
  exit 1
fi

kernel=$(find "$root/boot" -name 'vmlinuz-*' | sort -V | tail -n 1)
version=${kernel##*/vmlinuz-}
[ -n "$kernel" ] || { echo "no kernel was installed" >&2 && exit 1; }
cp "$kernel" "$work/kernel"
cp "$root/boot/initrd.img-$version" "$work/initrd"
options="root=UUID=$root_id rw quiet"

# The partition that firmware starts from, laid out as kernel-install(8) goes on with it.
mkdir -p "$work/esp/EFI/BOOT" "$work/esp/loader/entries" "$work/esp/gatehand/$version"
cp "$root/usr/lib/systemd/boot/efi/systemd-bootx64.efi" "$work/esp/EFI/BOOT/BOOTX64.EFI"
cp "$work/kernel" "$work/esp/gatehand/$version/linux"
cp "$work/initrd" "$work/esp/gatehand/$version/initrd"
printf 'timeout 0\n' >"$work/esp/loader/loader.conf"
cat >"$work/esp/loader/entries/gatehand-$version.conf" <<END
title Kiosk
version $version
options $options
linux /gatehand/$version/linux
initrd /gatehand/$version/initrd
END
mkdir -p "$root/etc/kernel"
echo gatehand >"$root/etc/kernel/entry-token"
echo "$options" >"$root/etc/kernel/cmdline"

esp_mib=256
mkdir -p "$(dirname "$output")"
rm -f "$output.new"
truncate --size "$size" "$output.new"
sfdisk --quiet "$output.new" <<END
label: gpt
size=${esp_mib}MiB, type=uefi, name=esp
type=linux, name=root
END
read -r first sectors < <(sfdisk --dump "$output.new" | sed -n 's/.*start= *\([0-9]*\), *size= *\([0-9]*\),.*name="root".*/\1 \2/p')
truncate --size ${esp_mib}MiB "$work/esp.img"
mkfs.vfat -n ESP "$work/esp.img" >/dev/null
mcopy -i "$work/esp.img" -s "$work/esp/EFI" "$work/esp/loader" "$work/esp/gatehand" ::
dd if="$work/esp.img" of="$output.new" bs=1M seek=1 conv=notrunc,sparse status=none
mke2fs -q -t ext4 -L root -U "$root_id" -E "offset=$((first * 512)),lazy_itable_init=0,lazy_journal_init=0" -d "$root" "$output.new" "$((sectors / 2))k"
cp "$work/kernel" "$output.kernel"
cp "$work/initrd" "$output.initrd"
mv "$output.new" "$output"
