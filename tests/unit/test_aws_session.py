"""Endpoints, regions and credentials, as botocore and the AWS CLI find them."""

import asyncio
from pathlib import Path

import pytest
from botocore.credentials import Credentials, ReadOnlyCredentials
from botocore.exceptions import CredentialRetrievalError
from botocore.loaders import create_loader
from botocore.session import Session

from amiguard.aws.credentials import CredentialSource
from amiguard.aws.ec2_query import CallStats, Endpoint
from amiguard.aws.session import AwsSession
from amiguard.core.errors import AmiguardError
from amiguard.core.image import Unreadable
from tests.fakes.virtual_time import run_in_virtual_time

LOADER = create_loader()


def session(
    *, profile: str | None = None, home_region: str | None = None, endpoint_url: str | None = None
) -> AwsSession:
    return AwsSession(profile=profile, home_region=home_region, endpoint_url=endpoint_url, stats=CallStats())


@pytest.mark.parametrize(
    "region", ["us-east-1", "eu-central-1", "cn-north-1", "us-gov-west-1", "us-iso-east-1", "eusc-de-east-1"]
)
@pytest.mark.parametrize("variant", [None, "AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"])
def test_endpoints_are_botocores(region: str, variant: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if variant:
        monkeypatch.setenv(variant, "true")
    if region == "us-iso-east-1" and variant == "AWS_USE_DUALSTACK_ENDPOINT":
        pytest.skip("botocore makes no such client")
    botocore_session = Session()
    botocore_session.register_component("data_loader", LOADER)  # to read EC2's model takes a quarter of a second
    client = botocore_session.create_client("ec2", region_name=region)
    assert session().ec2_endpoint(region) == Endpoint(client.meta.endpoint_url, region)
    client.close()


def test_configured_endpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    assert session().ec2_endpoint("us-east-1").url == "http://127.0.0.1:1"
    monkeypatch.setenv("AWS_ENDPOINT_URL_EC2", "http://127.0.0.1:2")
    assert session().ec2_endpoint("us-east-1").url == "http://127.0.0.1:2"
    assert session(endpoint_url="http://127.0.0.1:3").ec2_endpoint("us-east-1").url == "http://127.0.0.1:3"
    monkeypatch.setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")
    assert session().ec2_endpoint("us-east-1").url == "https://ec2.us-east-1.amazonaws.com"


@pytest.mark.parametrize("configured", [None, "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_EC2"])
def test_the_client_that_writes_goes_where_the_reader_goes(
    configured: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if configured:
        monkeypatch.setenv(configured, "http://127.0.0.1:1")
    ours = session(home_region="us-east-1")
    for region in ("eu-central-1", "cn-north-1"):
        client = ours.client("ec2", credentials=Credentials("KEY", "secret"), region=region)
        assert Endpoint(client.meta.endpoint_url, client.meta.region_name) == ours.ec2_endpoint(region)
        client.close()
    home = ours.client("ec2", credentials=Credentials("KEY", "secret"))
    assert home.meta.region_name == "us-east-1"
    home.close()


def test_an_endpoint_of_a_profile(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text(
        "[profile dev]\nregion = eu-west-1\nservices = local\n[services local]\nec2 =\n  endpoint_url = http://127.0.0.1:9\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    dev = session(profile="dev")
    assert dev.home_region == "eu-west-1"
    assert dev.ec2_endpoint("eu-west-1").url == "http://127.0.0.1:9"


def test_the_home_region(monkeypatch: pytest.MonkeyPatch) -> None:
    assert session().home_region == "us-east-1"
    assert session(home_region="eu-west-1").home_region == "eu-west-1"
    monkeypatch.setenv("AWS_DEFAULT_REGION", "cn-north-1")
    assert session(home_region="eu-west-1").home_region == "cn-north-1"


def test_a_proxy_is_found_once_for_the_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example.com:3128")
    monkeypatch.setenv("NO_PROXY", "ec2.us-west-2.amazonaws.com")
    assert session().ec2_endpoint("us-east-1").proxy == "http://proxy.example.com:3128"
    assert session().ec2_endpoint("us-west-2").proxy is None


@pytest.mark.parametrize("url", ["ec2.amazonaws.com", "ftp://x"])
def test_an_endpoint_that_is_no_url(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AmiguardError, match="the endpoint is not a URL"):
        session(endpoint_url=url)
    monkeypatch.setenv("AWS_ENDPOINT_URL_EC2", url)
    with pytest.raises(AmiguardError, match="the endpoint is not a URL"):
        session().ec2_endpoint("us-east-1")


def test_the_certificate_authorities(monkeypatch: pytest.MonkeyPatch) -> None:
    assert session().ca_file.endswith(".pem")
    monkeypatch.setenv("AWS_CA_BUNDLE", "/corp.pem")
    assert session().ca_file == "/corp.pem"


class Renewing(Credentials):  # type: ignore[misc]  # botocore has no types
    """Credentials that botocore renews when their time has come."""

    def __init__(self) -> None:
        super().__init__("KEY0", "secret", "token")
        self.renewed = 0
        self.failing = False

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        if self.failing:
            raise CredentialRetrievalError(provider="sso", error_msg="the session has expired")
        self.renewed += 1
        return ReadOnlyCredentials(f"KEY{self.renewed}", "secret", "token")


def test_credentials_are_asked_of_botocore_once_a_second_so_that_it_can_renew_them() -> None:
    credentials = Renewing()

    async def main() -> list[str]:
        source = CredentialSource(lambda: credentials)
        keys = []
        for _ in range(30):
            current = await source.current()
            assert isinstance(current, ReadOnlyCredentials)
            keys.append(current.access_key)
            await asyncio.sleep(0.1)
        return keys

    keys = run_in_virtual_time(main())[0]
    assert keys[0] == "KEY1"
    assert keys[-1] == "KEY3"


def test_a_renewal_that_fails_is_a_reason_and_is_tried_again_later() -> None:
    credentials = Renewing()

    async def main() -> list[object]:
        source = CredentialSource(lambda: credentials)
        seen: list[object] = [await source.current()]
        credentials.failing = True
        await asyncio.sleep(2)
        seen.append(await source.current())
        credentials.failing = False
        await asyncio.sleep(5)
        seen.append(await source.current())
        await asyncio.sleep(6)
        seen.append(await source.current())
        return seen

    first, failed, still, again = run_in_virtual_time(main())[0]
    assert isinstance(first, ReadOnlyCredentials)
    assert isinstance(failed, Unreadable)
    assert "the session has expired" in failed.reason
    assert still == failed
    assert isinstance(again, ReadOnlyCredentials)
