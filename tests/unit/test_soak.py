"""What the soak would notice: a leak, an image that is missing, a summary that is wrong."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.fake_ec2 import ImageKey
from benchmarks.soak import BEGIN, END, PAGE, figures, replaced
from benchmarks.soak_faults import Weather
from benchmarks.soak_judge import MEGABYTE, Account, Expected, Sample, account_for
from benchmarks.soak_run import Plan, Soaked

PLAN = Plan(minutes=10, regions=16, images=200_000)
ACCOUNT, REGION = "111122223333", "us-east-1"
LISTED = {f"ami-{number:017x}": status for number, status in enumerate(("pass", "fail", "unknown", "pass"))}
READ = "DescribeImageAttribute"


def saw_tooth(second: int) -> float:
    """MB of a process that fills a buffer of 16 MB in 48 seconds and empties it, again and again."""
    return 100 + 16 * (second % 48) / 48


def steady(second: int) -> float:
    """Connections come and go."""
    return 20 + second % 7


def until_the_end(second: int) -> float:
    """They are closed as regions end."""
    return 120 - second / 10 if second < 590 else 10


def missed(memory: Callable[[int], float] = saw_tooth, descriptors: Callable[[int], float] = steady) -> list[str]:
    samples = [Sample(at, int(memory(at) * MEGABYTE), int(descriptors(at))) for at in range(600)]
    one = Soaked(tuple(samples), Account(), seconds=600, calls=200_000, faults=Counter(HttpReply=2000))
    return [figure.name for figure in figures(PLAN, one) if figure.missed]


def test_a_buffer_that_fills_and_empties_is_no_leak() -> None:
    assert missed() == []


def test_what_grows_in_the_first_minute_does_not_count() -> None:
    assert missed(lambda at: min(at, 59) * 3, lambda at: 40 if at < 60 else 20) == []


def test_a_leak_is_noticed_under_the_saw_tooth() -> None:
    assert missed(lambda at: saw_tooth(at) + at * 1.5 / 60) == ["resident memory: slope after the first minute"]


def test_descriptors_that_are_left_open_are_noticed() -> None:
    assert missed(descriptors=lambda at: steady(at) + at * 1.5 / 60) == ["file descriptors: slope"]


def test_descriptors_that_stay_open_are_noticed_although_there_are_fewer_and_fewer() -> None:
    assert missed(descriptors=until_the_end) == []
    assert missed(descriptors=lambda at: until_the_end(at) + at / 20) == ["file descriptors: left at the end"]


def test_a_flood_of_descriptors_is_noticed() -> None:
    assert missed(descriptors=lambda at: 400 if at == 300 else 20) == ["file descriptors: most"]


def result(image_id: str, status: str) -> dict[str, Any]:
    return {
        "status": status,
        "account_id": ACCOUNT,
        "region": REGION,
        "image": {"id": image_id},
        "message": "It could not be read: no reply in time." if status == "unknown" else "It is not shared.",
    }


def report() -> dict[str, Any]:
    return {
        "schema_version": "1",
        "audit": {"complete": False},
        "summary": {
            **dict.fromkeys(("suppressed", "vanished"), 0),
            **dict.fromkeys(("fail", "unknown"), 1),
            "images": 4,
            "pass": 2,
            "throttled": 3,
            "api_calls": {READ: 9},
        },
        "targets": [{"images": 4}],
        "results": [result(image_id, status) for image_id, status in LISTED.items()],
    }


def judged(folder: Path, document: dict[str, Any], exit_code: int = 1) -> Account:
    """How a report is judged, written as the format `json` is."""
    results = document.pop("results")
    parts = [f"{json.dumps(name)}:{json.dumps(value)},\n" for name, value in document.items()]
    path = folder / "report.json"
    lines = ",\n".join(map(json.dumps, results))
    path.write_text("{" + "".join(parts) + f'"results":[\n{lines}\n]}}\n', encoding="utf-8")
    keys = {status: {key(one) for one in LISTED if LISTED[one] == status} for status in LISTED.values()}
    expected = Expected(lambda one: one.image_id in LISTED, 4, keys["fail"], keys["unknown"], {READ: 9}, 3)
    return account_for(path, exit_code, expected)


def key(image_id: str) -> ImageKey:
    return ImageKey(ACCOUNT, REGION, image_id)


def troubles(account: Account) -> dict[str, int]:
    names = ("missing", "twice", "strange", "wrong", "silent")
    return {name: value for name in names if (value := getattr(account, name))}


def test_a_report_that_tells_the_truth_has_no_trouble(tmp_path: Path) -> None:
    account = judged(tmp_path, report())
    assert troubles(account) == {}
    assert account.disagreements == []
    assert account.statuses == {"pass": 2, "fail": 1, "unknown": 1}
    assert account.reasons == {"It could not be read: no reply in time.": 1}


def without_an_image(document: dict[str, Any]) -> None:
    del document["results"][3]


def with_one_twice(document: dict[str, Any]) -> None:
    document["results"].append(document["results"][0])


def with_one_of_nobody(document: dict[str, Any]) -> None:
    document["results"].append(result("ami-00000000000000fff", "pass"))


def with_a_failed_target(document: dict[str, Any]) -> None:
    document["results"].append(result("", "unknown") | {"image": None})
    document["summary"]["unknown"] += 1


def with_a_false_pass(document: dict[str, Any]) -> None:
    document["results"][1]["status"] = "pass"


def with_an_unread_pass(document: dict[str, Any]) -> None:
    document["results"][2]["status"] = "pass"


def with_a_needless_unknown(document: dict[str, Any]) -> None:
    document["results"][0]["status"] = "unknown"


def without_a_reason(document: dict[str, Any]) -> None:
    document["results"][2]["message"] = ""


@pytest.mark.parametrize(
    ("spoil", "trouble"),
    [
        (without_an_image, {"missing": 1}),
        (with_one_twice, {"twice": 1}),
        (with_one_of_nobody, {"strange": 1}),
        (with_a_failed_target, {"strange": 1}),
        (with_a_false_pass, {"wrong": 1}),
        (with_an_unread_pass, {"wrong": 1}),
        (with_a_needless_unknown, {"wrong": 1}),
        (without_a_reason, {"silent": 1}),
    ],
)
def test_results_that_differ_from_the_truth_are_noticed(
    tmp_path: Path, spoil: Callable[[dict[str, Any]], None], trouble: dict[str, int]
) -> None:
    document = report()
    spoil(document)
    assert troubles(judged(tmp_path, document)) == trouble


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        (("summary", "pass"), 3, ["pass: 3, and not 2"]),
        (("summary", "images"), 5, ["images: 5, and not 4", "images of the targets: 4, and not 5"]),
        (("summary", "vanished"), 1, ["vanished: 1, and not 0"]),
        (("summary", "throttled"), 2, ["throttled: 2, and not 3"]),
        (("summary", "api_calls"), {READ: 8}, [f"{READ}: 8, and not 9"]),
        (("audit", "complete"), True, ["complete: True, and not False"]),
    ],
)
def test_a_summary_that_disagrees_is_noticed(
    tmp_path: Path, path: tuple[str, str], value: object, told: list[str]
) -> None:
    document = report()
    document[path[0]][path[1]] = value
    assert judged(tmp_path, document).disagreements == told


def test_an_exit_code_that_disagrees_is_noticed(tmp_path: Path) -> None:
    assert judged(tmp_path, report(), exit_code=3).disagreements == ["exit code: 3, and not 1"]


def test_one_read_in_a_hundred_is_struck_and_with_each_effect_in_turn() -> None:
    rules = [one for one in Weather().faults(frozenset(), frozenset()) if one.action == READ and one.every == 1500]
    struck = [[one.effect for one in rules if one.strikes(number)] for number in range(3000)]
    assert [number for number, effects in enumerate(struck) if effects] == list(range(99, 3000, 100))
    assert all(len(effects) <= 1 for effects in struck)
    assert len({effects[0] for effects in struck[:1500] if effects}) == len(rules) == 15


def test_only_the_part_of_the_page_that_the_soak_made_is_replaced() -> None:
    assert replaced(f"before\n{BEGIN}\nold\n{END}\nafter\n", "new") == "before\nnew\nafter\n"
    assert replaced(PAGE.read_text(encoding="utf-8"), f"{BEGIN}{END}").count(BEGIN) == 1
    with pytest.raises(ValueError, match="has no <!-- Made by"):
        replaced("# A page\n", "new")
