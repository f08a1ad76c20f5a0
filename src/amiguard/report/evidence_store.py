"""Evidence on disk while an audit runs: it comes later than the results that it is about, and in any order.

What stays in memory is where the evidence of each failing result lies.
"""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self, cast

from amiguard.core.errors import OutputError
from amiguard.core.result import Target
from amiguard.report.evidence_v1 import EvidenceV1, RecycleBinV1, UnavailableV1
from amiguard.report.interface import Report, ResultSource, StatusFilter
from amiguard.report.json_v1 import TargetV1, decode_result, encode

# Every line of a result that fails has this in it; a tag may have it, too.
_MAY_FAIL = '"status":"fail"'


class EvidenceStore:
    """Takes evidence as it comes, and puts it into the results that it is about.

    Use it in a `with` statement: its file has no name, only this process can read it, and it is gone at the end.

    Args:
        folder: where to make the temporary file; the system's choice (`TMPDIR`) by default.

    Attributes:
        lost: why nothing is kept any more, nor given back: the report then does without evidence.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._index: dict[bytes, tuple[int, int]] = {}
        self.lost: OutputError | None = None
        self._bins: dict[tuple[str, str], RecycleBinV1 | UnavailableV1] = {}
        with _storing():
            self._file: BinaryIO = cast("BinaryIO", tempfile.TemporaryFile(dir=folder))  # noqa: SIM115 - see __exit__

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._index.clear()
        # What a full disk did not take is not wanted any more.
        with suppress(OSError):
            self._file.close()

    def keep(self, fingerprint: str, evidence: EvidenceV1) -> None:
        """Keep what was learned about a result; of one that was kept before, the later counts."""
        if self.lost is not None:
            return
        data = encode(evidence).encode("ascii")
        try:
            with _storing():
                start = self._file.seek(0, 2)
                self._file.write(data)
                self._file.flush()
        except OutputError as error:
            self.lost = error
            self._index.clear()
            return
        self._index[bytes.fromhex(fingerprint)] = start, len(data)

    def keep_bin(self, target: Target, read: RecycleBinV1 | UnavailableV1) -> None:
        """Keep what is in the Recycle Bin of one target."""
        self._bins[target.account_id, target.region] = read

    def evidence_of(self, fingerprint: str) -> EvidenceV1 | None:
        """What is kept about a result; None if nothing is."""
        place = self._index.get(bytes.fromhex(fingerprint))
        if place is None:
            return None
        start, length = place
        with _storing():
            self._file.seek(start)
            return cast("EvidenceV1", json.loads(self._file.read(length)))

    def applied_to(self, report: Report) -> Report:
        """The same report with what is kept put into its failing results and its targets.

        It can be rendered as long as the store is open.
        """
        source = _Told(report.source, self) if self._index else report.source
        return replace(report, targets=tuple(map(self._with_bin, report.targets)), source=source)

    def told(self, lines: Iterator[str]) -> Iterator[str]:
        """Results as lines of JSON, those that fail with the key `evidence` where something is kept about them."""
        for line in lines:
            result = decode_result(line) if _MAY_FAIL in line else None
            if (
                result is not None
                and result["status"] == "fail"
                and (evidence := self.evidence_of(result["fingerprint"])) is not None
            ):
                result["evidence"] = evidence
                yield encode(result)
            else:
                yield line

    def _with_bin(self, target: TargetV1) -> TargetV1:
        kept = self._bins.get((target["account_id"], target["region"]))
        return target if kept is None else {**target, "recycle_bin": kept}


@dataclass(frozen=True, slots=True)
class _Told:
    """Results of a source, with evidence."""

    source: ResultSource
    store: EvidenceStore

    def ordered(self, shown: StatusFilter) -> Iterator[str]:
        """See `ResultSource`."""
        return self.store.told(self.source.ordered(shown))


@contextmanager
def _storing() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"evidence cannot be kept in the temporary folder: {error.strerror or error}",
            hint="set TMPDIR to a folder with room; a thousand failing images need about 10 MB",
        ) from error
