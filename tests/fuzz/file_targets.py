"""Files of our own that somebody may have changed: settings, plans, journals, checkpoints and other state."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

from amiguard.core.errors import AmiguardError, InputError, OutputError, SettingsError
from amiguard.core.organization import OwnOrganization
from amiguard.core.plan import Plan
from amiguard.files.checkpoint import AuditIdentity, Checkpoint, SavedAccount, SavedTarget
from amiguard.files.directory_file import load_directory, save_directory, why_not_usable
from amiguard.files.journal import open_journal, read_journal
from amiguard.files.notify_state import NotifyState
from amiguard.files.plan_file import load_plan, write_plan
from amiguard.files.plan_v1 import document_of
from amiguard.files.settings import load_settings, settings_of
from amiguard.files.strict_json import digest_of
from amiguard.files.vendors_file import load_vendors
from tests.fuzz.target import Form, Target, as_file
from tests.unit.directory_samples import DIRECTORY
from tests.unit.journals import LATER, digest_after, fill, opened
from tests.unit.plan_strategies import PLAN, WITH_EVIDENCE

TODAY = date(2026, 8, 1)
NOW = datetime(2026, 9, 2, tzinfo=UTC)
SETTINGS = """\
version: 1
trust:
  accounts:
    - "123456789012"
    - {id: "210987654321", name: Staging, reason: golden images, expires: 2027-01-31}
  organizations: [o-abcdefghij, own]
  organizational_units: [o-abcdefghij/ou-ab12-cdefghij]
exceptions:
  - images: {names: ["public-*"], tags: [Purpose, "a=b"], regions: [eu-central-1]}
    grantees: [everyone, "123456789012"]
    reason: marketplace image
    owner: platform@example.com
    expires: 2027-06-30
targets:
  regions: all
  organization: {role_name: Auditor, exclude: {accounts: ["111122223333"]}}
checks: all
evidence: {collect: [usage, author], deadline: 30m, usage_max_age: 24h}
vendors: vendors.yaml
"""
VENDORS = """\
- name: 'Example Monitoring'
  source: ['https://example.com/docs']
  accounts: ['012345678901', "222222222222", 333333333333]
"""
PLANS = tuple(json.dumps(document_of(plan), indent=2).encode() for plan in (PLAN, WITH_EVIDENCE))
WANTED = AuditIdentity("digest", "id-1", "2026-06-15T10:00:00Z")


def load_settings_file(data: bytes) -> None:
    """A mistake names the file; settings that are read are read again as they were."""
    with as_file(data, "amiguard.yaml") as path:
        try:
            settings_of(data.decode("utf-8", "surrogateescape"), path, today=TODAY)
            found = load_settings(path, today=TODAY)
        except SettingsError as error:
            assert error.message.startswith(str(path))  # noqa: PT017 - either end is right
            raise
        assert found == load_settings(path, today=TODAY)
        assert not (found.trusts_nobody and found.policy.entries)


def load_vendors_file(data: bytes) -> None:
    """Names by ids of twelve digits."""
    with as_file(data, "vendors.yaml") as path:
        names = load_vendors(path).names
    assert all(len(one) == 12 and one.isdigit() and name.strip() for one, name in names.items())


def _written_and_loaded(plan: Plan, path: Path) -> None:
    write_plan(path, plan)
    assert load_plan(path) == plan


def load_plan_file(data: bytes) -> None:
    """No byte of a plan can be changed: what is accepted is one of the plans that were written."""
    with as_file(data) as path:
        plan = load_plan(path)
    assert plan in (PLAN, WITH_EVIDENCE)


def load_sealed_plan(data: bytes) -> None:
    """As somebody might write it who knows how the digest is made: what is accepted can be written again."""
    try:
        found = json.loads(data)
        sealed = {**found, "digest": digest_of({key: value for key, value in found.items() if key != "digest"})}
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise InputError("no object") from error
    with as_file(json.dumps(sealed).encode()) as path:
        plan = load_plan(path)
        _written_and_loaded(plan, path)


def _is_chained(data: bytes) -> bool:
    """Whether each record's digest is over it and all before it, by a way of its own."""
    last = ""
    for line in data.split(b"\n"):
        try:
            found = json.loads(line)
        except ValueError:
            continue  # what a killed run leaves behind
        expected = digest_after(last, line)
        if found.get("digest") != expected:
            return False
        last = expected
    return True


def load_journal(data: bytes) -> None:
    """A journal that is accepted chains, and can be gone on with: what was in it stays in it."""
    with as_file(data) as path:
        found = read_journal(path)
        assert _is_chained(data)
        header = found.header
        with open_journal(path, header) as journal:
            assert all(journal.known(one.edit.key) == one for one in found.changes)
        again = read_journal(path)
        assert again.changes == found.changes
        assert again.header.of == header.of


