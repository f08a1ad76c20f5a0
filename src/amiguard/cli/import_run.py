"""`amiguard import`: files of other tools become entries of the settings file, and a report of what was lost."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import unified_diff
from importlib.metadata import version
from pathlib import Path
from typing import Any

import typer

from amiguard.cli.exit_codes import ExitCode
from amiguard.cli.policy_options import today_utc
from amiguard.cli.talk import say
from amiguard.core.errors import InputError
from amiguard.files.imports.merge import Merged, merge
from amiguard.files.imports.reading import read_files
from amiguard.files.imports.record import Found, Remark
from amiguard.files.settings_lookup import find_settings, new_settings_path
from amiguard.report.sanitize import printable, printable_lines

_SHOWN = 200
"""Nobody reads more remarks on a terminal; JSON has all of them."""


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """What was asked for.

    Attributes:
        into: the settings file; None for the one that counts.
        owner: who answers for the exceptions.
        as_json: the outcome as one JSON document, instead of lines.
    """

    files: tuple[Path, ...]
    rule_id: str | None
    into: Path | None
    owner: str
    dry_run: bool
    as_json: bool


def run_import(request: ImportRequest) -> ExitCode:
    """Read all files, merge what they hold, and tell what became of it.

    Raises:
        AmiguardError: a file cannot be used, or the settings file cannot be written: nothing was.
        typer.BadParameter: `--owner` is no word.
    """
    if not (request.owner.strip() and request.owner.isprintable()):
        raise typer.BadParameter("expected words on one line, without control characters", param_hint="--owner")
    path = _settings_path(request.into)
    found = read_files(request.files, rule_id=request.rule_id)
    try:
        merged = merge(found, path, owner=request.owner, today=today_utc(), write=not request.dry_run)
    except InputError:
        # Nothing was found to import: the losses say why.
        _tell(found)
        raise
    if request.as_json:
        typer.echo(json.dumps(_document(found, merged, path, request), indent=2, ensure_ascii=True))
        return ExitCode.CLEAN
    if request.dry_run:
        typer.echo(printable_lines(_preview(merged, path)), nl=False)
        _each(say, _summary(merged, path, "would be "))
    else:
        _each(typer.echo, _summary(merged, path, ""))
    _tell(found)
    return ExitCode.CLEAN


def _settings_path(into: Path | None) -> Path:
    named = new_settings_path(into, environment=os.environ)
    if into is not None or os.environ.get("AMIGUARD_CONFIG"):
        return named
    return find_settings(None, environment=os.environ) or named


def _preview(merged: Merged, path: Path) -> str:
    if merged.before is None:
        return merged.after
    # Other line ends than "\n" would split a line in two on a terminal.
    before, after = (text.replace("\r\n", "\n").splitlines(keepends=True) for text in (merged.before, merged.after))
    lines = unified_diff(before, after, str(path), str(path))
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _summary(merged: Merged, path: Path, would: str) -> list[str]:
    state = "unchanged" if not merged.changed else f"{would}{'begun' if merged.before is None else 'changed'}"
    return [
        f"{path}: {state}",
        f"  trusted     {len(merged.added)} added",
        f"  exceptions  {len(merged.exceptions)} added",
        *(f"  {one}" for one in merged.there_already[:_SHOWN]),
        *_more(merged.there_already),
    ]


def _tell(found: Found) -> None:
    for title, remarks in (("worth a look", found.notices), ("not carried", found.losses)):
        if not remarks:
            continue
        say(f"{title}: {len(remarks)}")
        for one in remarks[:_SHOWN]:
            say(f"  {printable(f'{one.place}: {one.what}')}\n      {printable(one.why)}")
        _each(say, _more(remarks))


def _more(items: Sequence[object]) -> list[str]:
    return [f"  ... and {len(items) - _SHOWN} more: --format json has all"] if len(items) > _SHOWN else []


def _each(put: Any, lines: Sequence[str]) -> None:
    for line in lines:
        put(printable(line))


def _document(found: Found, merged: Merged, path: Path, request: ImportRequest) -> dict[str, Any]:
    return {
        "schema_version": "1",
        "tool": {"name": "amiguard", "version": version("amiguard")},
        "import": {
            "into": str(path),
            "files": [str(one) for one in request.files],
            "dry_run": request.dry_run,
            "created": merged.before is None,
            "changed": merged.changed,
        },
        "trusted": [{"id": one.written_id, "name": one.name, "reason": one.reason} for one in merged.added],
        "exceptions": [
            {"images": {one.key: list(one.values)}, "grantees": "any", "reason": one.reason, "owner": one.owner}
            for one in merged.exceptions
        ],
        "there_already": list(merged.there_already),
        "notices": [_remark(one) for one in found.notices],
        "not_carried": [_remark(one) for one in found.losses],
        "settings": merged.after,
    }


def _remark(one: Remark) -> dict[str, str]:
    return {"file": str(one.place.path), "place": str(one.place), "what": one.what, "why": printable(one.why)}
