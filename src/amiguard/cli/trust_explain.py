"""`amiguard trust explain`: how a grantee would be decided, and which line of the settings decides it, offline."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated

import typer

from amiguard.cli.policy_options import ConfigOption, TrustOption, parsed_trustee, read_policy, today_utc
from amiguard.cli.talk import say
from amiguard.core.decision import Decision, Verdict, decide, rules_in_force
from amiguard.core.exception import AnyGrantee, ImageException, ImageSelector
from amiguard.core.grantee import (
    Account,
    Everyone,
    Grantee,
    Organization,
    OrganizationalUnit,
    grantee_id,
    grantee_kind,
)
from amiguard.core.image import Image
from amiguard.core.organization import OrganizationUnread
from amiguard.core.trust import OWN, TrustedAccount, TrustedOrganization, TrustedUnit, TrustPolicy
from amiguard.files.settings_record import Settings
from amiguard.report.sanitize import printable

_OFFLINE = OrganizationUnread("this command asks AWS nothing")
_GRANTEE = "GRANTEE"


@dataclass(frozen=True, slots=True)
class _ImageInQuestion:
    """What the command line says of an image; selectors by anything else are left open."""

    image: Image
    told: frozenset[str]
    """The keys of an image selector that can be judged."""


def explain(
    grantee: Annotated[
        str,
        typer.Argument(
            metavar=_GRANTEE,
            help="everyone, an account id, an organization (id or ARN) or a unit (o-.../ou-... or ARN).",
            show_default=False,
        ),
    ],
    *,
    config: ConfigOption = None,
    trust: TrustOption = None,
    image: Annotated[str | None, typer.Option(metavar="ID", help="The image, for exceptions by id.")] = None,
    image_name: Annotated[str | None, typer.Option(metavar="NAME", help="Its name.")] = None,
    image_tag: Annotated[list[str] | None, typer.Option(metavar="KEY=VALUE", help="Its tags. Repeatable.")] = None,
    image_account: Annotated[str | None, typer.Option(metavar="ID", help="The account that owns it.")] = None,
    image_region: Annotated[str | None, typer.Option(metavar="REGION", help="Its region.")] = None,
) -> None:
    """Say how a grantee would be decided.

    Names the entry or exception that decides, and asks AWS nothing: what depends on the organization of the
    audited account is `undetermined` here; an audit reads it. Exceptions count as far as the image is described.
    """
    today = today_utc()
    if image_account is not None and not isinstance(parsed_trustee(image_account, "--image-account"), TrustedAccount):
        raise typer.BadParameter("expected a 12-digit account id", param_hint="--image-account")
    settings = read_policy(config, trust, today=today)
    asked = _grantee(grantee, settings)
    question = _image_in_question(image, image_name, image_tag, image_account, image_region)
    for line in _explanation(asked, question, settings, today):
        typer.echo(printable(line))
    for warning in settings.warnings:
        say(f"amiguard: warning: {printable(warning)}")


def _grantee(text: str, settings: Settings) -> Grantee:
    if text in ("everyone", "all"):
        return Everyone()
    named = parsed_trustee(text, _GRANTEE)
    if isinstance(named, TrustedAccount):
        return Account(named.account_id)
    if named.organization_id is None:
        what = (
            "organization (o-..., or its ARN)" if text == OWN else "unit with its organization (o-.../ou-..., or ARN)"
        )
        raise typer.BadParameter(f"an image is never shared with `{text}`: name the {what}", param_hint=_GRANTEE)
    if named.management_account_id is None and _is_named_by_arn(named.organization_id, settings):
        raise typer.BadParameter(
            "the settings name this organization by ARN, and the ARN must match whole: give the ARN here too",
            param_hint=_GRANTEE,
        )
    manager = named.management_account_id or ""
    if isinstance(named, TrustedUnit):
        return OrganizationalUnit(text, named.organization_id, manager, named.unit_id)
    return Organization(text, named.organization_id, manager)


def _is_named_by_arn(organization_id: str, settings: Settings) -> bool:
    accepted = (
        one
        for exception in settings.exceptions
        if not isinstance(exception.grantees, AnyGrantee)
        for one in exception.grantees
    )
    return any(
        isinstance(one, TrustedOrganization | TrustedUnit)
        and one.organization_id == organization_id
        and one.management_account_id is not None
        for one in (*(entry.trustee for entry in settings.policy.entries), *accepted)
    )


def _image_in_question(
    image_id: str | None, name: str | None, tags: list[str] | None, account: str | None, region: str | None
) -> _ImageInQuestion:
    given = {"ids": image_id, "names": name, "tags": tags, "accounts": account, "regions": region}
    pairs = (tag.partition("=") for tag in tags or ())
    return _ImageInQuestion(
        Image(
            image_id=image_id or "",
            account_id=account or "",
            region=region or "",
            partition="aws",
            name=name or "",
            tags=tuple((key, value) for key, _, value in pairs),
        ),
        frozenset(key for key, value in given.items() if value),
    )


def _explanation(asked: Grantee, question: _ImageInQuestion, settings: Settings, today: date) -> list[str]:
    known: list[ImageException] = []
    open_questions: list[str] = []
    for exception, place in zip(settings.exceptions, settings.exception_places, strict=True):
        narrowed, untold = _as_far_as_told(exception, question.told)
        if not untold:
            known.append(exception)
        elif exception.in_force(today) and narrowed.matches(question.image, asked):
            open_questions.append(f"  unless    {place}: accepted if the image fits its {', '.join(untold)}")
    rules = rules_in_force(settings.policy, tuple(known), today=today, organization=_OFFLINE)
    decision = decide(asked, question.image, rules)
    kind = grantee_kind(asked).replace("_", " ")
    return [
        f"{grantee_id(asked)} ({kind}): {decision.verdict}" if kind != "everyone" else f"everyone: {decision.verdict}",
        f"  because   {decision.reason}",
        *(f"  see       {place}" for place in _places(decision, question.image, settings, today)),
        *(open_questions if decision.verdict in (Verdict.UNTRUSTED, Verdict.UNDETERMINED) else ()),
    ]


def _as_far_as_told(exception: ImageException, told: frozenset[str]) -> tuple[ImageException, list[str]]:
    """The exception without the keys that nothing is told of, and those keys."""
    images = exception.images
    selected = {
        "ids": images.ids,
        "names": images.names,
        "tags": images.tags,
        "accounts": images.accounts,
        "regions": images.regions,
    }
    untold = [key for key, values in selected.items() if values and key not in told]
    narrowed = ImageSelector(
        ids=images.ids if "ids" in told else (),
        # A selector is never empty; this pattern fits every name.
        names=images.names if "names" in told and images.names else ("*",),
        tags=images.tags if "tags" in told else (),
        accounts=images.accounts if "accounts" in told else (),
        regions=images.regions if "regions" in told else (),
    )
    return replace(exception, images=narrowed), untold


def _places(decision: Decision, image: Image, settings: Settings, today: date) -> list[str]:
    """Where that stands which leads to the decision: what decides the same on its own, and nothing without it."""
    nothing = decide(decision.grantee, image, rules_in_force(TrustPolicy(), (), today=today, organization=_OFFLINE))
    if decision.verdict is Verdict.EXCEPTED:
        alone = [
            (place, rules_in_force(TrustPolicy(), (exception,), today=today, organization=_OFFLINE))
            for exception, place in zip(settings.exceptions, settings.exception_places, strict=True)
        ]
    else:
        alone = [
            (place, rules_in_force(TrustPolicy((entry,)), (), today=today, organization=_OFFLINE))
            for entry, place in zip(settings.policy.entries, settings.entry_places, strict=True)
        ]
    places = [
        place
        for place, rules in alone
        if (one := decide(decision.grantee, image, rules)).verdict is decision.verdict and one.reason != nothing.reason
    ]
    return places if decision.verdict in (Verdict.UNTRUSTED, Verdict.UNDETERMINED) else places[:1]
