"""The embedded AWS of `amiguard demo`: moto in this process, with a seeded estate. It starts and seeds, no more.

It needs the `demo` extra, which is imported only when the demo starts.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime

from amiguard.demo import environment
from amiguard.demo.errors import DemoUnavailableError
from amiguard.demo.estate import AUDIT_ROLE, ESTATE
from amiguard.demo.model import Account, Estate, Grant, Image
from amiguard.demo.seed import SeededEstate, seed
from amiguard.demo.settings import settings_text

__all__ = [
    "AUDIT_ROLE",
    "ESTATE",
    "Account",
    "DemoAws",
    "DemoUnavailableError",
    "Estate",
    "Grant",
    "Image",
    "SeededEstate",
    "demo_aws",
    "require_moto",
]


@dataclass(frozen=True, slots=True)
class DemoAws:
    """An AWS that runs in this process, and what a caller needs to use it."""

    endpoint_url: str
    account_id: str
    """The caller's account, which is the organization's management account."""
    environment: Mapping[str, str]
    """The `AWS_*` variables that lead every AWS client here."""
    settings_text: str
    """The `amiguard.yaml` of this estate."""
    seeded: SeededEstate

    def environment_over(self, environ: Mapping[str, str]) -> dict[str, str]:
        """The environment for a child process: `environ` without any AWS or proxy setting of its own, led here."""
        foreign = environment.foreign(environ)
        return {name: value for name, value in environ.items() if name not in foreign} | dict(self.environment)

    def environment_applied(self) -> AbstractContextManager[None]:
        """Leads this process here for a while, and puts its own AWS and proxy settings aside."""
        return environment.applied(self.environment)


@contextmanager
def demo_aws(*, today: date | None = None) -> Iterator[DemoAws]:
    """Starts the embedded AWS with its estate, and stops it at the end.

    Args:
        today: the day from which the expiry dates of the settings are reckoned; by default the present day in UTC.

    Raises:
        DemoUnavailableError: the `demo` extra is not installed, or a demo is running in this process already.
    """
    today = today or datetime.now(UTC).date()
    with ExitStack() as stack:
        # Neither moto nor the seeding may read the user's own profile, endpoint or proxy.
        with environment.applied(environment.CREDENTIALS):
            endpoint_url = stack.enter_context(_running_server(ESTATE))
            seeded = seed(endpoint_url, ESTATE)
            _seed_evidence(seeded)
        yield DemoAws(
            endpoint_url=endpoint_url,
            account_id=seeded.ids[ESTATE.caller],
            environment=environment.variables(endpoint_url),
            settings_text=settings_text(seeded, today=today),
            seeded=seeded,
        )


def require_moto() -> None:
    """Find out whether the `demo` extra is installed.

    Raises:
        DemoUnavailableError: it is not.
    """
    _running_server_of_moto()


def _running_server(estate: Estate) -> AbstractContextManager[str]:
    return _running_server_of_moto()(estate.regions)


def _seed_evidence(seeded: SeededEstate) -> None:
    from amiguard.demo.seed_evidence import seed_evidence  # noqa: PLC0415  (needs the extra, which is there by now)

    seed_evidence(seeded.estate, seeded.ids, seeded.image_ids)


def _running_server_of_moto() -> Callable[[Collection[str]], AbstractContextManager[str]]:
    try:
        from amiguard.demo.server import running_server  # noqa: PLC0415  (needs the extra)
    except ImportError as error:
        raise DemoUnavailableError(
            "The demo needs moto: pip install 'amiguard[demo]', or pip install '.[demo]' in the project's folder"
        ) from error
    return running_server
