"""`amiguard trust review`: its options."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from amiguard.cli.aws_options import EndpointUrlOption, ProfileOption
from amiguard.cli.policy_options import ConfigOption
from amiguard.cli.time_options import read_duration


class ReviewFormat(StrEnum):
    """How a review is written."""

    TABLE = "table"
    MARKDOWN = "markdown"
    JSON = "json"


def review(
    *,
    config: ConfigOption = None,
    report: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="REPORT",
            help="The last audit, json or jsonl: which entries it uses. Without it that is not reviewed.",
            show_default=False,
        ),
    ] = None,
    directory: Annotated[
        Path | None,
        typer.Option(
            "--directory",
            metavar="FILE",
            help="The organization's directory as `amiguard trust snapshot` saved it: members, names, states.",
            show_default=False,
        ),
    ] = None,
    earlier_directory: Annotated[
        Path | None,
        typer.Option(
            "--earlier-directory",
            metavar="FILE",
            help="An older one: accounts that are in it, and not in the directory, have left the organization.",
            show_default=False,
        ),
    ] = None,
    ask_aws: Annotated[
        bool, typer.Option("--ask-aws", help="Read the directory from AWS. Without it AWS is not asked.")
    ] = False,
    profile: ProfileOption = None,
    endpoint_url: EndpointUrlOption = None,
    within: Annotated[
        str, typer.Option("--within", metavar="TIME", help="What expires in this time is told: 30d, 12h.")
    ] = "30d",
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 if there is a problem or a warning.")] = False,
    review_format: Annotated[ReviewFormat, typer.Option("--format", "-f", help="How to write the review.")] = (
        ReviewFormat.TABLE
    ),
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write the review to this file, replaced when it is whole. Default: stdout.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Review the trust policy: what is unused, expired, mistyped, redundant or closed.

    Holds the settings against the last audit, the directory of your organization and a list of vendors, as far as
    they are given. Changes nothing.

    Exit codes: 0 reviewed; 1 with --strict, and there is a problem or a warning; 2 a file cannot be used.
    """
    from amiguard.cli.trust_review_run import ReviewRequest, run_review

    if ask_aws and directory is not None:
        raise typer.BadParameter("the directory comes from the file or from AWS: give one", param_hint="--ask-aws")
    if not ask_aws and (profile is not None or endpoint_url is not None):
        raise typer.BadParameter("AWS is asked only with --ask-aws", param_hint="--profile, --endpoint-url")
    if earlier_directory is not None and not ask_aws and directory is None:
        raise typer.BadParameter("give a directory of today too", param_hint="--earlier-directory")
    request = ReviewRequest(
        config=config,
        report=report,
        directory=directory,
        earlier_directory=earlier_directory,
        ask_aws=ask_aws,
        profile=profile,
        endpoint_url=endpoint_url,
        within=read_duration(within, "--within"),
        strict=strict,
        review_format=review_format.value,
        output=output,
    )
    raise typer.Exit(run_review(request))
