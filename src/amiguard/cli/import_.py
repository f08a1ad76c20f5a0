"""`amiguard import`: its options."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class ImportFormat(StrEnum):
    """How the outcome of an import is written."""

    TABLE = "table"
    JSON = "json"


def import_(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="Rule settings of Conformity or Vision One (JSON, or Terraform's JSON), a Cloud Custodian policy, "
            "Powerpipe variables, a Prowler configuration, or a list of ids.",
            show_default=False,
        ),
    ],
    *,
    rule_id: Annotated[
        str | None,
        typer.Option(
            "--rule-id",
            metavar="ID",
            help="The rule whose settings count. Default: the EC2 rules that have friendly accounts.",
            show_default=False,
        ),
    ] = None,
    into: Annotated[
        Path | None,
        typer.Option(
            "--into",
            metavar="FILE",
            help="The settings file to merge into, or to begin. Default: the one that counts, else ./amiguard.yaml.",
            show_default=False,
        ),
    ] = None,
    owner: Annotated[
        str, typer.Option("--owner", metavar="NAME", help="Who answers for the exceptions that are imported.")
    ] = "imported",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be written, and write nothing.")] = False,
    import_format: Annotated[
        ImportFormat, typer.Option("--format", "-f", help="How to write the outcome.")
    ] = ImportFormat.TABLE,
) -> None:
    """Bring the trust and the exceptions that other tools hold into the settings file.

    What is there stays, comments included. What could not be carried is told, item by item, on stderr.

    Exit codes: 0 imported, or there already, also with losses; 2 a file cannot be used, or which rule is meant is not
    certain: nothing was written.
    """
    from amiguard.cli.import_run import ImportRequest, run_import

    request = ImportRequest(
        files=tuple(files), rule_id=rule_id, into=into, owner=owner, dry_run=dry_run, as_json=import_format == "json"
    )
    raise typer.Exit(run_import(request))
