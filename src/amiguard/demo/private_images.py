"""The images that nobody else may launch: the great majority, as in real estates."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from amiguard.demo import parties
from amiguard.demo.model import Call, Image, account

_US = ("us-east-1",)
_EU = ("eu-central-1",)
_US_EU = ("us-east-1", "eu-central-1")
_ALL = ("us-east-1", "eu-central-1", "ap-southeast-2")


@dataclass(frozen=True, slots=True)
class _Series:
    """Images that one pipeline builds again and again, in some regions."""

    account: str
    name: str
    versions: tuple[str, ...]
    regions: tuple[str, ...]
    team: str
    purpose: str

    def images(self) -> Iterator[Image]:
        for region in self.regions:
            for version in self.versions:
                name = f"{self.name}-{version}"
                yield Image(
                    account=self.account,
                    region=region,
                    name=name,
                    description=f"{self.name} {version}",
                    tags=(("Name", name), ("Team", self.team), ("Purpose", self.purpose)),
                )


_SERIES = (
    _Series("platform", "golden-ubuntu-22.04", ("20260601", "20260701", "20260801"), _ALL, "platform", "base"),
    _Series("platform", "golden-ubuntu-24.04", ("20260701", "20260801"), _ALL, "platform", "base"),
    _Series("platform", "golden-al2023", ("20260601", "20260701", "20260801"), _ALL, "platform", "base"),
    _Series("platform", "golden-windows-2022", ("20260714", "20260811"), _US_EU, "platform", "base"),
    _Series("platform", "eks-node-1.33", ("20260715", "20260820"), _ALL, "containers", "kubernetes-node"),
    _Series("platform", "payments-api", ("2.14.0", "2.14.1", "2.15.0"), _US_EU, "payments", "application"),
    _Series("platform", "payments-worker", ("2.14.1", "2.15.0"), _US_EU, "payments", "application"),
    _Series("platform", "erp-windows-2022", ("20260512", "20260609"), _EU, "finance-it", "application"),
    _Series("platform", "jenkins-controller", ("2.462.3",), _EU, "developer-tools", "build"),
    _Series("platform", "jenkins-agent-linux", ("20260804", "20260818"), _US_EU, "developer-tools", "build"),
    _Series("platform", "gitlab-runner", ("17.2", "17.3"), _US_EU, "developer-tools", "build"),
    _Series("platform", "bastion", ("20260403", "20260703"), _ALL, "network", "access"),
    _Series("platform", "vpn-gateway", ("2.13.1",), _ALL, "network", "access"),
    _Series("platform", "nginx-edge", ("1.26.1", "1.27.0"), _ALL, "network", "edge"),
    _Series("platform", "postgres-backup", ("2026w34", "2026w35"), _US, "databases", "backup"),
    _Series("payments", "pci-golden-al2023", ("20260701", "20260801"), _US_EU, "payments", "base"),
    _Series("payments", "payments-api-prod", ("2.14.1", "2.15.0"), _US_EU, "payments", "application"),
    _Series("payments", "ledger-db", ("7.2.0", "7.3.0"), _US_EU, "payments", "database"),
    _Series("payments", "tokenization-proxy", ("1.4.2",), _EU, "payments", "application"),
    _Series("analytics", "jupyter-gpu", ("20260610", "20260715"), _US_EU, "data-science", "notebook"),
    _Series("analytics", "spark-worker", ("3.4.3", "3.5.1"), _US_EU, "data-science", "batch"),
    _Series("analytics", "airflow", ("2.9.3",), _ALL, "data-engineering", "batch"),
)

UNSHARED_IMAGE_NAME = "ledger-db-7.2.0"
"""The image that was shared once, in the first of its regions: what lies under it still is."""


def _unshared(image: Image) -> Image:
    """Somebody took back the launch permission, and did not think of the snapshot."""
    if (image.name, image.region) != (UNSHARED_IMAGE_NAME, _US_EU[0]):
        return image
    contractor = (account(parties.CONTRACTOR),)
    caller = ("DatabaseAdmin/lee.novak@example.com", "198.51.100.77")
    return replace(
        image,
        age_days=40,
        calls=(
            Call("ModifyImageAttribute", 39, *caller, added=contractor),
            Call("ModifyImageAttribute", 12, *caller, removed=contractor),
        ),
        snapshot_grants=contractor,
    )


PRIVATE_IMAGES = tuple(_unshared(image) for series in _SERIES for image in series.images())
