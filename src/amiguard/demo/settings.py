"""The `amiguard.yaml` of the demo's estate."""

from datetime import date, timedelta
from string import Template

from amiguard.demo import parties
from amiguard.demo.estate import AUDIT_ROLE
from amiguard.demo.seed import SeededEstate
from amiguard.demo.shared_images import MARKETPLACE_IMAGE_NAME, TRAINING_IMAGE_NAME

_TEMPLATE = Template("""\
# The amiguard settings of the demo estate: a small company with an AWS organization of three accounts.
version: 1

# Who may launch our images. Everyone who is not named here is not trusted.
trust:
  organizations:
    # Our own organization: its accounts need not be listed, and those that join or leave it are known by each audit.
    - own
    # A partner's whole organization: grants to it, and to any organizational unit inside of it.
    - id: $partner
      name: Northgate Logistics
      reason: runs the EDI gateway and our route planning on its own accounts

  # Accounts outside of our organization. Their ids are quoted: YAML would read some of them as numbers.
  accounts:
    - id: "$staging"
      name: Staging
      reason: shared golden images and Kubernetes nodes
    - id: "$disaster_recovery"
      name: Disaster recovery
      reason: must be able to start our nodes when we cannot
      expires: $in_force
    # This contract has ended: the entry no longer trusts anyone, and the audit says so.
    - id: "$contractor"
      name: Brightline Consulting
      reason: operated our monitoring
      expires: $lapsed

# Sharing that is accepted on purpose. It stays in the report, as suppressed instead of failed.
exceptions:
  - images:
      ids: [$marketplace_image]  # $marketplace_name
    grantees: [everyone]
    reason: our product on the AWS Marketplace is meant to be public
    owner: products@example.com
    expires: $in_force

  # This one has run out: the training is over, and the image is still shared.
  - images:
      names: [$training_name]
    grantees: ["$trainee"]
    reason: the training provider starts the lab machines
    owner: academy@example.com
    expires: $lapsed

# What is audited: every account of our organization, in every region that is enabled there.
targets:
  regions: all
  organization:
    # A role that each member account has, and that these credentials may assume.
    role_name: $role
""")

_IN_FORCE_FOR = timedelta(days=180)
_LAPSED_SINCE = timedelta(days=45)


def settings_text(seeded: SeededEstate, *, today: date) -> str:
    """The settings that fit a seeded estate, with dates that are past or to come as seen from `today`."""
    image_ids = {image.name: image_id for image, image_id in seeded.image_ids.items()}
    return _TEMPLATE.substitute(
        role=AUDIT_ROLE,
        staging=parties.STAGING,
        disaster_recovery=parties.DISASTER_RECOVERY,
        contractor=parties.CONTRACTOR,
        trainee=parties.TRAINEE,
        partner=parties.PARTNER_ID,
        marketplace_image=image_ids[MARKETPLACE_IMAGE_NAME],
        marketplace_name=MARKETPLACE_IMAGE_NAME,
        training_name=TRAINING_IMAGE_NAME,
        in_force=today + _IN_FORCE_FOR,
        lapsed=today - _LAPSED_SINCE,
    )
