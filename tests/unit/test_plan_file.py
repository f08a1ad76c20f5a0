"""The plan file: what is read is what was written, for whom it is, and where it is kept."""

import json
import stat
from dataclasses import replace
from datetime import timedelta, timezone
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from amiguard.core.errors import OutputError
from amiguard.files.plan_file import load_plan, plan_digest, why_not_applicable, write_plan
from amiguard.files.plan_schema import PUBLISHED, generated_schema
from tests.unit.plan_strategies import NOON, PLAN, WITH_EVIDENCE

POLICY = PLAN.trust_policy_digest


@pytest.fixture
def path(tmp_path: Path) -> Path:
    written = tmp_path / "plan.json"
    write_plan(written, PLAN)
    return written


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_is_written_is_read(path: Path) -> None:
    assert load_plan(path) == PLAN


def test_the_file_is_for_people(path: Path) -> None:
    text = path.read_text(encoding="ascii")
    document = json.loads(text)

    assert list(document) == [
        "schema_version",
        "type",
        "tool",
        "plan",
        "audited",
        "summary",
        "changes",
        "left_out",
        "unplanned",
        "digest",
    ]
    assert text == json.dumps(document, indent=2) + "\n"
    assert document["tool"] == {"name": "amiguard", "version": "0.1.0"}
    assert document["plan"] == {
        "id": PLAN.plan_id,
        "created_at": "2026-06-15T12:00:00Z",
        "expires_at": "2026-06-16T12:00:00Z",
        "caller_arn": PLAN.caller_arn,
        "account_id": "123456789012",
        "trust_policy_digest": POLICY,
    }
    assert document["summary"] == {"images": 1, "grants_removed": 2, "grants_added": 2}
    image, switch = document["changes"]
    assert set(image) == {
        "kind",
        "account_id",
        "region",
        "partition",
        "image",
        "before",
        "after",
        "add",
        "remove",
    }
    assert image["before"][0] == {"kind": "everyone", "grantee": "all"}
    assert image["add"][1] == {"kind": "account", "grantee": "012345670123", "reason": "listed, too"}
    assert image["remove"][1] == {
        "kind": "account",
        "grantee": "210987654321",
        "reason": "not listed",
        "effect": "keeps_access",
        "effect_reason": "the unit stays",
    }
    assert switch == {
        "kind": "image_block_public_access",
        "account_id": "123456789012",
        "region": "eu-central-1",
        "partition": "aws",
        "before": "unblocked",
        "after": "block-new-sharing",
    }
    assert document["unplanned"][1]["image_id"] is None


def test_what_was_added_to_version_1_is_written_and_read(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    write_plan(path, WITH_EVIDENCE)
    assert load_plan(path) == WITH_EVIDENCE
    document = json.loads(path.read_bytes())
    assert document["summary"] == {
        "images": 1,
        "grants_removed": 3,
        "grants_added": 0,
        "snapshots": 1,
        "snapshot_grants_removed": 2,
    }
    image, snapshot = document["changes"]
    unknown, unused, used = image["remove"]
    assert (unknown["use"], "notes" in unknown) == ({"state": "unknown", "reason": "not permitted: \u202e"}, False)
    assert unused["use"] == {"state": "not_in_use", "as_of": "2026-06-15T12:00:00Z"}
    assert unused["notes"] == ["shared by \x1b[31m", "a key"]
    entry = {"account_id": "210987654321", "resource_type": "ec2:Instance", "count": 14}
    assert used["use"] == {"state": "in_use", "as_of": "2026-06-15T12:00:00Z", "entries": [entry]}
    assert snapshot["kind"] == "create_volume_permission"
    assert (snapshot["snapshot_id"], snapshot["image_ids"]) == (
        "snap-0123456789abcdef0",
        ["ami-0123456789abcdef0", "ami-11111111"],
    )
    assert [set(one) for one in snapshot["remove"]] == [
        {"kind", "grantee", "reason", "effect", "effect_reason", "notes"},
        {"kind", "grantee", "reason", "effect", "effect_reason"},
    ]
    in_use, held = document["left_out"]
    assert (in_use["removal"], "snapshot_id" in in_use) == (used, False)
    assert (held["snapshot_id"], "removal" in held) == ("snap-11111111", False)
    assert document["unplanned"][0]["snapshot_id"] == "snap-22222222"


def test_a_plan_without_evidence_is_written_as_it_was_before_there_was_any(path: Path) -> None:
    text = path.read_text()
    for added in ("use", "notes", "removal", "snapshot_id", "snapshots", "snapshot_grants_removed"):
        assert f'"{added}"' not in text
    # Made by the version before these were added.
    assert plan_digest(PLAN) == "sha256:58eb4f277795b704b8999767df895ab018f9dbe01cbbf32c8cd0b767cae8bf4b"


def test_the_schema_is_what_the_model_says_and_takes_a_plan(path: Path) -> None:
    assert PUBLISHED.read_text(encoding="utf-8") == generated_schema(), "write it anew, as plan_schema.py tells"
    schema = json.loads(generated_schema())
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema, format_checker=FormatChecker())
    document = json.loads(path.read_bytes())
    assert [error.message for error in validator.iter_errors(document)] == []
    write_plan(path, WITH_EVIDENCE)
    assert [error.message for error in validator.iter_errors(json.loads(path.read_bytes()))] == []
    assert not validator.is_valid({**document, "more": 1})
    assert not validator.is_valid({**document, "plan": {**document["plan"], "account_id": "1"}})


