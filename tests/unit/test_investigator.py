"""The investigator: which calls it makes about failing results, what it tells, and that it never hangs."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from amiguard.cli.log import JsonLines
from amiguard.core.decision import Decision, Verdict, rules_in_force
from amiguard.core.evidence import (
    Admission,
    Author,
    BinnedImage,
    Evidence,
    EvidenceKind,
    ImageKey,
    KeyAdmission,
    Keys,
    RecycleBin,
    SnapshotSharing,
    Usage,
    UsageEntry,
)
from amiguard.core.evidence_ports import SnapshotEncryption
from amiguard.core.grantee import Account
from amiguard.core.image import Image, Unreadable
from amiguard.core.key_facts import KeyFacts
from amiguard.core.key_policy import KeyJudge
from amiguard.core.organization import NoOrganization
from amiguard.core.result import CheckResult, Severity, Status, Target, TargetReport, TargetStatus
from amiguard.core.snapshot import SnapshotPermission
from amiguard.core.trust import TrustedAccount, TrustEntry, TrustPolicy
from amiguard.investigator import Investigator
from tests.fakes.evidence import NOT_KNOWN, FakeEvidenceOpener, FakeEvidenceReader
from tests.fakes.virtual_time import run_in_virtual_time

OWNER, TRUSTED, STRANGER = "123456789012", "210987654321", "999988887777"
HERE = Target(OWNER, "eu-central-1", "aws")
THERE = Target(OWNER, "us-east-1", "aws")
ALL = frozenset(EvidenceKind)
RULES = rules_in_force(
    TrustPolicy((TrustEntry(TrustedAccount(TRUSTED)),)), (), today=date(2026, 8, 1), organization=NoOrganization()
)
USAGE = Usage(
    "r-1", datetime(2026, 8, 1, tzinfo=UTC), reused=False, entries=(UsageEntry(STRANGER, "ec2:Instance", 14),)
)
KEY = "arn:aws:kms:eu-central-1:123456789012:key/k"


def failing(number: int = 1, *, target: Target = HERE, snapshots: tuple[str, ...] = ("snap-1",)) -> CheckResult:
    image = Image(
        f"ami-{number}", target.account_id, target.region, "aws", snapshot_ids=snapshots, last_launched="2026-07-01"
    )
    decisions = (
        Decision(Account(STRANGER), Verdict.UNTRUSTED, "not in the trust policy"),
        Decision(Account(TRUSTED), Verdict.TRUSTED, "trusted"),
    )
    return CheckResult("ami-cross-account-access", Status.FAIL, Severity.HIGH, target, image, decisions, "shared")


@dataclass
class Told:
    evidence: dict[str, Evidence] = field(default_factory=dict)
    bins: list[RecycleBin] = field(default_factory=list)

    def tell(self, result: CheckResult, evidence: Evidence) -> None:
        assert result.image is not None
        assert result.image.image_id not in self.evidence, "told twice"
        self.evidence[result.image.image_id] = evidence


def investigate(
    readers: Mapping[Target, FakeEvidenceReader | Unreadable],
    work: Callable[[Investigator], Awaitable[None]],
    kinds: frozenset[EvidenceKind] = ALL,
    *,
    bins: bool = True,
) -> tuple[Told, float, FakeEvidenceOpener]:
    told, opener = Told(), FakeEvidenceOpener(readers)

    async def run() -> None:
        tell_bin = told.bins.append if bins else None
        await work(Investigator(opener, kinds, RULES, tell=told.tell, tell_bin=tell_bin))

    _, seconds = run_in_virtual_time(run())
    return told, seconds, opener


def taking(*results: CheckResult, seconds: float | None = None) -> Callable[[Investigator], Awaitable[None]]:
    async def work(investigator: Investigator) -> None:
        for result in results:
            investigator.take(result)
        await investigator.finish(seconds)

    return work


def test_every_kind_about_one_image() -> None:
    author = Author((), None)
    reader = FakeEvidenceReader(
        usage={"ami-1": USAGE},
        authors={"ami-1": author},
        snapshots={"snap-1": SnapshotPermission("snap-1", (Account(TRUSTED), Account(STRANGER), Account(STRANGER)))},
        encryption={"snap-1": SnapshotEncryption(KEY)},
    )
    told, _, _ = investigate({HERE: reader}, taking(failing()))
    evidence = told.evidence["ami-1"]
    assert (evidence.usage, evidence.author, evidence.last_launched) == (USAGE, author, "2026-07-01")
    [sharing] = evidence.snapshots or ()
    assert not isinstance(sharing.decisions, Unreadable)
    assert [(one.grantee, one.verdict) for one in sharing.decisions] == [
        (Account(TRUSTED), Verdict.TRUSTED),
        (Account(STRANGER), Verdict.UNTRUSTED),
    ]
    unread = KeyAdmission(
        Account(STRANGER), Admission.UNDETERMINED, "the key could not be read: the fake does not know it"
    )
    assert evidence.keys == Keys((), (), (ImageKey(KEY, ("snap-1",), "", "", (unread,)),))


@pytest.mark.parametrize("kind", EvidenceKind)
def test_only_what_is_asked_for(kind: EvidenceKind) -> None:
    reader = FakeEvidenceReader()
    told, _, _ = investigate({HERE: reader}, taking(failing()), frozenset({kind}))
    evidence = told.evidence["ami-1"]
    found: tuple[object, ...] = (evidence.usage, evidence.author, evidence.snapshots, evidence.keys)
    known = dict(zip(EvidenceKind, found, strict=True))
    assert [one for one, value in known.items() if value is not None] == [kind]
    assert {call for call, _ in reader.calls} == {
        {"usage": "usage", "author": "author", "snapshots": "snapshot", "keys": "encryption"}[kind.value]
    }


@pytest.mark.parametrize("status", [Status.PASS, Status.SUPPRESSED, Status.UNKNOWN])
def test_nothing_is_asked_about_what_does_not_fail(status: Status) -> None:
    told, _, opener = investigate({}, taking(replace(failing(), status=status)))
    assert (told.evidence, opener.opened) == ({}, [])


def test_nothing_is_asked_about_a_whole_target() -> None:
    told, _, opener = investigate({}, taking(replace(failing(), image=None)))
    assert (told.evidence, opener.opened) == ({}, [])


def test_how_snapshots_are_encrypted() -> None:
    reader = FakeEvidenceReader(
        encryption={
            "snap-1": SnapshotEncryption(None),
            "snap-2": SnapshotEncryption(KEY),
            "snap-3": SnapshotEncryption(KEY),
        }
    )
    result = failing(snapshots=("snap-1", "snap-2", "snap-3", "snap-4"))
    told, _, _ = investigate({HERE: reader}, taking(result), frozenset({EvidenceKind.KEYS}))
    keys = told.evidence["ami-1"].keys
    assert isinstance(keys, Keys)
    assert (keys.unencrypted, keys.unread) == (("snap-1",), (("snap-4", NOT_KNOWN),))
    assert [(one.key_arn, one.snapshot_ids) for one in keys.keys] == [(KEY, ("snap-2", "snap-3"))]
    assert [one.grantee for one in keys.keys[0].admissions] == [Account(STRANGER)], "trusted grantees do not matter"


def test_what_the_check_of_snapshots_read_is_not_read_again() -> None:
    reader = FakeEvidenceReader()
    result = replace(failing(), snapshots=(SnapshotPermission("snap-1", (Account(STRANGER),)),))
    told, _, _ = investigate({HERE: reader}, taking(result), frozenset({EvidenceKind.SNAPSHOTS}))
    [sharing] = told.evidence["ami-1"].snapshots or ()
    assert (sharing.snapshot_id, reader.calls) == ("snap-1", [])


def test_a_target_that_cannot_be_opened() -> None:
    problem = Unreadable("the role cannot be assumed", "mend its trust policy")
    told, _, opener = investigate({HERE: problem}, taking(failing(1), failing(2)))
    expected = Evidence(problem, problem, (SnapshotSharing("snap-1", problem),), problem, "2026-07-01")
    assert told.evidence == {"ami-1": expected, "ami-2": expected}
    assert opener.opened == [HERE], "the way in is looked for once"


def test_a_slow_kind_holds_up_no_other_one() -> None:
    reader = FakeEvidenceReader(seconds={"usage": 600.0, "author": 0.5})
    results = [failing(number) for number in range(100)]
    told, seconds, _ = investigate({HERE: reader}, taking(*results))
    assert len(told.evidence) == 100
    assert seconds == pytest.approx(600, abs=1), "all reports are waited for at once"


def test_at_most_two_thousand_reports_are_pending_in_a_target() -> None:
    reader = FakeEvidenceReader(seconds={"usage": 60.0})
    results = [failing(number) for number in range(2500)]
    told, seconds, _ = investigate({HERE: reader}, taking(*results), frozenset({EvidenceKind.USAGE}))
    assert (len(told.evidence), reader.most_under_way) == (2500, 2000)
    assert seconds == pytest.approx(120, abs=1)


def test_the_deadline_keeps_what_is_known_by_then() -> None:
    reader = FakeEvidenceReader(usage={"ami-1": USAGE}, authors={"ami-1": Author((), None)}, seconds={"usage": 3600.0})
    told, seconds, _ = investigate(
        {HERE: reader}, taking(failing(), seconds=60), frozenset({EvidenceKind.USAGE, EvidenceKind.AUTHOR})
    )
    assert seconds == 60
    late = Unreadable("the evidence deadline passed before it was known", "give --evidence-deadline more time")
    assert told.evidence["ami-1"] == Evidence(late, Author((), None), last_launched="2026-07-01")
    assert (reader.under_way, reader.closed) == (0, 1), "what is late is cancelled, and the reader given back"


def test_an_interruption_tells_what_is_known() -> None:
    reader = FakeEvidenceReader(seconds={"usage": 3600.0})

    async def work(investigator: Investigator) -> None:
        investigator.take(failing())
        waiting = asyncio.create_task(investigator.finish(None))
        await asyncio.sleep(1)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    told, _, _ = investigate({HERE: reader}, work, frozenset({EvidenceKind.USAGE}))
    assert told.evidence["ami-1"].usage == Unreadable("it was interrupted before it was known")


def test_the_bin_of_each_audited_target_is_looked_into_once() -> None:
    binned = BinnedImage("ami-9", "old", "2026-07-01T00:00:00Z", "2026-08-01T00:00:00Z")
    here, there = FakeEvidenceReader(recycle_bin=(binned,)), FakeEvidenceReader()

    async def work(investigator: Investigator) -> None:
        investigator.target_ended(TargetReport(HERE, TargetStatus.AUDITED))
        investigator.target_ended(TargetReport(THERE, TargetStatus.FAILED, "denied"))
        await investigator.finish(None)

    told, _, opener = investigate({HERE: here, THERE: there}, work)
    assert told.bins == [RecycleBin(HERE, (binned,))]
    assert (opener.opened, here.closed) == ([HERE], 1)


def test_a_bin_that_is_not_read_in_time_is_told() -> None:
    reader = FakeEvidenceReader(seconds={"bin": 100.0})

    async def work(investigator: Investigator) -> None:
        investigator.target_ended(TargetReport(HERE, TargetStatus.AUDITED))
        await investigator.finish(10)

    told, _, _ = investigate({HERE: reader}, work)
    [bin_] = told.bins
    assert isinstance(bin_.images, Unreadable)


def test_without_a_wish_for_bins_none_is_looked_into() -> None:
    async def work(investigator: Investigator) -> None:
        investigator.target_ended(TargetReport(HERE, TargetStatus.AUDITED))
        await investigator.finish(None)

    assert investigate({}, work, bins=False)[2].opened == []


def test_a_reader_is_given_back_when_its_target_is_done() -> None:
    reader = FakeEvidenceReader(seconds={"usage": 50.0})
    closed: list[int] = []

    async def work(investigator: Investigator) -> None:
        investigator.take(failing())
        investigator.target_ended(TargetReport(HERE, TargetStatus.AUDITED))
        await asyncio.sleep(49)
        closed.append(reader.closed)
        await asyncio.sleep(2)
        closed.append(reader.closed)
        await investigator.finish(None)

    investigate({HERE: reader}, work)
    assert closed == [0, 1]


def test_a_mistake_of_ours_costs_its_own_evidence_only(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(FakeEvidenceReader):
        async def read_usage(self, image_id: str) -> Usage | Unreadable:
            raise ZeroDivisionError(image_id)

    author = Author((), None)
    told, _, _ = investigate({HERE: Broken(authors={"ami-1": author})}, taking(failing()))
    evidence = told.evidence["ami-1"]
    assert evidence.usage == Unreadable(
        "a mistake in amiguard itself: ZeroDivisionError", "please report it, with what --verbose says"
    )
    assert evidence.author == author
    assert [record.exc_info is not None for record in caplog.records] == [True]
    # Python shows warnings, and what is worse, even if nobody asked for a log: as they are, names of AWS's included.
    assert [record.levelno < logging.WARNING for record in caplog.records] == [True]
    written = json.loads(JsonLines().format(caplog.records[0]))
    assert (written["event"], written["image"]) == ("evidence failed", "ami-1")
    assert written["traceback"].endswith("ZeroDivisionError: ami-1")


def test_a_key_of_many_images_is_judged_once_for_each_grantee(monkeypatch: pytest.MonkeyPatch) -> None:
    digested: list[str] = []
    judge = KeyJudge.__init__

    def counted(self: KeyJudge, key: KeyFacts, **where: Any) -> None:
        digested.append(key.key_arn)
        judge(self, key, **where)

    monkeypatch.setattr(KeyJudge, "__init__", counted)
    facts = KeyFacts(KEY, "123456789012", "CUSTOMER", "Enabled", '{"Statement": []}', ())
    reader = FakeEvidenceReader(encryption={"snap-1": SnapshotEncryption(KEY)}, keys={KEY: facts})
    told, _, _ = investigate({HERE: reader}, taking(*(failing(number) for number in range(1, 41))))
    assert digested == [KEY]
    for evidence in told.evidence.values():
        assert isinstance(evidence.keys, Keys)
        assert [one.admission for one in evidence.keys.keys[0].admissions] == [Admission.DOES_NOT_ADMIT]


def test_the_loop_goes_on_between_grantees_of_a_key() -> None:
    others = tuple(Decision(Account(f"{number:012d}"), Verdict.UNTRUSTED, "") for number in range(1, 1001))
    result = replace(failing(), decisions=others)
    facts = KeyFacts(KEY, "123456789012", "CUSTOMER", "Enabled", '{"Statement": []}', ())
    reader = FakeEvidenceReader(encryption={"snap-1": SnapshotEncryption(KEY)}, keys={KEY: facts})
    turns = 0

    async def work(investigator: Investigator) -> None:
        nonlocal turns
        investigator.take(result)
        ending = asyncio.create_task(investigator.finish(None))
        while not ending.done():
            turns += 1
            await asyncio.sleep(0)
        await ending

    investigate({HERE: reader}, work, frozenset({EvidenceKind.KEYS}))
    assert turns > 1000
