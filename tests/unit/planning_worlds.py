"""Worlds to plan for, and what one may wish of a plan."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from hypothesis import strategies as st

from amiguard.core.checks.ami_cross_account_access import evaluate
from amiguard.core.decision import Rules, rules_in_force
from amiguard.core.exception import ImageException
from amiguard.core.grantee import Grantee, GranteeKind
from amiguard.core.image import Image, LaunchPermission, Unreadable
from amiguard.core.organization import OrganizationView
from amiguard.core.plan import Plan
from amiguard.core.planning import PlanWishes
from amiguard.core.remediation import HOLD_TAG
from amiguard.core.result import CheckResult
from amiguard.core.trust import TrustPolicy
from tests.fakes.images import OWNER, image
from tests.unit import strategies

OTHER_OWNER = "111111111111"
NOW = datetime.combine(strategies.TODAY, datetime.min.time(), UTC)


@dataclass(frozen=True)
class World:
    """Images with their grants (None: unreadable), and what decides, each account with its own organization."""

    grants: Mapping[Image, tuple[Grantee, ...] | None]
    policy: TrustPolicy
    exceptions: tuple[ImageException, ...]
    organizations: Mapping[str, OrganizationView]

    def rules_of(self, account_id: str) -> Rules:
        view = self.organizations[account_id]
        return rules_in_force(self.policy, self.exceptions, today=strategies.TODAY, organization=view)

    def audit(self) -> list[CheckResult]:
        return [
            evaluate(
                one,
                Unreadable("not permitted") if grants is None else LaunchPermission(grants),
                self.rules_of(one.account_id),
            )
            for one, grants in self.grants.items()
        ]

    def after(self, plan: Plan) -> "World":
        """The world once the plan has been applied."""
        grants = dict(self.grants)
        by_id = {(one.account_id, one.image_id): one for one in grants}
        for change in plan.image_changes:
            grants[by_id[change.edit.target.account_id, change.edit.image_id]] = change.edit.after
        return replace(self, grants=grants)


images = st.builds(
    image,
    st.sampled_from(["ami-1", "ami-2", "ami-3", "ami-other"]),
    account_id=st.sampled_from([OWNER, OTHER_OWNER]),
    name=st.sampled_from(["golden-1", "other"]),
    tags=st.sampled_from([(), (), (("k", "v"),), ((HOLD_TAG, ""),)]),
    state=st.sampled_from(["available", "available", "disabled"]),
)
permissions = st.none() | strategies.grants.map(tuple)
worlds = st.builds(
    World,
    st.lists(
        st.tuples(images, permissions), max_size=5, unique_by=lambda one: (one[0].account_id, one[0].image_id)
    ).map(dict),
    strategies.policies,
    strategies.exceptions,
    st.fixed_dictionaries(dict.fromkeys((OWNER, OTHER_OWNER), strategies.organizations)),
)
wishes_without_additions = st.builds(
    PlanWishes,
    only=st.none() | st.frozensets(st.sampled_from(GranteeKind)),
    protected=st.just(()) | strategies.selectors.map(lambda one: (one,)),
)
