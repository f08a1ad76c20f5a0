"""Reports read back: what was written is what is read, and what is doubtful is refused."""

import io
import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amiguard.core.block_public_access import BlockPublicAccess, BlockPublicAccessState
from amiguard.core.decision import Decision, Verdict
from amiguard.core.errors import InputError
from amiguard.core.image import Image
from amiguard.core.result import CheckResult, Severity, Status, Target, TargetReport, TargetStatus
from amiguard.report.interface import ALL, NEEDS_ATTENTION, Renderer, StatusFilter
from amiguard.report.json_document import render_json
from amiguard.report.json_stream import JsonStream
from amiguard.report.json_v1 import result_v1
from amiguard.report.jsonl import render_jsonl
from amiguard.report.saved_report import core_result, open_saved_report
from amiguard.report.spool import Spool
from tests.unit.report_samples import (
    FRANKFURT,
    HEADER,
    OUTCOME,
    RESULTS,
    STRANGER,
    image,
    judged,
    sample_report,
)
from tests.unit.strategies import grantees

FORMATS: dict[str, Renderer] = {"json": render_json, "jsonl": render_jsonl}
formats = pytest.mark.parametrize("render", FORMATS.values(), ids=FORMATS)
FIXTURE_IS_SHARED = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50
)


def saved(folder: Path, text: str) -> Path:
    path = folder / "report"
    path.write_text(text, encoding="utf-8")
    return path


def text_of(render: Renderer, results: Iterable[CheckResult] | None = None, shown: StatusFilter = ALL) -> str:
    stream = io.StringIO()
    if results is None:
        with sample_report() as report:
            render(report, shown, stream)
        return stream.getvalue()
    with Spool() as spool:
        for result in results:
            spool.add(result)
        for target in {result.target for result in results}:
            spool.finish(TargetReport(target, TargetStatus.AUDITED))
        render(spool.report(HEADER, OUTCOME), shown, stream)
    return stream.getvalue()


SMALL = [judged(image(FRANKFURT, 5, "plätform \U0001f600", tags=(("a", "\\"),)), STRANGER)]


