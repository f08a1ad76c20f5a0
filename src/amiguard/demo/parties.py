"""The world outside of the estate: those whom it trusts, and those whom it does not know."""

STAGING = "210987654321"
# The leading zero is on purpose: YAML reads it as a number unless it is quoted.
DISASTER_RECOVERY = "012345670123"
CONTRACTOR = "333344445555"
"""A contractor whose trust has ended."""
TRAINEE = "888877776666"
"""The training provider, tolerated by an exception that has ended."""
VENDOR = "555566667777"
"""A software vendor that nobody wrote into the policy."""
CUSTOMERS = tuple(f"7000000{number:05d}" for number in range(1, 39))
"""Customers that once received an appliance, one account after the other."""

PARTNER_ID = "o-nq4w7kz2mv"
PARTNER = f"arn:aws:organizations::666677778888:organization/{PARTNER_ID}"
PARTNER_UNIT = f"arn:aws:organizations::666677778888:ou/{PARTNER_ID}/ou-h3xd-6t9rbw1c"
"""A unit deep inside of the partner's organization."""

STRANGER = "arn:aws:organizations::990011223344:organization/o-z8c1tq5yje"
STRANGER_UNIT = "arn:aws:organizations::990011223344:ou/o-z8c1tq5yje/ou-p7f2-0s8ukx4n"
