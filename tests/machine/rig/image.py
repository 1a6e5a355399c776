"""The image that machines start from: built once for the same inputs, and kept."""

import hashlib
import os
import pathlib
import subprocess
from dataclasses import dataclass

from .server import ORGANIZER, URL
from .tls import NAME, Authority

_REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
_BUILD = _REPOSITORY / "packaging" / "image"

# The guest's agent; an overlay in memory over the root, as kiosks have, which uses busybox; what systemd-creds
# loads to ask a TPM.
INCLUDED = [
    *("qemu-guest-agent", "overlayroot", "busybox", "curl", "lz4"),
    *("libtss2-esys-3.0.2-0", "libtss2-mu0", "libtss2-rc0", "libtss2-tcti-device0"),
]


@dataclass(frozen=True)
class Image:
    path: pathlib.Path
    kernel: pathlib.Path
    initrd: pathlib.Path

    @property
    def kernel_arguments(self):
        return [
            *("root=/dev/vda2", "rw", "console=ttyS0", "loglevel=4", "net.ifnames=0", "systemd.show_status=error"),
            # What a test has no use for and emulation takes long over.
            *("mitigations=off", "nokaslr", "cryptomgr.notests", "random.trust_cpu=on", "no_timer_check", "audit=0"),
            *("systemd.mask=apt-daily.timer", "systemd.mask=apt-daily-upgrade.timer", "systemd.mask=dpkg-db-backup.timer"),
            *("systemd.mask=e2scrub_reap.service", "systemd.mask=fstrim.timer"),
            # The screen stays one of text.
            "modprobe.blacklist=bochs,cfg80211,i2c_i801,lpc_ich,iTCO_wdt,pcspkr,floppy,joydev,intel_agp,psmouse,sr_mod,qemu_fw_cfg",
        ]


def _digest(paths, texts):
    digest = hashlib.sha256()
    for text in texts:
        digest.update(text.encode() + b"\0")
    for path in sorted(paths):
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file():
                digest.update(f"{file.relative_to(path) if path.is_dir() else file.name}\0".encode())
                digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:16]


def _overlay(folder, authority, program):
    """What the test adds to an image: the authority it is to trust, and where name and time come from."""
    files = {
        "etc/gatehand/authority.pem": authority.certificate.read_text(),
        "etc/hosts": f"127.0.0.1 localhost\n127.0.1.1 kiosk\n10.0.2.2 {NAME}\n",
        # Asked often, so that no test waits for the next time; in the field twice a minute will do.
        "etc/systemd/timesyncd.conf.d/test.conf": "[Time]\nNTP=10.0.2.2\nFallbackNTP=\nConnectionRetrySec=1\n",
        "etc/gatehand/agent.toml": 'home = "/var/lib/gatehand"\nca_file = "/etc/gatehand/authority.pem"\n'
        f'allowed_servers = ["{URL}"]\nallowed_organizers = ["{ORGANIZER}"]\n',
    }
    # What starts it knows this machine's disk and no other, for emulation is slow.
    files["etc/initramfs-tools/conf.d/test.conf"] = "MODULES=list\nCOMPRESS=lz4\n"
    files["etc/initramfs-tools/modules"] = "virtio_pci\nvirtio_blk\next4\ncrc32c_generic\noverlay\n"
    if program:
        # What the package would bring.
        files["usr/lib/sysusers.d/gatehand-agent.conf"] = 'u gatehand - "gatehand agent" /var/lib/gatehand\n'
        files["usr/lib/tmpfiles.d/gatehand-agent.conf"] = "d /var/lib/gatehand 0700 gatehand gatehand -\n"
        files["etc/systemd/system/gatehand-enrol.service.d/test.conf"] = "[Service]\nEnvironment=GATEHAND_SETTINGS=/etc/gatehand/agent.toml\n"
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    if program:
        path = folder / "usr/bin/gatehand"
        path.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["strip", "-o", str(path), str(program)], check=True)
        path.chmod(0o755)
    return folder


def build(kept, packages, program=None):
    """The image with these packages, or with a program alone; the same one as before, if nothing changed."""
    authority = Authority(kept / "authority")
    inputs = [_BUILD, *packages, authority.certificate, pathlib.Path(__file__)] + ([program] if program else [])
    path = kept / f"kiosk-{_digest(inputs, INCLUDED)}.raw"
    image = Image(path, path.with_name(f"{path.name}.kernel"), path.with_name(f"{path.name}.initrd"))
    if path.exists():
        return image
    for old in kept.glob("kiosk-*"):
        old.unlink()
    overlay = kept / "overlay"
    subprocess.run(["rm", "-rf", str(overlay)], check=True)
    command = [_BUILD / "build.sh", "--output", path, "--cache", kept, "--overlay", _overlay(overlay, authority, program)]
    for package in INCLUDED:
        command += ["--include", package]
    command += packages
    done = subprocess.run([str(part) for part in command], env={**os.environ, "TMPDIR": str(kept)})
    if done.returncode == 77:
        raise SystemExit(77)
    if done.returncode != 0:
        raise SystemExit(f"the image could not be built: build.sh ended with {done.returncode}")
    # Of Debian without the rest, only what this image was made of.
    for old in sorted(kept.glob("debian-*.tar"), key=lambda path: path.stat().st_mtime)[:-1]:
        old.unlink()
    return image
