"""KMS keys by a played KMS: what is asked, of whom, where, how much of it, and what is said when it is refused."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from amiguard.core.image import Unreadable
from amiguard.core.key_policy import KeyFacts, KeyGrant
from tests.fakes.played_aws import TARGET, PlayedAws, in_turn, refused
from tests.fakes.virtual_time import run_in_virtual_time

KEY = f"arn:aws:kms:eu-west-1:{TARGET.account_id}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ELSEWHERE = KEY.replace(TARGET.account_id, "999988887777")
POLICY = '{"Version": "2012-10-17", "Statement": []}'
GRANT = {
    "GrantId": "g-1",
    "GranteePrincipal": "arn:aws:iam::999988887777:root",
    "Operations": ["Decrypt", "CreateGrant"],
}


def described(**metadata: Any) -> dict[str, Any]:
    key = {"Arn": KEY, "AWSAccountId": TARGET.account_id, "KeyManager": "CUSTOMER", "KeyState": "Enabled"}
    return {"KeyMetadata": {**key, **metadata}}


def kms(**answers: Any) -> PlayedAws:
    usual = {
        "DescribeKey": in_turn(described()),
        "GetKeyPolicy": in_turn({"Policy": POLICY}),
        "ListGrants": in_turn({"Grants": [GRANT], "Truncated": False}),
    }
    return PlayedAws({**usual, **{name: in_turn(answer) for name, answer in answers.items()}})


def read(aws: PlayedAws, key_arn: str = KEY) -> KeyFacts | Unreadable:
    async def main() -> KeyFacts | Unreadable:
        return await aws.reader().read_key(key_arn)

    return run_in_virtual_time(main())[0]


FACTS = KeyFacts(
    KEY,
    TARGET.account_id,
    "CUSTOMER",
    "Enabled",
    POLICY,
    (KeyGrant("g-1", "arn:aws:iam::999988887777:root", ("Decrypt", "CreateGrant")),),
)


def test_a_key_is_asked_for_where_its_arn_says() -> None:
    aws = kms()
    assert read(aws) == FACTS
    assert aws.places == [("kms", "eu-west-1", "KEY0")] * 3
    assert aws.calls == [
        ("DescribeKey", {"KeyId": KEY}),
        ("GetKeyPolicy", {"KeyId": KEY, "PolicyName": "default"}),
        ("ListGrants", {"KeyId": KEY, "Limit": 100}),
    ]


def test_a_key_is_read_once() -> None:
    aws = kms()

    async def main() -> None:
        reader = aws.reader()
        first, second = await asyncio.gather(reader.read_key(KEY), reader.read_key(KEY))
        assert first is second is await reader.read_key(KEY)

    run_in_virtual_time(main())
    assert len(aws.calls) == 3


def test_an_alias_is_resolved() -> None:
    aws = kms()
    alias = KEY.rpartition(":")[0] + ":alias/images"
    assert read(aws, alias) == FACTS
    assert [parameters["KeyId"] for _, parameters in aws.calls] == [alias, KEY, KEY]


def test_of_the_key_of_aws_no_policy_is_asked_for() -> None:
    aws = kms(DescribeKey=described(KeyManager="AWS"))
    found = read(aws)
    assert isinstance(found, KeyFacts)
    assert found.manager == "AWS"
    assert isinstance(found.policy, Unreadable)
    assert isinstance(found.grants, Unreadable)
    assert aws.counted == {"DescribeKey": 1}


def test_a_key_that_is_pending_deletion_says_so() -> None:
    found = read(kms(DescribeKey=described(KeyState="PendingDeletion")))
    assert isinstance(found, KeyFacts)
    assert found.state == "PendingDeletion"


def test_the_policy_of_another_accounts_key_cannot_be_read() -> None:
    denied = refused("AccessDeniedException")
    aws = kms(DescribeKey=described(Arn=ELSEWHERE, AWSAccountId="999988887777"), ListGrants=denied)
    found = read(aws, ELSEWHERE)
    assert isinstance(found, KeyFacts)
    assert found.account_id == "999988887777"
    assert found.policy == Unreadable(
        "the key belongs to account 999988887777, and KMS shows its policy to nobody else",
        "read the policy in account 999988887777",
    )
    assert found.grants == Unreadable("not permitted: kms:ListGrants", "grant kms:ListGrants to the caller")
    assert "GetKeyPolicy" not in aws.counted


@pytest.mark.parametrize("action", ["DescribeKey", "GetKeyPolicy", "ListGrants"])
def test_what_is_not_permitted_is_said_with_the_action(action: str) -> None:
    aws = kms(**{action: refused("AccessDeniedException")})
    found = read(aws)
    why = Unreadable(f"not permitted: kms:{action}", f"grant kms:{action} to the caller")
    if action == "DescribeKey":
        assert found == why
    else:
        assert isinstance(found, KeyFacts)
        assert [found.policy == why, found.grants == why] == [action == "GetKeyPolicy", action == "ListGrants"]
    assert aws.counted[action] == 1


def grants(most: int) -> Any:
    def answer(parameters: Mapping[str, Any]) -> dict[str, Any]:
        start = int(parameters.get("Marker", 0))
        page = [{**GRANT, "GrantId": f"g-{number}"} for number in range(start, min(most, start + 100))]
        more = start + 100 < most
        return {"Grants": page, "Truncated": more, **({"NextMarker": str(start + 100)} if more else {})}

    return answer


def test_fifty_thousand_grants_are_read_and_no_more() -> None:
    aws = kms()
    aws.answers["ListGrants"] = grants(50_000)
    found = read(aws)
    assert isinstance(found, KeyFacts)
    assert isinstance(found.grants, tuple)
    assert len(found.grants) == 50_000
    assert aws.counted["ListGrants"] == 500

    aws = kms()
    aws.answers["ListGrants"] = grants(50_001)
    found = read(aws)
    assert isinstance(found, KeyFacts)
    assert found.grants == Unreadable(
        "there are more grants of the key than are read: 50,000 are on the first 500 pages"
    )
    assert found.policy == POLICY
    assert aws.counted["ListGrants"] == 500


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ({"Grants": [], "Truncated": True, "NextMarker": "again"}, "does not end: its pages repeat"),
        ({"Grants": [], "Truncated": True}, "(tried 6 times)"),
        ({"Grants": [None]}, "(tried 6 times)"),
        ({"Grants": [{"GranteePrincipal": "x"}]}, "(tried 6 times)"),
        ({}, "(tried 6 times)"),
    ],
)
def test_a_list_of_grants_that_is_none_is_a_reason(reply: dict[str, Any], reason: str) -> None:
    found = read(kms(ListGrants=reply))
    assert isinstance(found, KeyFacts)
    assert isinstance(found.grants, Unreadable)
    assert reason in found.grants.reason


def test_grants_to_services_and_with_constraints() -> None:
    constrained = {**GRANT, "Constraints": {"EncryptionContextEquals": {"a": "b"}}}
    service = {"GrantId": "g-2", "GranteeServicePrincipal": "ec2.amazonaws.com"}
    found = read(kms(ListGrants={"Grants": [constrained, service]}))
    assert isinstance(found, KeyFacts)
    assert found.grants == (
        KeyGrant("g-1", "arn:aws:iam::999988887777:root", ("Decrypt", "CreateGrant"), constrained=True),
        KeyGrant("g-2", "ec2.amazonaws.com", ()),
    )


@pytest.mark.parametrize("reply", [{}, {"KeyMetadata": None}, described(Arn=""), described(KeyManager=None)])
def test_a_key_that_is_not_described_is_a_reason(reply: dict[str, Any]) -> None:
    found = read(kms(DescribeKey=reply))
    assert isinstance(found, Unreadable)
    assert "(tried 6 times)" in found.reason


@pytest.mark.parametrize("arn", ["", "alias/aws/ebs", "arn:aws:kms:evil.example/#:1:key/x", "arn:aws:ec2:r:1:key/x"])
def test_what_is_no_key_is_not_asked_for(arn: str) -> None:
    aws = kms()
    assert isinstance(read(aws, arn), Unreadable)
    assert not aws.calls


def test_a_policy_of_32_kilobytes_comes_as_it_is() -> None:
    policy = '{"x": "' + "y" * 32_000 + '"}'
    found = read(kms(GetKeyPolicy={"Policy": policy}))
    assert isinstance(found, KeyFacts)
    assert found.policy == policy


def test_who_stops_waiting_for_a_key_stops_nobody_else() -> None:
    aws = kms()
    aws.answers["ListGrants"] = grants(2_000)

    async def main() -> None:
        reader = aws.reader()
        tasks = [asyncio.create_task(reader.read_key(KEY)) for _ in range(3)]
        await asyncio.sleep(0.5)
        tasks[0].cancel()
        tasks[1].cancel()
        found = await tasks[2]
        assert isinstance(found, KeyFacts)
        assert isinstance(found.grants, tuple)
        assert len(found.grants) == 2_000
        given_up = asyncio.create_task(reader.read_key(ELSEWHERE))
        await asyncio.sleep(0.5)
        given_up.cancel()
        await asyncio.wait([given_up])
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert isinstance(await reader.read_key(ELSEWHERE), KeyFacts)

    run_in_virtual_time(main())
