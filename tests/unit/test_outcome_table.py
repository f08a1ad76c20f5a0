"""What became of changes, as a table: whole outputs, orders, words, hostile names."""

import io
import random
import re
from dataclasses import replace

import pytest

from amiguard.core.block_public_access import BlockPublicAccess
from amiguard.core.edit import BlockPublicAccessEdit, CreateVolumePermissionEdit, LaunchPermissionEdit, in_order
from amiguard.core.grantee import Account, Everyone, Grantee, Unrecognized
from amiguard.core.remediation import (
    DONE,
    ChangeOutcome,
    ChangeState,
    ChangeStatus,
    JournaledChange,
    StateOf,
)
from amiguard.core.result import Target
from amiguard.report.edit_words import edit_in_sum, grantees_in_sum, images_in_sum
from amiguard.report.outcome_table import render_outcomes, render_states
from tests.unit.report_samples import (
    CROWD,
    FOREIGN_ORGANIZATION,
    FRANKFURT,
    HOSTILE,
    IRELAND,
    PARTNER,
    STAGING,
    STRANGER,
    UNIT,
    VIRGINIA,
)

ANSI = re.compile(r"\x1b\[[0-9;]*m")


def edit(
    target: Target, number: int, before: list[Grantee], after: list[Grantee], name: str = "golden"
) -> LaunchPermissionEdit:
    return LaunchPermissionEdit(target, f"ami-{number:017x}", name, in_order(before), in_order(after))


SWITCH = BlockPublicAccessEdit(FRANKFURT, BlockPublicAccess.UNBLOCKED, BlockPublicAccess.BLOCK_NEW_SHARING)
OUTCOMES = [
    ChangeOutcome(edit(IRELAND, 1, [STRANGER], []), ChangeStatus.APPLIED),
    ChangeOutcome(SWITCH, ChangeStatus.APPLIED),
    ChangeOutcome(
        edit(FRANKFURT, 5, [Everyone(), STRANGER, PARTNER], [STAGING], HOSTILE),
        ChangeStatus.FAILED,
        "not permitted: ec2:DescribeImages\x1b[2J",
        "allow ec2:ModifyImageAttribute",
    ),
    ChangeOutcome(edit(FRANKFURT, 3, [STRANGER], []), ChangeStatus.ALREADY_DONE),
    ChangeOutcome(edit(FRANKFURT, 4, [STRANGER], []), ChangeStatus.DRIFTED, "account 1 was added"),
    ChangeOutcome(edit(VIRGINIA, 4, [FOREIGN_ORGANIZATION, UNIT], []), ChangeStatus.NOT_TRIED),
    ChangeOutcome(edit(FRANKFURT, 1, [], [STAGING, UNIT], ""), ChangeStatus.APPLIED),
]

