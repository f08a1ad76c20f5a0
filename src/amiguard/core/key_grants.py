"""What the grants of a KMS key let their grantee principals do.

Source: KMS Developer Guide, "Grants in AWS KMS": a grant can allow, but not deny.
"""

from collections.abc import Iterable, Iterator

from amiguard.core.key_facts import KeyGrant
from amiguard.core.policy_patterns import Truth
from amiguard.core.policy_principals import Principals, Requester, read_principals


class GrantBook:
    """The grants of a key, by whom they let in: made once a key, for it may have 50,000 of them.

    Attributes:
        identities: account id -> users, roles and sessions of it that grants name, those with free grants first.
        accounts: that grants name, as a whole or by a principal.
    """

    def __init__(self, grants: Iterable[KeyGrant], partition: str) -> None:
        self._best: dict[tuple[object, str], KeyGrant] = {}
        named: dict[str, dict[str, bool]] = {}
        accounts = set[str]()
        for grant in grants:
            principals = _principals_of(grant.grantee_principal, partition)
            for place in _places(principals):
                for operation in grant.operations:
                    known = self._best.get((place, operation))
                    if known is None or (known.constrained and not grant.constrained):
                        self._best[place, operation] = grant
            accounts |= principals.mentioned_accounts
            for arn, account in principals.arns:
                names = named.setdefault(account, {})
                names[arn] = names.get(arn, True) and grant.constrained
        self.accounts = frozenset(accounts)
        self.identities = {
            account: tuple(arn for _, arn in sorted((constrained, arn) for arn, constrained in names.items()))
            for account, names in named.items()
        }

    def allows(self, requester: Requester, operation: str) -> tuple[Truth, str]:
        """Whether a grant lets the requester call an operation, and which one, in words."""
        best, words = Truth.NO, ""
        for place, certain in (
            (("account", requester.account_id), True),
            (("arn", requester.arn), True),
            (("role", requester.role), True),
            ("unclear", False),
        ):
            grant = self._best.get((place, operation))
            truth = Truth.NO if grant is None else Truth.YES if certain and not grant.constrained else Truth.MAYBE
            if grant is not None and truth > best:
                best, words = truth, f"grant {grant.grant_id}"
        return best, words


def _principals_of(text: str, partition: str) -> Principals:
    is_service = text.endswith((".amazonaws.com", ".amazonaws.com.cn")) and ":" not in text
    return read_principals([("Service" if is_service else "AWS", text)], partition)


def _places(principals: Principals) -> Iterator[object]:
    for account in principals.accounts:
        yield "account", account
    for arn, account in principals.arns:
        yield "arn", arn
        if (account, arn.rsplit("/", 1)[-1]) in principals.roles:
            yield "role", (account, arn.rsplit("/", 1)[-1])
    if principals.anyone or principals.services or principals.single or principals.unclear:
        yield "unclear"
