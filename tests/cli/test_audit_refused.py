"""`amiguard audit` where AWS, the credentials, the options or the files do not let it."""

import re
import subprocess
from pathlib import Path

import pytest

from benchmarks.fake_ec2 import (
    AwsError,
    Disconnect,
    FakeEc2,
    FakeImage,
    Fault,
    HttpReply,
    TruncatedXml,
)
from tests.cli.audit_runs import ACCOUNT, PRIVATE, SHARED_BADLY, SHARED_WELL, TRUSTED, audit_json, regions, statuses
from tests.conftest import PROGRAM, RunAmiguard, scrubbed_environment


@pytest.mark.parametrize(("images", "code"), [((PRIVATE,), 3), ((PRIVATE, SHARED_BADLY), 1)])
def test_one_of_four_regions_denied(run_amiguard: RunAmiguard, images: tuple[FakeImage, ...], code: int) -> None:
    denied = AwsError(
        "UnauthorizedOperation",
        "You are not authorized to perform this operation. User: arn:aws:iam::111122223333:user/auditor is not "
        "authorized to perform: ec2:DescribeImages with an explicit deny in a service control policy",
        403,
    )
    estate = regions(*images, others=("eu-central-1", "eu-west-1", "us-west-2"))
    with FakeEc2(estate, faults=[Fault(denied, action="DescribeImages", region="eu-west-1")]) as fake:
        run, document = audit_json(run_amiguard, fake, "--trust", TRUSTED)
    assert run.code == code
    assert document["audit"]["complete"] is False
    assert {target["region"]: target["status"] for target in document["targets"]} == {
        "eu-central-1": "audited",
        "eu-west-1": "failed",
        "us-east-1": "audited",
        "us-west-2": "audited",
    }
    (unread,) = [result for result in document["results"] if result["image"] is None]
    assert (unread["status"], unread["region"]) == ("unknown", "eu-west-1")
    assert unread["message"] == (
        "The images could not be listed: a service control policy denies ec2:DescribeImages "
        "(an administrator of the organization can allow it; --region leaves a region out)"
    )


def test_a_denied_image_is_unknown_and_names_the_missing_action(run_amiguard: RunAmiguard) -> None:
    fault = Fault(AwsError("UnauthorizedOperation", "No.", 403), action="DescribeImageAttribute", image_id=PRIVATE.id)
    with FakeEc2(regions(PRIVATE, SHARED_WELL), faults=[fault]) as fake:
        run, document = audit_json(run_amiguard, fake, "--trust", TRUSTED)
    assert run.code == 3
    assert statuses(document) == {"private": "unknown", "shared": "pass"}
    assert "grant ec2:DescribeImageAttribute to the caller" in document["results"][0]["message"]


@pytest.mark.parametrize(
    ("arguments", "err"),
    [
        (
            ("--region", "eu-centrl-1"),
            "amiguard: error: there is no region 'eu-centrl-1'\n  hint: did you mean eu-central-1, us-east-1?\n",
        ),
        (
            ("--region", "af-south-1"),
            "amiguard: error: the region af-south-1 is not enabled in this account\n"
            "  hint: enable it under Account, AWS Regions; or leave it out\n",
        ),
    ],
)
def test_a_wrong_region_is_a_usage_error(run_amiguard: RunAmiguard, arguments: tuple[str, ...], err: str) -> None:
    with FakeEc2(regions(PRIVATE, disabled=("af-south-1",))) as fake:
        run = run_amiguard("audit", "--trust", TRUSTED, *arguments, env=fake.environment(ACCOUNT))
    assert (run.code, run.out, run.err) == (2, "", err)


def test_regions_that_are_not_enabled_are_skipped_and_said(run_amiguard: RunAmiguard) -> None:
    with FakeEc2(regions(PRIVATE, disabled=("af-south-1",))) as fake:
        run, document = audit_json(run_amiguard, fake, "--trust", TRUSTED)
    assert run.code == 0
    assert document["targets"][0] == {
        "account_id": ACCOUNT,
        "region": "af-south-1",
        "status": "skipped",
        "reason": "the region is not enabled",
        "images": 0,
    }