def test_the_digest_of_a_plan_is_that_of_its_file(path: Path) -> None:
    assert plan_digest(PLAN) == json.loads(path.read_bytes())["digest"]
    assert plan_digest(load_plan(path)) == plan_digest(PLAN)


def test_moments_are_written_in_utc_and_to_the_second(tmp_path: Path) -> None:
    elsewhere = NOON.astimezone(timezone(timedelta(hours=2))) + timedelta(microseconds=999_999)
    path = tmp_path / "plan.json"
    write_plan(path, replace(PLAN, created_at=elsewhere))
    assert load_plan(path).created_at == NOON


def test_the_file_is_its_owners_new_or_replaced(path: Path, tmp_path: Path) -> None:
    assert mode(path) == 0o600
    path.write_text("an older one")
    path.chmod(0o644)
    write_plan(path, PLAN)
    assert mode(path) == 0o600
    assert load_plan(path) == PLAN
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("there", [True, False])
def test_a_link_stays_a_link(tmp_path: Path, *, there: bool) -> None:
    target, link = tmp_path / "target.json", tmp_path / "link.json"
    if there:
        target.write_text("an older one")
        target.chmod(0o644)
    link.symlink_to(target)
    write_plan(link, PLAN)
    assert link.is_symlink()
    assert mode(target) == 0o600
    assert load_plan(link) == load_plan(target) == PLAN


def test_a_plan_that_cannot_be_written_leaves_what_was_there(tmp_path: Path) -> None:
    for path in (tmp_path / "none" / "plan.json", tmp_path):
        with pytest.raises(OutputError, match="cannot be written"):
            write_plan(path, PLAN)
    path = tmp_path / "plan.json"
    path.write_text("an older one")
    with pytest.raises(OutputError, match="half of a character"):
        write_plan(path, replace(PLAN, caller_arn="\ud800"))
    with pytest.raises(OutputError, match="account_id"):
        write_plan(path, replace(PLAN, account_id="1"))
    assert path.read_text() == "an older one"
    assert list(tmp_path.iterdir()) == [path]


def test_a_plan_is_applied_in_its_time_by_its_account_and_policy() -> None:
    def why(after: timedelta, account_id: str = "123456789012", policy: str = POLICY) -> str | None:
        found = why_not_applicable(PLAN, now=NOON + after, account_id=account_id, policy_digest=policy)
        if found is None:
            return None
        assert "amiguard plan" in found[1]
        return found[0]

    assert why(timedelta(0)) is None
    assert why(timedelta(minutes=-5)) is None
    assert why(timedelta(minutes=-5, seconds=-1)) == "the plan was made at 2026-06-15T12:00:00Z, which is to come"
    assert why(timedelta(hours=23, minutes=59)) is None
    assert why(timedelta(hours=24)) == "the plan has expired at 2026-06-16T12:00:00Z"
    assert why(timedelta(0), account_id="111122223333") == (
        "the plan was made from account 123456789012, and your credentials are of 111122223333"
    )
    assert why(timedelta(0), policy="cd" * 32) == "the plan was made by another trust policy than today's"
