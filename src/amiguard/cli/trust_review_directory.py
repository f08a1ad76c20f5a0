"""Where `amiguard trust review` has the organization's directory from: files, or AWS."""

import asyncio
from datetime import datetime
from pathlib import Path

from amiguard.cli.talk import warn
from amiguard.core.directory import Directory
from amiguard.core.errors import InputError, TargetsError
from amiguard.core.organization import MembersUnread, OrganizationUnread, OwnOrganization


def load_directories(
    path: Path | None, earlier_path: Path | None, *, now: datetime
) -> tuple[Directory | None, Directory | None]:
    """The directory, and an older one; None where none is named. Says so if the first is old.

    Raises:
        SettingsError: one cannot be used.
    """
    from amiguard.files.directory_file import MAX_AGE, load_directory

    directory = load_directory(path) if path else None
    if directory is not None and now - directory.read_at > MAX_AGE:
        warn(
            f"{path} is of {directory.read_at:%Y-%m-%d}, and older than {MAX_AGE.days} days: save it anew with "
            "`amiguard trust snapshot`"
        )
    return directory, load_directory(earlier_path) if earlier_path else None


def refuse_other_organization(directory: Directory, earlier: Directory, earlier_path: Path) -> None:
    """Only an older directory of the same organization says who has left it.

    Raises:
        InputError: this one is another organization's, or not older.
    """
    hint = "name a directory file that was saved earlier in the same organization"
    if earlier.organization_id != directory.organization_id:
        raise InputError(
            f"{earlier_path} is the directory of {earlier.organization_id}, not of {directory.organization_id}",
            hint=hint,
        )
    if earlier.read_at >= directory.read_at:
        raise InputError(f"{earlier_path} is not older than the directory it is compared with", hint=hint)


def ask_directory(profile: str | None, endpoint_url: str | None, *, now: datetime) -> Directory:
    """Read the directory from AWS.

    Raises:
        AmiguardError: AWS does not know who is asking, or the organization cannot be read completely.
    """
    from amiguard.aws.ec2_query import CallStats
    from amiguard.aws.organization import read_directory
    from amiguard.aws.session import AwsSession

    session = AwsSession(profile=profile, home_region=None, endpoint_url=endpoint_url, stats=CallStats())
    caller = session.ask_caller()
    reply = asyncio.run(read_directory(session, read_at=now.replace(microsecond=0)))
    if isinstance(reply, Directory):
        return reply
    hint = "use credentials that may list the organization, or give --directory in place of --ask-aws"
    match reply:
        case OrganizationUnread(reason) | OwnOrganization(members=MembersUnread(reason)):
            raise TargetsError(f"the organization of {caller.account_id} could not be listed: {reason}", hint=hint)
        case _:
            raise TargetsError(
                f"{caller.account_id}, the account of your credentials, is in no organization", hint=hint
            )
