"""CreateImageUsageReport, DescribeImageUsageReports, DescribeImageUsageReportEntries and DeleteImageUsageReport."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from .attributes import owned_image
from .calls import Call
from .context import Context
from .dry_run import refuse_dry_run
from .filters import refuse_filters, values_of
from .pages import cut_page
from .replies import AwsProblem
from .report_book import LAUNCH_TEMPLATE, VERSION_DEPTH, Report, ReportRequest, ResourceType

RESOURCE_TYPES: Final = frozenset(
    {"ec2:Instance", LAUNCH_TEMPLATE, "imagebuilder:ImageRecipe", "imagebuilder:ContainerRecipe"}
)
_MOST_IDS: Final = 200
_DEPTHS: Final = range(1, 10_001)


def create_usage_report(call: Call, context: Context) -> Mapping[str, Any]:
    """Begin a report about an image that the caller owns."""
    image = owned_image(call, context)
    types = tuple(_resource_types(call))
    if not types:
        raise AwsProblem("MissingParameter", "The request must contain the parameter ResourceTypes")
    if unknown := {name for name, _ in types} - RESOURCE_TYPES:
        raise AwsProblem("InvalidParameterValue", f"Invalid value ({min(unknown)}) for parameter ResourceType.")
    for name, options in types:
        _check_options(name, options)
    accounts = tuple(call.listed("AccountId"))
    _check_number(accounts, "AccountIds")
    refuse_dry_run(call)
    request = ReportRequest(image.id, types, accounts)
    token = call.parameters.get("ClientToken")
    return {"ReportId": context.store.reports.create(call.account_id, call.region, request, token)}


def _resource_types(call: Call) -> Iterator[ResourceType]:
    for prefix in call.numbered("ResourceType", "ResourceType"):
        options = (
            (call.parameters[f"{option}.OptionName"], tuple(call.listed(f"{option}.OptionValue")))
            for option in call.numbered(f"{prefix}.ResourceTypeOption", "OptionName")
        )
        yield call.parameters[f"{prefix}.ResourceType"], tuple(options)


def _check_options(resource_type: str, options: tuple[tuple[str, tuple[str, ...]], ...]) -> None:
    for option, values in options:
        known = resource_type == LAUNCH_TEMPLATE and option == VERSION_DEPTH
        if not known or not all(value.isdecimal() and int(value) in _DEPTHS for value in values):
            raise AwsProblem("InvalidParameterValue", f"Invalid option {option} of the resource type {resource_type}.")


def describe_usage_reports(call: Call, context: Context) -> Mapping[str, Any]:
    """Answer with the reports that are asked for, all of them if nothing is."""
    refuse_dry_run(call)
    refuse_filters(call, "state")
    book, states = context.store.reports, values_of(call, "state")
    found = [one for one in _asked(call, context) if not states or book.state(one) in states]
    page = context.effect.page(cut_page(call, found))
    reports = []
    for one in page.items:
        state = book.described(call.account_id, call.region, one)
        reports.append(
            {
                "ImageId": one.request.image_id,
                "ReportId": one.id,
                "ResourceTypes": [_described_type(resource_type) for resource_type in one.request.resource_types],
                "AccountIds": list(one.request.account_ids),
                "State": state,
                "StateReason": one.usage.error if state == "error" else None,
                "CreationTime": one.created,
                "ExpirationTime": one.expires,
            }
        )
    return {"ImageUsageReports": reports, "NextToken": page.token}


def _described_type(resource_type: ResourceType) -> dict[str, Any]:
    name, options = resource_type
    written = [{"OptionName": option, "OptionValues": list(values)} for option, values in options]
    return {"ResourceType": name, "ResourceTypeOptions": written or None}


def describe_usage_report_entries(call: Call, context: Context) -> Mapping[str, Any]:
    """Answer with the entries of the finished reports among those that are asked for."""
    refuse_dry_run(call)
    refuse_filters(call, "account-id", "resource-type")
    accounts, types = values_of(call, "account-id"), values_of(call, "resource-type")
    book = context.store.reports
    finished = (one for one in _asked(call, context) if book.state(one) == "available")
    found = [
        (one, use)
        for one in finished
        for use in one.uses
        if (not accounts or use.account_id in accounts) and (not types or use.resource_type in types)
    ]
    page = context.effect.page(cut_page(call, found))
    entries = [
        {
            "ResourceType": use.resource_type,
            "ReportId": one.id,
            "UsageCount": use.count,
            "AccountId": use.account_id,
            "ImageId": one.request.image_id,
            "ReportCreationTime": one.created,
        }
        for one, use in page.items
    ]
    return {"ImageUsageReportEntries": entries, "NextToken": page.token}


def delete_usage_report(call: Call, context: Context) -> Mapping[str, Any]:
    """Take a report away."""
    report_id = call.parameters.get("ReportId", "")
    refuse_dry_run(call)
    try:
        context.store.reports.delete(call.account_id, call.region, report_id)
    except KeyError:
        raise _not_found(report_id) from None
    return {"Return": True}


def _asked(call: Call, context: Context) -> list[Report]:
    image_ids, report_ids = call.listed("ImageId"), call.listed("ReportId")
    _check_number(image_ids, "ImageIds")
    _check_number(report_ids, "ReportIds")
    reports = context.store.reports.of(call.account_id, call.region)
    if unknown := set(report_ids) - {one.id for one in reports}:
        raise _not_found(min(unknown))
    return [
        one
        for one in reports
        if (not image_ids or one.request.image_id in image_ids) and (not report_ids or one.id in report_ids)
    ]


def _not_found(report_id: str) -> AwsProblem:
    # Which code EC2 gives is not documented; this one is built like those of other resources.
    return AwsProblem("InvalidImageUsageReportId.NotFound", f"The image usage report '{report_id}' does not exist")


def _check_number(values: tuple[str, ...] | list[str], name: str) -> None:
    if len(values) > _MOST_IDS:
        raise AwsProblem("InvalidParameterValue", f"{name} has more than {_MOST_IDS} items.")
