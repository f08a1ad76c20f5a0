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
from amiguard.core.grantee import Account, Everyone, Grantee, Unrecognized, parse_grant
from amiguard.core.organization import NoOrganization
from amiguard.core.plan import Effect
from amiguard.core.plan_words import named
from amiguard.core.remediation import HOLD_TAG, why_held
from amiguard.core.result import Target
from amiguard.core.trust import TrustEntry, TrustPolicy, parse_trustee
from tests.fakes.images import OWNER, image

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
