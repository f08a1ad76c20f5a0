"""AWS Organizations: which organization is the audited account's own, and what does it consist of?

`read_directory` is asked once a run, and serves both trust and the choice of targets:

    reply = await read_directory(session, read_at=started_at)
    view = reply.as_own if isinstance(reply, Directory) else reply      # what `rules_in_force` takes
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import ClientError

from amiguard.aws.errors import DENIED, ApiError, explain, explain_botocore
from amiguard.aws.organization_calls import RETRY, OrganizationsCallError, OrganizationsClient
from amiguard.aws.organization_tree import read_members
from amiguard.aws.retry import RetryLimits
from amiguard.aws.session import CALL_ERRORS, AwsSession
from amiguard.core.directory import Directory
from amiguard.core.image import Unreadable
from amiguard.core.organization import (
    MembersUnread,
    NoOrganization,
    OrganizationUnread,
    OrganizationView,
    OwnOrganization,
)

_DESCRIBE = "organizations:DescribeOrganization"
_NOT_IN_USE = "AWSOrganizationsNotInUseException"
_LEFT = frozenset({"TargetNotFoundException"})

DirectoryReply = Directory | NoOrganization | OrganizationUnread | OwnOrganization
"""What reading the directory can bring; `OwnOrganization` then tells by `MembersUnread` why there is no directory."""

AccountTags = Mapping[str, str]


def read_own_organization(session: AwsSession) -> OrganizationView:
    """Ask DescribeOrganization, which any member account may be permitted to call.

    An organization that could not be asked for is a value with the reason: any may then be the account's own.
    """
    return _describe(session, None)


def read_organization_of(session: AwsSession, credentials: ReadOnlyCredentials) -> OrganizationView:
    """As `read_own_organization`, of the account that these credentials belong to; it blocks."""
    return _describe(session, credentials)


def _describe(session: AwsSession, credentials: ReadOnlyCredentials | None) -> OrganizationView:
    try:
        described = session.call("organizations", "DescribeOrganization", credentials)["Organization"]
        own = (str(described["Id"]), str(described["MasterAccountId"]))
        return OwnOrganization(*own, MembersUnread("the members of this organization were not read"))
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        if code == _NOT_IN_USE:
            return NoOrganization()
        why = explain(ApiError(code, str(error.response.get("Error", {}).get("Message", ""))), _DESCRIBE)
        return OrganizationUnread(why.reason)
    except (*CALL_ERRORS, KeyError) as error:
        return OrganizationUnread(explain_botocore(error, doing="ask AWS Organizations", iam_action=_DESCRIBE).message)


async def read_directory(
    session: AwsSession,
    *,
    read_at: datetime,
    members_wanted: Callable[[str], bool] = lambda _: True,
    retry: RetryLimits = RETRY,
) -> DirectoryReply:
    """Read the organization of the session's account: all accounts and units, or why not.

    Args:
        session: who asks. DescribeOrganization answers any member; the listings answer the management account and
            delegated administrators.
        read_at: the moment that the directory is to bear (UTC): the start of the run.
        members_wanted: whether the members of the organization with this id decide anything; their reading takes a
            call for 20 accounts, and one a unit.
        retry: how long to try when a reply was broken, or none came; throttled calls are tried until they are served.

    Returns:
        The directory only if it was read completely; never a part of it.
    """
    client = OrganizationsClient(session, retry)
    try:
        described = (await client.call("DescribeOrganization", "Organization"))["Organization"]
        own = (str(described["Id"]), str(described["MasterAccountId"]))
    except OrganizationsCallError as error:
        if isinstance(error.why, ApiError) and error.why.code == _NOT_IN_USE:
            return NoOrganization()
        return OrganizationUnread(_explained(error).reason)
    except KeyError as error:
        return OrganizationUnread(f"the reply of DescribeOrganization lacks {error}")
    organization = OwnOrganization(*own, MembersUnread("they decide nothing, and were not asked for"))
    if not members_wanted(organization.organization_id):
        return organization
    try:
        return await read_members(client, organization, read_at=read_at)
    except OrganizationsCallError as error:
        return OwnOrganization(*own, MembersUnread(_why_members_unread(error, organization)))


async def read_account_tags(
    session: AwsSession, account_ids: Iterable[str], *, retry: RetryLimits = RETRY
) -> Mapping[str, AccountTags] | Unreadable:
    """Read the tags that Organizations keeps of accounts: a call each, so only where tags decide something.

    Returns:
        By account id its tags; accounts that have left the organization are absent. Or why the tags could not be read:
        all of them or none, so that no unread tag includes or excludes an account.
    """
    client = OrganizationsClient(session, retry)
    tags: dict[str, AccountTags] = {}
    for account_id in account_ids:
        try:
            listed = await client.listed("ListTagsForResource", "Tags", "Key", ResourceId=account_id)
        except OrganizationsCallError as error:
            if isinstance(error.why, ApiError) and error.why.code in _LEFT:
                continue
            return _explained(error)
        tags[account_id] = {str(tag["Key"]): str(tag.get("Value", "")) for tag in listed}
    return tags


def _explained(error: OrganizationsCallError) -> Unreadable:
    if isinstance(error.why, ApiError):
        return explain(error.why, f"organizations:{error.operation}")
    return error.why


def _why_members_unread(error: OrganizationsCallError, organization: OwnOrganization) -> str:
    why = _explained(error)
    if isinstance(error.why, ApiError) and error.why.code in DENIED:
        return (
            f"{why.reason} (AWS answers it to the management account {organization.management_account_id} and to "
            "delegated administrators only)"
        )
    return why.reason
