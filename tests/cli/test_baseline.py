"""`amiguard audit --baseline`: what is known does not fail the audit again."""

import json
from pathlib import Path

from benchmarks.fake_ec2 import FakeEc2, FakeImage, account_grant, everyone_grant, single_account
from tests.conftest import RunAmiguard

OWN, TRUSTED, STRANGER, OTHER = "111122223333", "222233334444", "999900000001", "999900000002"
REGION = "us-east-1"
OLD = FakeImage("ami-00000000000000001", grants=(account_grant(STRANGER),))
FINE = FakeImage("ami-00000000000000002", grants=(account_grant(TRUSTED),))


def test_only_what_is_new_or_worse_fails(run_amiguard: RunAmiguard, tmp_path: Path) -> None:
    with FakeEc2(single_account(OLD, FINE, account_id=OWN, region=REGION)) as fake:
        environment = fake.environment(OWN)
        audit = ("audit", "--trust", TRUSTED, "--quiet")
        assert run_amiguard(*audit, "-f", "json=base.json", env=environment).code == 1

        run = run_amiguard(*audit, "--baseline", "base.json", "-f", "json=now.json", "-f", "table", env=environment)
        assert run.code == 0, run.out
        assert OLD.id not in run.out
        assert "base.json" in run.out
        now = json.loads((tmp_path / "now.json").read_text())
        assert {one["image"]["id"]: one.get("baseline") for one in now["results"]} == {OLD.id: "known", FINE.id: None}
        assert (now["summary"]["fail"], now["summary"]["baseline"]["known"]) == (1, 1)
        run = run_amiguard(*audit, "--baseline", "base.json", "-f", "jsonl", env=environment)
        assert run.code == 0
        assert [json.loads(line).get("baseline") for line in run.out.splitlines()[1:3]] == ["known", None]

        forms = [f"{name}=now.{name}" for name in ("text", "markdown", "junit", "html")]
        options = [word for form in forms for word in ("-f", form)]
        assert run_amiguard(*audit, "--baseline", "base.json", *options, env=environment).code == 0
        for name in ("text", "markdown", "junit", "html"):
            assert OLD.id not in (tmp_path / f"now.{name}").read_text(), name

        for worse in ((account_grant(STRANGER), account_grant(OTHER)), (account_grant(STRANGER), everyone_grant())):
            fake.set_grants(OWN, REGION, OLD.id, *worse)
            run = run_amiguard(*audit, "--baseline", "base.json", env=environment)
            assert run.code == 1
            assert OLD.id in run.out


def test_a_bad_baseline_is_told_before_anything_is_read(run_amiguard: RunAmiguard, tmp_path: Path) -> None:
    (tmp_path / "base.json").write_text('{"schema_version": "1", "results": [')
    with FakeEc2(single_account(OLD, account_id=OWN, region=REGION)) as fake:
        run = run_amiguard("audit", "--trust", TRUSTED, "--baseline", "base.json", env=fake.environment(OWN))
        assert (run.code, run.out) == (2, "")
        assert "base.json" in run.err
        assert not fake.stats.calls
