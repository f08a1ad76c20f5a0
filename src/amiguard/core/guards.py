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

    Snapshots count as images do, but not where removals are compared with what the audit read: `Audited` counts the
    grants of images, and few snapshots are shared at all, so that any plan would remove most of their grants.

    Args:
        plan: what is to be done.
        max_images: how many images and snapshots a plan may change without `--force`.
        trusts_nobody: whether today's policy trusts nobody, from the function of that name.
    """
    tripped: list[Guard] = []
    images, snapshots = sum(1 for _ in plan.image_changes), sum(1 for _ in plan.snapshot_changes)
    if images + snapshots > max_images:
        parts = [_counted(images, "image")] if images else []
        parts += [_counted(snapshots, "snapshot")] if snapshots else []
        changed = " and ".join(parts)
        tripped.append(Guard(f"it changes {changed}, and at most {max_images} (--max-images) need no --force"))
    if 2 * plan.removals > plan.audited.grants:
        share = f"{plan.removals} of {plan.audited.grants} grants"
        tripped.append(Guard(f"it removes {share} of the audited images, and more than half needs --force"))
    if trusts_nobody and (removals := plan.removals + plan.snapshot_removals):
        tripped.append(
            Guard(f"it removes {_counted(removals, 'grant')} by a trust policy that trusts nobody, which needs --force")
        )
    return tuple(tripped)


def trusts_nobody(policy: TrustPolicy, today: date) -> bool:
    """Whether no entry of the policy is in force on this day (UTC): then every grant but exceptions is untrusted."""
    return not any(entry.in_force(today) for entry in policy.entries)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("s" if number != 1 else "")
