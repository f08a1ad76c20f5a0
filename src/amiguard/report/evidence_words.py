"""Evidence in sentences, neutralised already: what most formats for people say, in the same words."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from amiguard.report.evidence_facts import EvidenceFacts, Use, User, full_reason
from amiguard.report.evidence_tally import EvidenceTally
from amiguard.report.evidence_v1 import KeyV1, RecycleBinV1, TrailEventV1, UnavailableV1
from amiguard.report.finding import cut, grantee_name, moment
from amiguard.report.grant_v1 import GranteeV1, GrantV1
from amiguard.report.interface import Report
from amiguard.report.verdict import number_of

IN_USE = "IN USE"
"""Begins the words that somebody uses the image: nobody reading fast may pass them over."""
BIN_ADVICE = (
    "An image that is restored from the Recycle Bin is shared again as it was: remove shares before deregistering."
)

_LAG = (
    "Usage reports are late: by up to 24 hours for instances, by some days for launch templates and recipes. "
    "LastLaunchedTime is a day late."
)
"""EC2 User Guide, "View your AMI usage"."""
_BINNED = 8
"""How many images of a Recycle Bin are named."""
_NOUNS = {
    "ec2:Instance": ("instance", "instances"),
    "ec2:LaunchTemplate": ("launch template", "launch templates"),
    "imagebuilder:ImageRecipe": ("image recipe", "image recipes"),
    "imagebuilder:ContainerRecipe": ("container recipe", "container recipes"),
}
_AN_ID = re.compile(r"[0-9]{12}|arn:\S+", re.ASCII)
_TYPES = 6
_USERS = 8
_SNAPSHOTS = 8
_ID = 80
_ARN = 200
_REASON = 300


def grant_words(facts: EvidenceFacts, grant: GrantV1) -> Iterator[str]:
    """What evidence says of one grantee: its use of the image, who let it in, its snapshots, the key.

    That a snapshot is not shared with it is not said: `tally_words` counts the images.
    """
    if facts.usage is not None and grant["kind"] != "unrecognized":
        report = f"(usage report of {_time(facts.usage['created_at'])})"
        if used_by := facts.used_by(grant):
            yield f"{IN_USE}: {users_words(grant, used_by)} {report}"
        else:
            yield f"no use known {report}"
    if facts.author is not None:
        yield _share_words(facts, grant)
    if shared := facts.snapshots(grant):
        yield f"may use {_listed(shared)}"
    if admitted := facts.admitted(grant):
        key, reason = key_name(admitted.key), _key_reason(grant, admitted.says["reason"])
        match admitted.says["admission"]:
            case "admits":
                yield f"the key admits it: {reason} ({key})"
            case "does_not_admit":
                yield f"the key does not admit it: {reason} ({key})"
            case "undetermined":
                yield f"whether the key admits it is undetermined: {reason} ({key})"


def image_words(facts: EvidenceFacts) -> Iterator[str]:
    """What evidence says of the image itself.

    That no key protects a snapshot is not said: `tally_words` counts the images.
    """
    if unnamed := facts.unnamed():
        yield f"{IN_USE} by accounts that no grant lets in any more: {_users(unnamed)}"
    if facts.origin:
        yield f"made {_call_words(facts.origin)}"
    only = facts.only_snapshots()
    for grantee, snapshots in only[:_USERS]:
        yield f"{cut(grantee_name(grantee), _ARN)} {_no_launch(facts)}, and may use {_listed(snapshots)}"
    if len(only) > _USERS:
        more = number_of(len(only) - _USERS, "more grantee", "more grantees")
        yield f"{more} without a grant to launch it may use snapshots"
    if facts.keys is not None:
        yield from _keys_words(facts.keys["keys"])
    if facts.usage is None and facts.last_launched:
        yield f"last launched {_time(facts.last_launched)}, and it is not known by whom"


def _no_launch(facts: EvidenceFacts) -> str:
    return "has no grant of its own to launch it" if facts.is_shared_widely else "may not launch it"


def tally_words(found: EvidenceTally) -> Iterator[tuple[str, str]]:
    """What evidence comes to over a whole report: the kind, and sentences; nothing of a kind that is not known."""
    if found.usage_reports:
        yield "usage", _LAG
    if found.snapshots_read:
        images = f"{found.snapshots_shared:,} of {number_of(found.snapshots_read, 'image', 'images')}"
        yield "snapshots", f"Shared with grantees that are not trusted under {images}."
    if found.keys_read:
        images = f"{found.unprotected:,} of {number_of(found.keys_read, 'image', 'images')}"
        yield "keys", f"Under {images} there are snapshots that no key protects. {_kept_out_words(found)}"


def users_words(grant: GranteeV1, users: Sequence[User]) -> str:
    """`14 instances, 1 launch template`; of a grant to many the accounts that come in through it."""
    if grant["kind"] == "account":
        return use_words(users[0].use)
    return f"launched by {_users(users)}" + ("" if users[0].certain else " (through this grant or another)")


def use_words(use: Use) -> str:
    """`14 instances, 1 launch template`."""
    said = [
        number_of(count, *_NOUNS[kind]) if kind in _NOUNS else f"{count:,} of the type {cut(kind, _ID)}"
        for kind, count in list(use.items())[:_TYPES]
    ]
    return ", ".join(said) + (f" and {len(use) - _TYPES:,} more types" if len(use) > _TYPES else "")


def event_words(event: TrailEventV1) -> str:
    """`arn:... on 2026-05-06 10:00 UTC from 192.0.2.1 (ModifyImageAttribute)`."""
    return f"{_caller(event)} {_when_and_where(event)}"


def key_name(key: KeyV1) -> str:
    """The key's ARN."""
    return cut(key["arn"], _ARN)


