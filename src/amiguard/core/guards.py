"""Guards: what about a plan is so unusual that it needs `--force`. `plan` warns of them, `apply` enforces them."""

from dataclasses import dataclass
from datetime import date

from amiguard.core.plan import Plan
from amiguard.core.trust import TrustPolicy


@dataclass(frozen=True, slots=True)
class Guard:
    """Why a plan needs `--force`, with the counts, in one sentence."""

    message: str


def guards(plan: Plan, *, max_images: int, trusts_nobody: bool) -> tuple[Guard, ...]:
    """The guards that a plan trips; none if it changes nothing.

    Args:
        plan: what is to be done.
        max_images: how many images a plan may change without `--force`.
        trusts_nobody: whether today's policy trusts nobody, from the function of that name.
    """
    tripped: list[Guard] = []
    changed = sum(1 for _ in plan.image_changes)
    if changed > max_images:
        images = f"{changed} image" + ("s" if changed != 1 else "")
        tripped.append(Guard(f"it changes {images}, and at most {max_images} (--max-images) need no --force"))
    if 2 * plan.removals > plan.audited.grants:
        share = f"{plan.removals} of {plan.audited.grants} grants"
        tripped.append(Guard(f"it removes {share} of the audited images, and more than half needs --force"))
    if trusts_nobody and plan.removals:
        grants = f"{plan.removals} grant" + ("s" if plan.removals != 1 else "")
        tripped.append(Guard(f"it removes {grants} by a trust policy that trusts nobody, which needs --force"))
    return tuple(tripped)


def trusts_nobody(policy: TrustPolicy, today: date) -> bool:
    """Whether no entry of the policy is in force on this day (UTC): then every grant but exceptions is untrusted."""
    return not any(entry.in_force(today) for entry in policy.entries)
