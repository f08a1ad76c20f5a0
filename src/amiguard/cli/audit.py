"""`amiguard audit`: its options."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from amiguard.cli.policy_options import ConfigOption, TrustOption, read_policy, today_utc
from amiguard.core.result import Status


class AuditFormat(StrEnum):
    """The report formats that `audit` writes."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"


def audit(
    *,
    config: ConfigOption = None,
    trust: TrustOption = None,
    profile: Annotated[str | None, typer.Option(help="AWS profile; default: the standard chain.")] = None,
    region: Annotated[
        list[str] | None, typer.Option(help="Audit this region only. Repeatable; default: all that are enabled.")
    ] = None,
    endpoint_url: Annotated[str | None, typer.Option(help="Send every AWS call to this URL.")] = None,
    image: Annotated[
        list[str] | None,
        typer.Option(help="Ask AWS for this image only. Repeatable. Narrows what is audited, and so the exit code."),
    ] = None,
    tag: Annotated[
        list[str] | None,
        typer.Option(
            help="Ask AWS for images with this tag only: KEY or KEY=VALUE. Repeatable: values of one key widen, keys "
            "narrow. Narrows what is audited, and so the exit code."
        ),
    ] = None,
    status: Annotated[
        list[Status] | None,
        typer.Option(
            help="Show results of this status only. Repeatable. Default: fail and unknown in the table, all in JSON. "
            "Narrows what is shown, never counts or the exit code."
        ),
    ] = None,
    report_format: Annotated[AuditFormat, typer.Option("--format", "-f", help="How to write the report.")] = (
        AuditFormat.TABLE
    ),
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the report to this file, replaced when it is whole.")
    ] = None,
    read_bucket: Annotated[
        str | None,
        typer.Option(
            metavar="BURST+REFILL",
            help="Your account's limit for describe calls where AWS has raised it (documented: 100+20, calls at once "
            "and a second), or `none` to go as fast as AWS lets you. amiguard stays a little below.",
        ),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no warnings on stderr.")] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Log what is done to stderr, one JSON object a line.")
    ] = False,
) -> None:
    """Report the images that accounts you do not trust can launch.

    Reads the launch permission of every image you own, in every enabled region, and compares each grantee with the
    trust policy. Nothing is changed.

    Exit codes: 0 nothing fails; 1 untrusted sharing was found; 2 usage, settings or credentials; 3 nothing fails, but
    something could not be read or decided; 130 interrupted.
    """
    from amiguard.cli.audit_run import AuditRequest, run_audit

    settings = read_policy(config, trust, today=today_utc())
    request = AuditRequest(
        settings=settings,
        profile=profile,
        endpoint_url=endpoint_url,
        regions=tuple(region or settings.regions or ()),
        image_ids=tuple(dict.fromkeys(image or ())),
        tags=tuple(tag or ()),
        statuses=tuple(status or ()),
        report_format=report_format.value,
        output=output,
        read_bucket=read_bucket,
        quiet=quiet,
        verbose=verbose,
    )
    raise typer.Exit(run_audit(request))
