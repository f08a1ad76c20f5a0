"""Random plans, and one that has something of everything."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from amiguard.core.block_public_access import BlockPublicAccess
from amiguard.core.edit import BlockPublicAccessEdit, CreateVolumePermissionEdit, LaunchPermissionEdit, in_order
from amiguard.core.evidence import UsageEntry
from amiguard.core.grantee import Account, Everyone, Grantee, GranteeKind, Unrecognized, grantee_kind, grantee_of
from amiguard.core.plan import (
    Addition,
    Audited,
    BlockPublicAccessChange,
    Change,
    Effect,
    ImageChange,
    InUse,
    LeftOut,
    NotInUse,
    Plan,
    Removal,
    SnapshotChange,
    Unplanned,
    Use,
    UseUnknown,
)
from amiguard.core.result import ALL_REGIONS, Target

NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)
TARGET = Target("123456789012", "eu-central-1", "aws")
ORGANIZATION = grantee_of(GranteeKind.ORGANIZATION, "arn:aws:organizations::111111111111:organization/o-aaaaaaaaaa")
UNIT = grantee_of(
    GranteeKind.ORGANIZATIONAL_UNIT, "arn:aws:organizations::111111111111:ou/o-aaaaaaaaaa/ou-root-aaaaaaaa"
)
STRANGER = Account("210987654321")
FRIEND = Account("012345670123")
ODD = Unrecognized("group=\u202esome\n")

IMAGE_EDIT = LaunchPermissionEdit(
    TARGET,
    "ami-0123456789abcdef0",
    "golden \u202e\x1b[31m 像",
    before=in_order([Everyone(), UNIT, STRANGER, ODD]),
    after=in_order([ORGANIZATION, UNIT, FRIEND, ODD]),
)
SWITCH_EDIT = BlockPublicAccessEdit(TARGET, BlockPublicAccess.UNBLOCKED, BlockPublicAccess.BLOCK_NEW_SHARING)
PLAN = Plan(
    plan_id="6e0e5ab0-7f3b-4b0e-9d55-0d2f1c1c6a11",
    created_at=NOON,
    expires_at=NOON + timedelta(days=1),
    tool_version="0.1.0",
    caller_arn="arn:aws:sts::123456789012:assumed-role/Admin/me",
    account_id="123456789012",
    trust_policy_digest="ab" * 32,
    audited=Audited(images=7, grants=12),
    changes=(
        ImageChange(
            IMAGE_EDIT,
            additions=(Addition(ORGANIZATION, "listed"), Addition(FRIEND, "listed, too")),
            removals=(
                Removal(Everyone(), "nobody is to trust everyone"),
                Removal(STRANGER, "not listed", Effect.KEEPS_ACCESS, "the unit stays"),
            ),
        ),
        BlockPublicAccessChange(SWITCH_EDIT),
    ),
    left_out=(
        LeftOut(TARGET, "ami-11111111", "held", "it has the tag amiguard:hold"),
        LeftOut(TARGET, None, "", "a declarative policy holds the switch"),
    ),
    unplanned=(
        Unplanned(TARGET, "ami-22222222", "throttled"),
        Unplanned(Target("111122223333", ALL_REGIONS, "aws"), None, "AccessDenied"),
    ),
)

SNAPSHOT_EDIT = CreateVolumePermissionEdit(
    TARGET,
    "snap-0123456789abcdef0",
    ("ami-0123456789abcdef0", "ami-11111111"),
    before=in_order([Everyone(), FRIEND, STRANGER]),
    after=(FRIEND,),
)
_USED = InUse(NOON, (UsageEntry(STRANGER.account_id, "ec2:Instance", 14),))
WITH_EVIDENCE = replace(
    PLAN,
    changes=(
        ImageChange(
            replace(IMAGE_EDIT, before=in_order([Everyone(), UNIT, STRANGER]), after=()),
            additions=(),
            removals=(
                Removal(Everyone(), "public", use=UseUnknown("not permitted: \u202e")),
                Removal(UNIT, "not listed", use=NotInUse(NOON), notes=("shared by \x1b[31m", "a key")),
                Removal(STRANGER, "not listed", use=_USED),
            ),
        ),
        SnapshotChange(
            SNAPSHOT_EDIT,
            (Removal(Everyone(), "public", notes=("decided by some images",)), Removal(STRANGER, "not listed")),
        ),
    ),
    left_out=(
        LeftOut(TARGET, "ami-11111111", "used", "it is used", removal=Removal(STRANGER, "not listed", use=_USED)),
        LeftOut(TARGET, "ami-11111111", "held", "it is held", "snap-11111111"),
    ),
    unplanned=(Unplanned(TARGET, "ami-22222222", "throttled", "snap-22222222"),),
)
"""What was added to version 1 of the plan file, all of it."""

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
words = st.text(st.characters(codec="ascii", exclude_categories=["Cc", "Zs"]), min_size=1, max_size=8)
accounts = st.from_regex(r"[0-9]{12}", fullmatch=True)
moments = st.datetimes(min_value=datetime(1, 1, 2), timezones=st.just(UTC)).map(  # noqa: DTZ001 - the zone is given beside it
    lambda one: one.replace(microsecond=0)
)
addable: st.SearchStrategy[Grantee] = accounts.map(Account) | st.sampled_from([ORGANIZATION, UNIT])
removable: st.SearchStrategy[Grantee] = addable | st.just(Everyone()) | words.map(Account)
grantees: st.SearchStrategy[Grantee] = removable | texts.map(Unrecognized)
targets = st.builds(Target, accounts, st.sampled_from(["eu-central-1", "us-gov-west-1"]), st.sampled_from(["aws"]))
image_ids = st.from_regex(r"ami-[0-9a-f]{8,17}", fullmatch=True)
snapshot_ids = st.from_regex(r"snap-[0-9a-f]{8,17}", fullmatch=True)
usage_entries = st.builds(UsageEntry, texts, texts, st.integers(0, 10**9))
uses: st.SearchStrategy[Use] = st.one_of(
    st.builds(UseUnknown, texts),
    st.builds(NotInUse, moments),
    st.builds(InUse, moments, st.lists(usage_entries, min_size=1, max_size=2).map(tuple)),
)


def removal_of(grantee: Grantee) -> st.SearchStrategy[Removal]:
    return st.builds(
        Removal, st.just(grantee), texts, st.sampled_from(Effect), texts, uses, st.lists(texts, max_size=2).map(tuple)
    )


@st.composite
def image_changes(draw: st.DrawFn) -> ImageChange:
    before = draw(st.sets(grantees, max_size=5))
    known = sorted((one for one in before if grantee_kind(one) is not GranteeKind.UNRECOGNIZED), key=repr)
    removed = draw(st.sets(st.sampled_from(known))) if known else set()
    new = addable.filter(lambda one: one not in before)
    added = draw(st.sets(new, min_size=0 if removed else 1, max_size=3))
    edit = LaunchPermissionEdit(
        draw(targets), draw(image_ids), draw(texts), in_order(before), in_order((before | added) - removed)
    )
    return ImageChange(
        edit,
        tuple(Addition(one, draw(texts)) for one in in_order(added)),
        tuple(draw(removal_of(one)) for one in in_order(removed)),
    )


@st.composite
def snapshot_changes(draw: st.DrawFn) -> SnapshotChange:
    before = in_order(draw(st.sets(accounts.map(Account) | st.just(Everyone()), min_size=1, max_size=4)))
    removed = draw(st.sets(st.sampled_from(before), min_size=1))
    after = in_order(set(before) - removed)
    image_names = tuple(draw(st.lists(image_ids, min_size=1, max_size=3, unique=True)))
    edit = CreateVolumePermissionEdit(draw(targets), draw(snapshot_ids), image_names, before, after)
    return SnapshotChange(edit, tuple(draw(removal_of(one)) for one in in_order(removed)))


switches = targets.map(
    lambda target: BlockPublicAccessChange(
        BlockPublicAccessEdit(target, BlockPublicAccess.UNBLOCKED, BlockPublicAccess.BLOCK_NEW_SHARING)
    )
)
changes: st.SearchStrategy[Change] = image_changes() | snapshot_changes() | switches
removals = grantees.flatmap(removal_of)
anywhere = targets | accounts.map(lambda account_id: Target(account_id, ALL_REGIONS, "aws-cn"))
left_out = st.builds(
    LeftOut,
    anywhere,
    st.none() | image_ids,
    texts,
    texts,
    st.none() | snapshot_ids,
    st.none() | removals,
)
unplanned = st.builds(Unplanned, anywhere, st.none() | image_ids, texts, st.none() | snapshot_ids)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    created, expires = sorted([draw(moments), draw(moments)])
    return Plan(
        plan_id=str(draw(st.uuids())),
        created_at=created,
        expires_at=expires,
        tool_version=draw(texts),
        caller_arn=draw(texts),
        account_id=draw(accounts),
        trust_policy_digest=draw(words),
        audited=Audited(draw(st.integers(0, 10**9)), draw(st.integers(0, 10**9))),
        changes=tuple(draw(st.lists(changes, max_size=3, unique_by=lambda change: change.edit.key))),
        left_out=tuple(draw(st.lists(left_out, max_size=2))),
        unplanned=tuple(draw(st.lists(unplanned, max_size=2))),
    )
