"""Image usage reports, which moto lacks. Imports moto.

Sources: EC2 API Reference, CreateImageUsageReport, DescribeImageUsageReports, DescribeImageUsageReportEntries and
DeleteImageUsageReport; EC2 User Guide, "View your AMI usage". The codes of the errors about reports are not documented:
these follow the pattern of EC2's others.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.responses import EC2Response
from moto.moto_api._internal import mock_random

from amiguard.demo.ec2_requests import bad_value, filtered, image_of, iso, one_page, parameter, required
from amiguard.demo.moto_methods import served, state_at
from amiguard.demo.usage_state import ImageUsage, ImageUse, UsageReport, now

_MOST_IDS = 200
_ACCOUNT_ID_DIGITS = 12
_DEPTHS = range(1, 10_001)
_DEFAULT_DEPTH = 20
_LAUNCH_TEMPLATE, _VERSION_DEPTH = "ec2:LaunchTemplate", "version-depth"
_RESOURCE_TYPES = ("ec2:Instance", _LAUNCH_TEMPLATE, "imagebuilder:ImageRecipe", "imagebuilder:ContainerRecipe")


def _create(request: EC2Response) -> ActionResult:
    image_id: str = image_of(request).id
    resource_types = _resource_types(required(request, "ResourceTypes"))
    account_ids = _account_ids(parameter(request, "AccountIds", []))
    tags = _tags(parameter(request, "TagSpecifications", []))
    request.error_on_dryrun()
    usage = state_at(request.ec2_backend, ImageUsage)
    depths = {one["ResourceType"]: _version_depth(one) for one in resource_types}
    report = UsageReport(
        report_id=f"amiur-{mock_random.get_random_hex(17)}",
        image_id=image_id,
        resource_types=resource_types,
        account_ids=account_ids,
        tags=tags,
        client_token=parameter(request, "ClientToken"),
        created_at=now(),
        uses=tuple(
            use
            for use in usage.uses.get(image_id, ())
            if use.version <= depths.get(use.resource_type, 0) and (not account_ids or use.account_id in account_ids)
        ),
        error=usage.errors.get(image_id),
    )
    return ActionResult({"ReportId": usage.add(report)})


def _resource_types(given: Sequence[dict[str, Any]]) -> tuple[dict[str, Any], ...]:
    for one in given:
        name = one.get("ResourceType")
        if name not in _RESOURCE_TYPES:
            raise bad_value(name, "ResourceType", f"It must be one of {', '.join(_RESOURCE_TYPES)}.")
        for option in one.get("ResourceTypeOptions", ()):
            depths = option.get("OptionValues", [])
            known = name == _LAUNCH_TEMPLATE and option.get("OptionName") == _VERSION_DEPTH
            if not known or not all(text.isdecimal() and int(text) in _DEPTHS for text in depths):
                raise bad_value(option, "ResourceTypeOption", "It must be version-depth, from 1 to 10000.")
    return tuple(given)


def _version_depth(resource_type: dict[str, Any]) -> int:
    """How many of the newest versions of a launch template are looked at; of what has no versions there is one."""
    if resource_type["ResourceType"] != _LAUNCH_TEMPLATE:
        return 1
    options = resource_type.get("ResourceTypeOptions", ())
    return max((int(text) for option in options for text in option.get("OptionValues", ())), default=_DEFAULT_DEPTH)


def _account_ids(given: Sequence[str]) -> tuple[str, ...]:
    _at_most(given, "AccountId")
    for text in given:
        if not (text.isascii() and text.isdigit() and len(text) == _ACCOUNT_ID_DIGITS):
            raise bad_value(text, "AccountId", "It must be an account id.")
    return tuple(given)


def _tags(given: Sequence[dict[str, Any]]) -> tuple[dict[str, str], ...]:
    for one in given:
        if one.get("ResourceType") != "image-usage-report":
            raise bad_value(one.get("ResourceType"), "ResourceType", "It must be image-usage-report.")
    return tuple(tag for one in given for tag in one.get("Tags", ()))


def _at_most(given: Sequence[str], name: str) -> None:
    if len(given) > _MOST_IDS:
        raise bad_value(len(given), name, f"At most {_MOST_IDS} can be given.")


def _chosen(request: EC2Response) -> list[UsageReport]:
    """The reports that `ImageIds` and `ReportIds` name, or all."""
    image_ids, report_ids = parameter(request, "ImageIds", []), parameter(request, "ReportIds", [])
    for ids, name in ((image_ids, "ImageId"), (report_ids, "ReportId")):
        _at_most(ids, name)
    kept = state_at(request.ec2_backend, ImageUsage).kept()
    for report_id in report_ids:
        if report_id not in {report.report_id for report in kept}:
            raise _no_report(report_id)
    return [
        report
        for report in kept
        if (not image_ids or report.image_id in image_ids) and (not report_ids or report.report_id in report_ids)
    ]


def _no_report(report_id: str) -> EC2ClientError:
    if not report_id.startswith("amiur-"):
        return EC2ClientError(
            "InvalidImageUsageReportId.Malformed", f'Invalid id: "{report_id}" (expecting "amiur-...")'
        )
    return EC2ClientError("InvalidImageUsageReportId.NotFound", f"The report '{report_id}' does not exist")


def _describe(request: EC2Response) -> ActionResult:
    request.error_on_dryrun()
    usage = state_at(request.ec2_backend, ImageUsage)
    fields = {"creation-time": lambda report: iso(report.created_at), "state": usage.state_of}
    page, token = one_page(request, filtered(request, _chosen(request), fields))
    return ActionResult({"ImageUsageReports": [_described(usage, report) for report in page], "NextToken": token})


def _described(usage: ImageUsage, report: UsageReport) -> dict[str, Any]:
    state = usage.state_of(report)
    return {
        "ImageId": report.image_id,
        "ReportId": report.report_id,
        "ResourceTypes": report.resource_types,
        "AccountIds": report.account_ids,
        "State": state,
        "StateReason": report.error if state == "error" else None,
        "CreationTime": report.created_at,
        "ExpirationTime": report.expires_at,
        "Tags": report.tags,
    }


def _describe_entries(request: EC2Response) -> ActionResult:
    request.error_on_dryrun()
    usage = state_at(request.ec2_backend, ImageUsage)
    entries = [
        (report, use) for report in _chosen(request) if usage.state_of(report) == "available" for use in report.uses
    ]
    fields = {
        "account-id": lambda entry: entry[1].account_id,
        "creation-time": lambda entry: iso(entry[0].created_at),
        "resource-type": lambda entry: entry[1].resource_type,
    }
    page, token = one_page(request, filtered(request, entries, fields))
    return ActionResult({"ImageUsageReportEntries": [_entry(*each) for each in page], "NextToken": token})


def _entry(report: UsageReport, use: ImageUse) -> dict[str, Any]:
    return {
        "ResourceType": use.resource_type,
        "ReportId": report.report_id,
        "UsageCount": use.count,
        "AccountId": use.account_id,
        "ImageId": report.image_id,
        "ReportCreationTime": report.created_at,
    }


def _delete(request: EC2Response) -> ActionResult:
    report_id = str(required(request, "ReportId"))
    usage = state_at(request.ec2_backend, ImageUsage)
    if report_id not in {report.report_id for report in usage.kept()}:
        raise _no_report(report_id)
    request.error_on_dryrun()
    usage.reports.pop(report_id, None)
    return ActionResult({"Return": True})


def served_usage_reports() -> AbstractContextManager[None]:
    """Lets moto know image usage reports meanwhile."""
    return served(
        EC2Response,
        {
            "create_image_usage_report": _create,
            "describe_image_usage_reports": _describe,
            "describe_image_usage_report_entries": _describe_entries,
            "delete_image_usage_report": _delete,
        },
    )