def test_without_describe_regions_the_named_regions_are_taken(run_amiguard: RunAmiguard) -> None:
    with FakeEc2(
        regions(SHARED_BADLY), faults=[Fault(AwsError("UnauthorizedOperation"), action="DescribeRegions")]
    ) as fake:
        run = run_amiguard("audit", "--trust", TRUSTED, env=fake.environment(ACCOUNT))
        assert (run.code, run.err) == (
            2,
            "amiguard: error: the regions of the account could not be listed: not permitted: ec2:DescribeRegions\n"
            "  hint: grant ec2:DescribeRegions to the caller; or name the regions with --region\n",
        )
        run = run_amiguard("audit", "--trust", TRUSTED, "--region", "us-east-1", env=fake.environment(ACCOUNT))
        assert (run.code, run.err) == (
            1,
            f"amiguard: warning: {ACCOUNT}: the regions could not be checked, and are taken as named: "
            "not permitted: ec2:DescribeRegions\n",
        )


def test_no_credentials(run_amiguard: RunAmiguard) -> None:
    environment = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
    run = run_amiguard("audit", "--trust", TRUSTED, env=environment)
    assert (run.code, run.out, run.err) == (
        2,
        "",
        "amiguard: error: no AWS credentials were found\n"
        "  hint: set AWS_PROFILE or --profile, run `aws sso login`, or export AWS_ACCESS_KEY_ID and "
        "AWS_SECRET_ACCESS_KEY\n",
    )


def test_a_profile_that_does_not_exist(run_amiguard: RunAmiguard) -> None:
    run = run_amiguard("audit", "--trust", TRUSTED, "--profile", "nope")
    assert (run.code, run.out, run.err) == (
        2,
        "",
        "amiguard: error: The config profile (nope) could not be found\n"
        "  hint: `aws configure list-profiles` lists those that exist\n",
    )


def test_expired_credentials(run_amiguard: RunAmiguard) -> None:
    fault = Fault(AwsError("ExpiredToken", "The security token included in the request is expired", 403))
    with FakeEc2(regions(PRIVATE), faults=[fault]) as fake:
        run = run_amiguard("audit", "--trust", TRUSTED, env=fake.environment(ACCOUNT, session=True))
    assert (run.code, run.out, run.err) == (
        2,
        "",
        "amiguard: error: could not ask AWS who is calling: the credentials have expired\n"
        "  hint: renew them (`aws sso login`, or new keys), and run the command again\n",
    )


def test_credentials_that_expire_during_the_audit_leave_no_false_pass(run_amiguard: RunAmiguard) -> None:
    images = tuple(FakeImage(f"ami-{number:017x}", name=str(number)) for number in range(50))
    fault = Fault(AwsError("RequestExpired"), action="DescribeImageAttribute", skip=10)
    with FakeEc2(regions(*images), faults=[fault]) as fake:
        run, document = audit_json(run_amiguard, fake, "--trust", TRUSTED)
    assert run.code == 3
    assert len(document["results"]) == 50
    assert document["summary"]["pass"] == 10
    assert document["summary"]["unknown"] == 40


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "not a url", "ftp://127.0.0.1/"])
def test_a_wrong_endpoint(run_amiguard: RunAmiguard, url: str) -> None:
    run = run_amiguard("audit", "--trust", TRUSTED, "--endpoint-url", url, env={"AWS_MAX_ATTEMPTS": "1"})
    assert (run.code, run.out) == (2, "")
    assert run.err.startswith("amiguard: error: ")
    assert "Traceback" not in run.err
    assert "AWS_ENDPOINT_URL" in run.err


def test_a_server_that_speaks_html(run_amiguard: RunAmiguard) -> None:
    page = HttpReply(200, b"<!DOCTYPE html><html><body>Log in</body></html>", "text/html")
    with FakeEc2(regions(PRIVATE), faults=[Fault(page)]) as fake:
        run = run_amiguard("audit", "--trust", TRUSTED, env=fake.environment(ACCOUNT))
        assert (run.code, run.out) == (2, "")
        assert "Traceback" not in run.err
        fake.set_faults(Fault(page, action="DescribeImages"))
        run = run_amiguard("audit", "--trust", TRUSTED, "--region", "us-east-1", env=fake.environment(ACCOUNT))
    assert run.code == 3
    assert "HTTP 200: the reply is HTML" in run.out


