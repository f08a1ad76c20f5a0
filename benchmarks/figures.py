"""Measured figures beside their targets."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

_SYMBOLS: Final[dict[str, Callable[[float, float], bool]]] = {
    "<=": lambda value, bound: value <= bound,
    "<": lambda value, bound: value < bound,
    ">=": lambda value, bound: value >= bound,
    "=": lambda value, bound: value == bound,
}


@dataclass(frozen=True, slots=True)
class Target:
    """A bound that a figure must keep, such as `Target("<=", 6)`."""

    symbol: str
    bound: float

    def met_by(self, value: float) -> bool:
        """Return whether the value keeps the bound."""
        return _SYMBOLS[self.symbol](value, self.bound)


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the results: the runs of one quantity, in `unit`, of which the median counts."""

    case: str
    name: str
    values: tuple[float, ...]
    unit: str = ""
    target: Target | None = None
    digits: int = 0

    @property
    def median(self) -> float:
        """The median of the runs."""
        return median(self.values)

    @property
    def missed(self) -> bool:
        """Whether there is a target and the median misses it."""
        return self.target is not None and not self.target.met_by(self.median)


def figure(
    case: str, name: str, values: Iterable[float], unit: str = "", target: Target | None = None, *, digits: int = 0
) -> Figure:
    """Return the figure of these runs."""
    return Figure(case, name, tuple(values), unit, target, digits)


def as_table(figures: Sequence[Figure]) -> str:
    """Return the figures as a Markdown table."""
    lines = [
        "| case | figure | median | lowest to highest | runs | target | met |",
        "|---|---|---:|---:|---:|---:|---|",
    ]
    lines += [_line(one) for one in figures]
    return "\n".join(lines)


def _line(one: Figure) -> str:
    def written(value: float) -> str:
        return f"{value:,.{one.digits}f}"

    spread = f"{written(min(one.values))} to {written(max(one.values))}" if len(one.values) > 1 else ""
    unit = f" {one.unit}" if one.unit else ""
    target = f"{one.target.symbol} {one.target.bound:,g}{unit}" if one.target else ""
    met = "" if one.target is None else "**no**" if one.missed else "yes"
    cells = (one.case, one.name, f"{written(one.median)}{unit}", spread, str(len(one.values)), target, met)
    return f"| {' | '.join(cells)} |"
