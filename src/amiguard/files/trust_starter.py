"""The settings file that `amiguard trust init` writes."""

STARTER = """\
# Settings of amiguard: who may launch your images (AMIs), and what is accepted on purpose.
#   amiguard trust check            says whether this file is valid, and what is worth a look
#   amiguard trust add ID           adds an account, organization or unit
#   amiguard trust explain ID       says how a grantee is decided, and by which line
version: 1

# Who may launch your images. Everyone else whom an image is shared with is reported.
# An entry is an id, or an id with what you want to remember of it:
#   - "123456789012"
#   - {id: "210987654321", name: Staging, reason: shared golden images, expires: 2027-01-31}
# Quote account ids: other programs read 012345678901 as a number. `expires` is the last day (UTC) that counts.
trust:
  # `own` is the organization of the audited account: all accounts in it may launch its images.
  # Take it out if that is more than you trust. A policy that trusts no one at all says `trust: nobody`.
  organizations:
    - own

  accounts:
  #  - "123456789012"

  # A unit needs its organization: o-.../ou-..., or the ARN. A bare ou-... is one of the own organization.
  organizational_units:
  #  - o-abcdefghij/ou-ab12-cdefghij

# What may stay shared although its grantees are not trusted. Reason and owner are required.
# In `images` keys narrow each other (and), values of one key widen (or): ids, names, tags, accounts, regions.
# Names and tags trust whoever may name or tag images; ids do not.
# exceptions:
#   - images: {ids: [ami-0123456789abcdef0]}
#     grantees: [everyone]            # or ids as above, or `any`
#     reason: marketplace image
#     owner: platform@example.com
#     expires: 2027-06-30

# What is audited: the account of your credentials, in all regions that are enabled there. Or the regions listed here;
# and the accounts of your organization, by a role that each of them has. Without include and exclude: all of them.
# targets:
#   regions: [eu-central-1, us-east-1]
#   organization:
#     role_name: AmiguardAudit
#     include: {units: [ou-ab12-cdefghij]}
#     exclude: {accounts: ["123456789012"]}
"""
