"""The options that name the trust policy, and the policy that they come to: one rule for every command."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer

from amiguard.core.errors import SettingsError
from amiguard.core.trust import Trustee, TrustEntry, TrustPolicy, parse_trustee
from amiguard.files.settings_lookup import find_settings
from amiguard.files.settings_record import Settings

_ON_COMMAND_LINE = "--trust"

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        metavar="FILE",
        help="The settings file. Default: $AMIGUARD_CONFIG, ./amiguard.yaml, then amiguard/amiguard.yaml in your "
        "config folder.",
        show_default=False,
    ),
]
TrustOption = Annotated[
    list[str] | None,
    typer.Option(
        "--trust",
        metavar="ID",
        help="Trust this too: an account id, an organization (id, ARN or own) or a unit "
        "(o-.../ou-... or ARN). Repeatable.",
        show_default=False,
    ),
]


def today_utc() -> date:
    """The day by which entries and exceptions are in force, or not."""
    return datetime.now(UTC).date()


def read_policy(
    config: Path | None,
    trust: Sequence[str] | None,
    *,
    today: date,
    environment: Mapping[str, str] = os.environ,
    folder: Path = Path(),
) -> Settings:
    """The settings of this run: the settings file, and `--trust` added to its policy.

    Args:
        config: `--config`.
        trust: every `--trust`.
        today: the day (UTC) by which dates are judged.
        environment: the environment variables.
        folder: the current folder.

    Returns:
        The settings, their warnings included. Without a settings file the policy is what `--trust` names.

    Raises:
        SettingsError: the settings file is not valid, says `trust: nobody` while `--trust` adds someone, or there is
            neither a settings file nor a `--trust`.
        typer.BadParameter: a `--trust` is no id.
    """
    added = tuple(TrustEntry(parsed_trustee(text, _ON_COMMAND_LINE)) for text in trust or ())
    settings = read_file(config, today=today, environment=environment, folder=folder)
    if settings is None:
        if not added:
            raise SettingsError(
                "no trust policy: nothing says whom you trust to launch your images",
                hint="name them with --trust ID, or write a settings file with `amiguard trust init`",
            )
        settings = Settings(policy=TrustPolicy(), entry_places=())
    if added and settings.trusts_nobody:
        raise SettingsError(
            f"{settings.path} says `trust: nobody`, and --trust names someone",
            hint="leave --trust out, or list in the file whom you trust",
        )
    return replace(
        settings,
        policy=TrustPolicy((*settings.policy.entries, *added)),
        entry_places=(*settings.entry_places, *(_ON_COMMAND_LINE for _ in added)),
    )


def read_file(
    config: Path | None, *, today: date, environment: Mapping[str, str] = os.environ, folder: Path = Path()
) -> Settings | None:
    """The settings file alone, without `--trust`; None if there is none.

    Raises:
        SettingsError: it is not valid, or one was named that is not there.
    """
    path = find_settings(config, environment=environment, folder=folder)
    if path is None:
        return None
    # pydantic and ruamel.yaml cost more than all the rest: they are paid for only where there is a file.
    from amiguard.files.settings import load_settings

    return load_settings(path, today=today)


def parsed_trustee(text: str, parameter: str) -> Trustee:
    """Read an id of the command line.

    Args:
        text: the id.
        parameter: the parameter's name, for the message.

    Raises:
        typer.BadParameter: it is no id; the message says what was expected.
    """
    try:
        return parse_trustee(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=parameter) from error
