"""The actions that the fake answers. A new one is a function here or beside, and a line in `ACTIONS`."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from .attributes import describe_image_attribute, modify_image_attribute
from .block_public_access import disable_block_public_access, enable_block_public_access, get_block_public_access
from .calls import Call
from .context import Context
from .keys import describe_key, get_key_policy, list_grants
from .listing import find_page, render_image
from .odd_replies import decode_authorization_message
from .organizations import ORGANIZATIONS_ACTIONS
from .organizations_roles import assume_role
from .recycle_bin import list_recycle_bin
from .replies import AwsProblem
from .snapshot_attributes import describe_snapshot_attribute, modify_snapshot_attribute
from .snapshots import describe_snapshots
from .trail import lookup_events
from .usage_reports import (
    create_usage_report,
    delete_usage_report,
    describe_usage_report_entries,
    describe_usage_reports,
)

Action = Callable[[Call, Context], Mapping[str, Any]]
"""Takes a call, gives the output by the members of botocore's model, or raises `AwsProblem`."""


def _describe_images(call: Call, context: Context) -> Mapping[str, Any]:
    page = context.effect.page(find_page(call, context.store))
    return {"Images": [render_image(owner, image) for owner, image in page.items], "NextToken": page.token}


def _describe_regions(call: Call, context: Context) -> Mapping[str, Any]:
    account = context.store.account(call.account_id)
    suffix = "amazonaws.com.cn" if context.store.estate.partition == "aws-cn" else "amazonaws.com"
    wanted = call.listed("RegionName")
    found = [
        {"RegionName": name, "Endpoint": f"ec2.{name}.{suffix}", "OptInStatus": region.opt_in_status}
        for name, region in (account.regions if account else {}).items()
        if (call.flag("AllRegions") or region.opt_in_status != "not-opted-in") and (not wanted or name in wanted)
    ]
    return {"Regions": found}


def _get_caller_identity(call: Call, context: Context) -> Mapping[str, Any]:
    arn = context.store.caller_arn(call.account_id, call.access_key_id)
    return {"UserId": f"AIDA{call.account_id}", "Account": call.account_id, "Arn": arn}


def _describe_organization(call: Call, context: Context) -> Mapping[str, Any]:
    organization = context.store.estate.organization
    if organization is not None and call.account_id in organization.denied:
        raise AwsProblem("AccessDeniedException", "You don't have permissions to access this resource.")
    members = organization.members if organization else frozenset[str]()
    if organization is None or not (members is None or call.account_id in members):
        raise AwsProblem("AWSOrganizationsNotInUseException", "Your account is not a member of an organization.")
    manager = organization.management_account
    prefix = f"arn:{context.store.estate.partition}:organizations::{manager}"
    return {
        "Organization": {
            "Id": organization.id,
            "Arn": f"{prefix}:organization/{organization.id}",
            "FeatureSet": "ALL",
            "MasterAccountArn": f"{prefix}:account/{organization.id}/{manager}",
            "MasterAccountId": manager,
            "MasterAccountEmail": "management@example.com",
            "AvailablePolicyTypes": [],
        }
    }


ACTIONS: Final[Mapping[tuple[str, str], Action]] = {
    ("cloudtrail", "LookupEvents"): lookup_events,
    ("ec2", "CreateImageUsageReport"): create_usage_report,
    ("ec2", "DeleteImageUsageReport"): delete_usage_report,
    ("ec2", "DescribeImageAttribute"): describe_image_attribute,
    ("ec2", "DescribeImages"): _describe_images,
    ("ec2", "DescribeImageUsageReportEntries"): describe_usage_report_entries,
    ("ec2", "DescribeImageUsageReports"): describe_usage_reports,
    ("ec2", "DescribeRegions"): _describe_regions,
    ("ec2", "DescribeSnapshotAttribute"): describe_snapshot_attribute,
    ("ec2", "DescribeSnapshots"): describe_snapshots,
    ("ec2", "DisableImageBlockPublicAccess"): disable_block_public_access,
    ("ec2", "EnableImageBlockPublicAccess"): enable_block_public_access,
    ("ec2", "GetImageBlockPublicAccessState"): get_block_public_access,
    ("ec2", "ListImagesInRecycleBin"): list_recycle_bin,
    ("ec2", "ModifyImageAttribute"): modify_image_attribute,
    ("ec2", "ModifySnapshotAttribute"): modify_snapshot_attribute,
    ("kms", "DescribeKey"): describe_key,
    ("kms", "GetKeyPolicy"): get_key_policy,
    ("kms", "ListGrants"): list_grants,
    ("organizations", "DescribeOrganization"): _describe_organization,
    ("sts", "AssumeRole"): assume_role,
    ("sts", "DecodeAuthorizationMessage"): decode_authorization_message,
    ("sts", "GetCallerIdentity"): _get_caller_identity,
    **ORGANIZATIONS_ACTIONS,
}
