"""Whether a planned change of a snapshot is wanted still: decided by the images over it, as they are now."""

from collections.abc import Collection

from amiguard.core.decision import Rules, Verdict, decide
from amiguard.core.grantee import grantee_id
from amiguard.core.image import Image
from amiguard.core.plan import SnapshotChange


def decide_snapshot_anew(change: SnapshotChange, images: Collection[Image], rules: Rules) -> str | None:
    """Whether today's rules still want a planned change of a snapshot.

    Args:
        change: as planned.
        images: all that have the snapshot, as they are listed now: some may be new since the plan was made, and the
            name and the tags of each may have come under an exception.
        rules: of their account, today.

    Returns:
        None if every removal is still untrusted for all of the images; else who is not, for which image, and why. The
        words hold what AWS returned: neutralise them before they are shown.
    """
    for removal in change.removals:
        for image in images:
            decision = decide(removal.grantee, image, rules)
            if decision.verdict is not Verdict.UNTRUSTED:
                who = f"{grantee_id(removal.grantee)}, which was to be removed"
                return f"{who}, is {decision.verdict.value} now for {image.image_id}: {decision.reason}"
    return None
