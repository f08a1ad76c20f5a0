"""The estate of the demo: one organization of three accounts, three regions, and their images."""

from amiguard.demo.model import Account, Estate
from amiguard.demo.private_images import PRIVATE_IMAGES
from amiguard.demo.shared_images import BINNED_IMAGES, SHARED_IMAGES

AUDIT_ROLE = "AmiguardAudit"
"""The role by which the caller audits the member accounts."""

ESTATE = Estate(
    caller="platform",
    caller_name="Platform",
    members=(
        Account("payments", "Payments production", "aws-payments@example.com", "Workloads/Production/Payments"),
        Account("analytics", "Analytics", "aws-analytics@example.com", "Workloads/Development"),
    ),
    roles=("OrganizationAccountAccessRole", AUDIT_ROLE),
    units=(
        "Infrastructure",
        "Workloads",
        "Workloads/Production",
        "Workloads/Production/Payments",
        "Workloads/Development",
    ),
    regions=("us-east-1", "eu-central-1", "ap-southeast-2"),
    images=SHARED_IMAGES + PRIVATE_IMAGES,
    binned=BINNED_IMAGES,
)
