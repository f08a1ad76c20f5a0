"""`amiguard apply` as installed: what it changes, what it refuses, what it leaves alone."""

import os
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from amiguard.core.remediation import HOLD_TAG
from amiguard.files.plan_file import load_plan, write_plan
from amiguard.files.state_folder import remediation_lock, state_folder
from benchmarks.fake_ec2 import AwsError, Estate, FakeAccount, FakeEc2, FakeRegion, FakeRole, Fault, by_id
from tests.cli.apply_runs import APPLIED, DONE, apply, counts
from tests.cli.remediation_estate import (
    AFTER,
    BEFORE,
    CHANGED,
    EU,
    FRIEND,
    OWNER,
    PARTNER,
    PLAN,
    STRANGER,
    TRUST,
    US,
    changing_calls,
    estate,
    grant,
    grantees,
    image,
    image_id,
    journals,
    made_plan,
    many,
    state_of,
)
from tests.conftest import RunAmiguard

MANY = 40


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The plan of the estate; plans name no endpoint, so that one does for all servers."""
    return made_plan(tmp_path_factory.mktemp("plan"), estate())[1]


@pytest.fixture
def plan(made: Path, tmp_path: Path) -> Path:
    """A copy of the plan, where the program runs."""
    return Path(shutil.copy(made, tmp_path / PLAN))


@pytest.fixture(scope="module")
def made_of_many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_plan(tmp_path_factory.mktemp("plan"), many(MANY))[1]


def test_untrusted_access_goes_and_trusted_access_stays(run_amiguard: RunAmiguard, plan: Path, tmp_path: Path) -> None:
    """Three public images among others: all private afterwards, and every trusted grant of theirs is there."""
    with FakeEc2(estate()) as fake:
        first = apply(run_amiguard, fake, "--yes")
        assert state_of(fake) == AFTER
        assert fake.stats.calls["ModifyImageAttribute"] == len(CHANGED)
        assert changing_calls(fake) == len(CHANGED)
        (journal,) = journals(tmp_path)
        assert (first.code, first.out) == (0, APPLIED)
        assert first.err == (
            f"journal: {journal}\nWhat was done is written down in {journal}; to undo it: amiguard rollback {journal}\n"
        )
        assert journal.stat().st_mode & 0o777 == 0o600
        assert journal.parent.stat().st_mode & 0o777 == 0o700

        fake.reset()
        again = apply(run_amiguard, fake, "--yes")
        assert changing_calls(fake) == 0
        assert journals(tmp_path) == [journal]
    nothing = "Nothing was changed: all 5 changes had been made already."
    assert (again.code, again.err) == (0, f"journal: {journal}\n")
    assert again.out == DONE.format(word="already done", result=nothing)


def edited(file: Path) -> None:
    text = file.read_text()
    changed = text.replace(STRANGER, FRIEND, 1)
    assert changed != text
    file.write_text(changed)


def expired(file: Path) -> None:
    made = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)
    write_plan(file, replace(load_plan(file), created_at=made, expires_at=made + timedelta(days=1)))


def of_another_account(file: Path) -> None:
    write_plan(file, replace(load_plan(file), account_id=PARTNER))


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-40])


def gone(file: Path) -> None:
    file.unlink()


def a_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def untouched(file: Path) -> None:
    """The plan is as it was made."""


def beside_an_exception(file: Path) -> None:
    """The settings have come to accept something that the plan takes away."""
    file.with_name("amiguard.yaml").write_text(
        f"version: 1\ntrust:\n  accounts: ['{FRIEND}', '{PARTNER}']\n"
        f"exceptions:\n  - {{images: {{ids: [{image_id(2)}]}}, grantees: [everyone], reason: shop, owner: me}}\n"
    )


@pytest.mark.parametrize(
    ("harm", "trust", "complaint"),
    [
        (edited, TRUST, r"amiguard-plan\.json: the plan was edited after it was made\n"),
        (expired, TRUST, r"amiguard-plan\.json is refused: the plan has expired at \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\n"),
        (
            of_another_account,
            TRUST,
            rf"amiguard-plan\.json is refused: the plan was made from account {PARTNER}, .* are of {OWNER}\n",
        ),
        (
            untouched,
            (*TRUST, "--trust", STRANGER),
            r"amiguard-plan\.json is refused: the plan was made by another trust policy than .*\n",
        ),
        (
            beside_an_exception,
            (),
            r"amiguard-plan\.json is refused: the plan was made by another trust policy than.*\n",
        ),
        (cut, TRUST, r"amiguard-plan\.json is not a plan: .*\n"),
        (gone, TRUST, r"amiguard-plan\.json cannot be read: No such file or directory\n"),
        (a_folder, TRUST, r"amiguard-plan\.json cannot be read: Is a directory\n"),
    ],
)
def test_a_plan_that_does_not_hold_is_refused_and_nothing_is_done(
    run_amiguard: RunAmiguard,
    plan: Path,
    tmp_path: Path,
    harm: Callable[[Path], None],
    trust: tuple[str, ...],
    complaint: str,
) -> None:
    harm(plan)
    with FakeEc2(estate()) as fake:
        run = apply(run_amiguard, fake, "--yes", "--force", trust=trust)
        assert set(fake.stats.calls) <= {"GetCallerIdentity"}
    assert (run.code, run.out) == (2, "")
    assert re.fullmatch(rf"amiguard: error: {complaint}  hint: .+\n", run.err), run.err
    assert not (tmp_path / ".local").exists()


def test_what_changed_since_the_plan_is_left_alone_and_the_rest_is_done(run_amiguard: RunAmiguard, plan: Path) -> None:
    with FakeEc2(estate()) as fake:
        fake.set_grants(OWNER, US, image_id(1), *map(grant, (*sorted(BEFORE[1]), PARTNER)))
        fake.drop_image(OWNER, US, image_id(2))
        fake.change_image(OWNER, US, image_id(3), tags=((HOLD_TAG, "until May"),))
        run = apply(run_amiguard, fake, "--yes")
        state = state_of(fake)
    assert run.code == 4
    assert state == {**{n: AFTER[n] for n in AFTER if n != 2}, 1: BEFORE[1] | {PARTNER}, 3: BEFORE[3]}
    assert (
        run.out
        == f"""\
