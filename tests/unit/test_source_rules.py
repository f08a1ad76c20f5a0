"""Rules of the source that no single behaviour shows: what it never does, and the reasons of exceptions from lint."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "amiguard"
FILES = sorted(SOURCE.rglob("*.py"))
# What runs programs or text, or makes objects of bytes.
FORBIDDEN_MODULES = {"subprocess", "pickle", "marshal", "shelve", "dill", "ctypes", "pty", "imp", "runpy", "telnetlib"}
FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__", "os.system", "os.popen", "os.execv", "os.posix_spawn"}
FORBIDDEN_CALLS |= {"yaml.load", "tempfile.mktemp", "asyncio.create_subprocess_exec", "asyncio.create_subprocess_shell"}
# By which TLS certificates would not be verified.
INSECURE = {"verify", "ssl", "verify_ssl", "check_hostname"}
INSECURE_NAMES = {"CERT_NONE", "CERT_OPTIONAL", "_create_unverified_context"}


def imported(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (name.name for name in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module:
        yield node.module


def found_in(tree: ast.AST) -> Iterator[str]:
    """What of all that is forbidden is in a piece of source."""
    for node in ast.walk(tree):
        yield from (f"import {name}" for name in imported(node) if name.split(".")[0] in FORBIDDEN_MODULES)
        if isinstance(node, ast.Call):
            if (name := ast.unparse(node.func)) in FORBIDDEN_CALLS:
                yield f"{name}()"
            yield from (
                f"{one.arg}=False"
                for one in node.keywords
                if one.arg in INSECURE and isinstance(one.value, ast.Constant) and not one.value.value
            )
        if isinstance(node, ast.Attribute) and node.attr in INSECURE_NAMES:
            yield node.attr


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_nothing_runs_text_or_programs_or_turns_tls_off(path: Path) -> None:
    assert list(found_in(ast.parse(path.read_text(encoding="utf-8")))) == []


@pytest.mark.parametrize(
    "text",
    [
        "import subprocess",
        "from pickle import loads",
        "eval('1')",
        "os.system('ls')",
        "session.get(url, verify=False)",
        "client(ssl=None)",
        "context.verify_mode = ssl.CERT_NONE",
    ],
)
def test_what_is_forbidden_is_found(text: str) -> None:
    assert list(found_in(ast.parse(text)))


def test_every_exception_from_the_security_rules_has_a_reason() -> None:
    found = [
        f"{path.relative_to(SOURCE)}: {line.strip()}"
        for path in FILES
        for line in path.read_text(encoding="utf-8").splitlines()
        if (noqa := re.search(r"# noqa\b(?:: *(?P<rules>[A-Z0-9, ]+))?(?P<reason>.*)", line))
        and (noqa["rules"] is None or re.search(r"\bS[0-9]{3}", noqa["rules"]))
        and not re.search(r" - \w", f"{noqa['rules'] or ''}{noqa['reason']}")
    ]
    assert found == []