TABLE = r"""Not done (3)

111122223333  eu-central-1
  drifted    ami-00000000000000004  - 999988887777  golden
      account 1 was added
  failed     ami-00000000000000005  - everyone, 777788889999, 999988887777; + 222233334444  [red]...
      not permitted: ec2:DescribeImages\x1b[2J (allow ec2:ModifyImageAttribute)

111122223333  us-east-1
  not tried  ami-00000000000000004  - o-foreign1234, ou-root-bbbbbbbb  golden

Done (4)

111122223333  eu-central-1
  applied       ami-00000000000000001  + ou-root-bbbbbbbb, 222233334444  (no name)
  already done  ami-00000000000000003  - 999988887777  golden
  applied       image block public access  unblocked -> block-new-sharing

444455556666  eu-west-1
  applied       ami-00000000000000001  - 999988887777  golden

Result
3 applied, 1 already done, 1 drifted, 1 failed, 1 not tried.
"""


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("COLUMNS", "FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)


def table(outcomes: list[ChangeOutcome], *, dry_run: bool = False, undoing: bool = False) -> str:
    stream = io.StringIO()
    render_outcomes(iter(outcomes), stream, dry_run=dry_run, undoing=undoing)
    return stream.getvalue()


def states(found: list[StateOf]) -> str:
    stream = io.StringIO()
    render_states(iter(found), stream)
    return stream.getvalue()


def test_the_whole_table_in_whatever_order_outcomes_come() -> None:
    for seed in range(5):
        assert table(random.Random(seed).sample(OUTCOMES, len(OUTCOMES))) == TABLE


def snapshot_edit(number: int, images: int, before: list[Grantee]) -> CreateVolumePermissionEdit:
    image_ids = tuple(f"ami-{one:017x}" for one in range(images))
    return CreateVolumePermissionEdit(FRANKFURT, f"snap-{number:017x}", image_ids, in_order(before), ())


SNAPSHOTS = """Not done (1)

111122223333  eu-central-1
  held  snap-00000000000000002  - 999988887777  under ami-00000000000000000, ami-00000000000000001
      its image ami-00000000000000001: it has the tag amiguard:hold

Done (3)

111122223333  eu-central-1
  applied  ami-00000000000000009  - 999988887777  golden
  applied  snap-00000000000000001  - everyone  under ami-00000000000000000
  applied  image block public access  unblocked -> block-new-sharing

Result
3 applied, 1 held.
"""


def test_snapshots_stand_below_the_images_with_those_that_they_are_under() -> None:
    reason = "its image ami-00000000000000001: it has the tag amiguard:hold"
    outcomes = [
        ChangeOutcome(SWITCH, ChangeStatus.APPLIED),
        ChangeOutcome(snapshot_edit(2, 2, [STRANGER]), ChangeStatus.HELD, reason),
        ChangeOutcome(snapshot_edit(1, 1, [Everyone()]), ChangeStatus.APPLIED),
        ChangeOutcome(edit(FRANKFURT, 9, [STRANGER], []), ChangeStatus.APPLIED),
    ]
    assert table(outcomes) == SNAPSHOTS
    found = states(
        [StateOf(JournaledChange(snapshot_edit(1, 1, [Everyone()]), ChangeStatus.APPLIED), ChangeState.APPLIED)]
    )
    assert "  applied  snap-00000000000000001  - everyone  under ami-00000000000000000\n" in found


def test_the_images_of_a_snapshot_are_named_up_to_three_and_never_as_they_are() -> None:
    assert images_in_sum(("ami-1", "ami-2", "ami-3")) == "under ami-1, ami-2, ami-3"
    assert images_in_sum(tuple(f"ami-{one}" for one in range(1203))) == "under ami-0, ami-1, ami-2 and 1,200 more"
    assert images_in_sum(("ami-\x1b[2J\u202e",)) == r"under ami-\x1b[2J\u202e"


def test_colour_changes_nothing_but_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("FORCE_COLOR", "1")
    coloured = table(OUTCOMES)
    assert "\x1b[31mfailed" in coloured
    assert ANSI.sub("", coloured) == TABLE
    monkeypatch.setenv("NO_COLOR", "1")
    assert table(OUTCOMES) == TABLE


def test_no_text_of_others_reaches_the_terminal_as_it_is() -> None:
    assert table(OUTCOMES).replace("\n", "").isprintable()


@pytest.mark.parametrize(
    ("undoing", "words"),
    [(False, {"applied", "would be applied", "already done"}), (True, {"undone", "would be undone", "already undone"})],
    ids=["apply", "rollback"],
)
def test_every_status_has_a_word_and_done_ones_say_what_was_done(*, undoing: bool, words: set[str]) -> None:
    one = edit(FRANKFURT, 1, [STRANGER], [])
    text = table([ChangeOutcome(one, status) for status in ChangeStatus], undoing=undoing)
    *_, counts = text.splitlines()
    found = counts.removesuffix(".").split(", ")
    assert len(found) == len(ChangeStatus)
    assert {word.removeprefix("1 ") for word in found[: len(DONE)]} == words


@pytest.mark.parametrize(
    ("count", "undoing", "dry_run", "said"),
    [
        (40, False, False, "Nothing was changed: all 40 changes had been made already."),
        (40, False, True, "Nothing was changed: all 40 changes had been made already."),
        (1, False, False, "Nothing was changed: the change had been made already."),
        (2, True, False, "Nothing was changed: all 2 changes had been undone already."),
        (0, False, False, "There was nothing to change."),
        (0, True, False, "There was nothing to undo."),
    ],
)
def test_when_nothing_had_to_be_done(*, count: int, undoing: bool, dry_run: bool, said: str) -> None:
    outcomes = [ChangeOutcome(edit(FRANKFURT, one, [STRANGER], []), ChangeStatus.ALREADY_DONE) for one in range(count)]
    assert table(outcomes, undoing=undoing, dry_run=dry_run).endswith(f"Result\n{said}\n")


def test_a_dry_run_says_that_nothing_was_changed() -> None:
    outcomes = [
        ChangeOutcome(edit(FRANKFURT, 1, [STRANGER], []), ChangeStatus.WOULD_APPLY),
        ChangeOutcome(edit(FRANKFURT, 2, [STRANGER], []), ChangeStatus.FAILED, "denied"),
    ]
    text = table(outcomes, dry_run=True)
    assert "Permitted, not done (1)\n" in text
    assert "\nDone" not in text
    assert text.endswith("\nNothing was changed, this was a dry run: 1 would be applied, 1 failed.\n")


def test_many_changes_are_all_there() -> None:
    text = table([ChangeOutcome(edit(FRANKFURT, one, list(CROWD), []), ChangeStatus.FAILED) for one in range(300)])
    assert text.count("  failed  ami-") == 300
    assert text.count("- 500000000000, 500000000001, 500000000002 and 997 more accounts  golden") == 300
    assert "Not done (300)" in text


STATES = r"""Neither as before nor as the change left it (3)

111122223333  eu-central-1
  in progress  ami-00000000000000002  - 999988887777  golden
      the journal has no outcome of it: its run was cut
  drifted      ami-00000000000000003  - 999988887777  [red]x[/red]\x1b]0;owned\x07\u202egnp.\x9b3...
      account 5\n6 was added
  not read     ami-00000000000000004  - 999988887777  golden
      denied; the journal has no outcome of it: its run was cut

Settled (2)

111122223333  eu-central-1
  applied    ami-00000000000000001  - 999988887777  golden
  as before  image block public access  unblocked -> block-new-sharing

Result
1 applied, 1 as before, 1 in progress, 1 drifted, 1 not read.
"""


def test_the_states_of_a_journal() -> None:
    def state(one: LaunchPermissionEdit, found: ChangeState, status: ChangeStatus | None, reason: str = "") -> StateOf:
        return StateOf(JournaledChange(one, status), found, reason)

    found = [
        state(edit(FRANKFURT, 4, [STRANGER], []), ChangeState.UNREADABLE, None, "denied"),
        StateOf(JournaledChange(SWITCH, ChangeStatus.FAILED), ChangeState.AS_BEFORE),
        state(edit(FRANKFURT, 1, [STRANGER], []), ChangeState.APPLIED, ChangeStatus.APPLIED),
        state(
            replace(edit(FRANKFURT, 3, [STRANGER], []), image_name=HOSTILE),
            ChangeState.DRIFTED,
            ChangeStatus.APPLIED,
            "account 5\n6 was added",
        ),
        state(edit(FRANKFURT, 2, [STRANGER], []), ChangeState.IN_PROGRESS, None),
    ]
    assert states(found) == STATES
    assert states([]) == "Result\nThe journal holds no change.\n"


def test_an_edit_in_sum() -> None:
    assert edit_in_sum(edit(FRANKFURT, 1, [STRANGER], [STRANGER])) == "no change"
    assert edit_in_sum(edit(FRANKFURT, 1, [STRANGER], [Everyone()])) == "- 999988887777; + everyone"
    assert edit_in_sum(SWITCH.inverse) == "block-new-sharing -> unblocked"


def test_up_to_three_grantees_are_named_and_the_others_counted_by_kind() -> None:
    crowd = list(CROWD)
    assert grantees_in_sum(crowd[:3]) == "500000000000, 500000000001, 500000000002"
    assert grantees_in_sum(crowd[:4]) == "500000000000, 500000000001, 500000000002 and 1 more account"
    kinds = in_order([*CROWD, Everyone(), UNIT, FOREIGN_ORGANIZATION])
    assert grantees_in_sum(kinds) == "everyone, o-foreign1234, ou-root-bbbbbbbb and 1,000 more accounts"
    mixed: list[Grantee] = [*crowd[:3], UNIT, STRANGER, PARTNER]
    assert grantees_in_sum(mixed).endswith(" and 1 more organizational unit, 2 more accounts")
    hostile = (Unrecognized("Group=\x1b[2J"), Account("\u202e1"))
    assert grantees_in_sum(hostile) == r"Group=\x1b[2J, \u202e1"