def load_sealed_journal(data: bytes) -> None:
    """As somebody might write it who knows how the digests are made."""
    last, lines = "", []
    for line in data.split(b"\n"):
        try:
            last = digest_after(last, line)
            lines.append(json.dumps({**json.loads(line), "digest": last}).encode())
        except (ValueError, AttributeError, TypeError, RecursionError):
            lines.append(line)
    load_journal(b"\n".join(lines))


def load_checkpoint(data: bytes) -> None:
    """What is taken up is whole, and is there again the next time."""
    with as_file(data) as path:
        with Checkpoint(path, WANTED) as checkpoint:
            assert datetime.fromisoformat(checkpoint.identity.started_at).tzinfo  # as the audit that goes on reads it
            accounts, targets = checkpoint.accounts, checkpoint.targets
            results = {key: b"".join(checkpoint.results(*key)) for key in targets}
            assert all(isinstance(text, str) for key in targets for text in key)
            assert all(sum(one.calls.values()) + one.throttled + one.images >= 0 for one in targets.values())
            assert all(one.skipped.keys() is not None and one.regions is not None for one in accounts.values())
        with Checkpoint(path, WANTED) as checkpoint:
            assert (checkpoint.accounts, checkpoint.targets) == (accounts, targets)
            assert {key: b"".join(checkpoint.results(*key)) for key in targets} == results


def load_notify_state(data: bytes) -> None:
    """What was told is texts by texts, or not known; what is known is remembered as it was."""
    with as_file(b"") as path:
        state = NotifyState(path.parent, "scope")
        state.remember("channel", {})
        (file,) = (path.parent / "notify").iterdir()
        file.write_bytes(data)
        known = state.recall("channel")
        if known is None:
            raise InputError("not known")
        assert all(isinstance(text, str) for one in known.items() for text in one)
        state.remember("channel", known)
        assert state.recall("channel") == known


def load_directory_file(data: bytes) -> None:
    """A directory is written as it was read, and whether it may be used is a reason or none."""
    with as_file(data) as path:
        found = load_directory(path)
        save_directory(path, found)
        assert load_directory(path) == found
    own = OwnOrganization(found.organization_id, found.management_account_id, None)  # type: ignore[arg-type]  # not asked
    assert why_not_usable(found, own, now=NOW) != ""


def _written(write: Callable[[Path], object]) -> bytes:
    with as_file(b"") as path:
        path.unlink()
        write(path)
        return path.read_bytes()


def _checkpoint(path: Path) -> None:
    with Checkpoint(path, WANTED) as checkpoint:
        checkpoint.add_account(
            SavedAccount("111122223333", "aws", ("eu-central-1",), {"af-south-1": "r"}, {"DescribeRegions": 1}, 0)
        )
        for number in (1, 2):
            saved = SavedTarget("111122223333", f"region-{number}", "aws", number, 0, {"DescribeImages": 1}, number)
            checkpoint.add_target(saved, lambda: [b"one\n", b"two\n"])


def _journal(path: Path) -> None:
    fill(path)
    with opened(path, LATER):
        pass


def _notify_state(path: Path) -> None:
    path.write_text('{"version": 1, "failing": {"5e5e": "high", "6f6f": "critical"}}', encoding="utf-8")


_OF_INPUTS = (InputError, OutputError)
_JOURNALS = (_written(_journal), _written(fill))
_SETTINGS = (SETTINGS.encode(), b"version: 1\ntrust: nobody\n")
FILE_TARGETS = (
    Target("settings", Form.TEXT, load_settings_file, (SettingsError,), _SETTINGS, 420),
    Target("vendors", Form.TEXT, load_vendors_file, (AmiguardError,), (VENDORS.encode(),), 240),
    Target("plan", Form.JSON, load_plan_file, (InputError,), PLANS, 240),
    Target("plan-sealed", Form.JSON, load_sealed_plan, _OF_INPUTS, PLANS, 360),
    Target("journal", Form.LINES, load_journal, _OF_INPUTS, _JOURNALS, 240),
    Target("journal-sealed", Form.LINES, load_sealed_journal, _OF_INPUTS, _JOURNALS, 360),
    Target("checkpoint", Form.LINES, load_checkpoint, (SettingsError, OutputError), (_written(_checkpoint),), 180),
    Target("notify-state", Form.JSON, load_notify_state, _OF_INPUTS, (_written(_notify_state),), 180),
    Target(
        "directory",
        Form.JSON,
        load_directory_file,
        (SettingsError,),
        (_written(lambda path: save_directory(path, DIRECTORY)),),
        300,
    ),
)
