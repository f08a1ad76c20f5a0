"""Key policies with the verdict that AWS's policy logic gives, each with the page that states the rule."""
# ruff: noqa: E501 - a case is a line

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from amiguard.core.evidence import Admission, KeyAdmission
from amiguard.core.grantee import Account, Everyone, Grantee, Organization, OrganizationalUnit
from amiguard.core.image import Unreadable
from amiguard.core.key_facts import KeyFacts, KeyGrant
from amiguard.core.key_policy import KeyJudge
from amiguard.core.organization import Members, NoOrganization, OrganizationUnread, OrganizationView, OwnOrganization

OWNER, STRANGER, OTHER, MEMBER, MANAGER = (digit * 12 for digit in "12345")
KEY_ARN = f"arn:aws:kms:eu-west-1:{OWNER}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
OWN, FOREIGN = "o-ownownown1", "o-foreign0001"
UNIT, INNER, OUTSIDE = "ou-ab12-11111111", "ou-ab12-22222222", "ou-ab12-33333333"
OWN_VIEW = OwnOrganization(
    OWN,
    MANAGER,
    Members({OWNER: (), MANAGER: (), MEMBER: (UNIT, INNER)}, {UNIT: (), INNER: (UNIT,), OUTSIDE: ()}),
)
FOREIGN_ORGANIZATION = Organization(f"arn:aws:organizations::{OTHER}:organization/{FOREIGN}", FOREIGN, OTHER)
OWN_ORGANIZATION = Organization(f"arn:aws:organizations::{MANAGER}:organization/{OWN}", OWN, MANAGER)
OWN_UNIT = OrganizationalUnit(f"arn:aws:organizations::{MANAGER}:ou/{OWN}/{INNER}", OWN, MANAGER, INNER)
FOREIGN_UNIT = OrganizationalUnit(f"arn:aws:organizations::{OTHER}:ou/{FOREIGN}/{UNIT}", FOREIGN, OTHER, UNIT)

YES, NO, OPEN = Admission.ADMITS, Admission.DOES_NOT_ADMIT, Admission.UNDETERMINED

# Pages of AWS's documentation.
EBS = 'EBS User Guide, "Share the KMS key used to encrypt a shared Amazon EBS snapshot"'
EC2_ORGANIZATIONS = 'EC2 User Guide, "Allow organizations and OUs to use a KMS key"'
EXTERNAL = 'KMS Developer Guide, "Allowing users in other accounts to use a KMS key"'
KEY_POLICY = 'KMS Developer Guide, "Creating a key policy"'
DEFAULT = 'KMS Developer Guide, "Default key policy"'
CREATE_KEY = "KMS API Reference, CreateKey, parameter Policy"
GRANTS = 'KMS Developer Guide, "Grants in AWS KMS"'
CONSTRAINTS = "KMS API Reference, GrantConstraints"
TROUBLE = 'KMS Developer Guide, "Troubleshooting AWS KMS permissions"'
KMS_KEYS = 'KMS Developer Guide, "AWS KMS condition keys"'
LOGIC = 'IAM User Guide, "How AWS enforcement code logic evaluates requests to allow or deny access"'
PRINCIPAL = 'IAM User Guide, "AWS JSON policy elements: Principal"'
NOT_PRINCIPAL = 'IAM User Guide, "AWS JSON policy elements: NotPrincipal"'
ACTION = 'IAM User Guide, "IAM JSON policy elements: Action"'
NOT_ACTION = 'IAM User Guide, "IAM JSON policy elements: NotAction"'
OPERATORS = 'IAM User Guide, "IAM JSON policy elements: Condition operators"'
SEVERAL_KEYS = 'IAM User Guide, "Conditions with multiple context keys or values"'
SETS = 'IAM User Guide, "Set operators for multivalued context keys"'
GLOBAL_KEYS = 'IAM User Guide, "AWS global condition context keys"'
VARIABLES = 'IAM User Guide, "IAM policy elements: Variables and tags"'
GRAMMAR = 'IAM User Guide, "Grammar of the IAM JSON policy language"'