def problem(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        list(open_saved_report(path).results())
    assert caught.value.hint
    return caught.value.message.removeprefix(str(path)).strip()


@formats
def test_the_sample_is_read_back_whole_and_more_than_once(tmp_path: Path, render: Renderer) -> None:
    report = open_saved_report(saved(tmp_path, text_of(render)))
    with sample_report() as original:
        assert report.audit == original.audit
        assert report.summary == original.summary
        assert report.targets == tuple(original.targets)
        expected = list(original.results(ALL))
    assert list(report.results()) == expected
    assert list(report.results()) == expected
    assert sorted(map(core_result, report.results()), key=str) == sorted(RESULTS, key=str)
    assert report.not_shown == {}


@formats
def test_a_report_that_was_narrowed_says_what_it_does_not_hold(tmp_path: Path, render: Renderer) -> None:
    report = open_saved_report(saved(tmp_path, text_of(render, shown=NEEDS_ATTENTION)))
    assert report.not_shown == {"pass": 4, "suppressed": 1}


texts = st.text(st.characters(codec="utf-8"), max_size=8)
targets = st.builds(
    Target, st.sampled_from(["111122223333", "012345670123"]), st.sampled_from(["a", "b"]), st.just("aws")
)
decisions = st.lists(st.builds(Decision, grantees, st.sampled_from(Verdict), texts), max_size=4).map(tuple)
switches = st.none() | st.builds(BlockPublicAccessState, st.sampled_from(BlockPublicAccess), texts)


@st.composite
def check_results(draw: st.DrawFn) -> list[CheckResult]:
    results = {}
    for number in range(draw(st.integers(0, 4))):
        target = draw(targets)
        tags = tuple(draw(st.dictionaries(texts, texts, max_size=2)).items())
        fields = (draw(texts), draw(texts), draw(texts), draw(st.booleans()), tags)
        found = Image(f"ami-{number}", target.account_id, target.region, target.partition, *fields)
        one = CheckResult(
            draw(st.sampled_from(["ami-cross-account-access", "other"])),
            draw(st.sampled_from(Status)),
            draw(st.sampled_from(Severity)),
            target,
            draw(st.none() | st.just(found)),
            draw(decisions),
            draw(texts),
            draw(switches),
        )
        results[one.fingerprint] = one
    return list(results.values())


@formats
@FIXTURE_IS_SHARED
@given(results=check_results())
def test_whatever_is_written_is_read_back(tmp_path: Path, render: Renderer, results: list[CheckResult]) -> None:
    report = open_saved_report(saved(tmp_path, text_of(render, results)))
    found = list(report.results())
    assert sorted(map(str, map(result_v1, results))) == sorted(map(str, found))
    assert sorted(map(repr, map(core_result, found))) == sorted(map(repr, results))


@formats
def test_a_report_that_was_cut_anywhere_is_refused(tmp_path: Path, render: Renderer) -> None:
    whole = text_of(render, SMALL).encode()
    path = tmp_path / "report"
    assert whole.endswith(b"}\n")
    for end in range(len(whole) - 1):
        path.write_bytes(whole[:end])
        with pytest.raises(InputError):
            open_saved_report(path)
    path.write_bytes(whole[:-1])
    assert len(list(open_saved_report(path).results())) == 1


@formats
def test_additions_to_version_1_are_passed_over(tmp_path: Path, render: Renderer) -> None:
    def add(value: Any) -> Any:
        if isinstance(value, list):
            return [add(one) for one in value]
        if not isinstance(value, dict):
            return value
        more: dict[str, Any] = {} if set(value) & {"a", "DescribeImages"} else {"more": [{"than": {"this": 1.5e3}}]}
        return {**more, **{key: add(one) for key, one in value.items()}}

    text = text_of(render, SMALL)
    expected = open_saved_report(saved(tmp_path, text))
    results = list(expected.results())
    added = [json.dumps(add(json.loads(line))) for line in (text.splitlines() if render is render_jsonl else [text])]
    added[1:1] = ['{"type": "news", "of": "a later version"}'] if render is render_jsonl else []
    found = open_saved_report(saved(tmp_path, "\n".join(added)))
    assert found == expected
    assert list(found.results()) == results


def test_neither_layout_nor_the_order_of_keys_matters(tmp_path: Path) -> None:
    document = json.loads(text_of(render_json))
    expected = open_saved_report(saved(tmp_path, text_of(render_json)))
    results = list(expected.results())
    turned = {key: document[key] for key in reversed(document)}
    for text in (
        json.dumps(turned, indent=4, ensure_ascii=False),
        json.dumps(turned, separators=(",", ":")),
        f"\n\t {json.dumps(document)}\r\n\n",
    ):
        found = open_saved_report(saved(tmp_path, text))
        assert found == expected
        assert list(found.results()) == results


def mend(change: Callable[[dict[str, Any]], object]) -> str:
    document = json.loads(text_of(render_json, SMALL))
    change(document)
    return json.dumps(document)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda one: one.pop("schema_version"), "is not a report of amiguard: it has no schema_version"),
        (lambda one: one.update(schema_version=1), "is not a report of amiguard: it has no schema_version"),
        (lambda one: one.update(schema_version="2"), "is of version '2', and this amiguard reads '1'"),
        (lambda one: one.update(schema_version="2", results=[1]), "is of version '2', and this amiguard reads '1'"),
        (lambda one: one.pop("results"), "is not a report of `amiguard audit`: it has no results"),
        (lambda one: one.update(results={}), "is not a report of `amiguard audit`: it has no results"),
        (lambda one: one["tool"].update(name="other"), "is not a report of amiguard"),
        (lambda one: one.pop("audit"), "is not a whole report: audit is missing"),
        (lambda one: one["audit"].update(complete=1), "is not a whole report: audit.complete is not true or false"),
        (lambda one: one["summary"].update(fail=True), "is not a whole report: summary.fail is not a whole number"),
        (
            lambda one: one["summary"]["api_calls"].update(X="1"),
            "is not a whole report: summary.api_calls['X'] is not a whole number",
        ),
        (
            lambda one: one["targets"][0].update(status="seen"),
            "is not a whole report: targets[0].status is not one of audited, failed, skipped",
        ),
        (lambda one: one.update(targets={}), "is not a whole report: targets is not an array"),
        (lambda one: one["results"].append(None), "is not a whole report: results[1] is not an object"),
        (lambda one: one["results"][0].pop("image"), "is not a whole report: results[0].image is missing"),
        (
            lambda one: one["results"][0].update(severity="worse"),
            "is not a whole report: results[0].severity is not one of critical, high, informational, medium",
        ),
        (
            lambda one: one["results"][0].update(status=[]),
            "is not a whole report: results[0].status is not one of fail, pass, suppressed, unknown",
        ),
        (
            lambda one: one["results"][0]["image"].update(name=None),
            "is not a whole report: results[0].image.name is not a text",
        ),
        (
            lambda one: one["results"][0]["image"].update(tags=[]),
            "is not a whole report: results[0].image.tags is not an object",
        ),
        (
            lambda one: one["results"][0]["grants"][0].update(decision="fine"),
            "is not a whole report: results[0].grants[0].decision is not one of "
            "excepted, trusted, undetermined, untrusted",
        ),
    ],
)
def test_what_is_not_as_version_1_has_it_is_told(
    tmp_path: Path, change: Callable[[dict[str, Any]], object], said: str
) -> None:
    assert problem(saved(tmp_path, mend(change))) == said


