"""Writes the page: facts are gathered first, then the template is streamed, so that memory does not hold the page.

The page loads nothing, and its Content-Security-Policy allows nothing but its own style and script, by their hashes.
What someone else wrote is neutralised by `finalize` and escaped by autoescape wherever a template writes a value.
"""

import base64
import hashlib
from collections.abc import Mapping
from importlib.resources import files
from typing import TextIO

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from amiguard.core.checks.ami_cross_account_access import METADATA
from amiguard.report.evidence_words import BIN_ADVICE, recycle_bins, tally_words
from amiguard.report.html.picture import WIDTH, draw
from amiguard.report.html.places import bar, bin_rows, not_seen, place_rows, snapshot_sentence, switches
from amiguard.report.html.policy import party_names, policy_part
from amiguard.report.html.rows import image_rows
from amiguard.report.html.survey import DECISIONS, LEVELS, MOST_ROWS, survey
from amiguard.report.html.words import DECISION_MEANINGS, LEVEL_MEANINGS, LEVEL_NAMES, moment
from amiguard.report.interface import Report, StatusFilter
from amiguard.report.sanitize import printable
from amiguard.report.tally import tally
from amiguard.report.verdict import account_of_it, headline, number_of

_SHORT = 22
"""Characters of the id of a snapshot, the longest of these."""
_PIECES = 200
"""How many pieces of the template are joined before they are written."""


def render_html(report: Report, shown: StatusFilter, stream: TextIO) -> None:
    """Write the page; the table holds the worst results only if there are very many."""
    found, seen = tally(report), survey(report, shown)
    accounts = {one["account_id"]: one["account_name"] for one in report.targets if "account_name" in one}
    parties = {**accounts, **party_names(report.audit.get("trust_policy"))}
    environment = _environment()
    style, first_script, script = (_own(name) for name in ("report.css", "first.js", "report.js"))
    page = environment.get_template("report.html.j2").stream(
        style=style,
        first_script=first_script,
        script=script,
        policy_of_content=(
            f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(first_script)} {_hash(script)}; "
            "img-src data:; base-uri 'none'; form-action 'none'"
        ),
        report=report,
        audit=report.audit,
        summary=report.summary,
        headline=headline(report, found),
        account_of_it=account_of_it(report, found),
        verdict=_verdict(report),
        found=seen,
        share=bar(seen.levels),
        levels=[(level, LEVEL_NAMES[level], LEVEL_MEANINGS[level], seen.levels[level]) for level in LEVELS],
        level_names=LEVEL_NAMES,
        decisions=[(decision, DECISION_MEANINGS[decision]) for decision in DECISIONS],
        picture=draw(report, seen, accounts, parties),
        width=WIDTH,
        by_account=place_rows(seen.by_account, accounts),
        by_region=place_rows(seen.by_region, {}),
        account_total=len(seen.by_account),
        region_total=len(seen.by_region),
        switches=switches(seen.switches),
        rows=image_rows(seen.worst(), accounts, parties),
        row_total=seen.rows,
        row_limit=MOST_ROWS,
        all_shown=seen.rows == seen.levels.total() + seen.snapshots.total(),
        filters=[(one, LEVEL_NAMES[one], seen.levels[one] + seen.snapshots[one]) for one in LEVELS],
        snapshots=snapshot_sentence(seen.snapshots),
        evidence=found.evidence,
        evidence_words=list(tally_words(found.evidence)),
        missing=[(kind, reason, images) for (kind, reason), images in found.evidence.missing.most_common()],
        bins=recycle_bins(report),
        bin_rows=bin_rows(report.targets),
        bin_advice=BIN_ADVICE,
        not_seen=not_seen(report.targets, found),
        policy=policy_part(report.audit),
        references=METADATA.references,
    )
    page.enable_buffering(_PIECES)
    stream.writelines(page)


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("amiguard.report.html"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_seen,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests["short"] = _is_short
    environment.filters["moment"] = moment
    environment.filters["counted"] = number_of
    environment.filters["number"] = "{:,}".format
    return environment


def _seen(value: object) -> object:
    """Every text that a template writes, fit to be seen. Markup has been through here already."""
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _is_short(text: str) -> bool:
    """Whether a text is an id, an address or a few words: it fits a narrow column, and is not to be broken there."""
    return len(text) <= _SHORT and len(printable(text)) <= _SHORT


def _own(name: str) -> Markup:
    """A file of the package, written as it is."""
    text = files("amiguard.report.html").joinpath("templates", name).read_text(encoding="utf-8")
    return Markup(text)  # noqa: S704 - our own file, nothing is filled in


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _verdict(report: Report) -> Mapping[str, str]:
    if report.summary["fail"]:
        return {"style": "fail", "word": "Untrusted sharing found"}
    if report.audit["complete"]:
        return {"style": "pass", "word": "No untrusted sharing"}
    return {"style": "unknown", "word": "Incomplete"}