@dataclass(frozen=True)
class Case:
    """One policy, a grantee, and what is expected; `says` must be in the reason."""

    name: str
    source: str
    expected: Admission
    statements: Any
    grantee: Grantee = field(default_factory=lambda: Account(STRANGER))
    says: str = ""
    organization: OrganizationView = OWN_VIEW
    grants: tuple[KeyGrant, ...] | Unreadable = ()


def root(account: str) -> str:
    return f"arn:aws:iam::{account}:root"


def role(account: str, name: str) -> str:
    return f"arn:aws:iam::{account}:role/{name}"


def statement(effect: str, principal: Any, action: Any = "kms:*", **elements: Any) -> dict[str, Any]:
    """A statement; `principal` is the text of an AWS principal, a list of them, or the element itself."""
    element = principal if principal == "*" or isinstance(principal, dict) else {"AWS": principal}
    found = {"Effect": effect, "Principal": element, "Action": action, "Resource": "*", **elements}
    return {key: value for key, value in found.items() if value is not None}


def allow(principal: Any, action: Any = "kms:*", **elements: Any) -> dict[str, Any]:
    return statement("Allow", {"AWS": "*"} if principal == "*" else principal, action, **elements)


def deny(principal: Any, action: Any = "kms:*", **elements: Any) -> dict[str, Any]:
    return statement("Deny", principal, action, **elements)


def but(effect: str, principals: Any) -> dict[str, Any]:
    """A statement about everyone but some."""
    return statement(effect, "*", Principal=None, NotPrincipal=principals)


def when(operator: str, key: str, *values: Any) -> dict[str, Any]:
    return {operator: {key: list(values) if len(values) > 1 else values[0]}}


def key(policy: str | Unreadable, grants: tuple[KeyGrant, ...] | Unreadable = (), **facts: str) -> KeyFacts:
    texts = {"key_arn": KEY_ARN, "account_id": OWNER, "manager": "CUSTOMER", "state": "Enabled", **facts}
    return KeyFacts(**texts, policy=policy, grants=grants)


def admissions(facts: KeyFacts, grantees: Iterable[Grantee], **where: Any) -> tuple[KeyAdmission, ...]:
    """What a key says to each of the grantees."""
    judge = KeyJudge(facts, **where)
    return tuple(map(judge.admission, grantees))


def admission(facts: KeyFacts, grantee: Grantee, **where: Any) -> KeyAdmission:
    return KeyJudge(facts, **where).admission(grantee)


def document(statements: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Id": "key-policy", "Statement": statements})


# The policy that the console makes: the owner's root. Without more, it lets nobody else in.
OWNER_ROOT = {**allow(root(OWNER)), "Sid": "Enable IAM policies"}
USE = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]
FOR_RESOURCES = when("Bool", "kms:GrantIsForAWSResource", "true")
STRANGERS = allow(root(STRANGER), Sid="Allow use of the key")

