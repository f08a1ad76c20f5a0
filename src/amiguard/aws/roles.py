"""Sessions in other accounts: by a role, by a chain of roles, or by a named profile; each is checked to be there.

Everything is lazy: STS is asked when an account's credentials are first needed, and again before they expire.

    roles = Roles(session, SessionOptions(), caller_arn=caller.arn)
    role = Role(role_arn(caller.partition, account_id, "AmiguardAudit"), external_id)
    source = CredentialSource(roles.loader(account_id, role))       # for an `Ec2QueryClient`
    ...
    roles.close()                                                   # before the event loop ends
"""

import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from botocore.credentials import Credentials, RefreshableCredentials

from amiguard.aws.assume_role import AT_ONCE, Role, RoleCalls
from amiguard.aws.credentials import CredentialsUnreadableError
from amiguard.aws.session import AwsSession
from amiguard.core.errors import AmiguardError
from amiguard.core.image import Unreadable

__all__ = ["Role", "Roles", "SessionOptions", "profile_loader", "role_arn"]

LONGEST_CHAINED = 3600
"""Seconds that a session lasts at most that was opened by another role's session: AWS's own limit for role chaining."""
_HUB_AGAIN_AFTER = 10.0
"""Seconds for which a hub role that could not be assumed is not tried again for the next account."""
_ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::([0-9]{12}):role/.+")


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """How the sessions are opened.

    Attributes:
        session_name: what CloudTrail calls them.
        source_identity: who is behind them; it needs `sts:SetSourceIdentity` in the trust policies. AWS passes it on
            through a chain and lets nobody change it, so it is sent with the first role only.
        tags: session tags, sent with every role; they need `sts:TagSession` in the trust policies.
        duration_seconds: how long they last; at most an hour if there is a chain, or if the caller is a role itself.
    """

    session_name: str = "amiguard"
    source_identity: str | None = None
    tags: tuple[tuple[str, str], ...] = ()
    duration_seconds: int = 3600


_DEFAULTS = SessionOptions()


@dataclass(frozen=True, slots=True)
class _Failure:
    """A hub role that could not be assumed."""

    error: CredentialsUnreadableError
    at: float = field(default_factory=time.monotonic)

    @property
    def stands(self) -> bool:
        return time.monotonic() < self.at + _HUB_AGAIN_AFTER


def role_arn(partition: str, account_id: str, role_name: str) -> str:
    """The ARN of a role by its name, a path included if it has one (`audit/AmiguardAudit`); an ARN stays as it is."""
    return (
        role_name if role_name.startswith("arn:") else f"arn:{partition}:iam::{account_id}:role/{role_name.lstrip('/')}"
    )