NOT_JSON = "is not JSON, or was cut"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        (" \n", "is empty"),
        ("version: 1\n", "is not a report of amiguard in the format json or jsonl"),
        ("[]", "is not a report of amiguard in the format json or jsonl"),
        ("{}", "is not a report of amiguard: it has no schema_version"),
        ('{"schema_version": "1"} x', "is not a whole report: something follows its end"),
        ('{"a": 1, "a": 2}', "is not a whole report: it has 'a' twice"),
        ("{1: 2}", NOT_JSON),
        ('{"a": 1,}', NOT_JSON),
        ('{"a" 1}', NOT_JSON),
        ('{"a": NaN}', NOT_JSON),
        ('{"results": [1,]}', NOT_JSON),
        ('{"a": ' + "[" * 100_000 + "}", NOT_JSON),
        ('{"a": ' + "9" * 5000 + "}", NOT_JSON),
    ],
)
def test_what_is_no_report_is_told(tmp_path: Path, text: str, said: str) -> None:
    assert problem(saved(tmp_path, text)) == said


def test_lines_that_are_not_those_of_a_report_are_told(tmp_path: Path) -> None:
    header, result, summary = text_of(render_jsonl, SMALL).splitlines()
    for lines, said in (
        ((header, result), "was cut: it has no summary line"),
        ((header,), "was cut: it has no summary line"),
        ((header, summary, result), "is not a whole report: something follows its summary line"),
        ((header, header, summary), "is not a whole report: one of its lines is none of a report"),
        ((header, "1", summary), "is not a whole report: one of its lines is none of a report"),
        ((header, "{}", summary), "is not a whole report: one of its lines is none of a report"),
        ((result, summary), "is not a whole report: something follows its end"),
        ((header.replace(':"1"', ':"7"'), result), "is of version '7', and this amiguard reads '1'"),
        ((header, result.replace('"fail"', '"bad"'), summary), STATUS_IS_BAD),
        (
            (header.replace('"started_at"', '"x"'), result, summary),
            "is not a whole report: audit.started_at is missing",
        ),
        ((header, result, summary.replace('"targets":[', '"x":[')), "is not a whole report: targets is missing"),
    ):
        assert problem(saved(tmp_path, "\n".join(lines))) == said


STATUS_IS_BAD = "is not a whole report: results[0].status is not one of fail, pass, suppressed, unknown"


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    assert problem(tmp_path / "none") == "cannot be read: No such file or directory"
    assert problem(tmp_path) == "is a folder"
    os.mkfifo(tmp_path / "pipe")
    assert problem(tmp_path / "pipe") == "is not a regular file"
    (tmp_path / "binary").write_bytes(b'{"schema_version":"1","tool":"\xff"}')
    assert problem(tmp_path / "binary") == NOT_JSON


def test_a_file_that_changes_after_it_was_opened_is_refused(tmp_path: Path) -> None:
    text = text_of(render_json, SMALL)
    report = open_saved_report(saved(tmp_path, text))
    saved(tmp_path, text.replace('"fail"', '"bad"'))
    with pytest.raises(InputError, match=r"results\[0\].status is not one of"):
        list(report.results())
    saved(tmp_path, text[:-10])
    with pytest.raises(InputError, match="was cut"):
        list(report.results())


def test_a_grantee_that_is_not_what_its_kind_says_is_refused(tmp_path: Path) -> None:
    text = mend(lambda one: one["results"][0]["grants"][0].update(kind="organization"))
    (result,) = open_saved_report(saved(tmp_path, text)).results()
    with pytest.raises(InputError, match="'999988887777' is not how a grantee of the kind organization is written"):
        core_result(result)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda some: st.lists(some, max_size=4) | st.dictionaries(texts, some, max_size=4),
)


@given(
    some=st.lists(values, max_size=3),
    chunk=st.integers(1, 9),
    ascii_only=st.booleans(),
    indent=st.sampled_from([None, 2]),
)
@settings(deadline=None)
def test_values_are_read_whatever_the_size_of_the_chunks(
    *, some: list[Any], chunk: int, ascii_only: bool, indent: int | None
) -> None:
    text = json.dumps(some, ensure_ascii=ascii_only, indent=indent)
    stream = JsonStream(io.StringIO(text), chunk=chunk)
    assert list(stream.elements()) == some
    assert stream.peek() == ""
    stream = JsonStream(io.StringIO(" \n".join(json.dumps(one) for one in some)), chunk=chunk)
    for one in some:
        assert stream.value() == one


def test_memory_does_not_grow_with_the_text() -> None:
    class Endless(io.StringIO):
        def read(self, size: int | None = -1) -> str:
            return super().read(size) or "[1,2,3],[1,2,3],"

    stream = JsonStream(Endless("[[1,2,3],"), chunk=8)
    elements = stream.elements()
    for _ in range(10_000):
        assert next(elements) == [1, 2, 3]
    assert len(stream._text) < 100


def test_what_is_wrong_in_the_middle_is_told_before_the_rest_is_read() -> None:
    class Long(io.StringIO):
        read_so_far = 0

        def read(self, size: int | None = -1) -> str:
            self.read_so_far += 1
            assert self.read_so_far < 5
            return super().read(size)

    with pytest.raises(ValueError, match="Expecting"):
        JsonStream(Long('{"a": tru, "b": "' + "x" * 10_000), chunk=64).value()
