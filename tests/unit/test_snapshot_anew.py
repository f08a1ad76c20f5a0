"""Deciding the change of a snapshot anew: every removal, by every image that is left."""

from dataclasses import replace

from amiguard.core.exception import AnyGrantee, ImageException, ImageSelector, TagSelector
from amiguard.core.grantee import Account, Everyone
from amiguard.core.snapshot_anew import decide_snapshot_anew
from tests.fakes.images import OWNER, image
from tests.fakes.remediation_runs import RULES, STRANGER, TRUSTED, snapshot_change_of, snapshot_edit_of

CHANGE = snapshot_change_of(snapshot_edit_of([Everyone(), STRANGER], []))
FIRST, SECOND = image("ami-1"), image("ami-2", tags=(("Purpose", "public"),))


def test_what_is_untrusted_for_every_image_is_wanted_still() -> None:
    assert decide_snapshot_anew(CHANGE, [FIRST, SECOND], RULES) is None


def test_a_grantee_that_has_become_trusted_is_named_with_the_reason() -> None:
    change = snapshot_change_of(snapshot_edit_of([STRANGER, TRUSTED], []))
    said = decide_snapshot_anew(change, [FIRST, SECOND], RULES)
    assert said is not None
    assert said.startswith(f"{TRUSTED.account_id}, which was to be removed, is trusted now for ami-1: trusted: ")


def test_an_exception_for_one_of_the_images_is_enough() -> None:
    exception = ImageException(ImageSelector(tags=(TagSelector("Purpose", "public"),)), AnyGrantee(), "sold", "owner")
    rules = replace(RULES, exceptions=(exception,))
    said = decide_snapshot_anew(CHANGE, [FIRST, SECOND], rules)
    assert said == "all, which was to be removed, is excepted now for ami-2: accepted by owner: sold"
    assert decide_snapshot_anew(CHANGE, [FIRST], rules) is None


def test_the_account_of_the_images_is_never_taken_away() -> None:
    change = snapshot_change_of(snapshot_edit_of([Account(OWNER)], []))
    said = decide_snapshot_anew(change, [FIRST], RULES)
    assert said is not None
    assert "is trusted now for ami-1" in said