Not done (3)

111122223333  us-east-1
  drifted  ami-00000000000000001  - everyone, 999988887777  web-1
      its launch permission has changed: grants that appeared: {PARTNER}
  drifted  ami-00000000000000002  - everyone  web-2
      the image no longer exists
  held     ami-00000000000000003  - everyone  web-3
      it has the tag amiguard:hold

Done (2)

111122223333  eu-central-1
  applied  ami-00000000000000006  - o-foreign1234, ou-ab12-foreign1  data-6

111122223333  us-east-1
  applied  ami-00000000000000004  - 999988887777  =cmd|'/C calc'!A0\\n::error::pwned\\n\\x9b31mred \\u202egpj.ima

Result
2 applied, 2 drifted, 1 held.
"""
    )


def test_stop_on_error_begins_nothing_more(run_amiguard: RunAmiguard, made_of_many: Path, tmp_path: Path) -> None:
    shutil.copy(made_of_many, tmp_path / PLAN)
    denied = Fault(AwsError("UnauthorizedOperation", status=403), action="ModifyImageAttribute")
    with FakeEc2(many(MANY), faults=[denied]) as fake:
        run = apply(run_amiguard, fake, "--yes", "--stop-on-error")
        called = fake.stats.calls["ModifyImageAttribute"]
    assert run.code == 4
    assert 1 <= called < MANY
    assert counts(run) == f"{called} failed, {MANY - called} not tried."
    assert "the run was stopped before its turn: another change failed" in run.out
    with FakeEc2(many(MANY), faults=[replace(denied, times=3)]) as fake:
        run = apply(run_amiguard, fake, "--yes")
    assert (run.code, counts(run)) == (4, f"{MANY - 3} applied, 3 failed.")


def test_a_journal_of_ones_own_is_kept_apart_and_nothing_else_is_written_to(
    run_amiguard: RunAmiguard, plan: Path, tmp_path: Path
) -> None:
    foreign = tmp_path / "notes.txt"
    foreign.write_bytes(b"what I must not forget")
    with FakeEc2(estate()) as fake:
        refused = apply(run_amiguard, fake, "--yes", "--journal", str(foreign))
        assert (refused.code, refused.out) == (2, "")
        assert refused.err.startswith(f"amiguard: error: {foreign} is not a journal of amiguard\n")
        assert foreign.read_bytes() == b"what I must not forget"
        same = apply(run_amiguard, fake, "--yes", "--journal", f"../{tmp_path.name}/{PLAN}")
        assert (same.code, same.out) == (2, "")
        assert "--journal is the file that is read" in same.err
        assert changing_calls(fake) == 0
        assert state_of(fake) == BEFORE
        run = apply(run_amiguard, fake, "--yes", "--journal", "my journal")
        assert (run.code, run.out) == (0, APPLIED)
        assert run.err.endswith("to undo it: amiguard rollback 'my journal'\n")
    assert (tmp_path / "my journal").stat().st_mode & 0o777 == 0o600
    assert journals(tmp_path) == []


def test_one_apply_at_a_time_and_none_without_a_state_folder(
    run_amiguard: RunAmiguard, plan: Path, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    with FakeEc2(estate()) as fake:
        environment = fake.environment(OWNER) | {"XDG_STATE_HOME": str(state)}
        arguments = ("apply", PLAN, "--yes", *TRUST)
        with remediation_lock(state_folder(environment)):
            refused = run_amiguard(*arguments, env=environment)
        assert (refused.code, refused.out) == (2, "")
        assert re.fullmatch(
            rf"amiguard: error: another apply or rollback of yours is under way: process {os.getpid()}, since .*\n"
            r"  hint: wait until it has ended\n",
            refused.err,
        )
        file = tmp_path / "file"
        file.touch()
        refused = run_amiguard(*arguments, env=environment | {"XDG_STATE_HOME": str(file)})
        assert (refused.code, refused.out) == (2, "")
        assert refused.err.startswith(f"amiguard: error: the folder {file}/amiguard cannot be made: ")
        assert changing_calls(fake) == 0
        assert state_of(fake) == BEFORE


MEMBERS = ("333333333333", "666666666666")
ROLES = {"AmiguardAudit": FakeRole(), "AmiguardChange": FakeRole(external_id="7f3c9a")}


def three_accounts() -> Estate:
    accounts = (OWNER, *MEMBERS)
    return Estate(
        {
            account_id: FakeAccount(
                {US: FakeRegion(by_id(image(number, {FRIEND, PARTNER, STRANGER}))), EU: FakeRegion()}, ROLES
            )
            for number, account_id in enumerate(accounts, start=1)
        }
    )


def settings_of_three(remediation: str) -> str:
    listed = "".join(f"    - {{id: '{one}', role_arn: 'arn:aws:iam::{one}:role/AmiguardAudit'}}\n" for one in MEMBERS)
    return (
        f"version: 1\ntrust:\n  accounts: ['{FRIEND}', '{PARTNER}']\n"
        f"targets:\n  accounts:\n    - '{OWNER}'\n{listed}{remediation}"
    )


def test_other_accounts_are_changed_by_a_role_of_its_own(run_amiguard: RunAmiguard, tmp_path: Path) -> None:
    settings = tmp_path / "amiguard.yaml"
    settings.write_text(settings_of_three("remediation: {role_name: AmiguardChange, external_id: 7f3c9a}\n"))

    def roles(fake: FakeEc2) -> set[tuple[str, str | None]]:
        calls = [call.parameters for call in fake.stats.recent if call.action == "AssumeRole"]
        return {(one["RoleArn"], one.get("ExternalId")) for one in calls}

    with FakeEc2(three_accounts()) as fake:
        planned = run_amiguard("plan", env=fake.environment(OWNER))
        assert (planned.code, planned.out.count("account 999988887777: not in the trust policy")) == (0, 3)
        assert roles(fake) == {(f"arn:aws:iam::{one}:role/AmiguardAudit", None) for one in MEMBERS}
        fake.reset()

        # Where the role cannot be assumed, that account's change fails, and no other role is tried in its place.
        wrong = apply(run_amiguard, fake, "--yes", "--role-name", "AmiguardNone", "--external-id", "x1", trust=())
        assert (wrong.code, counts(wrong)) == (4, "1 applied, 2 failed.")
        assert roles(fake) == {(f"arn:aws:iam::{one}:role/AmiguardNone", "x1") for one in MEMBERS}
        assert wrong.out.count("role/AmiguardNone") == len(MEMBERS)
        fake.reset()

        run = apply(run_amiguard, fake, "--yes", trust=())
        assert (run.code, counts(run)) == (0, "2 applied, 1 already done.")
        assert roles(fake) == {(f"arn:aws:iam::{one}:role/AmiguardChange", "7f3c9a") for one in MEMBERS}
        for number, account_id in enumerate((OWNER, *MEMBERS), start=1):
            assert grantees(fake.image(account_id, US, image_id(number))) == {FRIEND, PARTNER}
            assert fake.stats.by_target[account_id, US, "ModifyImageAttribute"] == (account_id != OWNER)
        fake.reset()

        # The journal knows the roles: it is undone without the settings.
        settings.unlink()
        (journal,) = journals(tmp_path)
        undone = run_amiguard("rollback", "--yes", str(journal), env=fake.environment(OWNER))
        assert (undone.code, counts(undone)) == (0, "3 undone.")
        assert roles(fake) == {(f"arn:aws:iam::{one}:role/AmiguardChange", "7f3c9a") for one in MEMBERS}
        for number, account_id in enumerate((OWNER, *MEMBERS), start=1):
            assert grantees(fake.image(account_id, US, image_id(number))) == {FRIEND, PARTNER, STRANGER}
