"""What is asserted of every cell, and the word for how it ended."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from amiguard.core.remediation import ChangeStatus
from amiguard.files.journal import read_journal
from benchmarks.fake_ec2 import Effect
from tests.faults.estate import AMI, SNAPSHOT, STRANGER, SWITCH, Subject, snapshot_id, truth
from tests.faults.kinds import READ_WHOLE
from tests.faults.matrix import Run
from tests.faults.play import Played, Served
from tests.faults.stage import Prepared, State, state_of

_IMAGE_ID: Final = re.compile(rb"<imageId>(ami-[0-9a-f]+)</imageId>")
_OUTCOME: Final = re.compile(r"^  (\S[a-z ]*?)  (ami-\w+|snap-\w+|image block public access)  ", re.MULTILINE)
_PLACE: Final = re.compile(r"^\d{12}  (\S+)", re.MULTILINE)
_WHERE: Final = {AMI: "DescribeImageAttribute", SWITCH: "GetImageBlockPublicAccessState"}
NEW: Final[frozenset[str]] = frozenset({STRANGER})
"""Whom the image is shared with that appears."""
_VOLATILE: Final = frozenset({"report_id", "created_at", "reused"})


class Outcome(StrEnum):
    """How a run with a fault ended; the value is what the page shows."""

    WHOLE = "✓"
    UNKNOWN = "?"
    EVIDENCE = "e"
    NOT_DONE = "4"
    REFUSED = "2"
    INTERRUPTED = "130"

    @property
    def words(self) -> str:
        return {
            Outcome.WHOLE: "as without the fault: the same verdicts, complete, the same exit code",
            Outcome.UNKNOWN: "something is `unknown` with its reason; the audit says that it is not complete, exit 3, "
            "or 1 where something else fails",
            Outcome.EVIDENCE: "the verdicts are as without the fault; the evidence that could not be had says why",
            Outcome.NOT_DONE: "exit 4: changes that are not made, or not confirmed, are named with the reason",
            Outcome.REFUSED: "exit 2 before anything was judged or changed; the message says what to do",
            Outcome.INTERRUPTED: "exit 130: what was known is written, and what was under way is named",
        }[self]


def judge(run: Run, played: Played, prepared: Prepared, *, hidden: bool = False) -> Outcome:
    """Assert what holds whatever happens, and say how it ended.

    Args:
        hidden: whether AWS kept something back without saying so: then evidence tells what AWS told.
    """
    assert "mistake in amiguard itself" not in played.err, played.err
    assert "Traceback" not in played.out + played.err, played.err
    assert played.fake.stats.signature_failures == 0
    if played.code == 2:
        assert played.out == "", "a run that was refused has printed something"
        assert played.err.startswith(("amiguard: error: ", "amiguard: warning: ", "journal: ")), played.err
        assert "amiguard: error: " in played.err
        if run.changes:
            assert state_of(played.fake) == prepared.before, "a refused run has changed something"
        return Outcome.REFUSED
    return _judge_changes(run, played, prepared) if run.changes else _judge_audit(played, prepared, hidden=hidden)


def _judge_audit(played: Played, prepared: Prepared, *, hidden: bool) -> Outcome:
    if played.code == 130 and not played.out:  # before it was known what to audit
        return Outcome.INTERRUPTED
    document = json.loads(played.out)
    results = document["results"]
    subjects = {_subject(one): one for one in results}
    assert len(subjects) == len(results), "a subject has two results"
    for subject, result in subjects.items():
        _assert_true(subject, result, played)
    _assert_counts(document, results)
    if played.code == 130:
        return Outcome.INTERRUPTED
    _assert_exit(document, played.code)
    if not document["audit"]["complete"]:
        return Outcome.UNKNOWN
    _assert_nothing_lost(document, subjects, played)
    whole = json.loads(prepared.played.out)
    evidence = not hidden and _judge_evidence(document, whole)
    return Outcome.EVIDENCE if evidence else Outcome.WHOLE


def _subject(result: Mapping[str, Any]) -> Subject:
    image = result["image"]
    return Subject(result["check_id"], result["account_id"], result["region"], image["id"] if image else None)


def _assert_true(subject: Subject, result: Mapping[str, Any], played: Played) -> None:
    """No verdict but the true one, and none without what it needs having been served whole."""
    status = result["status"]
    if status == "unknown":
        assert result["message"], "unknown, and it is not said why"
        return
    assert status == truth(subject), f"a false {status}: {subject}"
    assert _was_read(subject, result, played.served), f"a {status} of what was not read: {subject}"


def _was_read(subject: Subject, result: Mapping[str, Any], served: Iterable[Served]) -> bool:
    here = [one for one in served if (one.call.account_id, one.call.region) == (subject.account_id, subject.region)]
    if subject.check_id == SNAPSHOT:
        assert subject.image_id is not None
        wanted = snapshot_id(int(subject.image_id[4:], 16))
        return any(
            one.call.action == "DescribeSnapshotAttribute" and one.call.parameters["SnapshotId"] == wanted
            for one in here
            if _is_whole(one)
        )
    read = any(
        one.call.action == _WHERE[subject.check_id] and (subject.image_id or "") in (*one.call.image_ids, "")
        for one in here
        if _is_whole(one)
    )
    if read or subject.image_id is None:
        return read
    # Disabled: a listing says so. EC2 gives no permission of such an image, because it has none.
    listed = subject.image_id.encode()
    return result["image"]["state"] == "disabled" and any(
        one.call.action == "DescribeImages" and listed in one.reply.body for one in here if _is_whole(one)
    )


def _is_whole(one: Served) -> bool:
    return one.reply.status == 200 and (type(one.effect) is Effect or isinstance(one.effect, READ_WHOLE))


def _assert_counts(document: Mapping[str, Any], results: Iterable[Mapping[str, Any]]) -> None:
    counted = Counter(one["status"] for one in results)
    summary = document["summary"]
    assert {one: summary[one] for one in ("pass", "fail", "suppressed", "unknown")} == {
        one: counted[one] for one in ("pass", "fail", "suppressed", "unknown")
    }
    failed = any(one["status"] == "failed" for one in document["targets"])
    assert document["audit"]["complete"] == (not failed and not counted["unknown"])
    if failed:
        assert counted["unknown"], "a target has failed, and no result says so"


def _assert_exit(document: Mapping[str, Any], code: int) -> None:
    expected = 1 if document["summary"]["fail"] else 0 if document["audit"]["complete"] else 3
    assert code == expected, f"exit code {code} where the report says {expected}"


def _assert_nothing_lost(document: Mapping[str, Any], subjects: Iterable[Subject], played: Played) -> None:
    """A complete audit has a result for every image that was listed to it, but those that are gone."""
    told = {(one.account_id, one.region, one.image_id) for one in subjects if one.check_id == AMI}
    listed = {
        (one.call.account_id, one.call.region, found.decode())
        for one in played.served
        if one.call.action == "DescribeImages" and _is_whole(one)
        for found in _IMAGE_ID.findall(one.reply.body)
    }
    lost = {one for one in listed - told if played.fake.image(*one) is not None}
    # One that is not listed any more when EC2 did not give its permission is told as vanished.
    assert len(lost) <= document["summary"]["vanished"], f"listed, and without a result: {lost}"


def _judge_evidence(document: Mapping[str, Any], whole: Mapping[str, Any]) -> bool:
    """Whether something is missing of the evidence; whatever is said to be known is as it was without the fault."""
    known = {one["fingerprint"]: one.get("evidence") for one in whole["results"]}
    missing = False
    for result in document["results"]:
        if result["check_id"] == AMI and result["status"] == "fail" and known.get(result["fingerprint"]):
            told = result["evidence"]
            for part, value in known[result["fingerprint"]].items():
                missing |= _is_missing(part, told[part], value)
    bins = {(one["account_id"], one["region"]): one.get("recycle_bin") for one in whole["targets"]}
    for target in document["targets"]:
        place = (target["account_id"], target["region"])
        if bins.get(place) is not None:
            missing |= _is_missing("recycle_bin", target.get("recycle_bin"), bins[place])
    return missing


def _is_missing(part: str, told: Any, known: Any) -> bool:
    if _steady(told) == _steady(known):
        return False
    text = json.dumps(told)
    said = any(word in text for word in ('"unavailable"', '"undetermined"', '"truncated": true', "could not be read"))
    assert said, f"evidence ({part}) is told otherwise than it is: {told} and not {known}"
    return True


def _steady(value: Any) -> Any:
    """A value without what differs from run to run."""
    match value:
        case dict():
            return {key: _steady(one) for key, one in value.items() if key not in _VOLATILE}
        case list():
            return [_steady(one) for one in value]
        case _:
            return value


def _judge_changes(run: Run, played: Played, prepared: Prepared) -> Outcome:
    now, before, after = state_of(played.fake), prepared.before, prepared.after
    for key, present in now.items():
        # Nobody loses access that the plan does not take, and nobody gets any that it does not give back.
        least, most = (before[key] & after[key], before[key] | after[key]) if key in before else (NEW, NEW)
        assert least <= present <= most, f"{key}: {sorted(present)}"
    outcomes = read_outcomes(played.out)
    assert outcomes.keys() == {key for key in before if before[key] != after[key]}, "a change has no outcome"
    done = {"applied", "already done"} if run is Run.APPLY else {"undone", "already undone"}
    for key, word in outcomes.items():
        if key not in now:  # deregistered meanwhile
            assert word not in {"held", "no longer wanted"}, word
        elif word in done:
            assert now[key] == after[key], f"{key} is said to be {word}"
        elif word in {"not tried", "drifted", "held", "no longer wanted"}:
            assert now[key] == before[key], f"{key} is said to be {word}"
        else:
            assert word in {"failed", "unverified"}, word
    _assert_journal(run, played, outcomes, now, prepared)
    if played.code == 130:
        return Outcome.INTERRUPTED
    assert played.code == (0 if all(word in done for word in outcomes.values()) else 4)
    return Outcome.WHOLE if played.code == 0 else Outcome.NOT_DONE


def read_outcomes(out: str) -> dict[tuple[str, str], str]:
    """What the table says of every change, by region and id."""
    places = [(found.start(), found[1]) for found in _PLACE.finditer(out)]
    told: dict[tuple[str, str], str] = {}
    for found in _OUTCOME.finditer(out):
        # The table says twice what was not done: at the top, with the reason, where the place is told too.
        region = [name for start, name in places if start < found.start()][-1]
        told[region, "switch" if found[2].startswith("image block") else found[2]] = found[1].strip()
    return told


def _assert_journal(
    run: Run, played: Played, outcomes: Mapping[tuple[str, str], str], now: State, prepared: Prepared
) -> None:
    path: Path = played.home / f"{run.name.lower()}.journal"
    record = read_journal(path)
    journaled = {_place_of(one.edit.key): one for one in record.changes}
    for key, change in journaled.items():
        if change.status is None:
            # Only where its disk is full, and then the table says it.
            told = " ".join(played.out.split())
            assert "this outcome could not be journaled" in told, f"the journal has no outcome of {key}"
        if change.status is ChangeStatus.APPLIED:
            assert now.get(key, prepared.after[key]) == prepared.after[key], f"the journal says applied of {key}"
            assert outcomes[key] in {"applied", "undone", "already done", "already undone"}, outcomes[key]
    for key, present in now.items():
        if present != prepared.before.get(key, NEW):
            assert key in journaled, f"{key} was changed, and the journal does not know it"


def _place_of(key: str) -> tuple[str, str]:
    _, region, name = key.split("/")
    return region, "switch" if name.startswith("image-block") else name
