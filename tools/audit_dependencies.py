"""Ask pip-audit for known vulnerabilities in what constraints.txt pins; say so where nobody could be asked.

`make audit-dependencies` runs this, and so does CI. It ends with 0 if nothing is known, or if the database could not be
reached: a machine without a way out must not stop the work. It ends with 1 if a vulnerability is known, and with 2 if
pip-audit cannot be run at all. Packages that the database does not know are named: pip-audit itself goes on as if they
had no vulnerability.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, assert_never

_CONSTRAINTS = Path(__file__).resolve().parents[1] / "constraints.txt"
# Asked first and alone: one question tells whether the database answers at all. It is pinned, and everybody knows it.
_PROBE = "urllib3"
_PATIENCE_SECONDS = 300
_USAGE = 2  # of argparse, which pip-audit uses


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is known of the packages that were asked for: lines about vulnerabilities, and names not known at all."""

    vulnerable: tuple[str, ...]
    unknown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NoVerdict:
    """pip-audit could not say, most likely because nobody answered."""

    reason: str


class UnusableError(Exception):
    """pip-audit is not there, or does not understand what it is asked: nothing that a network would mend."""


def ask(program: str, pins: list[str], arguments: list[str]) -> Verdict | NoVerdict:
    """Have pip-audit look up exactly these pins.

    Args:
        program: pip-audit.
        pins: lines `name==version`.
        arguments: more arguments for it.

    Raises:
        UnusableError: it cannot be run like this.
    """
    with tempfile.TemporaryDirectory() as folder:
        requirements = Path(folder) / "requirements.txt"
        requirements.write_text("\n".join(pins) + "\n", encoding="utf-8")
        command = [program, "--requirement", str(requirements), "--no-deps", "--disable-pip"]
        command += ["--format", "json", "--progress-spinner", "off", *arguments]
        try:
            done = subprocess.run(  # noqa: S603 - a program that the Makefile names, and no shell
                command, capture_output=True, text=True, check=False, timeout=_PATIENCE_SECONDS
            )
        except OSError as error:
            raise UnusableError(f"{program} cannot be run: {error.strerror}") from None
        except subprocess.TimeoutExpired:
            return NoVerdict(f"no answer within {_PATIENCE_SECONDS} seconds")
    last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
    if done.returncode == _USAGE:
        raise UnusableError(f"{program}: {last}")
    try:
        return _verdict(json.loads(done.stdout))
    except (ValueError, KeyError, TypeError):
        return NoVerdict(f"{Path(program).name} ended with {done.returncode}: {last}")


def _verdict(document: dict[str, Any]) -> Verdict:
    vulnerable: list[str] = []
    unknown: list[str] = []
    for package in document["dependencies"]:
        if "skip_reason" in package:
            unknown.append(package["name"])
        for found in package.get("vulns", ()):
            mended = ", ".join(found["fix_versions"]) or "no version yet"
            vulnerable.append(f"{package['name']} {package['version']}: {found['id']}; mended in {mended}")
    return Verdict(tuple(vulnerable), tuple(unknown))


def judge(program: str, pins: list[str], arguments: list[str]) -> int:
    """Ask for one package, then for all; print what came of it.

    Args:
        program: pip-audit.
        pins: lines `name==version`.
        arguments: more arguments for it.

    Returns:
        The exit code.

    Raises:
        UnusableError: pip-audit cannot be run like this.
    """
    first = ask(program, [pin for pin in pins if pin.startswith(f"{_PROBE}==")] or pins[:1], arguments)
    if isinstance(first, Verdict) and first.unknown:
        first = NoVerdict(f"it does not know {first.unknown[0]}")
    answer = first if isinstance(first, NoVerdict) else ask(program, pins, arguments)
    match answer:
        case NoVerdict(reason):
            _say(f"skipped, the database of vulnerabilities does not answer: {reason}")
            return 0
        case Verdict(vulnerable, unknown):
            if unknown:
                _say(f"nothing is known, good or bad, of {', '.join(unknown)}")
            for line in vulnerable:
                _say(line)
            _say(f"{len(pins)} packages, {len(vulnerable)} known vulnerabilities")
            return 1 if vulnerable else 0
        case _ as never:
            assert_never(never)


def main() -> int:
    """Ask, and say what came of it."""
    parser = argparse.ArgumentParser(
        allow_abbrev=False,
        description="Known vulnerabilities in what constraints.txt pins. More options are those of pip-audit.",
    )
    parser.add_argument("--program", default=str(Path(sys.executable).with_name("pip-audit")), help="pip-audit")
    parser.add_argument("--constraints", type=Path, default=_CONSTRAINTS, help="the file with the pins")
    options, arguments = parser.parse_known_args()
    pins = re.findall(r"^[A-Za-z0-9][^\s#]*==[^\s#]+", options.constraints.read_text(encoding="utf-8"), re.MULTILINE)
    if not pins:
        parser.error(f"{options.constraints} pins nothing")
    try:
        return judge(options.program, pins, arguments)
    except UnusableError as error:
        parser.error(str(error))


def _say(line: str) -> None:
    print(f"audit-dependencies: {line}")


if __name__ == "__main__":
    sys.exit(main())
