"""The end of a report for people: what it all comes to, and what to do next."""

import shlex
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from amiguard.report.evidence_tally import EvidenceTally
from amiguard.report.grant_v1 import KindV1
from amiguard.report.interface import Report
from amiguard.report.json_v1 import StatusV1
from amiguard.report.sanitize import printable
from amiguard.report.tally import Example, Switch, Tally, failing

_NOUNS: dict[KindV1, tuple[str, str]] = {
    "account": ("account", "accounts"),
    "organization": ("organization", "organizations"),
    "organizational_unit": ("organizational unit", "organizational units"),
    "unrecognized": ("unrecognized grantee", "unrecognized grantees"),
}
_REMOVED_AS: dict[KindV1, str] = {
    "account": "UserId",
    "everyone": "Group",
    "organization": "OrganizationArn",
    "organizational_unit": "OrganizationalUnitArn",
}
_COUNTED: tuple[StatusV1, ...] = ("pass", "fail", "suppressed", "unknown")


@dataclass(frozen=True, slots=True)
class Step:
    """Something to do next, with the command that does it where there is one."""

    text: str
    command: str | None = None


def number_of(number: int, singular: str, plural: str) -> str:
    """`1 image`, `1,203 images`."""
    return f"{number:,} {singular if number == 1 else plural}"


def kind_nouns(kind: KindV1) -> tuple[str, str]:
    """How grantees of a kind are called, one and many."""
    return _NOUNS.get(kind, ("grantee", "grantees"))


def headline(report: Report, found: Tally) -> str:
    """The answer to the question, in one sentence."""
    return " ".join((_of_images(report, found), *_of_snapshots(found), *_of_switches(found)))


def _of_images(report: Report, found: Tally) -> str:
    summary = report.summary
    images_failing = failing(report) - len(found.switches_off) - found.snapshots_shared
    if not images_failing:
        sharing = "untrusted sharing of images" if found.snapshots_shared else "untrusted sharing"
        if report.audit["complete"] and "baseline" in summary:
            return f"No {sharing} was found that the baseline does not know."
        if report.audit["complete"]:
            aside = "Exceptions aside, no" if summary["suppressed"] else "No"
            return f"{aside} image can be launched by a grantee that is not trusted."
        known = " that the baseline does not know" if "baseline" in summary else ""
        return f"No {sharing} was found{known}, but not everything could be read or decided."
    who = [f"everyone ({number_of(found.public_images, 'image', 'images')})"] if found.public_images else []
    who += [number_of(len(found.untrusted[kind]), *nouns) for kind, nouns in _NOUNS.items() if kind in found.untrusted]
    images = number_of(summary["images"], "image", "images")
    return f"{images_failing:,} of {images} can be launched by grantees that are not trusted: {', '.join(who)}."


def _of_snapshots(found: Tally) -> Iterator[str]:
    if shared := found.snapshots_shared:
        images = number_of(shared, "image", "images")
        yield f"Snapshots under {images} are shared with grantees that are not trusted."


def _of_switches(found: Tally) -> Iterator[str]:
    if off := len(found.switches_off):
        yield f"Images can be made public in {number_of(off, 'target', 'targets')}: block public access is off."


def account_of_it(report: Report, found: Tally) -> str:
    """The counts, and whether the audit is complete."""
    summary = report.summary
    statuses = Counter(target["status"] for target in report.targets)
    ended = ", ".join(f"{statuses[status]:,} {status}" for status in ("audited", "failed", "skipped"))
    images = number_of(summary["images"], "image", "images")
    targets = number_of(summary["targets"], "target", "targets")
    off = len(found.switches_off)
    unread_targets = len(found.target_messages) + found.snapshot_targets + len(found.switches) - off
    about_targets = {"fail": off, "unknown": unread_targets}
    counts = (
        f"{summary[status]:,} {status}" + (f" ({whole:,} of them about a whole target)" if whole else "")
        for status in _COUNTED
        for whole in (about_targets.get(status),)
    )
    sentences = [
        f"{images} in {targets} ({ended}).",
        f"Results: {', '.join(counts)}.",
    ]
    if "baseline" in summary:
        known = summary["baseline"]
        old = number_of(known["known"], "old finding is", "old findings are")
        sentences.append(
            f"{old} hidden: known from the baseline {printable(known['file'])} "
            f"(audit of {printable(known['started_at'])})."
        )
    sentences.extend(_of_evidence(found.evidence))
    narrowed = report.audit.get("narrowed_to")
    if narrowed is not None:
        only = ", ".join(map(printable, [*narrowed["images"], *(f"tag {tag}" for tag in narrowed["tags"])]))
        sentences.insert(0, f"Only these images were asked for: {only}.")
    if vanished := summary["vanished"]:
        sentences.append(f"{number_of(vanished, 'image', 'images')} vanished during the audit.")
    directory = report.audit.get("directory")
    if directory is not None and directory["source"] == "file":
        read_at = directory["read_at"]
        sentences.append(f"Members of {directory['organization_id']} are those of a directory saved at {read_at}.")
    if report.audit["complete"]:
        sentences.append("The audit is complete.")
    else:
        failed, unread = statuses["failed"], summary["unknown"]
        why = [f"{number_of(failed, 'target', 'targets')} failed"] if failed else []
        why += [f"{number_of(unread, 'result is', 'results are')} unknown"] if unread else []
        sentences.append(f"The audit is incomplete: {', '.join(why) or 'it was ended early'}.")
    return " ".join(sentences)


