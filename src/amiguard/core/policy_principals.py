"""Whom the principals of a policy, and of grants, stand for.

Source: IAM User Guide, "AWS JSON policy elements: Principal" and "NotPrincipal".
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from amiguard.core.policy_patterns import Truth

_ACCOUNT = re.compile(r"[0-9]{12}")
_ARN = re.compile(r"arn:([a-z-]+):(iam|sts)::([0-9]{12}):([\x21-\x7e]{1,1024})")
_KINDS = {"iam": ("user/", "role/"), "sts": ("assumed-role/", "federated-user/")}
# Ids of principals (AIDA..., AROA...): what IAM shows in place of an ARN that it can no longer resolve.
_UNIQUE_ID = re.compile(r"A[A-Z0-9]{15,127}")
# Services that keep data of their own and read no EBS snapshot. Any other service may be the one that launches.
_UNRELATED_SERVICES = frozenset(
    {
        "cloudfront",
        "cloudtrail",
        "cloudwatch",
        "config",
        "delivery",
        "events",
        "firehose",
        "kinesis",
        "lambda",
        "logs",
        "s3",
        "secretsmanager",
        "ses",
        "sns",
        "sqs",
    }
)


@dataclass(frozen=True, slots=True)
class Requester:
    """Who may ask KMS: one principal, or any principal of an account that no statement and no grant names.

    Attributes:
        account_id: empty for any account that is not in `other_than`.
        arn: empty for any principal that is not named.
        named: a statement that allows, or a grant, names this very principal.
        other_than: the accounts that an empty `account_id` does not stand for.
    """

    account_id: str
    arn: str = ""
    named: bool = False
    other_than: frozenset[str] = frozenset()

    @property
    def role(self) -> tuple[str, str] | None:
        """Account and name of the role that a session belongs to; None if it is no session."""
        _, found, resource = self.arn.partition(":assumed-role/")
        return (self.account_id, resource.split("/", 1)[0]) if found else None


@dataclass(frozen=True, slots=True)
class Principals:
    """The element Principal or NotPrincipal, by what each entry stands for.

    Attributes:
        anyone: `*`.
        accounts: those named as a whole (an id, or `root`), which stands for all of their principals.
        arns: users, roles and sessions, by ARN, each with its account.
        roles: account and name of each role in `arns`.
        services: whether an AWS service is named that may read snapshots.
        single: entries that stand for some principals at most: unique ids, identity providers.
        unclear: entries that are not understood.
    """

    anyone: bool = False
    accounts: frozenset[str] = frozenset()
    arns: frozenset[tuple[str, str]] = frozenset()
    roles: frozenset[tuple[str, str]] = frozenset()
    services: bool = False
    single: tuple[str, ...] = ()
    unclear: tuple[str, ...] = ()

    def include(self, requester: Requester, *, denies: bool) -> Truth:
        """Whether the requester is one of these.

        The root of an account stands for every principal of it; a role for its sessions, but not the other way round.
        A deny of an AWS service denies no user and no role.
        """
        account_id, arn = requester.account_id, requester.arn
        if self.anyone or (account_id and account_id in self.accounts):
            return Truth.YES
        if (arn and (arn, account_id) in self.arns) or requester.role in self.roles:
            return Truth.YES
        if self.unclear or (self.services and not denies) or (self.single and (requester.named or not denies)):
            return Truth.MAYBE
        return Truth.NO

    def exclude(self, requester: Requester) -> Truth:
        """Whether the requester is none of these (NotPrincipal).

        IAM validates the account, then the role, then the session: an exception counts surely only if each is listed.
        What is mentioned in part is undecided.
        """
        if self.anyone:
            return Truth.NO
        account_id = requester.account_id
        whole = account_id in self.accounts
        within = [arn for arn, account in self.arns if account == account_id]
        if account_id and whole and requester.arn in within:
            if ":user/" in requester.arn or requester.role in self.roles:
                return Truth.NO
            return Truth.MAYBE
        if not account_id:
            # Any account may be one of these, unless it is told apart.
            within = list(self.mentioned_accounts - requester.other_than)
        return Truth.MAYBE if whole or within or self.single or self.unclear else Truth.YES

    @property
    def mentioned_accounts(self) -> frozenset[str]:
        """The accounts that are named, as a whole or by one of their principals."""
        return self.accounts | {account for _, account in self.arns}


def read_principals(entries: Iterable[tuple[str, str]], partition: str) -> Principals:
    """Sort the entries of a Principal element.

    Args:
        entries: kind (`AWS`, `Service`, ...; `*` for the bare asterisk) and text.
        partition: of the key; principals of another one are not understood.
    """
    anyone = services = False
    accounts, single, unclear = set[str](), list[str](), list[str]()
    arns = set[tuple[str, str]]()
    for kind, text in entries:
        if kind in ("*", "AWS") and text == "*":
            anyone = True
        elif kind == "Service" and "*" not in text and "$" not in text:
            services = services or text.split(".", 1)[0] not in _UNRELATED_SERVICES
        elif kind == "AWS" and (account := whole_account(text, partition)):
            accounts.add(account)
        elif kind == "AWS" and (account := account_of_identity(text, partition)):
            arns.add((text, account))
        elif (kind == "AWS" and _UNIQUE_ID.fullmatch(text)) or kind == "Federated":
            single.append(text)
        else:
            unclear.append(text)
    roles = frozenset((account, arn.rsplit("/", 1)[-1]) for arn, account in arns if ":role/" in arn)
    return Principals(anyone, frozenset(accounts), frozenset(arns), roles, services, tuple(single), tuple(unclear))


def whole_account(text: str, partition: str) -> str:
    """The account that is named as a whole, by its id or its root; empty if none is."""
    if _ACCOUNT.fullmatch(text):
        return text
    found = _ARN.fullmatch(text)
    return found[3] if found and (found[1], found[2], found[4]) == (partition, "iam", "root") else ""


def account_of_identity(text: str, partition: str) -> str:
    """The account of a user, role or session that is named by its ARN; empty if the text is none of these."""
    found = _ARN.fullmatch(text)
    if not found or found[1] != partition or not found[4].startswith(_KINDS[found[2]]):
        return ""
    return "" if any(mark in found[4] for mark in "*?$") else found[3]


def is_account_id(text: str) -> bool:
    """Whether the text is an account's id: twelve digits."""
    return _ACCOUNT.fullmatch(text) is not None
