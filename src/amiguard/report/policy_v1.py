"""The trust policy and the exceptions in words of version 1, so that a report says what decided."""

from amiguard.core.exception import AcceptedGrantee, AnyGrantee, ImageException, ImageSelector, TagSelector
from amiguard.core.grantee import Everyone
from amiguard.core.trust import TrustedOrganization, TrustedUnit, TrustEntry, TrustPolicy
from amiguard.report.json_v1 import ExceptionV1, SelectorV1, TrustEntryV1, TrustPolicyV1


def trust_policy_v1(policy: TrustPolicy, exceptions: tuple[ImageException, ...]) -> TrustPolicyV1:
    """Copy a policy and its exceptions, those that have lapsed too; what was not given has no key."""
    return {"entries": [_entry(one) for one in policy.entries], "exceptions": [_exception(one) for one in exceptions]}


def _entry(entry: TrustEntry) -> TrustEntryV1:
    copied: TrustEntryV1 = {"id": _accepted(entry.trustee)}
    if entry.name is not None:
        copied["name"] = entry.name
    if entry.reason is not None:
        copied["reason"] = entry.reason
    if entry.expires is not None:
        copied["expires"] = entry.expires.isoformat()
    return copied


def _exception(exception: ImageException) -> ExceptionV1:
    grantees = exception.grantees
    copied: ExceptionV1 = {
        "images": _selector(exception.images),
        "grantees": "any" if isinstance(grantees, AnyGrantee) else [_accepted(one) for one in grantees],
        "reason": exception.reason,
        "owner": exception.owner,
    }
    if exception.expires is not None:
        copied["expires"] = exception.expires.isoformat()
    return copied


def _selector(images: ImageSelector) -> SelectorV1:
    copied: SelectorV1 = {}
    if images.ids:
        copied["ids"] = list(images.ids)
    if images.names:
        copied["names"] = list(images.names)
    if images.tags:
        copied["tags"] = [_tag(one) for one in images.tags]
    if images.accounts:
        copied["accounts"] = list(images.accounts)
    if images.regions:
        copied["regions"] = list(images.regions)
    return copied


def _tag(selector: TagSelector) -> str:
    return (selector.key or "") + ("" if selector.value is None else f"={selector.value}")


def _accepted(grantee: AcceptedGrantee) -> str:
    """As the settings write it: `core.exception.parse_accepted_grantee` and `core.trust.parse_trustee` read it back."""
    match grantee:
        case Everyone():
            return "everyone"
        # The settings named an ARN. Its partition is not kept, because it decides nothing.
        case TrustedOrganization(str(organization_id), str(management)):
            return f"arn:aws:organizations::{management}:organization/{organization_id}"
        case TrustedUnit(str(organization_id), unit_id, str(management)):
            return f"arn:aws:organizations::{management}:ou/{organization_id}/{unit_id}"
        case _:
            return str(grantee)
