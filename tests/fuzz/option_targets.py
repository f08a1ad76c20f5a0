"""Texts on the command line that are more than words: a text for all options, for none of them may stumble."""

from collections.abc import Callable
from datetime import timedelta

import typer

from amiguard.cli.check_options import requested_checks
from amiguard.cli.evidence_options import evidence_settings
from amiguard.cli.policy_options import parsed_trustee
from amiguard.cli.query_options import image_query, read_buckets
from amiguard.cli.report_formats import read_outputs
from amiguard.cli.target_options import requested_scope
from amiguard.cli.time_options import read_duration
from amiguard.core.evidence import EvidenceSettings
from amiguard.core.scope import Scope
from amiguard.core.trust import parse_trustee
from amiguard.report.sanitize import printable, printable_lines
from tests.fuzz.target import Form, Target


def read_option(data: bytes) -> None:
    """Each option takes the text or says what it expected; what it takes is in bounds."""
    # As Python gives arguments that are no UTF-8.
    text = data.decode("utf-8", "surrogateescape")
    taken = [name for name, read in READERS.items() if _takes(read, text)]
    assert printable(text).isprintable() or not text
    assert all(line.isprintable() for line in printable_lines(text).split("\n"))
    if not taken:
        raise typer.BadParameter(text)


def _takes(read: Callable[[str], object], text: str) -> bool:
    try:
        read(text)
    except typer.BadParameter as error:
        assert error.message  # noqa: PT017 - either end is right
        return False
    return True


def _duration(text: str) -> None:
    assert timedelta(0) < read_duration(text, "--x") < timedelta(days=1_000_000)


def _buckets(text: str) -> None:
    for size in read_buckets(text).values():
        assert size is None or (size.burst >= 1 and size.refill > 0)


def _trustee(text: str) -> None:
    assert parse_trustee(str(parsed_trustee(text, "--trust"))) is not None


READERS: dict[str, Callable[[str], object]] = {
    "duration": _duration,
    "bucket": _buckets,
    "image": lambda text: image_query([text], []),
    "check": lambda text: requested_checks(frozenset(), [text]),
    "evidence": lambda text: evidence_settings(EvidenceSettings(), [text], None),
    "trust": _trustee,
    "format": lambda text: read_outputs([text], None),
    "account": lambda text: requested_scope(Scope(), accounts=[text]),
    "role-name": lambda text: requested_scope(Scope(), organization=True, role_name=text),
    "external-id": lambda text: requested_scope(Scope(), organization=True, role_name="R", external_id=text),
    "tag": lambda text: image_query([], [text]),
}
OPTION_TARGETS = (
    Target(
        "options",
        Form.TEXT,
        read_option,
        (typer.BadParameter,),
        tuple(
            one.encode()
            for one in (
                "90s",
                "100+20.5",
                "ami-0123456789abcdef0",
                "usage,author",
                "own",
                "123456789012",
                "o-abcdefghij/ou-ab12-cdefghij",
                "arn:aws:organizations::111111111111:organization/o-aaaaaaaaaa",
                "json=report.json",
                "path/to/Role",
                "Team=a",
            )
        ),
        480,
    ),
)