def reason_words(problem: UnavailableV1) -> str:
    """Why something could not be had, and what would mend it."""
    return cut(full_reason(problem), _REASON)


@dataclass(frozen=True, slots=True)
class RecycleBins:
    """What the targets of a report have in their Recycle Bins.

    Attributes:
        said: words, account and region of each that holds images, or could not be read.
        images: how many images there are in all.
        empty: how many hold none.
    """

    said: tuple[tuple[str, str, str], ...]
    images: int
    empty: int

    def __bool__(self) -> bool:
        return bool(self.said or self.empty)


def recycle_bins(report: Report) -> RecycleBins:
    """What is said of the Recycle Bin of each target; false if nobody looked."""
    said: list[tuple[str, str, str]] = []
    images = empty = 0
    for target in report.targets:
        if (read := target.get("recycle_bin")) is None:
            continue
        if words := bin_words(read):
            said.append((words, target["account_id"], target["region"]))
        else:
            empty += 1
        images += len(read["images"]) if read["status"] == "known" else 0
    return RecycleBins(tuple(said), images, empty)


def bin_words(read: RecycleBinV1 | UnavailableV1) -> str:
    """What is in a Recycle Bin: how many images, and which; empty if there is none."""
    if read["status"] == "unavailable":
        return f"could not be read: {reason_words(read)}"
    images = read["images"]
    if not images:
        return ""
    named = [cut(one["id"], _ID) + (f" ({cut(one['name'], _ARN)})" if one["name"] else "") for one in images[:_BINNED]]
    more = f" and {len(images) - _BINNED:,} more" if len(images) > _BINNED else ""
    return f"{number_of(len(images), 'image', 'images')}: {', '.join(named)}{more}"


def _share_words(facts: EvidenceFacts, grant: GrantV1) -> str:
    if event := facts.shared(grant):
        return f"shared {_call_words(event)}"
    if facts.author is None or facts.author["truncated"]:
        return "who shared it: none of the events that were looked at names it, and CloudTrail has more"
    if not facts.author["shares"] and facts.origin is None:
        return "who shared it: older than CloudTrail's 90 days, or not in CloudTrail yet"
    return "who shared it: no event in CloudTrail's 90 days names it"


def _call_words(event: TrailEventV1) -> str:
    # The caller's ARN comes last: in the middle, it breaks the lines of a narrow terminal twice.
    return f"{_when_and_where(event)} by {_caller(event)}"


def _caller(event: TrailEventV1) -> str:
    session = "" if event["session"] in event["principal"] else f" (session {cut(event['session'], _ID)})"
    return f"{cut(event['principal'], _ARN) or 'somebody whom CloudTrail does not name'}{session}"


def _when_and_where(event: TrailEventV1) -> str:
    source = f" from {cut(event['source'], _ID)}" if event["source"] else ""
    return f"on {_time(event['time'])}{source} ({cut(event['name'], _ID)})"


def _key_reason(grant: GranteeV1, reason: str) -> str:
    """Why a key decides so: `it` for the grantee, so that the same is said of all of whom the same is true."""
    if _AN_ID.fullmatch(grant["grantee"]):
        reason = re.sub(rf"(?<!\S){re.escape(grant['grantee'])}(?!\S)", "it", reason)
    return cut(reason, _REASON)


def _kept_out_words(found: EvidenceTally) -> str:
    if not found.kept_out:
        return "No grantee is kept out by a key."
    grantees = number_of(len(found.kept_out), "grantee", "grantees")
    return f"A key keeps out {grantees} ({number_of(found.keeping_out, 'image', 'images')})."


def _keys_words(keys: Iterable[KeyV1]) -> Iterator[str]:
    for key in keys:
        if key["manager"] == "AWS":
            yield f"{_listed(key['snapshots'])}: the key {key_name(key)} is AWS's own, which cannot be shared"
        if key["state"] not in {"", "Enabled"}:
            yield f"{_listed(key['snapshots'])}: the key {key_name(key)} is in the state {cut(key['state'], _ID)}"


def _users(users: Sequence[User]) -> str:
    named = "; ".join(f"{cut(user.account_id, _ID)}: {use_words(user.use)}" for user in users[:_USERS])
    more = len(users) - _USERS
    return f"{named} and {number_of(more, 'more account', 'more accounts')}" if more > 0 else named


def _listed(ids: Sequence[str]) -> str:
    named = ", ".join(cut(one, _ID) for one in ids[:_SNAPSHOTS])
    return f"{named} and {len(ids) - _SNAPSHOTS:,} more" if len(ids) > _SNAPSHOTS else named


def _time(text: str) -> str:
    read = moment(text)
    return cut(text, _ID) if read is None else f"{read:%Y-%m-%d %H:%M} UTC"
