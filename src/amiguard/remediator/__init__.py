"""The remediator: applies a plan, rolls a journal back, and says where journaled changes stand."""

from amiguard.remediator.apply import apply
from amiguard.remediator.roll_back import roll_back
from amiguard.remediator.run import RemediationOptions
from amiguard.remediator.states import check_states

__all__ = ["RemediationOptions", "apply", "check_states", "roll_back"]
