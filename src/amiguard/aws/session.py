"""Sessions: credentials, endpoints, proxies and certificate authorities, all as botocore and the AWS CLI find them."""

from dataclasses import dataclass
from threading import Lock
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.configprovider import ConfiguredEndpointProvider
from botocore.credentials import CredentialProvider, CredentialResolver, Credentials, ReadOnlyCredentials
from botocore.endpoint_provider import EndpointProvider
from botocore.exceptions import BotoCoreError, ClientError
from botocore.httpsession import get_cert_path
from botocore.parsers import ResponseParserError
from botocore.utils import get_environ_proxies

from amiguard.aws.ec2_query import CallStats, Endpoint
from amiguard.aws.errors import explain_botocore
from amiguard.aws.reply_parsers import ReplyParsers
from amiguard.core.errors import AmiguardError

_FALLBACK_REGION = "us-east-1"
_CONFIG = Config(connect_timeout=15, read_timeout=60, retries={"mode": "standard", "total_max_attempts": 3})
_ONCE = Config(connect_timeout=15, read_timeout=60, retries={"mode": "standard", "total_max_attempts": 1})
# For small questions, many of which wait for each other's turns, and whose users try again.
_QUICK = Config(connect_timeout=5, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 1})
# For what is only good to know: nobody is kept waiting for it.
_BRIEF = Config(connect_timeout=5, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 1})
# What a botocore call can end with: its own errors, AWS's, a reply of another kind, an endpoint that is no URL.
CALL_ERRORS = (BotoCoreError, ClientError, ResponseParserError, ValueError)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, by GetCallerIdentity."""

    account_id: str
    arn: str
    partition: str


class AwsSession:
    """One way into AWS: a profile or the standard chain of credentials.

    Args:
        profile: a named profile; None for the standard chain.
        home_region: where calls that belong to no audited region go if the configuration names no region.
        endpoint_url: sends every call here; None for AWS, or what the configuration and `AWS_ENDPOINT_URL*` say.
        stats: where botocore's calls are counted beside the lean client's.

    Raises:
        AmiguardError: the profile does not exist, the AWS configuration cannot be read, or the endpoint is no URL.
    """

    def __init__(
        self, *, profile: str | None, home_region: str | None, endpoint_url: str | None, stats: CallStats
    ) -> None:
        self._profile = profile
        self._endpoint_url = endpoint_url
        self.stats = stats
        if endpoint_url is not None:
            _refuse_no_url(endpoint_url)
        self._botocore = botocore.session.Session(profile=profile)
        self._creating = Lock()
        self._ec2_endpoints: EndpointProvider | None = None
        self.home_region: str = self._setting("region") or home_region or _FALLBACK_REGION
        """Where calls go that belong to no audited region: the configured one first."""

    @property
    def ca_file(self) -> str:
        """The certificate authorities that vouch for AWS: `AWS_CA_BUNDLE`, `ca_bundle`, or botocore's own."""
        return str(self._setting("ca_bundle") or get_cert_path(True))

    def find_credentials(self) -> Credentials | None:
        """Credentials by the standard chain, found anew; it blocks, and raises botocore's errors."""
        return botocore.session.Session(profile=self._profile).get_credentials()

    def own_credentials(self) -> Credentials | None:
        """The credentials that sign this session's own calls; it blocks, and raises botocore's errors."""
        return self._botocore.get_credentials()

    def ask_caller(self) -> Caller:
        """Ask STS who is calling.

        Raises:
            AmiguardError: there are no credentials, AWS refuses them, or STS cannot be reached.
        """
        doing = "ask AWS who is calling"
        try:
            reply = self.call("sts", "GetCallerIdentity")
            account_id, arn = str(reply["Account"]), str(reply["Arn"])
            return Caller(account_id, arn, arn.split(":")[1])
        except (*CALL_ERRORS, KeyError, IndexError) as error:
            raise explain_botocore(error, doing=doing, iam_action="sts:GetCallerIdentity") from error

    def call(self, service: str, operation: str, credentials: ReadOnlyCredentials | None = None) -> dict[str, Any]:
        """Make one of the rare calls without parameters with botocore; raises what is in `CALL_ERRORS`.

        Args:
            service: botocore's name of it (`organizations`).
            operation: the API's name.
            credentials: who asks; None for the session's own.
        """
        client = self._create(self._botocore, service, _CONFIG, credentials)
        self.stats.calls[operation] += 1
        method = next(name for name, api_name in client.meta.method_to_api_mapping.items() if api_name == operation)
        reply: dict[str, Any] = getattr(client, method)()
        return reply

    def decode_denial(self, credentials: ReadOnlyCredentials, encoded: str) -> str:
        """What an encoded refusal says, as JSON text; it blocks for seconds at most, and raises `CALL_ERRORS`.

        Args:
            credentials: who was refused.
            encoded: the message in code.
        """
        self._botocore.set_config_variable("sts_regional_endpoints", "regional")
        client = self._create(self._botocore, "sts", _BRIEF, credentials)
        self.stats.count("DecodeAuthorizationMessage")
        try:
            return str(client.decode_authorization_message(EncodedMessage=encoded)["DecodedMessage"])
        finally:
            client.close()

    def client(
        self,
        service: str,
        *,
        credentials: Credentials | None = None,
        region: str | None = None,
        connections: int = 10,
        quick: bool = False,
    ) -> Any:
        """A botocore client that tries each call once: its user paces, counts and tries again.

        STS is always asked at its regional endpoint: what the global one gives is refused in opt-in regions.

        Args:
            service: botocore's name of it (`organizations`).
            credentials: who asks, renewed as these see fit; None for the session's own.
            region: None for the home region.
            connections: how many are kept open.
            quick: an answer that does not begin within ten seconds is given up, in place of a minute.
        """
        session = self._botocore
        if credentials is not None:
            session = botocore.session.Session(profile=self._profile)
            # What is known of a service is read once: EC2's model costs 0.2 s and 40 MB.
            session.register_component("data_loader", self._botocore.get_component("data_loader"))
            session.register_component("credential_provider", CredentialResolver([_Given(credentials)]))
        session.set_config_variable("sts_regional_endpoints", "regional")
        config = (_QUICK if quick else _ONCE).merge(Config(max_pool_connections=connections))
        return self._create(session, service, config, region=region)

    def _create(
        self,
        session: botocore.session.Session,
        service: str,
        config: Config,
        credentials: ReadOnlyCredentials | None = None,
        region: str | None = None,
    ) -> Any:
        keys = {}
        if credentials is not None:
            keys = {
                "aws_access_key_id": credentials.access_key,
                "aws_secret_access_key": credentials.secret_key,
                "aws_session_token": credentials.token,
            }
        session.register_component("response_parser_factory", ReplyParsers())
        with self._creating:  # botocore's clients can be shared between threads, the making of them cannot
            return session.create_client(
                service, region_name=region or self.home_region, endpoint_url=self._endpoint_url, config=config, **keys
            )

    def ec2_endpoint(self, region: str) -> Endpoint:
        """Where EC2 answers in a region: as configured, or by botocore's rules (partition, FIPS, dual stack).

        Raises:
            AmiguardError: the configured endpoint is no URL, or the AWS configuration cannot be read.
        """
        url = self._endpoint_url or self._configured_ec2_url() or self._resolved_ec2_url(region)
        _refuse_no_url(url)
        proxies: dict[str, str] = get_environ_proxies(url)
        return Endpoint(url, region, proxy=proxies.get(url.partition(":")[0]))

    def partition_of(self, region: str) -> str | None:
        """The partition that a region is in, as botocore knows them; None if it is in none."""
        try:
            return str(self._botocore.get_partition_for_region(region))
        except BotoCoreError:
            return None

    def _configured_ec2_url(self) -> str | None:
        if self._setting("ignore_configured_endpoint_urls"):
            return None
        provider = ConfiguredEndpointProvider(self._botocore.full_config, self._botocore.get_scoped_config(), "ec2")
        url: str | None = provider.provide()
        return url

    def _resolved_ec2_url(self, region: str) -> str:
        if self._ec2_endpoints is None:
            # The rules alone: loading the whole EC2 model for a client would cost 0.2 s and 40 MB.
            loader = self._botocore.get_component("data_loader")
            rules = loader.load_service_model("ec2", "endpoint-rule-set-1")
            self._ec2_endpoints = EndpointProvider(rules, loader.load_data("partitions"))
        try:
            resolved = self._ec2_endpoints.resolve_endpoint(
                Region=region,
                UseFIPS=bool(self._setting("use_fips_endpoint")),
                UseDualStack=bool(self._setting("use_dualstack_endpoint")),
            )
        except BotoCoreError as error:
            raise explain_botocore(error, doing=f"find EC2's endpoint in {region}", iam_action="") from error
        return str(resolved.url)

    def _setting(self, name: str) -> Any:
        try:
            return self._botocore.get_config_variable(name)
        except BotoCoreError as error:
            raise explain_botocore(error, doing="read the AWS configuration", iam_action="") from error


class _Given(CredentialProvider):  # type: ignore[misc]  # botocore has no types
    """Gives botocore credentials that it did not find itself."""

    METHOD = "amiguard"

    def __init__(self, credentials: Credentials) -> None:
        super().__init__()
        self._credentials = credentials

    def load(self) -> Credentials:
        """The credentials."""
        return self._credentials


def _refuse_no_url(url: str) -> None:
    if not url.startswith(("https://", "http://")):
        raise AmiguardError(
            f"the endpoint is not a URL: {url}",
            hint="--endpoint-url and AWS_ENDPOINT_URL begin with https:// or http://",
        )
