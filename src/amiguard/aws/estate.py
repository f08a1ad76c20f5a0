"""The accounts of a run, each with its own way in: the run's credentials, a profile, or roles."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from botocore.credentials import Credentials

from amiguard.aws.botocore_calls import THREADS, BotocoreCalls, BotocoreClients
from amiguard.aws.call_book import CallBook
from amiguard.aws.credentials import CredentialSource, CredentialsUnreadableError
from amiguard.aws.denials import Denials
from amiguard.aws.ec2_query import CallStats, Ec2QueryClient, Endpoint
from amiguard.aws.http import Http
from amiguard.aws.image_writer import Ec2ImageWriter
from amiguard.aws.organization import read_organization_of
from amiguard.aws.pacing import Pacer
from amiguard.aws.reader import Ec2ImageReader
from amiguard.aws.roles import Role, Roles, profile_loader
from amiguard.aws.security_hub import SecurityHub
from amiguard.aws.session import AwsSession, Caller
from amiguard.aws.targets import Ec2Access, Ec2AccountReader, Regions
from amiguard.core.directory import Directory
from amiguard.core.errors import AmiguardError
from amiguard.core.image import Unreadable
from amiguard.core.organization import NoOrganization, OrganizationUnread, OrganizationView
from amiguard.core.result import ALL_REGIONS, Target
from amiguard.core.selection import Access, AuditedAccount


@dataclass(frozen=True, slots=True)
class OrganizationKnowledge:
    """What is known of organizations before accounts are opened.

    Attributes:
        wanted: whether it decides anything: nothing is asked otherwise.
        own: of the caller's account.
        directory: of the caller's organization, if it could be read; its members need not be asked.
    """

    wanted: bool
    own: OrganizationView
    directory: Directory | None = None


@dataclass(frozen=True, slots=True)
class WayIn:
    """The way into one account, for targets that are known by name: all of them share its credentials.

    Attributes:
        credentials: of the account.
        organization: tells the account's own organization.
        reader: how a target is read; raises AmiguardError if its endpoint cannot be found.
        writer: how a target is changed; the estate closes it.
        query: calls EC2 in a target's region, and makes no other use of the target than its region.
        calls: makes botocore call services in a target's region.
        pacer: holds the buckets.
    """

    credentials: CredentialSource
    organization: Callable[[], Awaitable[OrganizationView]]
    reader: Callable[[Target], Ec2ImageReader]
    writer: Callable[[Target], Ec2ImageWriter]
    query: Callable[[Target], Ec2QueryClient]
    calls: Callable[[Target], BotocoreCalls]
    pacer: Pacer


class Estate:
    """Makes the readers and the writers of accounts.

    Args:
        session: of the run's own credentials.
        caller: who they belong to.
        open_profile: makes the session of a named profile; raises AmiguardError.
        http: carries the requests.
        calls: counts them.
        roles: opens sessions in other accounts.
        access: how all accounts are read.
        organizations: what is known of organizations.
    """

    def __init__(
        self,
        session: AwsSession,
        caller: Caller,
        *,
        open_profile: Callable[[str], AwsSession],
        http: Http,
        calls: CallBook,
        roles: Roles,
        access: Ec2Access,
        organizations: OrganizationKnowledge,
    ) -> None:
        self._session = session
        self._caller = caller
        self._open_profile = open_profile
        self._http = http
        self._calls = calls
        self._roles = roles
        self._access = access
        self._organizations = organizations
        self._endpoints: dict[str, Endpoint] = {}
        self._profile_roles: dict[str, Roles] = {}
        self._writers: list[Ec2ImageWriter] = []
        self._clients = BotocoreClients(self._connect)
        self._write_clients = BotocoreClients(self._connect_patiently)
        self._opening = threading.Lock()
        self._own_credentials = CredentialSource(session.find_credentials)
        self._denials = Denials(session.decode_denial)

    def own_client(self) -> Ec2QueryClient:
        """A client of the home region with the run's own credentials."""
        target = Target(self._caller.account_id, ALL_REGIONS, self._caller.partition)
        return self._client(target, self._own_credentials)

    def reader(self, account: AuditedAccount, known: Regions | Unreadable | None = None) -> Ec2AccountReader:
        """How an account is read; nothing is asked of AWS before it is opened.

        Args:
            account: with its way in.
            known: its regions if they have been read already.
        """
        credentials = self._credentials(account)
        return Ec2AccountReader(
            account.account_id,
            self._caller.partition,
            wanted=account.regions or (),
            connect=lambda target: self._client(target, credentials),
            access=self._access,
            organization=self._organization_of(account, credentials),
            known=known,
        )

    def way_in(self, account: AuditedAccount) -> WayIn:
        """How the named targets of an account are read and changed; nothing is asked of AWS before they are."""
        credentials = self._credentials(account)
        access = self._access

        def reader(target: Target) -> Ec2ImageReader:
            return Ec2ImageReader(self._client(target, credentials), target, access.query, access.pacer, access.page)

        def writer(target: Target) -> Ec2ImageWriter:
            made = Ec2ImageWriter(
                self._write_clients,
                target,
                credentials,
                self._calls.of(target),
                access.pacer,
                denials=self._denials,
            )
            self._writers.append(made)
            return made

        # What is spent through these two ends after its target, at a time of its own: it counts in the total alone.
        def query(target: Target) -> Ec2QueryClient:
            return self._client(target, credentials, self._calls.total)

        def calls(target: Target) -> BotocoreCalls:
            total = self._calls.total
            return BotocoreCalls(self._clients, target, credentials, total, access.pacer, denials=self._denials)

        organization = self._organization_of(account, credentials)
        return WayIn(credentials, organization, reader, writer, query, calls, access.pacer)

    def security_hub(self, accounts: Mapping[str, AuditedAccount]) -> SecurityHub:
        """What sends findings to the Security Hub of each account with that account's own way in.

        Args:
            accounts: those that were audited, by their ids.
        """
        return SecurityHub(
            self._connect_patiently, lambda account_id: self._credentials(accounts[account_id]), self._calls.total
        )

    def _credentials(self, account: AuditedAccount) -> CredentialSource:
        match account.access:
            case Access(profile=None, role_arn=None):
                return self._own_credentials
            case Access(profile=None, chain=chain, role_arn=str(role_arn), external_id=external_id):
                hubs = tuple(Role(hub) for hub in chain)
                return CredentialSource(self._roles.loader(account.account_id, Role(role_arn, external_id), hubs))
            case Access(profile=str(profile), role_arn=None):
                return CredentialSource(profile_loader(partial(self._open_profile, profile), account.account_id))
            case Access(profile=str(profile), role_arn=str(role_arn), external_id=external_id):
                role = Role(role_arn, external_id)
                return CredentialSource(partial(self._load_by_profile, profile, account.account_id, role))
            case other:
                raise ValueError(f"no way into {account.account_id}: {other}")

    def _load_by_profile(self, profile: str, account_id: str, role: Role) -> Credentials:
        return self._roles_of(profile).loader(account_id, role)()

    def _roles_of(self, profile: str) -> Roles:
        """What assumes roles with a profile's credentials; it blocks, and runs in a thread."""
        with self._opening:
            if profile not in self._profile_roles:
                try:
                    session = self._open_profile(profile)
                    caller = session.ask_caller()
                except AmiguardError as error:
                    raise CredentialsUnreadableError(Unreadable(error.message, error.hint)) from error
                self._profile_roles[profile] = Roles(session, self._roles.options, caller_arn=caller.arn)
            return self._profile_roles[profile]

    def stop_repeating(self) -> None:
        """Let throttled calls of the writers end as refused: from now on they are not made again."""
        for writer in self._writers:
            writer.stop_repeating()

    def close(self) -> None:
        """Let AssumeRole calls that wait fail, so that no thread holds up the end of the program; close the clients."""
        for roles in (self._roles, *self._profile_roles.values()):
            roles.close()
        self._write_clients.close()
        self._clients.close()

    def _connect(self, service: str, region: str, credentials: Credentials) -> Any:
        return self._session.client(service, credentials=credentials, region=region, connections=THREADS, quick=True)

    def _connect_patiently(self, service: str, region: str, credentials: Credentials) -> Any:
        return self._session.client(service, credentials=credentials, region=region, connections=THREADS)

    def _client(self, target: Target, credentials: CredentialSource, stats: CallStats | None = None) -> Ec2QueryClient:
        region = self._session.home_region if target.region == ALL_REGIONS else target.region
        if region not in self._endpoints:
            self._endpoints[region] = self._session.ec2_endpoint(region)
        counted = stats or self._calls.of(target)
        return Ec2QueryClient(self._http, self._endpoints[region], credentials, counted, denials=self._denials)

    def _organization_of(
        self, account: AuditedAccount, credentials: CredentialSource
    ) -> Callable[[], Awaitable[OrganizationView]]:
        """Tells the account's own organization: from the directory, or else by asking as that account."""
        known = self._organizations

        async def tell() -> OrganizationView:
            if not known.wanted:
                return NoOrganization()
            if account.account_id == self._caller.account_id:
                return known.own
            if known.directory is not None and account.account_id in known.directory.accounts:
                return known.own
            current = await credentials.current()
            if isinstance(current, Unreadable):
                return OrganizationUnread(current.reason)
            return await asyncio.to_thread(read_organization_of, self._session, current)

        return tell
