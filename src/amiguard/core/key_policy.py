"""Whether a KMS key admits a grantee: its key policy and its grants, judged conservatively.

`does not admit` is shown as a mitigation: it is said only when nothing that was read could let the grantee in. `admits`
is said when a statement or a grant surely lets in some principal of the grantee. All else is undetermined.

Source: IAM User Guide, "Cross-account policy evaluation logic"; KMS Developer Guide, "Allowing users in other accounts
to use a KMS key": the key policy says who can have access, and the IAM policies of that account, which nobody outside
sees, who does.
"""

from amiguard.core.evidence import Admission, KeyAdmission
from amiguard.core.grantee import Account, Grantee, Unrecognized, grantee_id
from amiguard.core.image import Unreadable
from amiguard.core.key_facts import KeyFacts, KeyGrant
from amiguard.core.key_grants import GrantBook
from amiguard.core.key_parties import Party, Place, parties_of
from amiguard.core.key_requesters import Rules, let_in_by_id, requesters_of
from amiguard.core.organization import OrganizationView
from amiguard.core.policy_document import NotUnderstood, Statement, clip, read_policy
from amiguard.core.policy_evaluation import Finding, findings
from amiguard.core.policy_patterns import Truth
from amiguard.core.policy_principals import is_account_id

__all__ = ["KeyFacts", "KeyGrant", "KeyJudge"]

# Each list of permissions that AWS documents for sharing has Decrypt, so it decides `admits`; the EC2 User Guide's own
# example for organizations has no CreateGrant (EBS User Guide, "Share the KMS key used to encrypt a shared Amazon EBS
# snapshot"; EC2 User Guide, "Allow organizations and OUs to use a KMS key").
_DECISIVE = "Decrypt"
# Who may re-encrypt to a key of their own, or make a grant for themselves, may need no Decrypt: a key keeps out only
# those who may do none of the three.
_WAYS_IN = (_DECISIVE, "ReEncryptFrom", "CreateGrant")
_MAX_REQUESTERS = 200
"""That are judged one by one, for each grantee."""
_USABLE = ("", "Enabled", "Updating")


class KeyJudge:
    """What one key says to grantees of images in one region: it is digested once, and each grantee judged once.

    Args:
        key: what was read of it.
        organization: what is known of the image owner's organization.
        region: of the images.
        owner_account: of the images; never one of those who are asked about. None if it is the key's.
    """

    def __init__(
        self, key: KeyFacts, *, organization: OrganizationView, region: str, owner_account: str | None = None
    ) -> None:
        self._rules = _rules_of(key, organization, region, owner_account)
        self._known: dict[Grantee, KeyAdmission] = {}

    def admission(self, grantee: Grantee) -> KeyAdmission:
        """Whether the key lets a grantee launch, or copy, an image whose snapshots it encrypts.

        Nothing in a policy or a grant makes this raise.
        """
        if grantee not in self._known:
            self._known[grantee] = KeyAdmission(grantee, *_verdict(self._rules, grantee))
        return self._known[grantee]


def _rules_of(key: KeyFacts, organization: OrganizationView, region: str, owner_account: str | None) -> Rules:
    partition = (*key.key_arn.split(":", 2), "", "")[1]
    unread = []
    statements: tuple[Statement, ...] = ()
    if isinstance(key.policy, Unreadable):
        unread.append(f"the key policy could not be read: {key.policy.reason}")
    elif isinstance(policy := read_policy(key.policy, partition), NotUnderstood):
        unread.append(f"the key policy is not understood: {policy.reason}")
    else:
        statements = policy
    grants: tuple[KeyGrant, ...] = ()
    if isinstance(key.grants, Unreadable):
        unread.append(f"the grants of the key could not be read: {key.grants.reason}")
    else:
        grants = key.grants
    place = Place(partition, region, owner_account or key.account_id, organization)
    book = GrantBook(grants, partition)
    return Rules(key, place, statements, book, tuple(unread), let_in_by_id(statements, book))


def _verdict(rules: Rules, grantee: Grantee) -> tuple[Admission, str]:
    match grantee:
        case Unrecognized():
            return Admission.UNDETERMINED, "the grant is not understood"
        case Account(account_id) if not is_account_id(account_id):
            return Admission.UNDETERMINED, "the id of the account is not understood"
        case Account(account_id) if account_id == rules.key.account_id:
            return Admission.UNDETERMINED, "the key is this account's own, and so is the say in its policy"
        case _ if rules.key.manager == "AWS":
            # EBS User Guide, "Share an Amazon EBS snapshot with other AWS accounts".
            return Admission.DOES_NOT_ADMIT, "the key that AWS manages for EBS cannot be shared with other accounts"
        case _:
            verdict, reason = _judge(rules, grantee)
    if rules.key.state not in _USABLE:
        # A key can be enabled, and its deletion cancelled: its state is no mitigation.
        reason += f"; the key is {clip(rules.key.state)}: as long as that lasts nobody can use it"
    return verdict, reason


def _judge(rules: Rules, grantee: Grantee) -> tuple[Admission, str]:
    open_questions = list(rules.unread)
    denials: list[str] = []
    asked = (
        (party, requester, label)
        for party in parties_of(grantee, rules.let_in, rules.place)
        for requester, label in requesters_of(rules, party)
    )
    for number, (party, requester, label) in enumerate(asked):
        if number == _MAX_REQUESTERS:
            open_questions.append("more principals are let in by name than are judged one by one")
            break
        found = findings(rules, party, requester, label, _WAYS_IN)
        if found[_DECISIVE].truth is Truth.YES and party.belongs is Truth.YES:
            return Admission.ADMITS, "; ".join((found[_DECISIVE].why, *rules.unread))
        open_questions += [
            _question(operation, one, party) for operation, one in found.items() if one.truth is not Truth.NO
        ]
        denials += [one.why for one in found.values() if one.truth is Truth.NO and one.why]
    if open_questions:
        return Admission.UNDETERMINED, open_questions[0]
    ways = ", ".join(f"kms:{operation}" for operation in _WAYS_IN)
    nothing = f"no statement of the key policy and no grant gives {grantee_id(grantee)} any of {ways}"
    return Admission.DOES_NOT_ADMIT, denials[0] if denials else nothing


def _question(operation: str, finding: Finding, party: Party) -> str:
    """What leaves it open whether the grantee is let in."""
    words = finding.why
    if operation != _DECISIVE and finding.truth is Truth.YES:
        words += ", which may be enough without kms:Decrypt"
    if party.belongs is not Truth.YES:
        words += "; whether that is one of the grantee's accounts is not known"
    return words
