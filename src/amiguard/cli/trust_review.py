"""`amiguard trust review`: its options."""

import typer

from amiguard.cli.aws_options import EndpointUrlOption, ProfileOption
from amiguard.cli.policy_options import ConfigOption
from amiguard.cli.time_options import read_duration
from amiguard.cli.trust_review_options import (
    AskAwsOption,
    EarlierDirectoryOption,
    OutputOption,
    ReportOption,
    ReviewDirectoryOption,
    ReviewFormat,
    ReviewFormatOption,
    StrictOption,
    WithinOption,
)


def review(
    *,
    config: ConfigOption = None,
    report: ReportOption = None,
    directory: ReviewDirectoryOption = None,
    earlier_directory: EarlierDirectoryOption = None,
    ask_aws: AskAwsOption = False,
    profile: ProfileOption = None,
    endpoint_url: EndpointUrlOption = None,
    within: WithinOption = "30d",
    strict: StrictOption = False,
    review_format: ReviewFormatOption = ReviewFormat.TABLE,
    output: OutputOption = None,
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
