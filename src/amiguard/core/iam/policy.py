"""A policy as data: its statements with the reasons for them, and what IAM cannot express."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from amiguard.core.iam.needs import RESOURCES, Need, Statement

VERSION = "2012-10-17"
LONGEST_MANAGED = 6_144
"""Characters of a managed policy, white space not counted (IAM User Guide, "IAM and AWS STS quotas")."""
LONGEST_INLINE = 10_240
"""The same, of all policies that stand in a role itself."""

Document = Mapping[str, Any]
"""As JSON has it."""


@dataclass(frozen=True, slots=True)
class IamPolicy:
    """A policy.

    Attributes:
        statements: as IAM takes them.
        needs: why each action is in it, in order.
        notes: what whoever reads it must know beside, a sentence each; texts of settings may be in them.
    """

    statements: tuple[Document, ...]
    needs: tuple[Need, ...]
    notes: tuple[str, ...] = ()

    @property
    def document(self) -> Document:
        """As IAM takes it."""
        return document(self.statements)


def document(statements: Sequence[Document]) -> Document:
    """Statements as a policy."""
    return {"Version": VERSION, "Statement": list(statements)}


@dataclass(frozen=True, slots=True)
class Special:
    """What a statement has in place of the resources of its kind.

    Attributes:
        resources: whole ARNs.
        condition: as IAM takes it; empty for none.
    """

    resources: tuple[str, ...]
    condition: Document = field(default_factory=dict)


def allow(
    needs: Sequence[Need], partition: str, special: Mapping[Statement, Sequence[Special]]
) -> tuple[Document, ...]:
    """One statement for the actions that have the same resources.

    Args:
        needs: what is to be permitted.
        partition: what ARNs begin with, after `arn:`.
        special: the statements whose resources or conditions the settings tell; several become several statements.
    """
    by_statement: dict[Statement, list[str]] = {}
    for need in needs:
        actions = by_statement.setdefault(need.statement, [])
        if need.action not in actions:
            actions.append(need.action)
    found: list[Document] = []
    for statement in Statement:
        if statement in by_statement:
            kinds = special.get(statement) or (Special(_arns(statement, partition)),)
            for number, kind in enumerate(kinds, 1):
                sid = statement.value if len(kinds) == 1 else f"{statement.value}{number}"
                found.append(_allowing(sid, sorted(by_statement[statement]), kind))
    return tuple(found)


def one_or_list(values: Sequence[str]) -> str | list[str]:
    """As people write it in a policy."""
    return values[0] if len(values) == 1 else list(values)


def _allowing(sid: str, actions: Sequence[str], kind: Special) -> Document:
    statement = {
        "Sid": sid,
        "Effect": "Allow",
        "Action": one_or_list(actions),
        "Resource": one_or_list(kind.resources),
    }
    return {**statement, "Condition": kind.condition} if kind.condition else statement


def _arns(statement: Statement, partition: str) -> tuple[str, ...]:
    return tuple(f"arn:{partition}:{rest}" for rest in RESOURCES.get(statement, ())) or ("*",)
