"""The reference of the command line and the list of checks, made from the program: docs/cli.md and docs/checks.md.

After a change of an option, a help text or a check, write them anew:

    make reference
"""

from collections.abc import Iterator
from pathlib import Path

import typer
from typer.core import TyperCommand, TyperGroup

from amiguard.cli.main import app
from amiguard.core.checks.metadata import CheckMetadata
from amiguard.core.checks.registry import CHECKS

_DOCS = Path(__file__).parent.parent / "docs"
_WIDTH = 78
"""What click makes of help on a terminal of 80 columns and of any wider one: two stay free."""

_CLI_INTRO = """\
# The command line

<!-- Written by `make reference` from the program itself: change the help texts, not this page. -->

Every command prints its part of this page by `--help`. Data goes to stdout, talk and progress to stderr. What the exit
codes mean is [the same for every command](exit-codes.md).

Variables and files of the AWS CLI are read as the AWS CLI reads them (`AWS_PROFILE`, `AWS_REGION`, `AWS_ENDPOINT_URL`
and so on). Besides these, `AMIGUARD_CONFIG` names the [settings file](settings.md#which-file-counts), and `NO_COLOR`
switches colours off.
"""
_CHECKS_INTRO = """\
# The checks

<!-- Written by `make reference` from the checks themselves: change their words, not this page. -->

What each check judges, how severe a failure is, and what to do about it. These texts are in the reports, too.
[`checks`](settings.md#checks) in the settings and `--check` say which ones are made.
"""


def cli_page() -> str:
    """The text of docs/cli.md."""
    sections = [_CLI_INTRO]
    for path, help_text in help_texts():
        marks = "#" * min(len(path) + 1, 3)
        sections.append(f"{marks} {' '.join(path)}\n\n```text\n{help_text}\n```\n")
    return "\n".join(sections)


def help_texts() -> Iterator[tuple[tuple[str, ...], str]]:
    """Every command by the words that call it, and its help; the program itself first, groups before their commands."""
    program = typer.main.get_command(app)
    if not isinstance(program, TyperGroup):
        raise TypeError("the program has one command only")
    yield from _walk(program, ("amiguard",), None)


def _walk(
    command: TyperCommand | TyperGroup, path: tuple[str, ...], parent: typer.Context | None
) -> Iterator[tuple[tuple[str, ...], str]]:
    context = typer.Context(
        command,
        info_name=path[-1],
        parent=parent,
        terminal_width=_WIDTH,
        help_option_names=["-h", "--help"],
    )
    yield path, command.get_help(context).rstrip()
    if isinstance(command, TyperGroup):
        for name, child in command.commands.items():
            if not isinstance(child, TyperCommand | TyperGroup):
                raise TypeError(f"{name} is no command of typer's")
            if not child.hidden:
                yield from _walk(child, (*path, name), context)


def checks_page() -> str:
    """The text of docs/checks.md."""
    return "\n".join([_CHECKS_INTRO, *(_check(check) for check in CHECKS)])


def _check(check: CheckMetadata) -> str:
    runs = "always" if check.on_by_default else f"if it is asked for: `amiguard audit --check {check.check_id}`"
    references = "\n".join(f"- <{url}>" for url in check.references)
    return (
        f"## {check.check_id}\n\n**{check.title}**\n\n"
        f"| runs | severity of a failure |\n|---|---|\n| {runs} | {check.severity} |\n\n"
        f"{check.description}\n\n{check.remediation}\n\n{references}\n"
    )


PAGES = {_DOCS / "cli.md": cli_page, _DOCS / "checks.md": checks_page}


def main() -> None:
    """Write the pages."""
    for path, page in PAGES.items():
        path.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
