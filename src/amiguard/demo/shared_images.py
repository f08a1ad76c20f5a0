"""The images that somebody else may launch, one for each thing that an audit has to tell apart."""

from amiguard.core.remediation import HOLD_TAG
from amiguard.demo import parties
from amiguard.demo.model import EVERYONE, Grant, Image, account, organization, unit

_US, _EU, _AP = "us-east-1", "eu-central-1", "ap-southeast-2"

# The estate's own organization; what the braces hold is filled in once AWS has given out the ids.
_OWN_ORGANIZATION = organization("{organization}")
_PRODUCTION = unit("{Workloads/Production}")
_PAYMENTS_UNIT = unit("{Workloads/Production/Payments}")

MARKETPLACE_IMAGE_NAME = "marketplace-appliance-5.4.1"
TRAINING_IMAGE_NAME = "training-lab-2026-spring"

# What a name can carry through an XML reply: a spreadsheet formula, a line that CI takes for a workflow command,
# markup, table cells, a C1 control that terminals take for ESC [, and an override that turns text around. (AWS narrows
# image names more than tags; ESC itself cannot be written in XML 1.0 at all.)
HOSTILE_NAME = "=cmd|'/C calc'!A0\n::error::pwned\n<script>alert(1)</script> | a | **b** \x9b31mred \u202egpj.ima"


def _image(owner: str, region: str, name: str, team: str, purpose: str, *grants: Grant) -> Image:
    return Image(
        account=owner,
        region=region,
        name=name,
        description=f"{purpose} image of {team}",
        tags=(("Name", name), ("Team", team), ("Purpose", purpose)),
        grants=grants,
    )


_TRUSTED = (
    _image("platform", _US, "eks-node-1.33-20260901", "containers", "kubernetes-node", account(parties.STAGING)),
    _image(
        "platform",
        _EU,
        "eks-node-1.33-20260901",
        "containers",
        "kubernetes-node",
        account(parties.STAGING),
        account(parties.DISASTER_RECOVERY),
    ),
    _image("platform", _US, "jenkins-agent-linux-20260901", "developer-tools", "build", account("{analytics}")),
    _image("payments", _US, "pci-golden-al2023-20260901", "payments", "base", account("{platform}")),
    _image("platform", _EU, "edi-gateway-3.2", "integration", "partner", organization(parties.PARTNER)),
    _image("platform", _US, "edi-gateway-3.2", "integration", "partner", unit(parties.PARTNER_UNIT)),
    _image("analytics", _EU, "spark-worker-3.5.2", "data-science", "batch", organization(parties.PARTNER)),
)

_OWN = (
    _image("platform", _US, "golden-ubuntu-22.04-20260901", "platform", "base", _OWN_ORGANIZATION),
    _image("platform", _EU, "golden-ubuntu-22.04-20260901", "platform", "base", _OWN_ORGANIZATION),
    _image(
        "platform",
        _AP,
        "golden-ubuntu-22.04-20260901",
        "platform",
        "base",
        _OWN_ORGANIZATION,
        account(parties.STAGING),
    ),
    _image("platform", _US, "golden-al2023-20260901", "platform", "base", _PRODUCTION),
    _image("platform", _US, "payments-api-2.16.0", "payments", "application", _PAYMENTS_UNIT, account("{payments}")),
    _image("payments", _EU, "payments-api-prod-2.16.0", "payments", "application", _PAYMENTS_UNIT),
)

_UNTRUSTED = (
    _image("platform", _EU, "erp-windows-2022-20260714", "finance-it", "application", account(parties.VENDOR)),
    _image(
        "platform",
        _EU,
        "erp-windows-2022-20260811",
        "finance-it",
        "application",
        account(parties.VENDOR),
        account(parties.STAGING),
    ),
    _image("payments", _EU, "card-settlement-1.9", "payments", "application", account(parties.VENDOR)),
    _image("platform", _US, "monitoring-collector-20260210", "operations", "agent", account(parties.CONTRACTOR)),
    _image(
        "platform",
        _AP,
        "data-exchange-1.0",
        "integration",
        "partner",
        organization(parties.STRANGER),
        account(parties.CONTRACTOR),
    ),
    _image("analytics", _US, "feature-store-0.9", "data-science", "batch", unit(parties.STRANGER_UNIT)),
    # Held: what it grants is to be taken back, but not before somebody has talked with the customers.
    Image(
        account="platform",
        region=_US,
        name="customer-appliance-4.0",
        description="product image of deliveries",
        tags=(
            ("Name", "customer-appliance-4.0"),
            ("Team", "deliveries"),
            ("Purpose", "product"),
            (HOLD_TAG, "until the customers have moved to 5.0"),
        ),
        grants=tuple(map(account, (parties.STAGING, parties.DISASTER_RECOVERY, *parties.CUSTOMERS))),
    ),
    Image(
        account="platform",
        region=_US,
        name=HOSTILE_NAME,
        description='"><img src=x onerror=alert(1)>',
        tags=(("Name", "| x |\n::warning::tag\n\u202e\x9b2J"), ("<b>Team</b>", "=1+1"), ("@SUM(1+1)", "")),
        grants=(account(parties.VENDOR),),
    ),
)

_PUBLIC = (
    _image("platform", _US, "build-debug-20260819", "developer-tools", "debug", EVERYONE),
    Image(
        account="platform",
        region=_AP,
        name="legacy-webshop-2019",
        grants=(EVERYONE, account(parties.VENDOR)),
    ),
    _image("analytics", _US, "jupyter-gpu-20260822", "data-science", "notebook", EVERYONE),
)

_EXCEPTED = (
    _image("platform", _US, MARKETPLACE_IMAGE_NAME, "products", "marketplace", EVERYONE),
    _image("platform", _EU, TRAINING_IMAGE_NAME, "academy", "training", account(parties.TRAINEE)),
)

# AWS takes the launch permissions of an image away when it is disabled; moto would keep them, so it never had any.
_DISABLED = (Image(account="platform", region=_EU, name="golden-ubuntu-20.04-20240115", disabled=True),)

SHARED_IMAGES = _TRUSTED + _OWN + _UNTRUSTED + _PUBLIC + _EXCEPTED + _DISABLED
