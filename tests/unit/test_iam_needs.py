"""The table of needs against the source: no call without a statement, and no statement without a call."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import botocore.session
from botocore import xform_name

import amiguard.aws
from amiguard.core.iam.needs import NEEDS, RESOURCES, Feature, Statement, needs_of

FOLDER = Path(amiguard.aws.__file__).parent
SERVICES = ("cloudtrail", "ec2", "kms", "organizations", "securityhub", "sns", "sts")
NO_PERMISSION = {"sts:GetCallerIdentity"}  # STS API Reference: none is needed
NO_CALL = {"sts:SetSourceIdentity", "sts:TagSession"}  # asked for by AssumeRole's parameters
NAMES_ONLY = {"trail_event.py"}
"""Modules that read what others have called."""


@cache
def operations(service: str) -> frozenset[str]:
    return frozenset(botocore.session.Session().get_service_model(service).operation_names)


def called() -> set[str]:
    """Every action that a module names in a string, or calls by the name of botocore's method."""
    found = set()
    for path in FOLDER.rglob("*.py"):
        if path.name not in NAMES_ONLY:
            found |= set(_named(ast.parse(path.read_text(encoding="utf-8"))))
    return found


def _named(tree: ast.AST) -> Iterator[str]:
    by_method = {xform_name(name): f"{service}:{name}" for service in SERVICES for name in operations(service)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from (f"{service}:{node.value}" for service in SERVICES if node.value in operations(service))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in by_method:
            yield by_method[node.func.attr]


# Names that several services have: those that are not meant.
OF_OTHERS = {"kms:ListTagsForResource", "securityhub:ListTagsForResource", "sns:ListTagsForResource"}


def test_every_call_has_a_statement_and_every_statement_a_call() -> None:
    needed = {need.action for need in NEEDS}

    assert called() - OF_OTHERS - NO_PERMISSION == needed - NO_CALL


def test_services_are_called_that_the_test_above_knows() -> None:
    known = set(botocore.session.Session().get_available_services())
    named = {
        node.args[0].value
        for path in FOLDER.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant)
        if isinstance(node.func, ast.Attribute) and node.func.attr in {"client", "call", "partial", "_create"}
    }

    assert named & known <= {*SERVICES}
    assert {"sts", "organizations", "sns", "kms", "cloudtrail", "ec2"} <= named


def test_a_call_that_is_added_is_seen() -> None:
    added = 'client.call("DescribeInstances", [], read)\nclient.delete_topic(TopicArn=arn)'

    assert set(_named(ast.parse(added))) == {"ec2:DescribeInstances", "sns:DeleteTopic"}


def test_actions_are_those_of_the_services() -> None:
    for need in NEEDS:
        service, _, name = need.action.partition(":")
        assert need.action in NO_CALL or name in operations(service), need.action


def test_each_action_stands_once_for_a_feature_and_always_in_the_same_statement() -> None:
    assert len({(need.feature, need.action) for need in NEEDS}) == len(NEEDS)
    places = {(need.action, need.statement) for need in NEEDS}
    assert len(places) == len({need.action for need in NEEDS})
    assert {need.statement for need in NEEDS} == set(Statement)
    assert {need.feature for need in NEEDS} == set(Feature)
    assert set(RESOURCES) < set(Statement)


def test_whatever_changes_something_says_so() -> None:
    changing = ("Modify", "Enable", "Disable", "Create", "Batch", "Publish")

    for one in NEEDS:
        assert one.changes is one.action.partition(":")[2].startswith(changing), one.action


def test_needs_keep_their_order() -> None:
    assert needs_of(frozenset(Feature)) == NEEDS
    assert needs_of(frozenset()) == ()
