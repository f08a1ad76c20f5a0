"""`amiguard trust snapshot`: the organization's directory in a file, for audits that may not list the organization."""

import asyncio
import shlex
import stat
import tempfile
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from amiguard.aws.ec2_query import CallStats
from amiguard.aws.organization import DirectoryReply, read_directory
from amiguard.aws.session import AwsSession, Caller
from amiguard.cli.talk import say
from amiguard.core.directory import Directory
from amiguard.core.errors import OutputError, TargetsError
from amiguard.core.organization import MembersUnread, NoOrganization, OrganizationUnread, OwnOrganization
from amiguard.files.directory_file import MAX_AGE, save_directory


def save_snapshot(file: Path, *, profile: str | None, endpoint_url: str | None) -> None:
    """Read the organization of the caller's account, and save it.

    Args:
        file: to write; one that is there is replaced.
        profile: the AWS profile; None for the standard chain.
        endpoint_url: where every AWS call goes; None for AWS.

    Raises:
        AmiguardError: the file cannot be written, or the organization cannot be read completely; nothing was written.
    """
    _refuse_unwritable(file)
    now = datetime.now(UTC).replace(microsecond=0)
    session = AwsSession(profile=profile, home_region=None, endpoint_url=endpoint_url, stats=CallStats())
    caller = session.ask_caller()
    reply = asyncio.run(read_directory(session, read_at=now))
    if not isinstance(reply, Directory):
        raise _no_directory(reply, caller)
    save_directory(file, reply)
    say(
        f"saved {file}: organization {reply.organization_id}, {_counted(len(reply.accounts), 'account')} and "
        f"{_counted(len(reply.units), 'unit')}, as of {reply.read_at:%Y-%m-%d}"
    )
    command = f"amiguard audit --directory {shlex.quote(str(file))}"
    say(f"next: `{command}` in its member accounts, within {MAX_AGE.days} days")


def _refuse_unwritable(file: Path) -> None:
    """Find out before AWS is asked: a large organization takes minutes to read."""
    try:
        with suppress(FileNotFoundError):
            _refuse_no_file(file, file.stat().st_mode)
        with tempfile.TemporaryFile(dir=file.resolve().parent):
            pass
    except OSError as error:
        raise OutputError(
            f"{file} cannot be written: {error.strerror}", hint="name a file in a folder that can be written to"
        ) from error


def _refuse_no_file(file: Path, mode: int) -> None:
    """A folder, device or pipe must not be replaced by a file."""
    if not stat.S_ISREG(mode):
        what = "a folder" if stat.S_ISDIR(mode) else "no regular file"
        raise OutputError(f"{file} is {what}: it stays as it is", hint="name a file, such as directory.json")


def _no_directory(reply: DirectoryReply, caller: Caller) -> TargetsError:
    hint = "use credentials of the organization's management account, or of a delegated administrator, that may list it"
    match reply:
        case NoOrganization():
            return TargetsError(
                f"{caller.account_id}, the account of your credentials, is in no organization", hint=hint
            )
        case OrganizationUnread(reason) | OwnOrganization(members=MembersUnread(reason)):
            return TargetsError(f"the organization of {caller.account_id} could not be listed: {reason}", hint=hint)
        case _:
            return TargetsError(f"the organization of {caller.account_id} could not be listed", hint=hint)


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
