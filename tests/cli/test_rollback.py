"""`amiguard rollback` as installed: what an apply did is undone, from its journal alone."""

import json
import re
import shutil
import signal
import subprocess
import threading
from pathlib import Path

import pytest

from benchmarks.fake_ec2 import AwsError, FakeEc2, Fault, Rewrite
from tests.cli.remediation_estate import (
    AFTER,
    BEFORE,
    FRIEND,
    OWNER,
    PARTNER,
    PLAN,
    STRANGER,
    TRUST,
    US,
    amiguard,
    changing_calls,
    estate,
    grant,
    grantees,
    image_id,
    journals,
    made_plan,
    many,
    state_of,
)
from tests.conftest import PROGRAM, Run, RunAmiguard, scrubbed_environment

DONE = """\
{title} (5)

111122223333  eu-central-1
  {word}  ami-00000000000000006  {sign} o-foreign1234, ou-ab12-foreign1  data-6

111122223333  us-east-1
  {word}  ami-00000000000000001  {sign} everyone, 999988887777  web-1
  {word}  ami-00000000000000002  {sign} everyone  web-2
  {word}  ami-00000000000000003  {sign} everyone  web-3
  {word}  ami-00000000000000004  {sign} 999988887777  =cmd|'/C calc'!A0\\n::error::pwned\\n\\x9b31mred \\u202egpj.ima

Result
{result}
"""
JOURNAL = "apply.jsonl"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The journal of an apply; journals name no endpoint, so that one does for all servers."""
    home = tmp_path_factory.mktemp("apply")
    made_plan(home, estate())
    with FakeEc2(estate()) as fake:
        run = amiguard(home, "apply", PLAN, "--yes", "--journal", JOURNAL, *TRUST, env=fake.environment(OWNER))
        assert (run.code, state_of(fake)) == (0, AFTER)
    return home / JOURNAL


@pytest.fixture
def journal(made: Path, tmp_path: Path) -> Path:
    """A copy of the journal, where the program runs."""
    return Path(shutil.copy(made, tmp_path / JOURNAL))


def rollback(run_amiguard: RunAmiguard, fake: FakeEc2, *arguments: str, cwd: Path | None = None) -> Run:
    return run_amiguard("rollback", *arguments, env=fake.environment(OWNER), cwd=cwd)


def last(run: Run) -> str:
    return run.out.splitlines()[-1]


def test_an_apply_is_undone_from_its_journal_alone_and_done_again_from_that_of_its_undoing(
    run_amiguard: RunAmiguard, journal: Path, tmp_path: Path
) -> None:
    """No settings, no policy, another folder; every kind of grant comes back."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    with FakeEc2(estate(AFTER)) as fake:
        checked = rollback(run_amiguard, fake, "--check", str(journal), cwd=elsewhere)
        assert (checked.code, checked.err) == (0, "")
        assert checked.out == DONE.format(title="Settled", word="applied", sign="-", result="5 applied.")
        dry = rollback(run_amiguard, fake, "--dry-run", str(journal), cwd=elsewhere)
        nothing = "Nothing was changed, this was a dry run: 5 would be undone."
        assert (dry.code, dry.err) == (0, "")
        assert dry.out == DONE.format(title="Permitted, not done", word="would be undone", sign="+", result=nothing)
        unasked = rollback(run_amiguard, fake, str(journal), cwd=elsewhere)
        assert (unasked.code, unasked.out) == (2, "")
        assert "there is no terminal to ask on: nothing was done" in unasked.err
        assert state_of(fake) == AFTER
        assert not (tmp_path / ".local").exists()

        run = rollback(run_amiguard, fake, "--yes", str(journal), cwd=elsewhere)
        assert run.code == 0
        assert run.out == DONE.format(title="Done", word="undone", sign="+", result="5 undone.")
        assert state_of(fake) == BEFORE
        (own,) = journals(tmp_path)
        assert own.name.startswith("rollback-")
        assert own.stat().st_mode & 0o777 == 0o600

        fake.reset()
        again = rollback(run_amiguard, fake, "--yes", str(journal), cwd=elsewhere)
        assert again.code == 0
        assert re.fullmatch("journal: .+\n", again.err)
        assert last(again) == "Nothing was changed: all 5 changes had been undone already."
        assert changing_calls(fake) == 0
        checked = rollback(run_amiguard, fake, "--check", str(journal), cwd=elsewhere)
        assert (checked.code, last(checked)) == (0, "5 as before.")

        redone = rollback(run_amiguard, fake, "--yes", str(own), cwd=elsewhere)
        assert (redone.code, last(redone)) == (0, "5 undone.")
        assert state_of(fake) == AFTER
        assert list(elsewhere.iterdir()) == []


