"""`amiguard trust`: write, check, edit, explain and review the trust policy; AWS is asked only if told to."""

import os
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from amiguard.cli.aws_options import EndpointUrlOption, ProfileOption
from amiguard.cli.policy_options import ConfigOption, parsed_trustee, read_file, today_utc
from amiguard.cli.talk import say
from amiguard.cli.trust_explain import explain
from amiguard.cli.trust_review import review
from amiguard.core.decision import policy_digest
from amiguard.core.errors import SettingsError
from amiguard.core.scope import AccountSelector, Scope
from amiguard.core.trust import TrustedAccount, TrustedOrganization, TrustedUnit
from amiguard.files.settings_lookup import find_settings, new_settings_path
from amiguard.files.settings_record import Settings
from amiguard.report.sanitize import printable

app = typer.Typer(help="Write, check, edit, explain and review the trust policy.", no_args_is_help=True)

_Id = Annotated[
    str,
    typer.Argument(
        metavar="ID",
        help="An account id, an organization (id, ARN or own) or a unit (o-.../ou-... or ARN).",
        show_default=False,
    ),
]


@app.command("init")
def init(
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            "-c",
            metavar="FILE",
            help="The file to write. Default: $AMIGUARD_CONFIG, then ./amiguard.yaml.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Write a settings file to start from."""
    from amiguard.files.atomic_write import create_file
    from amiguard.files.trust_starter import STARTER

    path = new_settings_path(config, environment=os.environ)
    create_file(path, STARTER.encode())
    say(f"wrote {path}: it trusts the organization of the audited account")
    say("next: read it, then `amiguard trust add ID` or `amiguard trust check`")


@app.command("check")
def check(config: ConfigOption = None) -> None:
    """Check the settings file, and sum it up.

    Prints what it trusts and accepts; warns of what is legal and yet worth a look.
    """
    today = today_utc()
    settings = read_file(config, today=today)
    if settings is None:
        raise _no_file()
    for line in _summary(settings, today):
        typer.echo(printable(line))
    for warning in settings.warnings:
        say(f"amiguard: warning: {printable(warning)}")


app.command("explain")(explain)
app.command("review")(review)


@app.command("add")
def add(
    trustee_id: _Id,
    *,
    config: ConfigOption = None,
    name: Annotated[str | None, typer.Option(metavar="TEXT", help="How reports name it.")] = None,
    reason: Annotated[str | None, typer.Option(metavar="TEXT", help="Why it is trusted.")] = None,
    expires: Annotated[
        str | None, typer.Option(metavar="YYYY-MM-DD", help="The last day (UTC) on which it is trusted.")
    ] = None,
) -> None:
    """Add an entry to the settings file.

    The rest of the file stays as it is, comments included.
    """
    today = today_utc()
    parsed_trustee(trustee_id, "ID")
    new_name, new_reason = _words(name, "--name"), _words(reason, "--reason")
    last_day = _day(expires, today)
    path = _existing_file(config)
    from amiguard.files.settings_text import NewEntry
    from amiguard.files.trust_edit import add_entry

    place = add_entry(path, NewEntry(trustee_id, new_name, new_reason, last_day), today=today)
    say(f"{printable(place)}: added {trustee_id}")


@app.command("remove")
def remove(trustee_id: _Id, config: ConfigOption = None) -> None:
    """Take an entry out of the settings file.

    The rest of the file stays as it is, comments included.
    """
    trustee = parsed_trustee(trustee_id, "ID")
    path = _existing_file(config)
    from amiguard.files.trust_edit import remove_entry

    for entry in remove_entry(path, trustee, today=today_utc()):
        say(printable(f"{path}: removed {entry.label}"))


@app.command("snapshot")
def snapshot(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write, or to replace.", show_default=False)],
    *,
    profile: ProfileOption = None,
    endpoint_url: EndpointUrlOption = None,
) -> None:
    """Save the accounts and units of your organization.

    Run it where the organization may be listed: in its management account, or in that of a delegated administrator.
    Audits in other accounts of the organization take the file by --directory, and know its members by it.
    """
    from amiguard.cli.trust_snapshot import save_snapshot

    save_snapshot(file, profile=profile, endpoint_url=endpoint_url)


@app.command("schema")
def schema() -> None:
    """Print the settings file's JSON Schema, for editors."""
    from importlib.resources import files

    typer.echo(files("amiguard.files").joinpath("settings.schema.json").read_text(encoding="utf-8"), nl=False)


def _existing_file(config: Path | None) -> Path:
    path = find_settings(config, environment=os.environ)
    if path is None:
        raise _no_file()
    return path


def _no_file() -> SettingsError:
    return SettingsError("there is no settings file", hint="`amiguard trust init` writes one to start from")


def _words(text: str | None, parameter: str) -> str | None:
    if text is not None and not (text.strip() and text.isprintable()):
        raise typer.BadParameter("expected words on one line, without control characters", param_hint=parameter)
    return text


def _day(text: str | None, today: date) -> date | None:
    if text is None:
        return None
    from amiguard.files.settings_values import read_day

    try:
        day = read_day(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--expires") from error
    if day < today:
        raise typer.BadParameter(f"{day} is past: such an entry would decide nothing", param_hint="--expires")
    return day


def _summary(settings: Settings, today: date) -> list[str]:
    entries, exceptions = settings.policy.entries, settings.exceptions
    kinds = {TrustedAccount: "account", TrustedOrganization: "organization", TrustedUnit: "organizational unit"}
    counts = [
        _counted(number, name)
        for kind, name in kinds.items()
        if (number := sum(isinstance(entry.trustee, kind) for entry in entries))
    ]
    return [
        f"{settings.path}: valid",
        f"  trusts      {', '.join(counts) or 'nobody'}{_lapsed([entry.in_force(today) for entry in entries])}",
        f"  exceptions  {len(exceptions) or 'none'}{_lapsed([one.in_force(today) for one in exceptions])}",
        f"  targets     {_targets(settings.scope)}",
        f"  regions     {', '.join(settings.regions) if settings.regions else 'all'}",
        f"  digest      {policy_digest(settings.policy, exceptions)}",
    ]


def _targets(scope: Scope) -> str:
    """What would be audited, as far as it is known without asking AWS."""
    accounts = [_counted(len(scope.accounts), "account")] if scope.accounts else []
    if scope.organization is None:
        return accounts[0] if accounts else "the account of your credentials"
    narrowed = [
        f"{verb} {', '.join(_selected(selector))}"
        for verb, selector in (("only", scope.organization.include), ("without", scope.organization.exclude))
        if selector is not None
    ]
    organization = f"the organization of your credentials (role {scope.organization.role_name})"
    return ", ".join([*accounts, " ".join([organization, *narrowed])])


def _selected(selector: AccountSelector) -> list[str]:
    counts = {"account": len(selector.accounts), "unit": len(selector.units), "tag": len(selector.tags)}
    return [_counted(number, name) for name, number in counts.items() if number]


def _counted(number: int, name: str) -> str:
    return f"{number} {name}{'' if number == 1 else 's'}"


def _lapsed(in_force: list[bool]) -> str:
    lapsed = in_force.count(False)
    return f" ({lapsed} lapsed)" if lapsed else ""
