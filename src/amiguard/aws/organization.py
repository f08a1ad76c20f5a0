"""AWS Organizations: which organization is the audited account's own?"""

from botocore.exceptions import ClientError

from amiguard.aws.errors import ApiError, explain, explain_botocore
from amiguard.aws.session import CALL_ERRORS, AwsSession
from amiguard.core.organization import (
    MembersUnread,
    NoOrganization,
    OrganizationUnread,
    OrganizationView,
    OwnOrganization,
)

_ACTION = "organizations:DescribeOrganization"


def read_own_organization(session: AwsSession) -> OrganizationView:
    """Ask DescribeOrganization, which any member account may be permitted to call.

    An organization that could not be asked for is a value with the reason: any may then be the account's own.
    """
    try:
        described = session.call("organizations", "DescribeOrganization")["Organization"]
        return OwnOrganization(
            str(described["Id"]),
            str(described["MasterAccountId"]),
            MembersUnread("this version does not read the members of an organization"),
        )
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        if code == "AWSOrganizationsNotInUseException":
            return NoOrganization()
        why = explain(ApiError(code, str(error.response.get("Error", {}).get("Message", ""))), _ACTION)
        return OrganizationUnread(why.reason)
    except (*CALL_ERRORS, KeyError) as error:
        return OrganizationUnread(explain_botocore(error, doing="ask AWS Organizations", iam_action=_ACTION).message)
