"""Reports that are compared, and their comparisons."""

import io
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from amiguard.report.compare import Comparison, compare
from amiguard.report.compare_table import render_comparison
from amiguard.report.grant_v1 import GrantV1
from amiguard.report.interface import ALL, Renderer, Report, StatusFilter
from amiguard.report.json_document import render_json
from amiguard.report.json_v1 import ResultV1, StatusV1, TargetV1
from amiguard.report.saved_report import SavedReport, open_saved_report
from tests.unit.v1_reports import REGION, STRANGER, a_report, a_result, a_target

EVERYONE: GrantV1 = {**STRANGER, "kind": "everyone", "grantee": "all"}


def passing(number: int = 1, status: StatusV1 = "pass", region: str = REGION) -> ResultV1:
    return a_result(number, status, "informational", grants=(), region=region)


def a_switch(status: StatusV1 = "fail", region: str = REGION) -> ResultV1:
    one = a_result(0, status, "medium", grants=(), region=region)
    fingerprint = sha256(f"switch {region}".encode()).hexdigest()
    return {**one, "check_id": "ami-block-public-access", "image": None, "fingerprint": fingerprint}


def saved(path: Path, report: Report, *, render: Renderer = render_json, shown: StatusFilter = ALL) -> SavedReport:
    stream = io.StringIO()
    render(report, shown, stream)
    path.write_text(stream.getvalue(), encoding="utf-8")
    return open_saved_report(path)


def a_saved(
    path: Path,
    results: Sequence[ResultV1],
    targets: Sequence[TargetV1] | None = None,
    *,
    render: Renderer = render_json,
    shown: StatusFilter = ALL,
    audit: Mapping[str, Any] | None = None,
) -> SavedReport:
    report = a_report(results, [a_target()] if targets is None else targets)
    report.audit["id"] = path.name
    report.audit.update(audit or {})  # type: ignore[typeddict-item]
    return saved(path, report, render=render, shown=shown)


def compared(tmp_path: Path, old: Sequence[ResultV1], new: Sequence[ResultV1], **of_new: Any) -> Comparison:
    return compare(a_saved(tmp_path / "old", old), a_saved(tmp_path / "new", new, **of_new))


def kinds(found: Comparison) -> dict[str, list[str]]:
    return {
        kind.value: [one.finding.fingerprint.hex() for one in entries]
        for kind, entries in found.entries.items()
        if entries
    }


FAILED: TargetV1 = {**a_target(), "status": "failed", "reason": "denied"}


def text_of(render: Callable[[Comparison, Any], None], found: Comparison) -> str:
    stream = io.StringIO()
    render(found, stream)
    return stream.getvalue()


def table_of(found: Comparison) -> str:
    return text_of(render_comparison, found)
