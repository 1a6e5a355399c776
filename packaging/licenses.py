#!/usr/bin/env python3
"""Prints the licences of all that a program is linked with: packaging/licenses.py TARGET FEATURES

What each library ships as its licence is what is to be passed on, so that is printed, once for all libraries
with the same text. One that ships none, and is under none that a text here is for, is an error. Which licences may be
linked at all is in deny.toml.
"""

import json
import pathlib
import re
import subprocess
import sys

# As the files are called, in the folder of a library or of what it took over from others.
NAMES = re.compile(r"(licen[cs]e|copying|copyright|notice|unlicense)([-_.].*)?$", re.IGNORECASE)
CODE = {".rs", ".py", ".c", ".h", ".json", ".toml", ".html", ".sh"}
# Texts that hold for whoever wrote what is under them, where a library ships none of its own.
TEXTS = {"Apache-2.0": "LICENSE", "MIT": "packaging/licenses/MIT"}
# What a program embeds that is no library of Rust, by the feature that it comes with.
EMBEDDED = {"server": {"htmx.org 4.0.1, 0BSD": "src/server/web/assets/htmx-LICENSE"}}
HEADING = """\
The program of this package is linked with these libraries. Beside them is Rust's standard library, by the Rust project's
developers, under MIT or Apache-2.0, and SQLite, which its authors have put into the public domain.
"""


def linked(target, features):
    """The packages that are in the program: its dependencies, and theirs, for this processor."""
    command = ["cargo", "metadata", "--locked", "--format-version=1", "--no-default-features"]
    command += [f"--features={features}", f"--filter-platform={target}"]
    metadata = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    packages = {package["id"]: package for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    root = metadata["resolve"]["root"]
    found, ahead = set(), [root]
    while ahead:
        node = ahead.pop()
        if node in found:
            continue
        found.add(node)
        targets = {kind for target in packages[node]["targets"] for kind in target["kind"]}
        if "proc-macro" in targets and node != root:
            found.discard(node)  # it runs in the compiler
            continue
        for dependency in nodes[node]["deps"]:
            if any(kind["kind"] is None for kind in dependency["dep_kinds"]):
                ahead.append(dependency["pkg"])
    return sorted((packages[one] for one in found - {root}), key=lambda one: (one["name"], one["version"]))


def shipped(folder):
    """The files with licences, of the library and of what it took over."""
    places = [folder, *folder.glob("LICENSES"), *folder.glob("licenses"), *folder.glob("third_party/*")]
    files = [one for place in places if place.is_dir() for one in place.iterdir()]
    return sorted(one for one in files if one.is_file() and one.suffix not in CODE and (NAMES.match(one.name) or one.parent.name.lower() == "licenses"))


def main():
    texts, missing = {}, []
    for package in linked(*sys.argv[1:]):
        name = f"{package['name']} {package['version']}"
        files = shipped(pathlib.Path(package["manifest_path"]).parent)
        if package.get("license_file"):
            files.append(pathlib.Path(package["manifest_path"]).parent / package["license_file"])
        if not files:
            of = re.split(r"\s+OR\s+|/", package["license"] or "")
            files = [pathlib.Path(TEXTS[one]) for one in of if one in TEXTS][:1]
        if not files:
            missing.append(f"{name} ({package['license']})")
        for file in dict.fromkeys(files):
            text = "\n".join(line.rstrip() for line in file.read_text(errors="replace").strip().splitlines())
            texts.setdefault(text, []).append(f"{name}, {package['license']}")
    for feature in sys.argv[2].split(","):
        for name, file in EMBEDDED.get(feature, {}).items():
            texts.setdefault(pathlib.Path(file).read_text().strip(), []).append(name)
    if missing:
        sys.exit("no licence is shipped with " + ", ".join(missing))
    print(HEADING)
    for text, users in sorted(texts.items(), key=lambda one: one[1]):
        print("=" * 100, *(f"  {user}" for user in dict.fromkeys(users)), "", text, "", sep="\n")


main()
