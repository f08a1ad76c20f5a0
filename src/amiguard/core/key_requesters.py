"""Who is asked about: the principals that a key lets in by name, and, as one, all those that nothing names."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from amiguard.core.key_facts import KeyFacts
from amiguard.core.key_grants import GrantBook
from amiguard.core.key_parties import Party, Place
from amiguard.core.policy_document import Statement, clip
from amiguard.core.policy_patterns import Truth, account_of_arn, like
from amiguard.core.policy_principals import Requester, account_of_identity, is_account_id


@dataclass(frozen=True, slots=True)
class Rules:
    """What was read of a key, and what was not.

    Attributes:
        statements: of its policy.
        unread: why there may be more rules than these; empty if all are known.
        let_in: the accounts that are told apart from all others; see `let_in_by_id`.
    """

    key: KeyFacts
    place: Place
    statements: tuple[Statement, ...]
    grants: GrantBook
    unread: tuple[str, ...]
    let_in: frozenset[str]

    @property
    def allowing(self) -> tuple[Statement, ...]:
        """The statements that allow, or may."""
        return _allowing(self.statements)


def _allowing(statements: Sequence[Statement]) -> tuple[Statement, ...]:
    return tuple(statement for statement in statements if statement.effect != "Deny")


def let_in_by_id(statements: Sequence[Statement], grants: GrantBook) -> frozenset[str]:
    """The accounts that are told apart from all others, for a statement that allows, or a grant, names them.

    Statements that deny tell none apart: so one more of them can never show that someone is let in.
    """
    found = set(grants.accounts)
    for statement in _allowing(statements):
        found |= statement.principals.mentioned_accounts
        texts = (text for condition in statement.conditions for text in condition.values)
        found |= {account for text in texts if is_account_id(account := account_of_arn(text) or text)}
    return frozenset(found)


def requesters_of(rules: Rules, party: Party) -> Iterator[tuple[Requester, str]]:
    """Everyone who may ask for a party, each with a label.

    The first stands for all that nothing names, whatever their ARNs. Where conditions look at ARNs, some that the
    account can have are tried too, for that what the first leaves open.
    """
    yield Requester(party.account_id, other_than=party.other_than), party.label
    if not party.account_id:
        return
    named = {arn for one in rules.allowing for arn, account in one.principals.arns if account == party.account_id}
    for arn in sorted(named):
        yield Requester(party.account_id, arn, named=True), clip(arn)
    for arn in sorted(_imaginable(rules, party.account_id) - named):
        yield Requester(party.account_id, arn), f"a principal such as {clip(arn)}"
    for arn in rules.grants.identities.get(party.account_id, ()):
        if arn not in named:
            yield Requester(party.account_id, arn, named=True), clip(arn)


def _imaginable(rules: Rules, account_id: str) -> set[str]:
    """ARNs that an account can have, and that conditions on `aws:PrincipalArn` may admit."""
    partition = rules.place.partition
    found = set[str]()
    if any(condition.key == "aws:principalarn" for one in rules.statements for condition in one.conditions):
        found.add(f"arn:{partition}:iam::{account_id}:role/any")
    for condition in (one for statement in rules.allowing for one in statement.conditions):
        for text in condition.values if condition.key == "aws:principalarn" else ():
            if like(account_of_arn(text), account_id) is not Truth.NO:
                resource = text.split(":", 5)[-1].replace("*", "any").replace("?", "x")
                found.add(f"arn:{partition}:iam::{account_id}:{resource}")
    return {arn for arn in found if account_of_identity(arn, partition)}
