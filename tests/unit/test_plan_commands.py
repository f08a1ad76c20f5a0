"""The plan as a script: whole outputs, what a shell makes of it, and names that would like to be commands."""
# ruff: noqa: E501 - a command is a line

import io
import json
import os
import shlex
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amiguard.core.grantee import Account, Everyone, Unrecognized
from amiguard.core.plan import Addition, Plan, Removal
from amiguard.core.result import Target
from amiguard.report.plan_commands import render_commands
from tests.unit.plan_samples import NOT_TRUSTED, SAMPLE, change, plan_of, snapshot, switch
from tests.unit.report_samples import FRANKFURT, IRELAND, STAGING, STRANGER, UNIT

SCRIPT = """# amiguard plan of 2026-06-15T08:30:00Z: 4 changes
# left out on purpose: 2
# not planned, as it was not read or not decided: 2
# One change a line. One that fails does not stop the others: it is counted, and the script ends with 1.
# Nothing is checked anew: run it soon, or use amiguard apply, which checks each change and can undo it.
export AWS_PAGER=
failed=0

# account 111122223333: run these with its credentials
# ami-00000000000000005 golden-2026.05
aws ec2 modify-image-attribute --region eu-central-1 --image-id ami-00000000000000005 --launch-permission '{"Add":[{"UserId":"222233334444"}]}' && aws ec2 modify-image-attribute --region eu-central-1 --image-id ami-00000000000000005 --launch-permission '{"Remove":[{"Group":"all"},{"UserId":"777788889999"},{"UserId":"999988887777"}]}' || failed=$((failed + 1))
# ami-00000000000000030 ?red?x?/red??x1b?0?owned?x07?u202egnp.?x9b31m?n  pass  ami-00000000000000000
aws ec2 modify-image-attribute --region eu-central-1 --image-id ami-00000000000000030 --launch-permission '{"Remove":[{"OrganizationArn":"arn:aws:organizations::999988887777:organization/o-foreign1234"},{"UserId":"999988887777"}]}' || failed=$((failed + 1))
# image block public access in eu-central-1
aws ec2 enable-image-block-public-access --region eu-central-1 --image-block-public-access-state block-new-sharing || failed=$((failed + 1))

# account 444455556666: run these with its credentials
# ami-00000000000000007
aws ec2 modify-image-attribute --region eu-west-1 --image-id ami-00000000000000007 --launch-permission '{"Add":[{"OrganizationalUnitArn":"arn:aws:organizations::444455556666:ou/o-aaaaaaaaaa/ou-root-bbbbbbbb"}]}' || failed=$((failed + 1))

echo "$failed changes failed" >&2
test "$failed" -eq 0
"""

FAKE_AWS = """#!/bin/sh
for word in "$@"; do printf '%s\\n' "$word" >> "$CALLS"; done
echo end >> "$CALLS"
case "$*" in *"$FAILING"*) exit 254 ;; esac
"""


def script(plan: Plan) -> str:
    stream = io.StringIO()
    render_commands(plan, stream)
    return stream.getvalue()


