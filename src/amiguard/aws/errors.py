"""AWS's errors in words: every code is explained here, once, with the IAM action or the step that is missing."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from http import HTTPStatus

from botocore import exceptions as botocore_errors
from botocore.parsers import ResponseParserError

from amiguard.core.errors import AmiguardError, CredentialsError
from amiguard.core.image import Unreadable

THROTTLING = frozenset(
    {
        "RequestLimitExceeded",
        "Client.RequestLimitExceeded",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestThrottled",
        "RequestThrottledException",
        "TooManyRequestsException",
        "EC2ThrottledException",
        "SlowDown",
        "BandwidthLimitExceeded",
    }
)
TRANSIENT = frozenset({"InternalError", "InternalFailure", "ServiceUnavailable", "Unavailable", "RequestTimeout"})
EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
DENIED = frozenset({"UnauthorizedOperation", "AccessDenied", "AccessDeniedException", "Client.UnauthorizedOperation"})
_CLOCK = frozenset({"RequestTimeTooSkewed", "RequestInTheFuture"})
_UNKNOWN_KEY = frozenset({"InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch"})
_ENCODED = re.compile(r"\s*Encoded authorization failure message:\s*\S+")
_LONGEST_MESSAGE = 300

RENEW = "renew them (`aws sso login`, or new keys), and run the command again"


@dataclass(frozen=True, slots=True)
class ApiError:
    """AWS's final word on a call: its error code and message, as they came.

    Attributes:
        hint: what would mend a refusal, if its encoded message could be decoded (see `denials`).
    """

    code: str
    message: str
    hint: str | None = None


def api_error(error: botocore_errors.ClientError) -> tuple[int, ApiError]:
    """The HTTP status (0 if none is known), and what AWS said."""
    details = error.response.get("Error", {})
    # Some services write `Message` or `message` where botocore does not look, and leaves an empty one beside it.
    message = details.get("Message") or error.response.get("Message") or error.response.get("message") or ""
    status: int = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status, ApiError(str(details.get("Code", "")), str(message))


def unserved(status: int, error: ApiError, codes: Collection[str] = TRANSIENT) -> str | None:
    """Why a call that was not served is worth another try; None if what AWS said is final.

    Args:
        status: of HTTP.
        error: what AWS said.
        codes: those of errors that pass, whatever the status.
    """
    # A code of digits is botocore's own, for a reply that is not AWS's: who sent it, and what AWS did, is not known.
    not_from_aws = not error.code or error.code.isdigit()
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or error.code in codes or not_from_aws:
        return f"HTTP {status}: {error.code}: {error.message}"
    return None


def has_no_reply(error: Exception) -> bool:
    """Whether botocore got no reply, or none that it could read: worth another try, but for a certificate."""
    no_reply = (botocore_errors.HTTPClientError, botocore_errors.ConnectionError, ResponseParserError)
    return isinstance(error, no_reply) and not isinstance(error, botocore_errors.SSLError)


def explain(error: ApiError, iam_action: str) -> Unreadable:
    """What an error means, and what would mend it.

    Args:
        error: the code and message.
        iam_action: the action that was called, as IAM names it (`ec2:DescribeImages`).
    """
    message = _ENCODED.sub("", error.message).strip()[:_LONGEST_MESSAGE]
    if error.code in DENIED:
        if "service control policy" in message:
            return Unreadable(
                f"a service control policy denies {iam_action}",
                "an administrator of the organization can allow it; --region leaves a region out",
            )
        return Unreadable(f"not permitted: {iam_action}", error.hint or f"grant {iam_action} to the caller")
    if error.code in EXPIRED:
        return Unreadable("the credentials have expired", RENEW)
    if error.code in _CLOCK:
        return Unreadable("AWS refused the time stamp of the request", "set this machine's clock")
    if error.code in _UNKNOWN_KEY:
        return Unreadable(f"AWS does not accept the credentials ({error.code})", "check the keys, and their partition")
    if (about_change := _explain_change(error.code, message, iam_action)) is not None:
        return about_change
    if error.code == "AuthFailure" and "image" not in message.lower():
        return Unreadable(
            f"AWS does not accept the credentials here: {message}", "check the keys, and that the region is enabled"
        )
    if error.code == "OptInRequired":
        return Unreadable("the account is not signed up for EC2 in this region", "enable the region, or leave it out")
    return Unreadable(f"{error.code}: {message}" if message else error.code)


def _explain_change(code: str, message: str, iam_action: str) -> Unreadable | None:
    """What keeps an image, a snapshot, or image block public access from being changed."""
    if "declarative policy" in message.lower():  # which code comes with it is not documented
        return Unreadable(
            f"a declarative policy of the organization does not allow it: {message}",
            "the organization's management account can change the policy",
        )
    if code == "OperationNotPermitted" and iam_action == "ec2:ModifySnapshotAttribute":
        return Unreadable(
            f"EC2 does not permit it: {message}",
            "snapshot block public access keeps snapshots from being made public; no encrypted one can be public, and "
            "none under the AWS managed key can be shared",
        )
    if code == "OperationNotPermitted" and "block public access" in message.lower():
        return Unreadable(
            "image block public access is on: EC2 does not let the image be made public",
            "switch it off in this region first (DisableImageBlockPublicAccess); that can take 10 minutes",
        )
    if code == "AuthFailure" and "not authorized for image" in message.lower():
        return Unreadable(f"the image belongs to another account: {message}")
    if code == "AuthFailure" and "snapshot" in message.lower():
        return Unreadable(f"the snapshot belongs to another account: {message}")
    if code == "InvalidSnapshot.NotFound":
        return Unreadable("EC2 does not know the snapshot: it is gone, or in another region")
    if code == "InvalidAMIID.NotFound":
        return Unreadable("EC2 does not know the image: it is gone, or in another region")
    if code == "InvalidAMIID.Unavailable":
        return Unreadable(f"the image cannot be changed in its present state: {message}")
    if code == "InvalidAMIAttributeItemValue":
        return Unreadable(f"EC2 does not take the grantee: {message}", "the account, organization or unit must exist")
    if code.endswith("LimitExceeded") and code not in THROTTLING:
        return Unreadable(
            f"a quota is used up ({code}): {message}",
            "Service Quotas can raise it; by default an image has 1,000 grantees and a region 5 public images",
        )
    return None


def explain_botocore(error: Exception, *, doing: str, iam_action: str) -> AmiguardError:
    """The error that ends the command when a botocore call did not work.

    Args:
        error: what botocore raised.
        doing: what was being done, ending "could not ..." (`ask AWS who is calling`).
        iam_action: the action that was called.
    """
    match error:
        case botocore_errors.NoCredentialsError():
            return CredentialsError(
                "no AWS credentials were found",
                hint="set AWS_PROFILE or --profile, run `aws sso login`, or export AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY",
            )
        case botocore_errors.ProfileNotFound():
            return CredentialsError(str(error), hint="`aws configure list-profiles` lists those that exist")
        case botocore_errors.ClientError(response={"Error": {"Code": code, "Message": message}}):
            why = explain(ApiError(str(code), str(message)), iam_action)
            return CredentialsError(f"could not {doing}: {why.reason}", hint=why.hint)
        case botocore_errors.SSLError() | botocore_errors.ProxyConnectionError():
            hint = "check the network, the proxy and AWS_CA_BUNDLE"
            return AmiguardError(f"could not {doing}: {error}", hint=hint)
        case botocore_errors.ConnectionError() | botocore_errors.HTTPClientError():
            hint = "check the network, the region, and --endpoint-url or AWS_ENDPOINT_URL"
            return AmiguardError(f"could not {doing}: {error}", hint=hint)
        case botocore_errors.UnauthorizedSSOTokenError() | botocore_errors.SSOTokenLoadError():
            return CredentialsError(f"could not {doing}: {error}", hint="run `aws sso login`")
        case botocore_errors.BotoCoreError():
            return CredentialsError(f"could not {doing}: {error}", hint="check the AWS configuration and credentials")
        case _:
            hint = "check that --endpoint-url or AWS_ENDPOINT_URL is an AWS endpoint"
            return AmiguardError(f"could not {doing}: the reply was not AWS's ({type(error).__name__})", hint=hint)
