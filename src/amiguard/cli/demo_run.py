"""`amiguard demo`: starts the embedded AWS, audits it, and says how to go on."""

import shlex
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from amiguard.cli.audit_request import AuditRequest
from amiguard.cli.audit_run import run_audit
from amiguard.cli.exit_codes import ExitCode
from amiguard.cli.policy_options import today_utc
from amiguard.cli.report_formats import Output
from amiguard.cli.talk import say
from amiguard.core.checks import ami_snapshot_cross_account
from amiguard.core.errors import AmiguardError
from amiguard.core.evidence import EvidenceKind, EvidenceSettings
from amiguard.demo import AUDIT_ROLE, DemoAws, DemoUnavailableError, demo_aws, require_moto
from amiguard.files.settings import load_settings

_TRY = f"""
then try, for example:

  amiguard audit --organization --role-name {AUDIT_ROLE}
  amiguard trust explain 555566667777
  amiguard plan --evidence usage
  amiguard apply amiguard-plan.json
  aws ec2 describe-images --owners self

Ctrl-C here ends it."""
_GO_ON = """
This was an embedded AWS on this machine. On your own account:

  amiguard trust init                  # writes amiguard.yaml, with comments
  amiguard trust add 111122223333 --name Staging --reason "shared golden images"
  amiguard audit                       # AWS credentials as the AWS CLI finds them
  amiguard audit --organization --role-name AmiguardAudit    # all accounts, by a role that they have

or without a file:  amiguard audit --trust 111122223333
"""


# What the AWS CLI and SDKs would follow in place of the variables of the demo.
_IN_THE_WAY = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_ENDPOINT_URL_EC2",
    "AWS_ENDPOINT_URL_STS",
)


def run_demo(outputs: tuple[Output, ...], *, keep: bool, evidence: EvidenceSettings) -> ExitCode:
    """Start, audit, and with `keep` wait until the user has tried enough.

    Args:
        outputs: the reports to write.
        keep: whether to leave the embedded AWS running.
        evidence: what is collected about failing images; about snapshots, these are checked, too.

    Raises:
        AmiguardError: the extra `demo` is not installed.
    """
    try:
        require_moto()
        say("Starting an embedded AWS: an organization of three accounts, with about 120 images ...")
        with demo_aws(today=today_utc()) as aws, _settings_file(aws) as path:
            with aws.environment_applied():
                code = run_audit(_audit_request(path, outputs, evidence))
            sys.stdout.flush()
            if not keep:
                say(_GO_ON)
                return code
            _print_environment(aws, path)
            _wait_for_interrupt()
            return ExitCode.CLEAN
    except DemoUnavailableError as error:
        raise AmiguardError(str(error)) from error


def _audit_request(path: Path, outputs: tuple[Output, ...], evidence: EvidenceSettings) -> AuditRequest:
    settings = load_settings(path, today=today_utc())
    snapshots = {ami_snapshot_cross_account.METADATA.check_id} if EvidenceKind.SNAPSHOTS in evidence.kinds else set()
    return AuditRequest(
        settings=settings,
        scope=settings.scope,
        checks=settings.checks | snapshots,
        evidence=evidence,
        outputs=outputs,
        notify=False,
        quiet=True,
    )


@contextmanager
def _settings_file(aws: DemoAws) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="amiguard-demo-") as folder:
        path = Path(folder, "amiguard.yaml")
        path.write_text(aws.settings_text, encoding="utf-8")
        yield path


def _print_environment(aws: DemoAws, path: Path) -> None:
    say("\nThe embedded AWS is running. In another shell of this machine:\n")
    say(f"  unset {' '.join(_IN_THE_WAY)}")
    for name, value in {**aws.environment, "AMIGUARD_CONFIG": str(path)}.items():
        say(f"  export {name}={shlex.quote(value)}")
    say(_TRY)


def _wait_for_interrupt() -> None:
    done = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: done.set())
    done.wait()
