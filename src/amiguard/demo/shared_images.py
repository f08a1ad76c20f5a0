"""The images that somebody else may launch, one for each thing that an audit has to tell apart."""

from dataclasses import replace

from amiguard.core.remediation import HOLD_TAG
from amiguard.demo import parties
from amiguard.demo.model import EVERYONE, Call, Grant, Image, Key, Use, account, organization, unit

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

_ENGINEER = ("ImageEngineer/dana.kim@example.com", "198.51.100.24")
_NIGHTLY = ("ImagePipeline/erp-nightly", "203.0.113.80")


def _shared(by: tuple[str, str], days_ago: int, image: Image) -> Image:
    """An image of which CloudTrail knows who shared it: a caller, and the address of the call."""
    call = Call("ModifyImageAttribute", days_ago, *by, added=image.grants)
    return replace(image, age_days=days_ago + 1, calls=(call,))


# The vendor's support runs on it: to take this access back breaks 14 instances.
_IN_USE = Image(
    account="platform",
    region=_EU,
    name="erp-windows-2022-20260811",
    description="application image of finance-it",
    tags=(("Name", "erp-windows-2022-20260811"), ("Team", "finance-it"), ("Purpose", "application")),
    grants=(account(parties.VENDOR), account(parties.STAGING)),
    age_days=24,
    uses=(
        Use(parties.VENDOR, 14),
        Use(parties.VENDOR, 1, "ec2:LaunchTemplate"),
        Use(parties.STAGING, 3),
        Use("{platform}", 2),
    ),
    calls=(
        Call("CreateImage", 24, _NIGHTLY[0], "imagebuilder.amazonaws.com"),
        Call("ModifyImageAttribute", 23, *_NIGHTLY, added=(account(parties.STAGING),)),
        # One who may not share it tried first: that shared nothing.
        Call(
            "ModifyImageAttribute",
            22,
            "HelpDesk/sam.ortiz@example.com",
            "198.51.100.31",
            added=(account(parties.VENDOR),),
            error_code="Client.UnauthorizedOperation",
        ),
        Call("ModifyImageAttribute", 21, *_ENGINEER, added=(account(parties.VENDOR),)),
    ),
)

_UNTRUSTED = (
    _shared(
        _ENGINEER,
        52,
        _image("platform", _EU, "erp-windows-2022-20260714", "finance-it", "application", account(parties.VENDOR)),
    ),
    _IN_USE,
    # Its key admits nobody but two accounts of the organization: the vendor cannot launch what it may launch.
    replace(
        _shared(
            _ENGINEER,
            8,
            _image("payments", _EU, "card-settlement-1.9", "payments", "application", account(parties.VENDOR)),
        ),
        key=Key("snapshots of the card payments", accounts=("{platform}",)),
    ),
    # Nobody uses it: the contract has ended.
    _shared(
        ("ops-automation", "203.0.113.17"),
        67,
        _image("platform", _US, "monitoring-collector-20260210", "operations", "agent", account(parties.CONTRACTOR)),
    ),
    # Of its two grants, one is older than what CloudTrail keeps.
    replace(
        _image(
            "platform",
            _AP,
            "data-exchange-1.0",
            "integration",
            "partner",
            organization(parties.STRANGER),
            account(parties.CONTRACTOR),
        ),
        age_days=300,
        calls=(Call("ModifyImageAttribute", 20, *_ENGINEER, added=(account(parties.CONTRACTOR),)),),
    ),
    replace(
        _image("analytics", _US, "feature-store-0.9", "data-science", "batch", unit(parties.STRANGER_UNIT)),
        age_days=200,
    ),
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
        age_days=400,
    ),
    _shared(
        _ENGINEER,
        29,
        Image(
            account="platform",
            region=_US,
            name=HOSTILE_NAME,
            description='"><img src=x onerror=alert(1)>',
            tags=(("Name", "| x |\n::warning::tag\n\u202e\x9b2J"), ("<b>Team</b>", "=1+1"), ("@SUM(1+1)", "")),
            grants=(account(parties.VENDOR),),
        ),
    ),
)

_PUBLIC = (
    _shared(
        ("BuildAgent/job-48213", "203.0.113.52"),
        12,
        _image("platform", _US, "build-debug-20260819", "developer-tools", "debug", EVERYONE),
    ),
    # Older than anything that CloudTrail keeps: nobody can say who shared it.
    Image(
        account="platform",
        region=_AP,
        name="legacy-webshop-2019",
        grants=(EVERYONE, account(parties.VENDOR)),
        age_days=2500,
    ),
    _shared(
        ("DataScience/robin.roy@example.com", "198.51.100.90"),
        5,
        _image("analytics", _US, "jupyter-gpu-20260822", "data-science", "notebook", EVERYONE),
    ),
)

_EXCEPTED = (
    _image("platform", _US, MARKETPLACE_IMAGE_NAME, "products", "marketplace", EVERYONE),
    replace(
        _image("platform", _EU, TRAINING_IMAGE_NAME, "academy", "training", account(parties.TRAINEE)), age_days=150
    ),
)

# AWS takes the launch permissions of an image away when it is disabled; moto would keep them, so it never had any.
_DISABLED = (Image(account="platform", region=_EU, name="golden-ubuntu-20.04-20240115", disabled=True),)

# What EC2 shares again as it was, should anybody restore it.
BINNED_IMAGES = (
    replace(
        _image("platform", _EU, "erp-windows-2022-20260414", "finance-it", "application", account(parties.VENDOR)),
        age_days=120,
        binned_days_ago=3,
    ),
)

SHARED_IMAGES = _TRUSTED + _OWN + _UNTRUSTED + _PUBLIC + _EXCEPTED + _DISABLED
