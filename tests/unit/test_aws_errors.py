"""AWS's errors in words."""

import pytest
from botocore import exceptions as botocore_errors

from amiguard.aws.errors import ApiError, explain, explain_botocore, unserved
from amiguard.core.errors import AmiguardError, CredentialsError
from amiguard.core.image import Unreadable

ACTION = "ec2:DescribeImages"


@pytest.mark.parametrize(
    ("code", "message", "expected"),
    [
        (
            "UnauthorizedOperation",
            "You are not authorized. Encoded authorization failure message: 4fAbCd-x_y",
            Unreadable("not permitted: ec2:DescribeImages", "grant ec2:DescribeImages to the caller"),
        ),
        (
            "AccessDenied",
            "... with an explicit deny in a service control policy",
            Unreadable(
                "a service control policy denies ec2:DescribeImages",
                "an administrator of the organization can allow it; --region leaves a region out",
            ),
        ),
        (
            "AuthFailure",
            "AWS was not able to validate the provided access credentials",
            Unreadable(
                "AWS does not accept the credentials here: AWS was not able to validate the provided access "
                "credentials",
                "check the keys, and that the region is enabled",
            ),
        ),
        (
            "AuthFailure",
            "Not authorized for image:ami-1",
            Unreadable("the image belongs to another account: Not authorized for image:ami-1"),
        ),
        (
            "OperationNotPermitted",
            "You can't publicly share this image because block public access for AMIs is enabled for this account.",
            Unreadable(
                "image block public access is on: EC2 does not let the image be made public",
                "switch it off in this region first (DisableImageBlockPublicAccess); that can take 10 minutes",
            ),
        ),
        (
            "AnyCode",
            "A declarative policy manages this. Ask us: https://wiki.example.com",
            Unreadable(
                "a declarative policy of the organization does not allow it: A declarative policy manages this. Ask "
                "us: https://wiki.example.com",
                "the organization's management account can change the policy",
            ),
        ),
        (
            "InvalidAMIID.NotFound",
            "The image id '[ami-1]' does not exist",
            Unreadable("EC2 does not know the image: it is gone, or in another region"),
        ),
        (
            "InvalidAMIID.Unavailable",
            "The image ID 'ami-1' is not available",
            Unreadable("the image cannot be changed in its present state: The image ID 'ami-1' is not available"),
        ),
        (
            "InvalidAMIAttributeItemValue",
            "Invalid attribute item value",
            Unreadable(
                "EC2 does not take the grantee: Invalid attribute item value",
                "the account, organization or unit must exist",
            ),
        ),
        (
            "ResourceLimitExceeded",
            "You have reached the limit",
            Unreadable(
                "a quota is used up (ResourceLimitExceeded): You have reached the limit",
                "Service Quotas can raise it; by default an image has 1,000 grantees and a region 5 public images",
            ),
        ),
        (
            "RequestLimitExceeded",
            "Request limit exceeded.",
            Unreadable("RequestLimitExceeded: Request limit exceeded."),
        ),
        (
            "RequestTimeTooSkewed",
            "",
            Unreadable("AWS refused the time stamp of the request", "set this machine's clock"),
        ),
        (
            "OptInRequired",
            "You are not subscribed to this service",
            Unreadable("the account is not signed up for EC2 in this region", "enable the region, or leave it out"),
        ),
        ("Odd", "x" * 1000, Unreadable(f"Odd: {'x' * 300}")),
        ("Odd", "", Unreadable("Odd")),
    ],
)
def test_codes_are_explained_and_name_what_is_missing(code: str, message: str, expected: Unreadable) -> None:
    assert explain(ApiError(code, message), ACTION) == expected


@pytest.mark.parametrize(
    ("code", "message", "reason", "hint"),
    [
        (
            "OperationNotPermitted",
            "Block public access",
            "EC2 does not permit it: Block public access",
            "snapshot block public access keeps snapshots from being made public; no encrypted one can be public, and "
            "none under the AWS managed key can be shared",
        ),
        (
            "InvalidSnapshot.NotFound",
            "The snapshot 'snap-1' does not exist.",
            "EC2 does not know the snapshot: it is gone, or in another region",
            None,
        ),
        (
            "AuthFailure",
            "Not authorized for snapshot snap-1",
            "the snapshot belongs to another account: Not authorized for snapshot snap-1",
            None,
        ),
    ],
)
def test_what_keeps_a_snapshot_from_being_changed(code: str, message: str, reason: str, hint: str | None) -> None:
    assert explain(ApiError(code, message), "ec2:ModifySnapshotAttribute") == Unreadable(reason, hint)


def client_error(code: str) -> botocore_errors.ClientError:
    return botocore_errors.ClientError({"Error": {"Code": code, "Message": "m"}}, "GetCallerIdentity")


@pytest.mark.parametrize(
    ("error", "kind", "message", "hint"),
    [
        (botocore_errors.NoCredentialsError(), CredentialsError, "no AWS credentials were found", "aws sso login"),
        (client_error("ExpiredToken"), CredentialsError, "could not ask: the credentials have expired", "renew them"),
        (client_error("AccessDenied"), CredentialsError, "could not ask: not permitted: ec2:DescribeImages", "grant"),
        (
            botocore_errors.UnauthorizedSSOTokenError(),
            CredentialsError,
            "could not ask: The SSO session associated with this profile has expired",
            "aws sso login",
        ),
        (
            botocore_errors.EndpointConnectionError(endpoint_url="http://x", error=OSError("refused")),
            AmiguardError,
            'could not ask: Could not connect to the endpoint URL: "http://x"',
            "AWS_ENDPOINT_URL",
        ),
        (
            botocore_errors.SSLError(endpoint_url="https://x", error=OSError("self-signed")),
            AmiguardError,
            "could not ask: SSL validation failed for https://x self-signed",
            "AWS_CA_BUNDLE",
        ),
        (
            botocore_errors.PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY"),
            CredentialsError,
            "could not ask: Partial credentials found in env, missing: AWS_SECRET_ACCESS_KEY",
            "check the AWS configuration",
        ),
        (KeyError("Account"), AmiguardError, "could not ask: the reply was not AWS's (KeyError)", "AWS endpoint"),
    ],
)
def test_what_botocore_raises_is_told_with_a_next_step(
    error: Exception, kind: type[AmiguardError], message: str, hint: str
) -> None:
    told = explain_botocore(error, doing="ask", iam_action=ACTION)
    assert type(told) is kind
    assert told.message.startswith(message)
    assert told.hint is not None
    assert hint in told.hint


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (500, "Whatever", "HTTP 500: Whatever: why"),
        (599, "Whatever", "HTTP 599: Whatever: why"),
        (400, "InternalError", "HTTP 400: InternalError: why"),
        (403, "403", "HTTP 403: 403: why"),  # botocore's code for a proxy's page
        (403, "", "HTTP 403: : why"),
        (499, "AccessDenied", None),
        (400, "Throttling", None),
    ],
)
def test_what_was_not_served_is_worth_another_try(status: int, code: str, expected: str | None) -> None:
    assert unserved(status, ApiError(code, "why")) == expected


def test_a_service_has_codes_of_its_own_for_what_passes() -> None:
    assert unserved(400, ApiError("KMSInternalException", "why")) is None
    assert unserved(400, ApiError("KMSInternalException", "why"), {"KMSInternalException"}) is not None