class Roles:
    """Opens sessions by AssumeRole, all with one STS client for each identity that asks: a client costs 40 ms.

    Args:
        session: whose credentials assume the roles, or the first role of a chain.
        options: how the sessions are opened.
        caller_arn: the session's caller by GetCallerIdentity; a role as caller limits the sessions to an hour.
        calls: makes the calls.
        now: the time (UTC), by which sessions expire.
    """

    def __init__(
        self,
        session: AwsSession,
        options: SessionOptions = _DEFAULTS,
        *,
        caller_arn: str = "",
        calls: RoleCalls | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._session = session
        self.options = options
        self._caller_is_role = ":assumed-role/" in caller_arn
        self._calls = calls or RoleCalls(session.stats)
        self._now = now
        self._lock = threading.RLock()
        self._clients: dict[tuple[Role, ...], Any] = {}
        self._failed_hubs: dict[tuple[Role, ...], _Failure] = {}

    def close(self) -> None:
        """Let every call that waits fail, so that no thread holds up the end of the program."""
        self._calls.close()

    def loader(self, account_id: str, role: Role, chain: tuple[Role, ...] = ()) -> Callable[[], Credentials]:
        """What a `CredentialSource` loads the credentials of an account by; nothing is asked before it is called.

        Args:
            account_id: where the session must be; anywhere else is an error.
            role: the account's role.
            chain: the roles that are assumed before it, in order: a hub account's, usually.

        Returns:
            A function that blocks, gives credentials that renew themselves, and raises `CredentialsUnreadableError`.
        """

        def load() -> Credentials:
            _check_account(_account_of_role(role), account_id, f"the role {role.arn}")
            chained = bool(chain) or self._caller_is_role
            return self._open(role, chain, self._chained_seconds if chained else self.options.duration_seconds)

        return load

    @property
    def _chained_seconds(self) -> int:
        return min(self.options.duration_seconds, LONGEST_CHAINED)

    def _open(self, role: Role, chain: tuple[Role, ...], duration: int) -> Credentials:
        client = self._client(chain)
        parameters = {**self._parameters(role, first=not chain), "DurationSeconds": duration}

        def assume() -> dict[str, Any]:
            return self._assume(client, role, parameters)

        session = assume()
        # By default botocore would renew 15 minutes before the end, and so at each call in a session of 15 minutes.
        seconds = (session["expiry_time"] - self._now()).total_seconds()
        return RefreshableCredentials(
            **session,
            refresh_using=lambda: _as_metadata(assume()),
            method="amiguard-assume-role",
            time_fetcher=self._now,
            advisory_timeout=min(900, seconds / 3),
            mandatory_timeout=min(600, seconds / 6),
        )

    def _client(self, chain: tuple[Role, ...]) -> Any:
        """The STS client that asks as the last role of a chain, or as the session itself."""
        with self._lock:
            if chain not in self._clients:
                credentials = self._open_hub(chain) if chain else None
                self._clients[chain] = self._session.client("sts", credentials=credentials, connections=AT_ONCE)
            return self._clients[chain]

    def _open_hub(self, chain: tuple[Role, ...]) -> Credentials:
        # The accounts behind a hub that refuses must not ask it one after the other.
        failed = self._failed_hubs.get(chain)
        if failed is not None and failed.stands:
            raise failed.error
        try:
            return self._open(chain[-1], chain[:-1], self._chained_seconds)
        except CredentialsUnreadableError as error:
            self._failed_hubs[chain] = _Failure(error)
            raise

    def _assume(self, client: Any, role: Role, parameters: Mapping[str, object]) -> dict[str, Any]:
        reply = self._calls.assume(client, role, parameters)
        try:
            keys, assumed = reply["Credentials"], str(reply["AssumedRoleUser"]["Arn"])
            session = {
                "access_key": keys["AccessKeyId"],
                "secret_key": keys["SecretAccessKey"],
                "token": keys["SessionToken"],
                "expiry_time": keys["Expiration"],
            }
        except KeyError as error:
            raise _unreadable(f"STS's reply for {role.arn} lacks {error}") from error
        _check_account(assumed.split(":")[4] if assumed.count(":") > 4 else "", _account_of_role(role), assumed)  # noqa: PLR2004 - ARN
        if session["expiry_time"] <= self._now():
            raise _unreadable(f"the session of {role.arn} had expired when it came", "set this machine's clock")
        return session

    def _parameters(self, role: Role, *, first: bool) -> dict[str, object]:
        options = self.options
        parameters: dict[str, object] = {"RoleArn": role.arn, "RoleSessionName": options.session_name}
        if role.external_id is not None:
            parameters["ExternalId"] = role.external_id
        if options.tags:
            parameters["Tags"] = [{"Key": key, "Value": value} for key, value in options.tags]
        if options.source_identity is not None and first:
            parameters["SourceIdentity"] = options.source_identity
        return parameters


def profile_loader(open_session: Callable[[], AwsSession], account_id: str) -> Callable[[], Credentials]:
    """What a `CredentialSource` loads an account's credentials by that come from a named profile.

    Args:
        open_session: makes the session of that profile; called at each load, so that files are read anew.
        account_id: where the profile must lead; anywhere else is an error, and never an audit of another account.

    Returns:
        A function that blocks, gives credentials, and raises `CredentialsUnreadableError`.
    """

    def load() -> Credentials:
        try:
            session = open_session()
            caller = session.ask_caller()
        except AmiguardError as error:
            raise _unreadable(error.message, error.hint) from error
        _check_account(caller.account_id, account_id, f"the profile's caller {caller.arn}")
        return session.own_credentials()

    return load


def _check_account(found: str, expected: str, what: str) -> None:
    if found != expected:
        raise _unreadable(
            f"{what} is in account {found or '(none)'}, and not in {expected}", "correct the role or the profile"
        )


def _account_of_role(role: Role) -> str:
    found = _ROLE_ARN.fullmatch(role.arn)
    if found is None:
        raise _unreadable(f"{role.arn} is not the ARN of a role", "write arn:aws:iam::<account>:role/<name>")
    return found[1]


def _as_metadata(session: Mapping[str, Any]) -> dict[str, Any]:
    """A session as botocore takes a renewed one: with the time as text."""
    return {**session, "expiry_time": session["expiry_time"].isoformat()}


def _unreadable(reason: str, hint: str | None = None) -> CredentialsUnreadableError:
    return CredentialsUnreadableError(Unreadable(reason, hint))
