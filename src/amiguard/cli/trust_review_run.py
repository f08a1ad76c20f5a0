"""`amiguard trust review`: settings, a saved report and a directory become a review, and that an exit code."""

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TextIO

from amiguard.cli.exit_codes import ExitCode
from amiguard.cli.policy_options import read_file
from amiguard.cli.talk import warn
from amiguard.cli.trust_review_directory import ask_directory, load_directories, refuse_other_organization
from amiguard.core.directory import Directory
from amiguard.core.errors import OutputError, SettingsError
from amiguard.core.result import TargetStatus
from amiguard.core.review import Review, review_policy
from amiguard.core.review_grantees import is_candidate
from amiguard.core.review_survey import AuditScope, GrantSurvey, survey_grants
from amiguard.core.review_types import Known, PlacedPolicy
from amiguard.files.settings_record import Settings
from amiguard.files.vendors_file import Vendors, load_vendors
from amiguard.report.finding import moment
from amiguard.report.output import check_writable, open_output
from amiguard.report.review_words import ReviewContext
from amiguard.report.saved_report import SavedReport, core_result, open_saved_report


@dataclass(frozen=True, slots=True)
class ReviewRequest:
    """What was asked for.

    Attributes:
        report: the saved report; None for none.
        directory: the saved directory; None for none.
        earlier_directory: an older one.
        ask_aws: read the directory from AWS, with `profile` and `endpoint_url`.
        within: what expires in this time expires soon.
        review_format: `table`, `markdown` or `json`.
        output: the file to write; None for stdout.
    """

    config: Path | None
    report: Path | None
    directory: Path | None
    earlier_directory: Path | None
    ask_aws: bool
    profile: str | None
    endpoint_url: str | None
    within: timedelta
    strict: bool
    review_format: str
    output: Path | None


def run_review(request: ReviewRequest) -> ExitCode:
    """Review, write the review, and say what it comes to.

    Raises:
        AmiguardError: a file cannot be used, the organization cannot be read, or the review cannot be written.
    """
    now = datetime.now(UTC)
    settings = read_file(request.config, today=now.date())
    if settings is None:
        raise SettingsError("there is no settings file", hint="`amiguard trust init` writes one to start from")
    if request.output is not None:
        _refuse_input(request.output, request, settings)
        check_writable(request.output)
    vendors = load_vendors(settings.vendors) if settings.vendors else Vendors({})
    for warning in vendors.warnings:
        warn(warning)
    report = open_saved_report(request.report) if request.report else None
    directory, earlier = load_directories(request.directory, request.earlier_directory, now=now)
    if request.ask_aws:
        directory = ask_directory(request.profile, request.endpoint_url, now=now)
    if directory is not None and earlier is not None and request.earlier_directory is not None:
        refuse_other_organization(directory, earlier, request.earlier_directory)
    known = Known(
        today=now.date(),
        within=request.within,
        directory=directory,
        former=_former(directory, earlier, report),
        vendors=vendors.names,
        own_accounts=frozenset(one.account_id for one in settings.scope.accounts),
        options=f" --config {shlex.quote(str(request.config))}" if request.config else "",
    )
    found = _review(settings, known, report)
    context = ReviewContext(
        settings=str(settings.path),
        today=known.today,
        within=request.within,
        report=report,
        directory=directory,
        directory_source="aws" if request.ask_aws else "file",
        vendors=str(settings.vendors) if settings.vendors else None,
    )
    render = _renderer_of(request.review_format)
    with open_output(request.output) as stream:
        render(found, context, stream)
    return ExitCode.UNTRUSTED if request.strict and found.needs_attention else ExitCode.CLEAN


def _review(settings: Settings, known: Known, report: SavedReport | None) -> Review:
    placed = PlacedPolicy(settings.policy, settings.entry_places, settings.exceptions, settings.exception_places)
    survey: GrantSurvey | None = None
    if report is not None:
        survey = survey_grants(
            map(core_result, report.results()),
            placed,
            known,
            _scope(report),
            of_interest=lambda grantee: is_candidate(grantee, known),
        )
    return review_policy(placed, known, survey)


def _scope(report: SavedReport) -> AuditScope:
    why = []
    if not report.audit["complete"]:
        why.append("the audit is incomplete")
    if "narrowed_to" in report.audit:
        why.append("the audit was narrowed to some images (--image, --tag)")
    if report.not_shown:
        why.append("the report does not hold all results (--status)")
    audited = [one for one in report.targets if one["status"] == TargetStatus.AUDITED.value]
    return AuditScope(
        not_whole=tuple(why),
        accounts=frozenset(one["account_id"] for one in audited),
        regions=frozenset(one["region"] for one in audited),
        skipped=sum(one["status"] == TargetStatus.SKIPPED.value for one in report.targets),
    )


def _former(directory: Directory | None, earlier: Directory | None, report: SavedReport | None) -> dict[str, str]:
    """Accounts that were members, and are not any more; how that is known."""
    former: dict[str, str] = {}
    if directory is None:
        return former
    if earlier is not None:
        when = f"it was a member on {earlier.read_at:%Y-%m-%d}"
        former.update(dict.fromkeys(earlier.accounts.keys() - directory.accounts.keys(), when))
    read = report.audit.get("directory") if report else None
    if report and read and read["organization_id"] == directory.organization_id:
        read_at = moment(read["read_at"])
        if read_at is not None and read_at < directory.read_at:
            # The report names accounts by the directory that its audit has read.
            named = {one["account_id"] for one in report.targets if "account_name" in one}
            when = f"it was a member on {read_at:%Y-%m-%d}, says the report"
            former.update(dict.fromkeys(named - directory.accounts.keys() - former.keys(), when))
    return former


def _refuse_input(output: Path, request: ReviewRequest, settings: Settings) -> None:
    inputs = (settings.path, settings.vendors, request.report, request.directory, request.earlier_directory)
    for one in inputs:
        if one is not None and output.resolve() == one.resolve():
            raise OutputError(
                f"{output} is one of the files that are reviewed: it stays as it is",
                hint="choose another file with --output",
            )


def _renderer_of(name: str) -> Callable[[Review, ReviewContext, TextIO], None]:
    match name:
        case "table":
            from amiguard.report.review_table import render_review

            return render_review
        case "markdown":
            from amiguard.report.review_markdown import render_review_markdown

            return render_review_markdown
        case "json":
            from amiguard.report.review_json import render_review_json

            return render_review_json
        case _:
            raise ValueError(name)