CASES = [
    # Grants that the grantee makes, without EC2: they give it Decrypt, and EC2 lets it launch.
    Case("grants that no service makes", KMS_KEYS, OPEN, [allow(root(STRANGER), "kms:CreateGrant", Condition=when("Bool", "kms:GrantIsForAWSResource", "false"))], says="if it calls KMS by itself"),
    Case("grants by direct calls only", KMS_KEYS, OPEN, [allow(root(STRANGER), "kms:CreateGrant", Condition=when("Null", "kms:ViaService", "true"))]),
    Case("grants but not by EC2", KMS_KEYS, OPEN, [allow(root(STRANGER), "kms:CreateGrant", Condition=when("StringNotLike", "kms:ViaService", "ec2.*"))]),
    Case("grants, but none for EC2", KMS_KEYS, OPEN, [allow(root(STRANGER), "kms:CreateGrant"), deny("*", "kms:CreateGrant", Condition=FOR_RESOURCES)]),
    Case("decrypting by direct calls only", KMS_KEYS, NO, [allow(root(STRANGER), "kms:Decrypt", Condition=when("Null", "kms:ViaService", "true"))]),
    # What services may do for a grantee.
    Case("any service", GLOBAL_KEYS, OPEN, [allow("*", Condition=when("BoolIfExists", "aws:PrincipalIsAWSService", "true"))]),
    Case("any service but a deny", GLOBAL_KEYS, NO, [allow("*", Condition=when("Bool", "aws:PrincipalIsAWSService", "true")), deny(root(STRANGER))]),
    # Whom a statement lets in.
    Case("nothing but the owner's root", DEFAULT, NO, [OWNER_ROOT], says="no statement of the key policy and no grant"),
    Case("no statement", LOGIC, NO, []),
    Case("one statement as an object", GRAMMAR, YES, STRANGERS),
    Case("root of the account", EXTERNAL, YES, [OWNER_ROOT, STRANGERS], says='"Allow use of the key" allows kms:Decrypt to account 222222222222'),
    Case("id of the account", PRINCIPAL, YES, [allow(STRANGER)], says="statement 1"),
    Case("root of another account", EXTERNAL, NO, [OWNER_ROOT, allow(root(OTHER))]),
    Case("the root in a list", PRINCIPAL, YES, [allow([root(OTHER), root(STRANGER)])]),
    Case("everyone, bare", PRINCIPAL, YES, [statement("Allow", "*")]),
    Case("everyone as an AWS principal", PRINCIPAL, YES, [allow("*")]),
    Case("a role of the account", EXTERNAL, YES, [allow(role(STRANGER, "Launcher"))], says="role/Launcher"),
    Case("a role of another account", EXTERNAL, NO, [allow(role(OTHER, "Launcher"))]),
    Case("a user of the account", EXTERNAL, YES, [allow(f"arn:aws:iam::{STRANGER}:user/alice")], says="user/alice"),
    Case("a session of a role", PRINCIPAL, YES, [allow(f"arn:aws:sts::{STRANGER}:assumed-role/Launcher/ci")]),
    Case("a pattern of ARNs is no principal", PRINCIPAL, OPEN, [allow(role(STRANGER, "*"))]),
    Case("the id of a deleted role", PRINCIPAL, OPEN, [allow("AROADBQP57FF2AEXAMPLE")]),
    Case("a root of another partition", PRINCIPAL, OPEN, [allow(f"arn:aws-cn:iam::{STRANGER}:root")]),
    Case("an identity provider", PRINCIPAL, OPEN, [allow({"Federated": "cognito-identity.amazonaws.com"})]),
    Case("a canonical user", PRINCIPAL, OPEN, [allow({"CanonicalUser": "79a59df900b949e5"})]),
    Case("a service that reads no snapshots", PRINCIPAL, NO, [OWNER_ROOT, allow({"Service": "logs.eu-west-1.amazonaws.com"})]),
    Case("a service that may launch", PRINCIPAL, OPEN, [allow({"Service": "autoscaling.amazonaws.com"})]),
    Case(
        "a service for the owner's resources only",
        GLOBAL_KEYS,
        NO,
        [allow({"Service": "backup.amazonaws.com"}, Condition=when("StringEquals", "aws:SourceAccount", OWNER))],
    ),
    # What a statement lets them do.
    Case("the list for sharing snapshots", EBS, YES, [allow(root(STRANGER), [*USE, "kms:CreateGrant"])]),
    Case("the console's two statements", EXTERNAL, YES, [allow(root(STRANGER), USE), allow(root(STRANGER), ["kms:CreateGrant"], Condition=FOR_RESOURCES)]),
    Case("only to see the key", EBS, NO, [allow(root(STRANGER), ["kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*"])]),
    Case("actions in another case", ACTION, YES, [allow(root(STRANGER), "KMS:decrypt")]),
    Case("a pattern of actions", ACTION, YES, [allow(root(STRANGER), "kms:Decr?pt*")]),
    Case("all actions of all services", ACTION, YES, [allow(root(STRANGER), "*")]),
    Case("actions of another service", ACTION, NO, [allow(root(STRANGER), ["s3:*", "ec2:*"])]),
    Case("grants only", GRANTS, OPEN, [allow(root(STRANGER), "kms:CreateGrant")], says="may be enough without kms:Decrypt"),
    Case("grants for AWS resources, not for decryption", KMS_KEYS, NO, [allow(root(STRANGER), "kms:Decrypt", Condition=FOR_RESOURCES)]),
    Case("all but administration", NOT_ACTION, YES, [allow(root(STRANGER), None, NotAction=["kms:Put*"])]),
    Case("all but use", NOT_ACTION, NO, [allow(root(STRANGER), None, NotAction=["kms:Decrypt", "kms:Re*", "kms:Create*"])]),
    Case("no Action", CREATE_KEY, NO, [allow(root(STRANGER), None)]),
    Case("no Resource", CREATE_KEY, NO, [allow(root(STRANGER), Resource=None)]),
    Case("the key's own ARN", KEY_POLICY, YES, [allow(root(STRANGER), Resource=KEY_ARN)]),
    Case("the ARN of another key", KEY_POLICY, OPEN, [allow(root(STRANGER), Resource=KEY_ARN.replace("1234abcd", "9999abcd"))]),
    Case("Action and NotAction", GRAMMAR, OPEN, [allow(root(STRANGER), NotAction="kms:Put*")], says="both Action and NotAction"),
    # Denies.
    Case("a deny of the account wins", LOGIC, NO, [STRANGERS, deny(root(STRANGER), Sid="Out")], says='statement "Out" denies kms:Decrypt'),
    Case("a deny of everyone wins", LOGIC, NO, [STRANGERS, statement("Deny", "*")]),
    Case("a deny wins over a grant", TROUBLE, NO, [deny(root(STRANGER))], grants=(KeyGrant("g", role(STRANGER, "R"), ("Decrypt",)),)),
    Case("a deny of another account", LOGIC, YES, [STRANGERS, deny(root(OTHER))]),
    Case("a deny of what is not needed", LOGIC, YES, [STRANGERS, deny("*", ["kms:ScheduleKeyDeletion", "kms:PutKeyPolicy"])]),
    Case("a deny of one way in", EBS, OPEN, [STRANGERS, deny("*", "kms:Decrypt")], says="kms:ReEncryptFrom"),
    Case("a deny of each way in", EBS, NO, [STRANGERS, deny("*", ["kms:Decrypt", "kms:ReEncrypt*", "kms:CreateGrant"])]),
    Case("a deny of one role leaves the others", LOGIC, YES, [STRANGERS, deny(role(STRANGER, "Banned"))]),
    Case("a deny of the role that is allowed", LOGIC, NO, [allow(role(STRANGER, "R")), deny(role(STRANGER, "R"))]),
    Case("a deny of a role reaches its sessions", PRINCIPAL, NO, [allow(f"arn:aws:sts::{STRANGER}:assumed-role/R/s"), deny(role(STRANGER, "R"))]),
    Case("a deny of one session leaves the role", PRINCIPAL, YES, [allow(role(STRANGER, "R")), deny(f"arn:aws:sts::{STRANGER}:assumed-role/R/s")]),
    Case("a deny of a service", PRINCIPAL, YES, [STRANGERS, deny({"Service": "ec2.amazonaws.com"})]),
    Case("a deny on a condition that is not known", OPERATORS, OPEN, [STRANGERS, deny("*", Condition=when("Bool", "aws:MultiFactorAuthPresent", "false"))], says="may deny it"),
    Case("a deny outside of the own organization", GLOBAL_KEYS, NO, [STRANGERS, deny("*", Condition=when("StringNotEquals", "aws:PrincipalOrgID", OWN))]),
    Case("a deny outside of it, members unread", GLOBAL_KEYS, OPEN, [STRANGERS, deny("*", Condition=when("StringNotEquals", "aws:PrincipalOrgID", OWN))], organization=OrganizationUnread("denied")),
    Case("a deny outside of it, a member asks", GLOBAL_KEYS, YES, [allow(root(MEMBER)), deny("*", Condition=when("StringNotEquals", "aws:PrincipalOrgID", OWN))], Account(MEMBER)),
    Case("a perimeter with an exception for services", GLOBAL_KEYS, NO, [STRANGERS, deny("*", Condition={**when("StringNotEqualsIfExists", "aws:PrincipalOrgID", OWN), **when("BoolIfExists", "aws:PrincipalIsAWSService", "false")})]),
    # NotPrincipal.
    Case("a deny of all but another account", NOT_PRINCIPAL, NO, [STRANGERS, but("Deny", {"AWS": [root(OTHER), root(OWNER)]})]),
    Case("a deny of all but the account's root", NOT_PRINCIPAL, OPEN, [STRANGERS, but("Deny", {"AWS": root(STRANGER)})]),
    Case("a deny of all but a user and its root", NOT_PRINCIPAL, YES, [allow(f"arn:aws:iam::{STRANGER}:user/a"), but("Deny", {"AWS": [root(STRANGER), f"arn:aws:iam::{STRANGER}:user/a"]})]),
    Case("a deny of all but a role, without its root", NOT_PRINCIPAL, OPEN, [allow(role(STRANGER, "R")), but("Deny", {"AWS": role(STRANGER, "R")})]),
    Case("a deny of all but everyone", NOT_PRINCIPAL, YES, [STRANGERS, but("Deny", "*")]),
    Case("an allow of all but another account", NOT_PRINCIPAL, YES, [but("Allow", {"AWS": root(OTHER)})]),
    Case("an allow of all but everyone", NOT_PRINCIPAL, NO, [but("Allow", "*")]),
    Case("an allow of all but the account", NOT_PRINCIPAL, OPEN, [but("Allow", {"AWS": root(STRANGER)})]),
    # Conditions: who calls.
    Case("everyone of the own organization", GLOBAL_KEYS, NO, [allow("*", Condition=when("StringEquals", "aws:PrincipalOrgID", OWN))]),
    Case("the own organization, members unread", GLOBAL_KEYS, OPEN, [allow("*", Condition=when("StringEquals", "aws:PrincipalOrgID", OWN))], organization=OrganizationUnread("denied")),
    Case("the own organization, a member asks", GLOBAL_KEYS, YES, [allow("*", Condition=when("StringEquals", "aws:PrincipalOrgID", OWN))], Account(MEMBER)),
    Case("a foreign organization, which nobody can enumerate", GLOBAL_KEYS, OPEN, [allow("*", Condition=when("StringEquals", "aws:PrincipalOrgID", FOREIGN))]),
    Case("a foreign organization, a member of the own asks", GLOBAL_KEYS, NO, [allow("*", Condition=when("StringEquals", "aws:PrincipalOrgID", FOREIGN))], Account(MEMBER)),
    Case("a key in another case", OPERATORS, YES, [allow("*", Condition=when("StringEquals", "AWS:principalorgid", OWN))], Account(MEMBER)),
    Case("one of several values", SEVERAL_KEYS, YES, [allow("*", Condition=when("StringEquals", "kms:CallerAccount", OTHER, STRANGER))]),
    Case("none of several values", SEVERAL_KEYS, NO, [allow("*", Condition=when("StringEquals", "kms:CallerAccount", OTHER, MEMBER))]),
    Case("two conditions, one not met", SEVERAL_KEYS, NO, [allow("*", Condition={"StringEquals": {"kms:CallerAccount": STRANGER, "aws:PrincipalAccount": OTHER}})]),
    Case("two operators, both met", SEVERAL_KEYS, YES, [allow("*", Condition={**when("StringEquals", "kms:CallerAccount", STRANGER), **when("StringNotEquals", "aws:PrincipalAccount", OTHER)})]),
    Case("a value that is a number", GRAMMAR, YES, [allow("*", Condition=when("StringEquals", "kms:CallerAccount", int(STRANGER)))]),
    Case("StringEquals knows no wildcards", OPERATORS, NO, [allow("*", Condition=when("StringEquals", "kms:CallerAccount", "2*"))]),
    Case("StringLike does", OPERATORS, YES, [allow("*", Condition=when("StringLike", "kms:CallerAccount", "22?222*"))]),
    Case("StringNotLike", OPERATORS, NO, [allow("*", Condition=when("StringNotLike", "kms:CallerAccount", "1*", "2*"))]),
    Case("StringEqualsIgnoreCase", OPERATORS, YES, [allow("*", Condition=when("StringEqualsIgnoreCase", "aws:PrincipalOrgID", OWN.upper()))], Account(MEMBER)),
    Case("StringNotEqualsIgnoreCase", OPERATORS, NO, [allow("*", Condition=when("StringNotEqualsIgnoreCase", "aws:PrincipalOrgID", OWN.upper()))], Account(MEMBER)),
    Case("an ARN of the account", OPERATORS, YES, [allow("*", Condition=when("ArnLike", "aws:PrincipalArn", role(STRANGER, "app-*")))], says="such as"),
    Case("an ARN of another account", OPERATORS, NO, [allow("*", Condition=when("ArnEquals", "aws:PrincipalArn", role(OTHER, "app-*")))]),
    Case("an exact ARN as a text", OPERATORS, YES, [allow(root(STRANGER), Condition=when("StringEquals", "aws:PrincipalArn", role(STRANGER, "App")))], says="role/App"),
    Case("all ARNs but some", OPERATORS, YES, [allow(root(STRANGER), Condition=when("ArnNotLike", "aws:PrincipalArn", role(STRANGER, "app-*")))]),
    Case("a role that its own ARN denies", OPERATORS, NO, [allow(role(STRANGER, "R")), deny("*", Condition=when("ArnEquals", "aws:PrincipalArn", role(STRANGER, "R")))]),
    Case("two patterns of ARNs that may meet", OPERATORS, OPEN, [allow(root(STRANGER), Condition=when("ArnLike", "aws:PrincipalArn", role(STRANGER, "a*"))), deny("*", Condition=when("ArnNotLike", "aws:PrincipalArn", role(STRANGER, "*b")))]),
    # Conditions: by way of what.
    Case("by EC2 in the region of the image", KMS_KEYS, YES, [allow("*", Condition={"StringEquals": {"kms:ViaService": "ec2.eu-west-1.amazonaws.com", "kms:CallerAccount": STRANGER}})]),
    Case("by EC2 for the owner, as in AWS's own key", KMS_KEYS, NO, [allow("*", Condition={"StringEquals": {"kms:ViaService": "ec2.eu-west-1.amazonaws.com", "kms:CallerAccount": OWNER}})]),
    Case("by EC2 in any region", KMS_KEYS, YES, [allow(root(STRANGER), Condition=when("StringLike", "kms:ViaService", "ec2.*.amazonaws.com"))]),
    Case("by RDS", KMS_KEYS, NO, [allow(root(STRANGER), Condition=when("StringEquals", "kms:ViaService", "rds.eu-west-1.amazonaws.com"))]),
    Case("by EC2 of another region, as a copy may", KMS_KEYS, OPEN, [allow(root(STRANGER), Condition=when("StringEquals", "kms:ViaService", "ec2.us-east-1.amazonaws.com"))], says="copies"),
    Case("if by a service, then by EC2", OPERATORS, YES, [allow(root(STRANGER), Condition=when("StringEqualsIfExists", "kms:ViaService", "ec2.eu-west-1.amazonaws.com"))]),
    Case("by a service at all", OPERATORS, YES, [allow(root(STRANGER), Condition=when("Null", "kms:ViaService", "false"))]),
    Case("not by a service", OPERATORS, OPEN, [allow(root(STRANGER), Condition=when("Null", "kms:ViaService", True))]),
    Case("in a region", GLOBAL_KEYS, YES, [allow(root(STRANGER), Condition=when("StringEquals", "aws:RequestedRegion", "eu-west-1"))]),
    Case("a key that is not known", OPERATORS, OPEN, [allow(root(STRANGER), Condition=when("StringEquals", "aws:PrincipalTag/team", "a"))], says="aws:principaltag/team"),
    Case("an operator that is not known", OPERATORS, OPEN, [allow(root(STRANGER), Condition=when("DateLessThan", "aws:CurrentTime", "2020-01-01"))]),
    Case("an operator that there is not", OPERATORS, OPEN, [allow(root(STRANGER), Condition=when("StringMatches", "kms:CallerAccount", OTHER))]),
    Case("a key that is not known beside one that is not met", SEVERAL_KEYS, NO, [allow(root(STRANGER), Condition={"StringEquals": {"aws:PrincipalTag/team": "a", "kms:CallerAccount": OTHER}})]),
    Case("a policy variable", VARIABLES, OPEN, [allow(root(STRANGER), Condition=when("StringEquals", "kms:CallerAccount", "${aws:PrincipalAccount}"))]),
    Case("no condition in the block", GRAMMAR, YES, [allow(root(STRANGER), Condition={})]),
    Case("no value", GRAMMAR, OPEN, [allow(root(STRANGER), Condition={"StringEquals": {"kms:CallerAccount": []}})]),
    # Paths in an organization.
    Case("a unit above the account", EC2_ORGANIZATIONS, YES, [allow("*", Condition=when("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", f"{OWN}/r-ab12/{UNIT}/*"))], Account(MEMBER)),
    Case("a unit beside the account", EC2_ORGANIZATIONS, NO, [allow("*", Condition=when("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", f"{OWN}/r-ab12/{OUTSIDE}/*"))], Account(MEMBER)),
    Case("a unit of the own organization, a stranger asks", EC2_ORGANIZATIONS, NO, [allow("*", Condition=when("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", f"{OWN}/r-ab12/{UNIT}/*"))]),
    Case("paths without a set operator", SETS, OPEN, [allow("*", Condition=when("StringLike", "aws:PrincipalOrgPaths", f"{OWN}/*"))], Account(MEMBER)),
    Case("ForAllValues is met by those who have no path", SETS, OPEN, [allow("*", Condition=when("ForAllValues:StringLike", "aws:PrincipalOrgPaths", f"{OWN}/*"))]),
    # Organizations, units and everyone as grantees.
    Case("the organization, allowed", EC2_ORGANIZATIONS, YES, [OWNER_ROOT, allow("*", ["kms:Describe*", "kms:List*", "kms:Get*", *USE], Condition=when("StringEquals", "aws:PrincipalOrgID", FOREIGN))], FOREIGN_ORGANIZATION, says=f"any account of {FOREIGN}"),
    Case("the organization, another one allowed", EC2_ORGANIZATIONS, NO, [OWNER_ROOT, allow("*", Condition=when("StringEquals", "aws:PrincipalOrgID", OWN))], FOREIGN_ORGANIZATION),
    Case("the organization, its management account allowed", PRINCIPAL, YES, [allow(root(OTHER))], FOREIGN_ORGANIZATION),
    Case("a foreign organization, an account allowed", PRINCIPAL, OPEN, [allow(root(STRANGER))], FOREIGN_ORGANIZATION, says="is not known"),
    Case("a foreign organization, a member of the own allowed", PRINCIPAL, NO, [allow(root(MEMBER))], FOREIGN_ORGANIZATION),
    Case("the own organization, only the owner allowed", PRINCIPAL, NO, [OWNER_ROOT], OWN_ORGANIZATION),
    Case("the own organization, a member allowed", PRINCIPAL, YES, [allow(root(MEMBER))], OWN_ORGANIZATION),
    Case("the own organization, a stranger allowed", PRINCIPAL, NO, [allow(root(STRANGER))], OWN_ORGANIZATION),
    Case("the own organization, and no organization is known", PRINCIPAL, OPEN, [allow(root(MEMBER))], OWN_ORGANIZATION, organization=NoOrganization()),
    Case("the organization, but one account", LOGIC, YES, [allow("*"), deny(root(OTHER))], FOREIGN_ORGANIZATION),
    Case("the organization, denied but for one account", NOT_PRINCIPAL, OPEN, [allow("*"), but("Deny", {"AWS": root(OTHER)})], FOREIGN_ORGANIZATION),
    Case("the organization, denied but for one account by a condition", LOGIC, OPEN, [allow("*"), statement("Deny", "*", Condition=when("StringNotEquals", "kms:CallerAccount", OTHER))], FOREIGN_ORGANIZATION),
    Case("the organization, denied but for the owner", NOT_PRINCIPAL, NO, [allow("*"), but("Deny", {"AWS": root(OWNER)})], FOREIGN_ORGANIZATION),
    Case("a unit by its path", EC2_ORGANIZATIONS, YES, [allow("*", Condition={**when("StringEquals", "aws:PrincipalOrgID", OWN), **when("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", f"{OWN}/r-ab12/{UNIT}/*")})], OWN_UNIT),
    Case("a unit by another's path", EC2_ORGANIZATIONS, NO, [allow("*", Condition=when("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", f"{OWN}/r-ab12/{OUTSIDE}/*"))], OWN_UNIT),
    Case("a unit by its organization", EC2_ORGANIZATIONS, YES, [allow("*", Condition=when("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", f"{FOREIGN}/*"))], FOREIGN_UNIT),
    Case("a foreign unit by a path that may be its own", EC2_ORGANIZATIONS, OPEN, [allow("*", Condition=when("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", f"{FOREIGN}/r-ab12/{UNIT}/*"))], FOREIGN_UNIT),
    Case("a unit, an account outside of it allowed", PRINCIPAL, NO, [allow(root(MANAGER))], OWN_UNIT),
    Case("everyone, one account allowed", PRINCIPAL, YES, [OWNER_ROOT, allow(root(STRANGER))], Everyone()),
    Case("everyone, only the owner allowed", PRINCIPAL, NO, [OWNER_ROOT], Everyone()),
    # Grants.
    Case("a grant for a role of the account", GRANTS, YES, [OWNER_ROOT], says="grant g1", grants=(KeyGrant("g1", role(STRANGER, "R"), ("DescribeKey", "Decrypt")),)),
    Case("a grant for a role of another account", GRANTS, NO, [OWNER_ROOT], grants=(KeyGrant("g1", role(OTHER, "R"), ("Decrypt",)),)),
    Case("a grant to encrypt", GRANTS, NO, [OWNER_ROOT], grants=(KeyGrant("g1", role(STRANGER, "R"), ("Encrypt", "DescribeKey")),)),
    Case("a grant with constraints", CONSTRAINTS, OPEN, [OWNER_ROOT], grants=(KeyGrant("g1", role(STRANGER, "R"), ("Decrypt",), constrained=True),)),
    Case("a grant for the whole account", GRANTS, YES, [OWNER_ROOT], grants=(KeyGrant("g1", root(STRANGER), ("Decrypt",)),)),
    Case("a grant of which the principal is not known", GRANTS, OPEN, [OWNER_ROOT], grants=(KeyGrant("g1", "", ("Decrypt",)),)),
    Case("a grant for a service that may launch", GRANTS, OPEN, [OWNER_ROOT], grants=(KeyGrant("g1", "ec2.eu-west-1.amazonaws.com", ("Decrypt",)),)),
    Case("a grant for a service that reads no snapshots", GRANTS, NO, [OWNER_ROOT], grants=(KeyGrant("g1", "sns.amazonaws.com", ("Decrypt",)),)),
    Case("a grant to make grants", GRANTS, OPEN, [OWNER_ROOT], grants=(KeyGrant("g1", role(STRANGER, "R"), ("CreateGrant",)),)),
    Case("a free grant beside one with constraints", GRANTS, YES, [OWNER_ROOT], says="grant g2", grants=(KeyGrant("g1", role(STRANGER, "R"), ("Decrypt",), constrained=True), KeyGrant("g2", role(STRANGER, "R"), ("Decrypt",)))),
    Case("grants that could not be read", GRANTS, OPEN, [OWNER_ROOT], says="not permitted", grants=Unreadable("not permitted: kms:ListGrants")),
    Case("grants that could not be read, a statement allows", EXTERNAL, YES, [STRANGERS], grants=Unreadable("not permitted: kms:ListGrants")),
    # What is not understood, beside what is.
    Case("a statement that is no object", GRAMMAR, OPEN, [OWNER_ROOT, "Allow"], says="it is not an object"),
    Case("an element that is not known", GRAMMAR, OPEN, [OWNER_ROOT, {**OWNER_ROOT, "Sid": "x", "Principle": "*"}], says="Principle"),
    Case("an effect in another case", GRAMMAR, OPEN, [allow(root(STRANGER), Effect="allow")]),
    Case("no principal", KEY_POLICY, OPEN, [allow(root(STRANGER), Principal=None)]),
    Case("a deny that is not understood", GRAMMAR, OPEN, [STRANGERS, deny("*", Condition=["x"])]),
    Case("a deny wins over what is not understood", LOGIC, NO, ["x", deny(root(STRANGER))]),
]  # fmt: skip