def test_what_has_drifted_is_left_alone(run_amiguard: RunAmiguard, journal: Path) -> None:
    with FakeEc2(estate(AFTER)) as fake:
        fake.set_grants(OWNER, US, image_id(1), grant(FRIEND), grant(PARTNER))
        fake.drop_image(OWNER, US, image_id(2))
        checked = rollback(run_amiguard, fake, "--check", JOURNAL)
        assert (checked.code, last(checked)) == (4, "3 applied, 2 drifted.")
        dry = rollback(run_amiguard, fake, "--dry-run", JOURNAL)
        assert (dry.code, last(dry)) == (4, "Nothing was changed, this was a dry run: 3 would be undone, 2 drifted.")
        run = rollback(run_amiguard, fake, "--yes", JOURNAL)
        assert (run.code, last(run)) == (4, "3 undone, 2 drifted.")
        state = state_of(fake)
    assert state == {**{n: BEFORE[n] for n in BEFORE if n != 2}, 1: frozenset({FRIEND, PARTNER})}
    assert run.out.startswith(f"""\
Not done (2)

{OWNER}  us-east-1
  drifted  {image_id(1)}  + everyone, 999988887777  web-1
      its launch permission has changed: grants that appeared: {PARTNER}
  drifted  {image_id(2)}  + everyone  web-2
      the image no longer exists
""")


def test_what_cannot_be_read_is_told_by_check(run_amiguard: RunAmiguard, journal: Path) -> None:
    denied = AwsError("UnauthorizedOperation", status=403)
    fault = Fault(denied, action="DescribeImageAttribute", image_id=image_id(6))
    with FakeEc2(estate(AFTER), faults=[fault]) as fake:
        checked = rollback(run_amiguard, fake, "--check", JOURNAL)
        assert (checked.code, last(checked)) == (3, "4 applied, 1 not read.")
        fake.set_grants(OWNER, US, image_id(1), grant(PARTNER))
        both = rollback(run_amiguard, fake, "--check", JOURNAL)
        assert (both.code, last(both)) == (4, "3 applied, 1 drifted, 1 not read.")


def test_a_journal_that_was_cut_in_a_line_is_made_good_by_reading_the_images(
    run_amiguard: RunAmiguard, journal: Path
) -> None:
    """Its last outcome is torn: whether the last call was made is not written down."""
    journal.write_bytes(journal.read_bytes()[:-30])
    with FakeEc2(estate(AFTER)) as fake:
        checked = rollback(run_amiguard, fake, "--check", JOURNAL)
        assert (checked.code, last(checked)) == (0, "5 applied.")
        assert checked.out.count("the journal has no outcome of it: its run was cut") == 1
        run = rollback(run_amiguard, fake, "--yes", JOURNAL)
        assert (run.code, last(run)) == (0, "5 undone.")
        assert state_of(fake) == BEFORE


def test_a_journal_that_does_not_hold_is_refused(run_amiguard: RunAmiguard, journal: Path, tmp_path: Path) -> None:
    lines = journal.read_bytes().splitlines(keepends=True)
    (tmp_path / "damaged").write_bytes(b"".join((*lines[:2], b"}{\n", *lines[2:])))
    (tmp_path / "edited").write_bytes(b"".join(lines).replace(STRANGER.encode(), b"123412341234"))
    (tmp_path / "other").write_bytes(b'{"type":"amiguard-plan"}\n')
    with FakeEc2(estate(AFTER)) as fake:
        for how, name, complaint in (
            ("--yes", "damaged", "the journal damaged is damaged: line 3 is not JSON"),
            ("--yes", "edited", "the journal edited was changed after it was written: line 2"),
            ("--yes", "other", "other is not a journal of amiguard"),
            ("--yes", "nowhere", "the journal nowhere cannot be read: No such file or directory"),
        ):
            run = rollback(run_amiguard, fake, how, name)
            assert (run.code, run.out) == (2, ""), name
            assert run.err.startswith(f"amiguard: error: {complaint}\n"), run.err
        assert not fake.stats.calls
        foreign = run_amiguard("rollback", "--yes", JOURNAL, env=fake.environment(STRANGER))
        assert (foreign.code, foreign.out) == (2, "")
        assert foreign.err.startswith(
            f"amiguard: error: {JOURNAL} is refused: it was written from account {OWNER}, and your credentials are of "
            f"{STRANGER}\n"
        )
        same = rollback(run_amiguard, fake, "--yes", JOURNAL, "--journal", JOURNAL)
        assert (same.code, same.out) == (2, "")
        assert "--journal is the file that is read" in same.err
        assert set(fake.stats.calls) == {"GetCallerIdentity"}
    assert journal.read_bytes() == b"".join(lines)


