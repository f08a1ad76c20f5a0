"""Refusals in code: decoded once where the caller may, and never an error of their own."""

import asyncio
import json
from typing import Any

import pytest
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from amiguard.aws.denials import Denials, read_denial
from amiguard.aws.errors import ApiError, explain

ACTION = "ec2:DescribeImages"
KEYS = ReadOnlyCredentials("AKIA1", "dummy", None)
ARN = "arn:aws:iam::111122223333:user/auditor"
CONTEXT = {"principal": {"id": "AIDA", "arn": ARN}, "action": ACTION, "resource": "arn:aws:ec2:us-east-1::image/*"}
IMPLICIT = {"allowed": False, "explicitDeny": False, "matchedStatements": {"items": []}, "context": CONTEXT}
EXPLICIT = {
    "allowed": "false",
    "explicitDeny": "true",
    "matchedStatements": {"items": [{"statementId": "KeepOut"}, {"statementId": ""}, {}]},
    "context": CONTEXT,
}


def refusal(encoded: str = "AbC-1_2", code: str = "UnauthorizedOperation") -> ApiError:
    return ApiError(code, f"You are not authorized. Encoded authorization failure message: {encoded}")


class Sts:
    """What decodes, and what it was asked."""

    def __init__(self, answer: str | Exception) -> None:
        self.answer, self.asked = answer, list[str]()

    def __call__(self, credentials: ReadOnlyCredentials, encoded: str) -> str:
        assert credentials is KEYS
        self.asked.append(encoded)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def explained(sts: Sts, *errors: ApiError, actions: tuple[str, ...] = (ACTION,), region: str = "us-east-1") -> Any:
    async def main() -> list[ApiError]:
        denials = Denials(sts)
        asked = [denials.explained(error, action, KEYS, region) for action in actions for error in errors]
        return list(await asyncio.gather(*asked))

    return asyncio.run(main())


@pytest.mark.parametrize(
    ("decoded", "hint"),
    [
        (IMPLICIT, f"grant {ACTION} on arn:aws:ec2:us-east-1::image/* to {ARN}: no policy allows it"),
        (
            EXPLICIT,
            f"a policy explicitly denies {ACTION} to {ARN} (statement KeepOut): no grant overrides that, change the "
            "policy",
        ),
        ({}, f"grant {ACTION} to the caller: no policy allows it"),
        ({"explicitDeny": True, "matchedStatements": ""}, None),
    ],
)
def test_the_hint_says_what_the_message_says(decoded: dict[str, object], hint: str | None) -> None:
    (error,) = explained(Sts(json.dumps(decoded)), refusal())
    why = explain(error, ACTION)
    assert why.reason == f"not permitted: {ACTION}"
    expected = hint or f"a policy explicitly denies {ACTION} to the caller: no grant overrides that, change the policy"
    assert why.hint == expected


@pytest.mark.parametrize(
    "answer",
    [
        ClientError({"Error": {"Code": "AccessDenied", "Message": ""}}, "DecodeAuthorizationMessage"),
        ValueError("no endpoint"),
        KeyError("DecodedMessage"),
        "not JSON",
        "[]",
    ],
)
def test_what_cannot_be_decoded_is_explained_as_before(answer: str | Exception) -> None:
    (error,) = explained(Sts(answer), refusal())
    assert error == refusal()
    assert explain(error, ACTION).hint == f"grant {ACTION} to the caller"


def test_ten_thousand_refusals_of_one_action_are_decoded_once() -> None:
    sts = Sts(json.dumps(IMPLICIT))
    errors = explained(sts, *(refusal(f"code{number}") for number in range(10_000)))
    assert sts.asked == ["code0"]
    assert len({error.hint for error in errors}) == 1


def test_a_run_decodes_twenty_at_most() -> None:
    sts = Sts(json.dumps(IMPLICIT))
    errors = explained(sts, refusal(), actions=tuple(f"ec2:Action{number}" for number in range(30)))
    assert len(sts.asked) == 20
    assert [error.hint is None for error in errors] == [False] * 20 + [True] * 10


@pytest.mark.parametrize(
    "error",
    [
        ApiError("UnauthorizedOperation", "You are not authorized."),
        ApiError("AccessDeniedException", "User: x is not authorized to perform: kms:DescribeKey"),
        refusal(code="InvalidParameterValue"),
        refusal("x" * 10_241),
    ],
)
def test_only_refusals_in_code_are_decoded(error: ApiError) -> None:
    sts = Sts(json.dumps(IMPLICIT))
    assert explained(sts, error) == [error]
    assert sts.asked == []


def test_one_who_waits_and_is_cancelled_takes_the_hint_from_nobody() -> None:
    async def main() -> ApiError:
        denials = Denials(Sts(json.dumps(IMPLICIT)))
        impatient = asyncio.create_task(denials.explained(refusal(), ACTION, KEYS, "us-east-1"))
        await asyncio.sleep(0)
        impatient.cancel()
        return await denials.explained(refusal("other"), ACTION, KEYS, "us-east-1")

    assert asyncio.run(main()).hint is not None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=300),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=20), inner, max_size=4),
)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "explicitDeny": json_values | st.just(value=True),
            "matchedStatements": json_values | st.fixed_dictionaries({"items": json_values}),
            "context": json_values | st.fixed_dictionaries({"principal": json_values, "resource": json_values}),
        },
    )
)
def test_whatever_sts_says_the_hint_is_bounded(decoded: dict[str, object]) -> None:
    hint = read_denial(json.dumps(decoded), ACTION)
    assert hint is not None
    assert len(hint) < 1000