def _of_evidence(found: EvidenceTally) -> Iterator[str]:
    if found.usage_reports:
        images = f"{found.in_use:,} of the {number_of(found.usage_reports, 'image', 'images')} whose use is known"
        users = f" ({number_of(len(found.users), 'account', 'accounts')})" if found.in_use else ""
        yield f"Grantees that are not trusted use {images}{users}."


def next_steps(report: Report, found: Tally) -> list[Step]:
    """What to do about what was found, with ids of it."""
    return [
        *_steps_for_sharing(found),
        *_steps_for_snapshots(found),
        *_steps_for_switches(found),
        *_steps_for_unknown(report, found),
    ]


def _steps_for_sharing(found: Tally) -> Iterator[Step]:
    if found.public or found.shared:
        yield Step(
            "Plan to take the access back, with this audit's options (--organization, --account, --trust ...); "
            "`amiguard apply` then makes what the plan shows:",
            "amiguard plan",
        )
    if found.evidence.in_use:
        yield Step(
            "Ask the accounts that use an image before you take it from them. A plan that knows of use leaves it to "
            "them, unless it is told otherwise (--revoke-in-use):",
            "amiguard plan --evidence usage",
        )
    if found.public:
        yield Step(f"Or by hand, make a public image private, in {_account(found.public)}:", _removal(found.public))
    if found.shared:
        where = _account(found.shared)
        yield Step(
            f"Or by hand, stop sharing an image with such a grantee, in {where}:",
            _removal(found.shared),
        )
    if found.public or found.shared:
        yield Step("Or in the console: EC2, AMIs, the image, Permissions, Edit AMI permissions.")
    if found.shared:
        grantee = shlex.quote(printable(found.shared.grantee))
        yield Step(
            "If a grantee may launch every image, add it to the trust policy (begun by `amiguard trust init`):",
            f"amiguard trust add {grantee}",
        )
    if found.public or found.shared:
        yield Step("If it may launch certain images only, write an exception in amiguard.yaml: reason and owner.")


def _steps_for_snapshots(found: Tally) -> Iterator[Step]:
    if not found.snapshots_shared:
        return
    yield Step(
        "Plan to take snapshots back, too: who may use one can copy what is in the image:", "amiguard plan --snapshots"
    )
    if found.shared_snapshot:
        where = _account(found.shared_snapshot)
        yield Step(f"Or by hand, stop sharing a snapshot, in {where}:", _removal_from_snapshot(found.shared_snapshot))


def _steps_for_switches(found: Tally) -> Iterator[Step]:
    off = found.switches_off
    own = next((switch for switch in off if not switch.by_policy), None)
    if own:
        text = f"Keep images from being made public, in account {printable(own.account_id)} (public ones stay so):"
        yield Step(text, _enabling(own))
    if any(switch.by_policy for switch in off):
        yield Step(
            "Where a declarative policy of the organization manages block public access, enable it in that policy."
        )


def _steps_for_unknown(report: Report, found: Tally) -> Iterator[Step]:
    if found.unread or any(target["status"] == "failed" for target in report.targets):
        yield Step(f"What is unknown is not clean: see its reason, and audit again.{_mend_of_denied(found)}")
    if found.undetermined - {"unrecognized"}:
        yield Step(
            "To decide the undetermined grantees, audit where the organization can be read "
            "(organizations:DescribeOrganization, ListAccounts, ListRoots, ListParents, ListAccountsForParent and "
            "ListOrganizationalUnitsForParent), or with a directory that was saved there: `amiguard trust snapshot`, "
            "then --directory."
        )
    if "unrecognized" in found.undetermined:
        yield Step(
            "This version does not know a kind of grant that EC2 returned: see the console, and update amiguard."
        )


def _mend_of_denied(found: Tally) -> str:
    if not (found.denied or found.switch_denied or found.snapshots_denied):
        return ""
    actions = ["ec2:DescribeRegions", "ec2:DescribeImages", "ec2:DescribeImageAttribute"] if found.denied else []
    if found.switch_denied:
        actions.append("ec2:GetImageBlockPublicAccessState")
    if found.snapshots_denied:
        actions.append("ec2:DescribeSnapshotAttribute")
    allowed = f"{', '.join(actions[:-1])} and {actions[-1]}" if len(actions) > 1 else actions[0]
    return f" Where access was denied, allow the audit {allowed}, or mend the role that could not be assumed."


def _account(example: Example) -> str:
    return f"account {printable(example.account_id)}"


def _removal(example: Example) -> str:
    grant = f"Remove=[{{{_REMOVED_AS[example.kind]}={printable(example.grantee)}}}]"
    return (
        f"aws ec2 modify-image-attribute --region {shlex.quote(printable(example.region))} "
        f"--image-id {shlex.quote(printable(example.resource_id))} --launch-permission {shlex.quote(grant)}"
    )


def _removal_from_snapshot(example: Example) -> str:
    who = "--group-names all" if example.kind == "everyone" else f"--user-ids {shlex.quote(printable(example.grantee))}"
    return (
        f"aws ec2 modify-snapshot-attribute --region {shlex.quote(printable(example.region))} "
        f"--snapshot-id {shlex.quote(printable(example.resource_id))} --attribute createVolumePermission "
        f"--operation-type remove {who}"
    )


def _enabling(switch: Switch) -> str:
    return (
        "aws ec2 enable-image-block-public-access --image-block-public-access-state block-new-sharing "
        f"--region {shlex.quote(printable(switch.region))}"
    )
