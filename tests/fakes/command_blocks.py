"""Command blocks of Markdown: which commands stand in them, with which exit code they end, and what they print."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

LANGUAGES = frozenset({"console", "sh"})
_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)
_REMARK = re.compile(r"<!-- (not run: \S[^\n]*|with the settings of the demo) -->\n\Z")
_EXIT_CODE = re.compile(r"#.*\bexit code (\d+)")
_HERE_DOCUMENT = re.compile(r"<<'(\w+)'")
_PROMPT, _LEFT_OUT = "$ ", "..."
_VARIES = re.compile(r"\bami-[0-9a-f]{17}\b|\b[0-9]{4}-[0-9]{2}-[0-9]{2}\b|\b[0-9]{12}\b")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block; a comment above it says why it is not run, or that it goes with the settings of the demo."""

    line: int
    language: str
    text: str
    run: bool = True
    settings: bool = False


@dataclass(frozen=True, slots=True)
class Command:
    """A command as it is written; `shown` is what the text says that it prints, None if it says nothing."""

    line: int
    text: str
    exit_code: int
    shown: tuple[str, ...] | None


def blocks(markdown: str) -> Iterator[Block]:
    """Every fenced block, without the indentation of the list that it is in."""
    for found in _FENCE.finditer(markdown):
        before = markdown[: found.start()]
        text = "".join(line.removeprefix(found["indent"]) for line in found["text"].splitlines(keepends=True))
        remark = _REMARK.search(before)
        yield Block(
            before.count("\n") + 2,
            found["language"],
            text,
            run=remark is None or not remark[1].startswith("not run"),
            settings=remark is not None and remark[1].startswith("with"),
        )


def commands(block: Block) -> Iterator[Command]:
    """The commands of a block: the lines with a prompt, or all lines where none has one."""
    lines = block.text.splitlines()
    prompted = any(line.startswith(_PROMPT) for line in lines)
    at = 0
    while at < len(lines):
        start = at
        if not lines[at].strip() or (prompted and not lines[at].startswith(_PROMPT)):
            assert not (prompted and lines[at].strip()), f"line {block.line + at}: output without a command"
            at += 1
            continue
        at = _end(lines, at)
        text = "\n".join(lines[start:at]).removeprefix(_PROMPT)
        output = at
        while prompted and at < len(lines) and not lines[at].startswith(_PROMPT):
            at += 1
        said = _EXIT_CODE.search(text)
        yield Command(
            block.line + start, text, int(said[1]) if said else 0, tuple(lines[output:at]) if at > output else None
        )


def _end(lines: list[str], at: int) -> int:
    """The line after the command that begins here: it may be continued, or bring a document along."""
    while lines[at].endswith("\\"):
        at += 1
    if document := _HERE_DOCUMENT.search(lines[at]):
        at = lines.index(document[1], at)
    return at + 1


def missing(shown: tuple[str, ...], output: str) -> str:
    """The first paragraph of what is shown that the output does not have; empty if it has them all.

    Ids and dates may be others, and so may the order: accounts come by their ids. A line `...` stands for what was left
    out, and ends a paragraph as an empty line does.
    """
    printed = _VARIES.sub("#", f"\n{output.strip()}\n")
    for left_out, lines in groupby(shown, key=lambda line: line.strip() in {"", _LEFT_OUT}):
        paragraph = "\n".join(lines)
        if not left_out and _VARIES.sub("#", f"\n{paragraph}\n") not in printed:
            return paragraph
    return ""
