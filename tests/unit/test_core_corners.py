"""Rules of the core that the commands rely on without asking twice."""

from dataclasses import replace

import pytest

from amiguard.core.edit import (
    MOST_GRANTS_A_CALL,
    MOST_SNAPSHOT_GRANTS_A_CALL,
    CreateVolumePermissionEdit,
    LaunchPermissionEdit,
    most_grants_a_call,
)
from amiguard.core.effects import effect_of
from amiguard.core.evidence import EvidenceKind, evidence_kinds
from amiguard.core.exception import ImageSelector
from amiguard.core.grantee import (
    Account,
    Everyone,
    Grantee,
    GranteeKind,
    Unrecognized,
    grantee_of,
    parse_grant,
)
from amiguard.core.notification import NotifyEntry, TopicTarget
from amiguard.core.organization import NoOrganization
from amiguard.core.plan import Effect
from amiguard.core.plan_words import named
from amiguard.core.remediation import HOLD_TAG, why_held
from amiguard.core.result import Target
from amiguard.core.review_entries import written_id
from amiguard.core.trust import TrustEntry, TrustPolicy, parse_trustee
from tests.fakes.images import OWNER, image

FRIEND = Account("111111111111")
HERE = Target(OWNER, "eu-central-1", "aws")
ARN = "arn:aws:organizations::777777777777"


@pytest.mark.parametrize(
    ("trusted", "names", "needs"),
    [
        ([], False, False),
        (["111111111111"], False, False),
        (["own"], True, True),
        (["o-ownownownown"], True, True),
        (["o-foreignforeign"], True, False),
        (["ou-ab12-cdefghij"], True, True),
        (["o-foreignforeign/ou-ab12-cdefghij"], True, False),
        (["111111111111", "o-foreignforeign", "o-ownownownown/ou-ab12-cdefghij"], True, True),
    ],
)
def test_what_a_policy_has_to_know_of_organizations(trusted: list[str], *, names: bool, needs: bool) -> None:
    policy = TrustPolicy(tuple(TrustEntry(parse_trustee(one)) for one in trusted))

    assert policy.names_organizations is names
    assert policy.needs_members_of("o-ownownownown") is needs


def test_a_snapshot_s_edit_is_undone_by_its_opposite() -> None:
    edit = CreateVolumePermissionEdit(HERE, "snap-1", ("ami-1", "ami-2"), (Everyone(), FRIEND), (FRIEND,))

    assert edit.inverse == CreateVolumePermissionEdit(
        HERE, "snap-1", ("ami-1", "ami-2"), (FRIEND,), (Everyone(), FRIEND)
    )
    assert edit.inverse.inverse == edit


def test_the_arn_of_an_image_names_no_account() -> None:
    assert image("ami-1", partition="aws-cn").arn == "arn:aws-cn:ec2:eu-central-1::image/ami-1"


@pytest.mark.parametrize(("name", "label"), [(None, "notify[3]"), ("", ""), ("Ops", "Ops")])
def test_a_channel_is_called_by_its_name_or_its_place(name: str | None, label: str) -> None:
    entry = NotifyEntry(TopicTarget(f"arn:aws:sns:eu-central-1:{OWNER}:t"), 3, "amiguard.yaml:3:1", name=name)

    assert entry.label == label


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (GranteeKind.EVERYONE, "everyone"),
        (GranteeKind.ACCOUNT, ""),
        (GranteeKind.ORGANIZATION, f"{ARN}:ou/o-ownownownown/ou-ab12-cdefghij"),
        (GranteeKind.ORGANIZATIONAL_UNIT, f"{ARN}:organization/o-ownownownown"),
        (GranteeKind.ORGANIZATION, "o-ownownownown"),
    ],
)
def test_a_grantee_is_read_back_only_as_its_kind(kind: GranteeKind, text: str) -> None:
    with pytest.raises(ValueError, match=f"is not how a grantee of the kind {kind.value} is written$"):
        grantee_of(kind, text)


def test_a_grantee_that_is_not_understood_is_read_back_as_it_was() -> None:
    assert grantee_of(GranteeKind.UNRECOGNIZED, "group=some") == Unrecognized("group=some")


@pytest.mark.parametrize(
    "written",
    [
        "111111111111",
        "own",
        "o-ownownownown",
        f"{ARN}:organization/o-ownownownown",
        "ou-ab12-cdefghij",
        "o-ownownownown/ou-ab12-cdefghij",
        f"{ARN}:ou/o-ownownownown/ou-ab12-cdefghij",
    ],
)
def test_a_command_names_an_entry_as_it_was_written(written: str) -> None:
    assert written_id(TrustEntry(parse_trustee(written))) == written


def test_how_many_grantees_a_call_takes() -> None:
    image_edit = LaunchPermissionEdit(HERE, "ami-1", "a name", (Everyone(),), ())
    snapshot_edit = CreateVolumePermissionEdit(HERE, "snap-1", ("ami-1",), (Everyone(),), ())

    assert most_grants_a_call(image_edit) == MOST_GRANTS_A_CALL
    assert most_grants_a_call(snapshot_edit) == MOST_SNAPSHOT_GRANTS_A_CALL


def test_kinds_of_evidence_are_read_as_they_are_written() -> None:
    assert evidence_kinds([]) == frozenset()
    assert evidence_kinds(["usage", "keys"]) == {EvidenceKind.USAGE, EvidenceKind.KEYS}
    assert evidence_kinds(["all", "usage"]) == frozenset(EvidenceKind)
    with pytest.raises(ValueError, match=r"^there is no evidence 'kees': there are usage, .*, and `all`$"):
        evidence_kinds(["usage", "kees"])


def test_what_is_not_understood_loses_access_unless_everyone_stays() -> None:
    unknown: Grantee = Unrecognized("group=some")
    organization = parse_grant([("organizationArn", f"{ARN}:organization/o-ownownownown")])[0]

    assert effect_of(unknown, [organization], NoOrganization()) == (Effect.LOSES_ACCESS, "")
    effect, why = effect_of(unknown, [organization, Everyone()], NoOrganization())
    assert (effect, why) == (Effect.KEEPS_ACCESS, "still covered by everyone, which stays")


@pytest.mark.parametrize(
    ("grantee", "words"),
    [
        (Everyone(), "everyone"),
        (Account("111111111111"), "account 111111111111"),
        (parse_grant([("organizationArn", f"{ARN}:organization/o-ownownownown")])[0], "organization o-ownownownown"),
        (
            parse_grant([("organizationalUnitArn", f"{ARN}:ou/o-ownownownown/ou-ab12-cdefghij")])[0],
            "unit o-ownownownown/ou-ab12-cdefghij",
        ),
        (Unrecognized("group=some"), "a grant that this version does not know (group=some)"),
    ],
)
def test_how_a_plan_calls_a_grantee(grantee: Grantee, words: str) -> None:
    assert named(grantee) == words


def test_why_an_image_is_held() -> None:
    plain = replace(image("ami-1"), tags=(("Name", "a"),))
    tagged = replace(plain, tags=(("Name", "a"), (HOLD_TAG, "")))
    protected = (ImageSelector(ids=("ami-2",)), ImageSelector(ids=("ami-1",)))

    assert why_held(plain, ()) is None
    assert why_held(plain, protected[:1]) is None
    assert why_held(plain, protected) == "it is in remediation.protected_images of the settings"
    assert why_held(tagged, ()) == f"it has the tag {HOLD_TAG}"
