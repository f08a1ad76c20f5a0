"""Why actions stand in a policy: as a table in Markdown, and as a line for each."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TextIO

from amiguard.core.iam.needs import Need
from amiguard.report.markdown_paper import plain, row, table


@dataclass(frozen=True, slots=True)
class ExplainedAction:
    """One action.

    Attributes:
        action: as IAM names it.
        use: what it is for.
        why: what it does there.
        without: what is so if it is not permitted.
    """

    action: str
    use: str
    why: str
    without: str

    @property
    def line(self) -> str:
        """All in one line."""
        return f"{self.action}: {self.why}" + (f"; without it {self.without}" if self.without else "")


def explained(needs: Iterable[Need]) -> Iterator[ExplainedAction]:
    """The actions of a policy that allows."""
    for need in needs:
        use = f"{need.feature.value} (writes)" if need.changes else need.feature.value
        yield ExplainedAction(need.action, use, need.why, need.without)


def render_explanation(title: str, actions: Sequence[ExplainedAction], notes: Sequence[str], stream: TextIO) -> None:
    """Write the table, and the notes below it; notes may hold texts of settings."""
    stream.write(f"## {title}\n\n")
    has_without = any(one.without for one in actions)
    stream.write(table("action", "for", "why", *(["without it"] if has_without else [])))
    stream.writelines(
        row(f"`{one.action}`", one.use, one.why, *([one.without] if has_without else [])) for one in actions
    )
    if notes:
        stream.write("\n")
    stream.writelines(f"- {plain(note)}\n" for note in notes)
