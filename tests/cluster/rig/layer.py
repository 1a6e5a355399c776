"""A Debian with the deployment's packages: a layer over this machine's root, which stays as it is.

Everything here happens in a mount namespace of the test's own, so that all of it goes with the test."""

import pathlib
import shutil
import subprocess

from . import page

_ROOT = pathlib.Path(__file__).resolve().parents[3]
# In memory: an upper layer can't be within the root that it lies over.
_FOLDER = pathlib.Path("/mnt")


def mount(*arguments):
    subprocess.run(["mount", *map(str, arguments)], check=True)


def overlay(name, lower):
    """A root of its own, named so, over others. It shares the devices."""
    folder = _FOLDER / name
    upper, work, root = (folder / part for part in ("upper", "work", "root"))
    for part in (upper, work, root):
        part.mkdir(parents=True)
    mount("-t", "overlay", "overlay", "-o", f"lowerdir={lower},upperdir={upper},workdir={work}", root)
    mount("--rbind", "/dev", root / "dev")
    for path in ("dev/shm", "run", "tmp"):
        mount("-t", "tmpfs", "tmpfs", root / path)
    (root / "run/postgresql").mkdir()
    return root


def machine(name):
    """The root of a machine."""
    root = overlay(name, f"{_FOLDER / 'packages' / 'upper'}:/")
    shutil.chown(root / "run/postgresql", *_owner(root, "postgres"))
    return root


def _owner(root, user):
    line = next(line for line in (root / "etc/passwd").read_text().splitlines() if line.startswith(f"{user}:"))
    return tuple(int(number) for number in line.split(":")[2:4])


def install(kept, program):
    """Installs Debian's packages, which are kept for the next time, and the server."""
    mount("-t", "tmpfs", "tmpfs", _FOLDER)
    root = overlay("packages", "/")
    archives = kept / "archives"
    (archives / "partial").mkdir(parents=True, exist_ok=True)
    mount("--bind", archives, root / "var/cache/apt/archives")
    mount("-t", "proc", "proc", root / "proc")
    policy = root / "usr/sbin/policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101 # nothing is started\n")
    policy.chmod(0o755)
    # Otherwise apt would throw away what it has fetched.
    (root / "etc/apt/apt.conf.d/99kept").write_text('Binary::apt-get::APT::Keep-Downloaded-Packages "true";\n')
    script = f"set -e\napt-get -qq update\nexport DEBIAN_FRONTEND=noninteractive\n{page.packages()}\nuseradd --system gatehand-server\n"
    with open(kept / "packages.log", "wb") as log:
        done = subprocess.run(["chroot", str(root), "sh", "-c", script], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    if done.returncode:
        raise SystemExit(f"packages can't be installed:\n{(kept / 'packages.log').read_text()[-2000:]}")
    shutil.copy(program, root / "usr/bin/gatehand-server")
    shutil.copy(_ROOT / "packaging/debian/gatehand-server.service", root / "lib/systemd/system")
    shutil.copy(pathlib.Path(__file__).with_name("systemctl"), root / "usr/local/bin/systemctl")
    (root / "etc/gatehand").mkdir(exist_ok=True)


def versions():
    """Of what is tested, as Debian numbers them."""
    root = _FOLDER / "packages/root"
    names = ["etcd-server", "patroni", "postgresql", "nginx"]
    command = ["chroot", str(root), "dpkg-query", "--show", "--showformat", "${Package} ${Version}\n", *names]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


def postgresql_version():
    return max((path.name for path in (_FOLDER / "packages/root/usr/lib/postgresql").iterdir()), key=int)