def run(text: str, folder: Path, failing: str = "nothing fails") -> tuple[int, str, list[list[str]]]:
    """What `sh` makes of a script: its status, its stderr, and the calls of `aws` (which fail if they hold a word)."""
    calls = folder / "calls"
    calls.unlink(missing_ok=True)
    (folder / "aws").write_text(FAKE_AWS)
    (folder / "aws").chmod(0o700)
    environment = {"PATH": f"{folder}:{os.environ['PATH']}", "CALLS": str(calls), "FAILING": failing}
    done = subprocess.run(
        ["sh", "-u"],  # noqa: S607 - whatever sh the machine has
        input=text,
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout == ""
    made = calls.read_text().split("end\n")[:-1] if calls.exists() else []
    return done.returncode, done.stderr, [one.splitlines() for one in made]


def test_the_whole_script() -> None:
    assert script(SAMPLE) == SCRIPT


def test_a_shell_reads_it() -> None:
    subprocess.run(["sh", "-n"], input=SCRIPT, text=True, check=True, timeout=60)  # noqa: S607 - as above


def test_the_shell_makes_the_calls_and_no_others(tmp_path: Path) -> None:
    status, err, calls = run(SCRIPT, tmp_path)
    assert (status, err) == (0, "0 changes failed\n")
    assert [call[1] for call in calls] == [
        *("modify-image-attribute",) * 3,
        "enable-image-block-public-access",
        "modify-image-attribute",
    ]
    assert json.loads(calls[0][-1]) == {"Add": [{"UserId": "222233334444"}]}


def test_a_change_that_fails_stops_no_other_and_is_not_unnoticed(tmp_path: Path) -> None:
    status, err, calls = run(SCRIPT, tmp_path, failing="--image-id ami-00000000000000030")
    assert (status, err) == (1, "1 changes failed\n")
    assert len(calls) == 5


def test_what_could_not_be_added_keeps_the_rest_of_its_change_from_being_removed(tmp_path: Path) -> None:
    status, _, calls = run(SCRIPT, tmp_path, failing='"Add":[{"UserId"')
    assert status == 1
    assert [json.loads(call[-1]) for call in calls if "ami-00000000000000005" in call] == [
        {"Add": [{"UserId": "222233334444"}]}
    ]
    assert len(calls) == 4


def test_an_empty_plan_is_a_comment(tmp_path: Path) -> None:
    text = script(plan_of())
    assert text == "# amiguard plan of 2026-06-15T08:30:00Z: nothing to change\n"
    assert run(text, tmp_path) == (0, "", [])
    text = script(plan_of(left_out=SAMPLE.left_out, unplanned=SAMPLE.unplanned))
    assert all(line.startswith("#") for line in text.splitlines())
    assert "# left out on purpose: 2\n# not planned, as it was not read or not decided: 2\n" in text


@pytest.mark.parametrize(
    "name",
    ["\ntouch owned", "\rtouch owned", "\u2028touch owned", "\x85touch owned", "x\\\ntouch owned", "'\ntouch owned #"],
)
def test_a_name_never_becomes_a_command(tmp_path: Path, name: str) -> None:
    text = script(plan_of(change(FRANKFURT, 1, name, [Removal(STRANGER, "\ntouch owned")], [])))
    assert run(text, tmp_path)[0] == 0
    assert not (tmp_path / "owned").exists()
    assert [line for line in text.splitlines() if "touch" in line and not line.startswith("# ")] == []


def test_a_name_does_nothing_in_a_shell_that_takes_no_comments_from_a_terminal() -> None:
    text = script(plan_of(change(FRANKFURT, 1, "a; touch b `c` $(d) 'e \"f & g | h > i < j ! k # l (m)", [], [ADDED])))
    (line,) = (one for one in text.splitlines() if "touch" in one)
    assert line == "# ami-00000000000000001 a? touch b ?c? ??d? ?e ?f ? g ? h ? i ? j ? k ? l ?m?"


ADDED = Addition(STAGING, "trusted")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1), st.text())
def test_whatever_is_in_ids_and_names_the_shell_gets_it_as_one_word(tmp_path: Path, hostile: str, name: str) -> None:
    target = Target(hostile, hostile, "aws")
    one = change(target, 1, name, [Removal(Account(hostile), NOT_TRUSTED)], [])
    text = script(plan_of(replace(one, edit=replace(one.edit, image_id=hostile))))
    *_, command = (token for token in [shlex.split(text, comments=True)])
    assert command[command.index("--region") + 1] == hostile
    assert command[command.index("--image-id") + 1] == hostile
    assert json.loads(command[command.index("--launch-permission") + 1]) == {"Remove": [{"UserId": hostile}]}
    assert command.count("aws") == 1 + (hostile == "aws") * 2


def test_more_grantees_than_fit_into_one_argument_are_split_additions_first(tmp_path: Path) -> None:
    gone = [Removal(Account(f"{number:012d}"), NOT_TRUSTED) for number in range(1001)]
    text = script(plan_of(change(FRANKFURT, 1, "crowd", gone, [ADDED])))
    (line,) = (one for one in text.splitlines() if one.startswith("aws "))
    assert max(map(len, shlex.split(line))) < 128 * 1024
    status, _, calls = run(text, tmp_path)
    assert status == 0
    adding, *removing = (json.loads(call[-1]) for call in calls)
    assert adding == {"Add": [{"UserId": STAGING.account_id}]}
    assert [len(call["Remove"]) for call in removing] == [500, 500, 1]
    assert [item["UserId"] for call in removing for item in call["Remove"]] == [
        f"{number:012d}" for number in range(1001)
    ]


def test_everyone_is_a_group() -> None:
    text = script(plan_of(change(IRELAND, 1, "public", [Removal(Everyone(), "public")], [], UNIT)))
    assert """--launch-permission '{"Remove":[{"Group":"all"}]}'""" in text


def test_snapshots_are_modified_by_explicit_lists(tmp_path: Path) -> None:
    gone = [Removal(Account(f"{number:012d}"), NOT_TRUSTED) for number in range(500)]
    text = script(plan_of(snapshot(FRANKFURT, 1, 4, [Removal(Everyone(), "public"), *gone], STAGING)))
    assert (
        "# snap-00000000000000001 under ami-00000000000000000? ami-00000000000000001? ami-00000000000000002 and 1 more\n"
    ) in text
    status, err, calls = run(text, tmp_path)
    assert (status, err, len(calls)) == (0, "0 changes failed\n", 2)
    assert calls[0][:-1] == [
        *("ec2", "modify-snapshot-attribute", "--region", "eu-central-1", "--snapshot-id", "snap-00000000000000001"),
        *("--attribute", "createVolumePermission", "--create-volume-permission"),
    ]
    removed = [json.loads(call[-1])["Remove"] for call in calls]
    assert removed[0][0] == {"Group": "all"}
    assert [len(one) for one in removed] == [500, 1]
    hostile = snapshot(FRANKFURT, 1, 1, [Removal(STRANGER, NOT_TRUSTED)])
    hostile = replace(hostile, edit=replace(hostile.edit, snapshot_id="$(touch owned)\ntouch owned"))
    assert run(script(plan_of(hostile)), tmp_path)[0] == 0
    assert not (tmp_path / "owned").exists()


def test_a_grant_that_is_not_understood_is_refused() -> None:
    with pytest.raises(ValueError, match="not understood: 'group=some'"):
        script(plan_of(change(IRELAND, 1, "odd", [Removal(Unrecognized("group=some"), "odd")], [])))


def test_the_switch_alone() -> None:
    assert "# account 111122223333: run these with its credentials\n" in script(plan_of(switch(FRANKFURT)))