@pytest.mark.parametrize("effect", [Disconnect(), TruncatedXml()], ids=repr)
def test_a_connection_that_breaks_once_is_tried_again(
    run_amiguard: RunAmiguard, effect: Disconnect | TruncatedXml
) -> None:
    with FakeEc2(regions(SHARED_BADLY), faults=[Fault(effect, action="DescribeImageAttribute", times=2)]) as fake:
        run, _ = audit_json(run_amiguard, fake, "--trust", TRUSTED)
    assert run.code == 1


def test_an_unwritable_file_is_found_before_anything_is_asked(run_amiguard: RunAmiguard, tmp_path: Path) -> None:
    with FakeEc2(regions(PRIVATE)) as fake:
        arguments = ("audit", "--trust", TRUSTED, "--output", str(tmp_path / "no" / "report.txt"))
        run = run_amiguard(*arguments, env=fake.environment(ACCOUNT))
        assert not fake.stats.calls
    assert (run.code, run.out) == (2, "")
    assert "does not exist" in run.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--image", "i-123"), "is no image id"),
        (("--tag", "=x"), "has no key"),
        (("--read-bucket", "fast"), "is neither BURST+REFILL (100+20) nor none"),
        (("--read-bucket", "0+20"), "is neither BURST+REFILL (100+20) nor none"),
        (("--trust", "12345678901"), "an account id has 12 digits, this has 11"),
        (("--format", "xml"), "there is no format 'xml'"),
    ],
)
def test_bad_options_are_usage_errors(run_amiguard: RunAmiguard, arguments: tuple[str, ...], message: str) -> None:
    run = run_amiguard("audit", "--trust", TRUSTED, *arguments)
    assert (run.code, run.out) == (2, "")
    assert message in re.sub(r"\s+", " ", run.err)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--output", "a", "--checkpoint", "./a"), "--checkpoint and the table report are one file: a"),
        (("--output", "amiguard.yaml"), "the settings file and the table report are one file: amiguard.yaml"),
        (("--checkpoint", "d", "--directory", "d"), "--checkpoint and --directory are one file: d"),
    ],
)
def test_a_file_that_is_read_or_written_is_not_written_over(
    run_amiguard: RunAmiguard, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    settings = f'version: 1\ntrust:\n  accounts: ["{TRUSTED}"]\n'
    (tmp_path / "amiguard.yaml").write_text(settings)
    run = run_amiguard("audit", *arguments)
    assert (run.code, run.out) == (2, "")
    assert run.err.split(": ", 2)[2].startswith(message.split(": ", maxsplit=1)[0])
    assert (tmp_path / "amiguard.yaml").read_text() == settings


@pytest.mark.parametrize(
    ("arguments", "redirect"),
    [
        (("audit", "--trust", TRUSTED), ">&-"),
        (("audit", "--trust", TRUSTED), ">/dev/full"),
        (("audit", "--trust", TRUSTED, "--format", "jsonl"), ">/dev/full"),
        (("trust", "schema"), ">/dev/full"),
    ],
)
def test_an_output_that_cannot_be_written_is_no_finding(
    tmp_path: Path, arguments: tuple[str, ...], redirect: str
) -> None:
    """Python would end with 1 and a traceback, and 1 says that untrusted sharing was found."""
    with FakeEc2(regions(SHARED_BADLY)) as fake:
        done = subprocess.run(
            ["/bin/sh", "-c", f"'{PROGRAM}' {' '.join(arguments)} {redirect}"],
            env=scrubbed_environment(tmp_path, fake.environment(ACCOUNT)),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert done.returncode == 2
    assert done.stderr.startswith("amiguard: error: ")
    assert "Traceback" not in done.stderr
