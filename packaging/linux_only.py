#!/usr/bin/env python3
"""Empties, in a folder that `cargo vendor --versioned-dirs` made, the libraries that no Linux and no Android builds
on: packaging/linux_only.py FOLDER, from the top of a source that is built with that folder. They are half of it.

Their manifests stay, and so Cargo.lock holds: Cargo still finds every library that it names, and the checksums of
what is left are those of the registry."""

import hashlib
import json
import pathlib
import shutil
import subprocess
import sys
import tomllib

TRIPLES = [
    "x86_64-unknown-linux-gnu",
    "aarch64-unknown-linux-gnu",
    "armv7-unknown-linux-gnueabihf",
    "aarch64-linux-android",
    "armv7-linux-androideabi",
    "x86_64-linux-android",
]


def used():
    """Name and version of each library that one of them builds on."""
    found = set()
    for triple in TRIPLES:
        command = ["cargo", "metadata", "--quiet", "--offline", "--locked", "--all-features", "--format-version", "1"]
        told = json.loads(subprocess.run([*command, "--filter-platform", triple], check=True, capture_output=True).stdout)
        reached = {node["id"] for node in told["resolve"]["nodes"]}
        found |= {(package["name"], package["version"]) for package in told["packages"] if package["id"] in reached}
    return found


def empty(folder, manifest):
    """Leaves the manifest, and a library without anything in it."""
    library = folder / manifest.get("lib", {}).get("path", "src/lib.rs")
    checksums = folder / ".cargo-checksum.json"
    told = json.loads(checksums.read_text())
    for entry in folder.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry)
        elif entry.name not in ("Cargo.toml", checksums.name):
            entry.unlink()
    library.parent.mkdir(parents=True, exist_ok=True)
    library.touch()
    told["files"] = {name: digest for name, digest in told["files"].items() if name == "Cargo.toml"}
    told["files"][str(library.relative_to(folder))] = hashlib.sha256(b"").hexdigest()
    checksums.write_text(json.dumps(told, sort_keys=True))


def main(vendor):
    kept, emptied = used(), 0
    for folder in sorted(pathlib.Path(vendor).iterdir()):
        manifest = tomllib.loads((folder / "Cargo.toml").read_text())
        package = manifest["package"]
        if (package["name"], package["version"]) not in kept:
            empty(folder, manifest)
            emptied += 1
    print(f"{emptied} libraries are for other systems, and empty", file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1])