def test_what_someone_shares_after_a_second_rollback_stays_shared(run_amiguard: RunAmiguard, tmp_path: Path) -> None:
    made_plan(tmp_path, estate())
    apply = ("apply", PLAN, "--yes", "--journal", JOURNAL, *TRUST)
    with FakeEc2(estate()) as fake:
        for _ in range(2):
            assert run_amiguard(*apply, env=fake.environment(OWNER)).code == 0
            assert rollback(run_amiguard, fake, "--yes", JOURNAL).code == 0
        assert state_of(fake) == BEFORE
        # By hand, what the plan had done: the journal's undoing is over.
        fake.set_grants(OWNER, US, image_id(2), grant(FRIEND))
        run = rollback(run_amiguard, fake, "--yes", JOURNAL)
        assert (run.code, last(run)) == (4, "4 already undone, 1 drifted.")
        assert state_of(fake) == {**BEFORE, 2: frozenset({FRIEND})}


def test_a_plan_is_applied_again_after_it_was_undone(run_amiguard: RunAmiguard, made: Path, tmp_path: Path) -> None:
    """The journal of the first apply goes on; its last outcome says what is no longer so."""
    shutil.copy(made.with_name(PLAN), tmp_path / PLAN)
    shutil.copy(made, tmp_path / JOURNAL)
    with FakeEc2(estate()) as fake:
        run = run_amiguard("apply", PLAN, "--yes", "--journal", JOURNAL, *TRUST, env=fake.environment(OWNER))
        assert (run.code, last(run), state_of(fake)) == (0, "5 applied.", AFTER)
        run = rollback(run_amiguard, fake, "--yes", JOURNAL)
        assert (run.code, last(run), state_of(fake)) == (0, "5 undone.", BEFORE)


MANY = 40
INTERRUPTED_AT = 6


class Interrupter:
    """Sends the program SIGINT in the middle of a call."""

    def __init__(self) -> None:
        self._started = threading.Event()
        self._program: subprocess.Popen[str]

    def watch(self, program: "subprocess.Popen[str]") -> None:
        self._program = program
        self._started.set()

    def __call__(self, body: bytes) -> bytes:
        self._started.wait(60)
        self._program.send_signal(signal.SIGINT)
        return body


def test_ctrl_c_ends_what_is_under_way_and_a_second_apply_does_the_rest(
    run_amiguard: RunAmiguard, tmp_path: Path
) -> None:
    made_plan(tmp_path, many(MANY))
    interrupter = Interrupter()
    at_call = Fault(Rewrite(interrupter), action="ModifyImageAttribute", skip=INTERRUPTED_AT - 1, times=1)
    with FakeEc2(many(MANY), faults=[at_call]) as fake:

        def done() -> set[int]:
            shared = {n: grantees(fake.image(OWNER, US, image_id(n))) for n in range(1, MANY + 1)}
            assert set(shared.values()) <= {frozenset({FRIEND, PARTNER}), frozenset({FRIEND, PARTNER, STRANGER})}
            return {number for number, found in shared.items() if STRANGER not in found}

        with subprocess.Popen(
            [PROGRAM, "apply", PLAN, "--yes", *TRUST],
            env=scrubbed_environment(tmp_path, fake.environment(OWNER)),
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as program:
            interrupter.watch(program)
            out, err = program.communicate(timeout=60)
        assert program.returncode == 130
        applied = done()
        assert INTERRUPTED_AT <= len(applied) < MANY
        assert out.splitlines()[-1] == f"{len(applied)} applied, {MANY - len(applied)} not tried."
        assert out.count("the run was stopped before its turn") == MANY - len(applied)
        assert set(map(int, re.findall(r"^  applied  ami-0*([0-9a-f]+)", out, re.MULTILINE), [16] * MANY)) == applied
        assert "\ninterrupted: what is under way is brought to its end" in err
        (journal,) = journals(tmp_path)
        assert f"amiguard rollback {journal}" in err
        outcomes = [one for line in journal.read_text().splitlines() if (one := json.loads(line))["type"] == "outcome"]
        assert len(outcomes) == len(applied)

        fake.reset()
        rest = run_amiguard("apply", PLAN, "--yes", *TRUST, env=fake.environment(OWNER))
        assert (rest.code, last(rest)) == (0, f"{MANY - len(applied)} applied, {len(applied)} already done.")
        assert fake.stats.calls["ModifyImageAttribute"] == MANY - len(applied)
        assert len(done()) == MANY
        undone = rollback(run_amiguard, fake, "--yes", "--quiet", str(journal))
        assert (undone.code, last(undone), done()) == (0, f"{MANY} undone.", set())
