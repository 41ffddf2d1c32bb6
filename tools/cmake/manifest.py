#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads the idf_component.yml of components and of those their path dependencies lead to.

Writes CMake calls: airlift_manifest_file() for each file read, airlift_manifest_path_dependency()
for each dependency that is in the build. Dependencies from a registry are not downloaded: those
whose rules leave them out of this target, or that only serve hardware no board here has, are noted
and left out; any other ends the run.
"""

import argparse
import os
import re
import sys
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

# Drivers of real hardware: the projects that name them do without on our boards.
HARDWARE_ONLY = {"espressif/ethernet_init", "espressif/esp_wifi_remote", "espressif/esp_hosted",
                 "espressif/led_strip", "espressif/button"}


class ManifestError(Exception):
    """A manifest cannot be used; the text says why."""


def expand(text, manifest):
    """$NAME and ${NAME} replaced from the environment."""
    def value(match):
        name = match.group(1) or match.group(2)
        if name not in os.environ:
            raise ManifestError(f"{manifest}: environment variable {name} is not set")
        return os.environ[name]
    return re.sub(r"\$\{(\w+)\}|\$(\w+)", value, text)


def version_key(text):
    return tuple(int(part) for part in re.findall(r"\d+", text)[:3])


def compare(left, operator, right):
    if operator in ("==", "!="):
        return (left == right) == (operator == "==")
    a, b = version_key(left), version_key(right)
    return {"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[operator]


def condition_holds(text, facts, manifest):
    """One `if:` of a rule: comparisons and membership tests, joined with && and ||."""
    for alternative in text.split("||"):
        if all(term_holds(term.strip(), facts, manifest) for term in alternative.split("&&")):
            return True
    return False


def term_holds(term, facts, manifest):
    term = term.strip("() ") if not term.endswith("]") else term.lstrip("( ")
    match = re.fullmatch(r"(\w+)\s+(not\s+in|in)\s+\[(.*)\]", term)
    if match:
        wanted = [item.strip().strip("'\"") for item in match.group(3).split(",")]
        return (fact(match.group(1), facts, manifest) in wanted) == (match.group(2) == "in")
    match = re.fullmatch(r"(\w+)\s*(==|!=|<=|>=|<|>)\s*(.+)", term)
    if not match:
        raise ManifestError(f"{manifest}: rule '{term}' is not understood")
    return compare(fact(match.group(1), facts, manifest), match.group(2),
                   match.group(3).strip().strip("'\""))


def fact(name, facts, manifest):
    if name not in facts:
        raise ManifestError(f"{manifest}: rules may test {', '.join(sorted(facts))}, not '{name}'")
    return facts[name]


def rules_allow(dependency, facts, manifest):
    for rule in dependency.get("rules", []):
        if not condition_holds(str(rule["if"]), facts, manifest):
            return False
    return True


def satisfies(version, constraint):
    """Whether a version meets a constraint such as ">=5.0,<7" or "^6.0"; "*" is anything."""
    for part in filter(None, (item.strip() for item in constraint.split(","))):
        match = re.fullmatch(r"(==|!=|<=|>=|<|>|\^|~)?\s*v?([\d.]+|\*)(?:\.\*)?", part)
        if not match:
            return False
        operator, wanted = match.group(1) or "==", match.group(2)
        if wanted == "*":
            continue
        have, want = version_key(version), version_key(wanted)
        if operator == "^" and not (have[0] == want[0] and have >= want):
            return False
        if operator == "~" and not (have[:2] == want[:2] and have >= want):
            return False
        if operator == "==" and have[:len(want)] != want:
            return False
        if operator in ("!=", "<", "<=", ">", ">=") and not compare(version, operator, wanted):
            return False
    return True


def load(manifest):
    try:
        content = YAML(typ="safe", pure=True).load(manifest.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, YAMLError) as error:
        raise ManifestError(f"{manifest}: {error}") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ManifestError(f"{manifest}: not a map of keys")
    dependencies = content.get("dependencies") or {}
    if not isinstance(dependencies, dict):
        raise ManifestError(f"{manifest}: 'dependencies' is not a map")
    return dependencies


def bracket(text):
    return f"[==[{text}]==]"


def visit(folder, facts, lines, seen):
    folder = Path(os.path.normpath(folder))
    if folder in seen:
        return
    seen.add(folder)
    manifest = folder / "idf_component.yml"
    if not manifest.exists():
        return
    lines.append(f"airlift_manifest_file({bracket(manifest)})")
    for name, dependency in load(manifest).items():
        if not isinstance(dependency, dict):
            dependency = {"version": "*" if dependency is None else str(dependency)}
        if not rules_allow(dependency, facts, manifest):
            continue
        if name == "idf":
            constraint = str(dependency.get("version", "*"))
            if not satisfies(facts["idf_version"], constraint):
                raise ManifestError(f"{manifest}: needs ESP-IDF {constraint}; "
                                    f"this is {facts['idf_version']}")
            continue
        path = dependency.get("path") or dependency.get("override_path")
        if path is None:
            full = name if "/" in name else f"espressif/{name}"
            if full in HARDWARE_ONLY:
                print(f"-- {manifest.parent.name}: component {full} drives hardware that no board "
                      "here has; left out")
                continue
            raise ManifestError(
                f"{manifest}: component {full} would have to be downloaded from a registry, which "
                "this build does not do. Put it into the project's components/ folder and give its "
                "path in the manifest.")
        target = Path(expand(str(path), manifest))
        if not target.is_absolute():
            target = folder / target
        target = Path(os.path.normpath(target))
        if not (target / "CMakeLists.txt").exists():
            raise ManifestError(f"{manifest}: dependency {name}: no component at {target}")
        require = str(dependency.get("require", "public" if dependency.get("public") else "private"))
        visibility = {"public": "PUBLIC", "private": "PRIVATE", "no": "NONE", "False": "NONE"}
        if require not in visibility:
            raise ManifestError(f"{manifest}: dependency {name}: require: {require}?")
        lines.append(f"airlift_manifest_path_dependency({folder.name} {bracket(target)} "
                     f"{visibility[require]})")
        visit(target, facts, lines, seen)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--target", required=True)
    parser.add_argument("--idf-version", required=True)
    parser.add_argument("--output", required=True, type=Path)
    parser.add_argument("folders", nargs="+", type=Path)
    arguments = parser.parse_args()
    facts = {"target": arguments.target, "idf_version": arguments.idf_version}
    lines = []
    seen = set()
    try:
        for folder in arguments.folders:
            visit(folder, facts, lines, seen)
    except ManifestError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    arguments.output.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
