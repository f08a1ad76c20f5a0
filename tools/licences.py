"""Write `docs/licences.md`: the licences of all that comes along when amiguard is installed.

`make licences` writes the file, and a test compares. What is listed is what the installed packages say of themselves.
Versions are left out, so that the list changes only when a package comes, goes, or changes its licence.
"""

import re
import sys
from dataclasses import dataclass, field
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from amiguard.cli.versions import EXTRAS

LIST = Path(__file__).resolve().parents[1] / "docs" / "licences.md"
# Where amiguard is tested. What markers say of other machines (colorama on Windows, say) is not listed.
_MACHINE = {
    "implementation_name": "cpython",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_system": "Linux",
    "python_full_version": "3.11.0",
    "python_version": "3.11",
    "sys_platform": "linux",
}
_LONGEST_NAME = 60
NOT_NAMED = "not named"
_HEAD = """\
# Licences of dependencies

What is installed with amiguard, and the licence that each package names for itself, on Linux with Python 3.11. None is
more than a permissive or a weak copyleft licence. Versions are in `constraints.txt`. amiguard itself is licensed under
[Apache-2.0](https://spdx.org/licenses/Apache-2.0.html).

`make licences` writes this page from the metadata of the installed packages; a test fails when it is out of date.

| package | licence | comes with |
|---|---|---|
"""


@dataclass(frozen=True, slots=True)
class Package:
    """One installed package; `comes_with` is empty if amiguard itself needs it, else the extras that bring it."""

    name: str
    licence: str
    comes_with: tuple[str, ...]


@dataclass(slots=True)
class _Walk:
    """What is reached from one requirement: packages, each with the extras that were asked of it."""

    reached: dict[str, set[str]] = field(default_factory=dict)

    def follow(self, name: str, extras: set[str]) -> None:
        """Go on to what this package needs.

        Raises:
            PackageNotFoundError: it is not installed.
        """
        key = canonicalize_name(name)
        known = self.reached.get(key)
        if known is not None and extras <= known:
            return
        self.reached[key] = extras | (known or set())
        for wanted in _needs(distribution(name), extras):
            self.follow(wanted.name, set(wanted.extras))


def packages() -> tuple[Package, ...]:
    """All that `pip install amiguard[demo,import,notify]` brings, ordered by name.

    Raises:
        PackageNotFoundError: something is not installed here, so that its licence cannot be known.
    """
    brought: dict[str, list[str]] = {}
    for extra in ("", *EXTRAS):
        walk = _Walk()
        walk.follow("amiguard", {extra} if extra else set())
        for name in walk.reached.keys() - {"amiguard"}:
            brought.setdefault(name, []).append(extra)
    return tuple(_package(name, extras) for name, extras in sorted(brought.items()))


def as_markdown(listed: tuple[Package, ...]) -> str:
    """The list as the file has it."""
    rows = (f"| {it.name} | {it.licence} | {', '.join(it.comes_with) or 'amiguard'} |\n" for it in listed)
    return _HEAD + "".join(rows)


def licence_of(package: Distribution) -> str:
    """What a package says its licence is: an SPDX expression, else its classifiers, else its own words.

    Source: core metadata, https://packaging.python.org/en/latest/specifications/core-metadata/.
    """
    metadata = package.metadata
    if expressions := metadata.get_all("License-Expression"):
        return " ".join(expressions)
    classifiers = (str(value).split(" :: ") for value in metadata.get_all("Classifier", []))
    # `License :: OSI Approved` alone names none.
    named = [name for root, *_, name in classifiers if root == "License" and name != "OSI Approved"]
    if named:
        return ", ".join(named)
    # Some put the whole text there.
    words = re.sub(r"\s+", " ", " ".join(metadata.get_all("License", []))).strip()
    return words if 0 < len(words) < _LONGEST_NAME else NOT_NAMED


def _needs(package: Distribution, extras: set[str]) -> list[Requirement]:
    requirements = [Requirement(line) for line in package.requires or ()]
    return [
        wanted
        for wanted in requirements
        if wanted.marker is None or any(wanted.marker.evaluate({**_MACHINE, "extra": extra}) for extra in {"", *extras})
    ]


def _package(name: str, extras: list[str]) -> Package:
    installed = distribution(name)
    comes_with = () if "" in extras else tuple(extras)
    return Package(str(installed.metadata["Name"]), licence_of(installed), comes_with)


def main() -> int:
    """Write the list, and say what to look at."""
    try:
        listed = packages()
    except PackageNotFoundError as error:
        print(f"licences: {error.name} is not installed; `make licences` installs all that is listed", file=sys.stderr)
        return 2
    LIST.write_text(as_markdown(listed), encoding="utf-8")
    print(f"licences: {len(listed)} packages in {LIST.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
