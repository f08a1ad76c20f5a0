"""The work of an audit that a process does, this one or a worker: everything it needs, as data."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field

from amiguard.auditor import audit
from amiguard.aws.call_book import CallBook
from amiguard.aws.estate import Estate, OrganizationKnowledge
from amiguard.aws.http import open_http
from amiguard.aws.images import PAGE, ImageQuery
from amiguard.aws.pacing import BucketSize, Pacer
from amiguard.aws.roles import Roles, SessionOptions
from amiguard.aws.session import AwsSession, Caller
from amiguard.aws.targets import Ec2Access, Regions
from amiguard.cli.audit_resume import Unfinished
from amiguard.cli.collector import Collector
from amiguard.core.decision import Rules
from amiguard.core.image import Unreadable
from amiguard.core.ports import AccountReader
from amiguard.core.result import ALL_REGIONS, Target
from amiguard.core.selection import AuditedAccount

_THREADS = 16
_SMALLER_PAGE = 200
"""Images a page where there are many accounts: as many pages as accounts may be in memory at once."""


@dataclass(frozen=True, slots=True)
class WorkOrder:
    """What a process needs to audit accounts; it can be sent to another process.

    Attributes:
        home_region: of the run's session.
        organizations: what is known of organizations.
        checks: ids of the checks to make besides that of images.
        many: whether there is more than one account.
        done: targets that need not be audited again, by account id.
        known: regions that have been read already, by account id.
    """

    profile: str | None
    endpoint_url: str | None
    home_region: str
    user_agent: str
    caller: Caller
    query: ImageQuery
    buckets: Mapping[str, BucketSize | None]
    roles: SessionOptions
    rules: Rules
    checks: frozenset[str]
    organizations: OrganizationKnowledge
    many: bool
    done: Mapping[str, frozenset[Target]]
    verbose: bool
    known: Mapping[str, Regions | Unreadable] = field(default_factory=dict)

    def open_session(self, calls: CallBook) -> AwsSession:
        """The session of the run's own credentials."""
        return AwsSession(
            profile=self.profile, home_region=self.home_region, endpoint_url=self.endpoint_url, stats=calls.total
        )

    def open_profile(self, profile: str, calls: CallBook) -> AwsSession:
        """The session of an account's own profile."""
        return AwsSession(
            profile=profile, home_region=self.home_region, endpoint_url=self.endpoint_url, stats=calls.total
        )


@asynccontextmanager
async def open_estate(order: WorkOrder, session: AwsSession, calls: CallBook, pacer: Pacer) -> AsyncIterator[Estate]:
    """What makes the readers of accounts, with connections that are closed at the end."""
    # AssumeRole blocks a thread each; asyncio's own number of threads follows that of the cores.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(_THREADS))
    async with open_http(session.ca_file, order.user_agent) as http:
        estate = Estate(
            session,
            order.caller,
            open_profile=lambda profile: order.open_profile(profile, calls),
            http=http,
            calls=calls,
            roles=Roles(session, order.roles, caller_arn=order.caller.arn),
            access=Ec2Access(pacer, order.query, _SMALLER_PAGE if order.many else PAGE),
            organizations=order.organizations,
        )
        try:
            yield estate
        finally:
            estate.close()


async def audit_accounts(
    order: WorkOrder,
    estate: Estate,
    accounts: Iterable[AuditedAccount],
    collector: Collector,
    watched: Callable[[AccountReader], AccountReader] | None = None,
) -> None:
    """Audit accounts into a collector.

    Args:
        order: what to do.
        estate: how accounts are read.
        accounts: taken one by one.
        collector: takes what is found.
        watched: puts something around the reader of each account.
    """

    def readers() -> Iterator[AccountReader]:
        for account in accounts:
            reader: AccountReader = estate.reader(account, order.known.get(account.account_id))
            if watched is not None:
                reader = watched(reader)
            done = order.done.get(account.account_id)
            yield Unfinished(reader, done) if done else reader

    async with aclosing(audit(readers(), order.rules, checks=order.checks)) as events:
        async for event in events:
            collector.note(event)


def expected_targets(accounts: Iterable[AuditedAccount], partition: str) -> dict[str, tuple[Target, ...]]:
    """The targets of each account as far as they are known before it is opened."""
    return {
        account.account_id: tuple(
            Target(account.account_id, region, partition) for region in account.regions or (ALL_REGIONS,)
        )
        for account in accounts
    }
