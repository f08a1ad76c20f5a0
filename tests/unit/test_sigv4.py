"""Our signature is botocore's, header by header."""

import calendar
import datetime as dt
from unittest.mock import patch

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials, ReadOnlyCredentials
from hypothesis import given
from hypothesis import strategies as st

from amiguard.aws.sigv4 import CONTENT_TYPE, Signer

visible = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=60)
urls = st.sampled_from(
    [
        "https://ec2.eu-central-1.amazonaws.com",
        "https://ec2.eu-central-1.amazonaws.com/",
        "https://ec2.eu-central-1.amazonaws.com:443/",
        "http://127.0.0.1:5000",
        "http://localhost:80/",
        "http://[::1]:5000/",
        "https://proxy.example.com/ec2/./a b/%7Euser//x/",
    ]
)
moments = st.datetimes(min_value=dt.datetime(2020, 1, 1), max_value=dt.datetime(2040, 1, 1))  # noqa: DTZ001


@given(urls, st.binary(max_size=200), visible, visible, st.none() | visible, st.lists(moments, min_size=1, max_size=3))
def test_every_header_equals_botocores(
    url: str, body: bytes, key: str, secret: str, token: str | None, times: list[dt.datetime]
) -> None:
    signer = Signer(url, service="ec2", region="eu-central-1")
    for moment in times:  # one signer over several days: what it keeps must not outlive its day
        request = AWSRequest("POST", url, data=body, headers={"Content-Type": CONTENT_TYPE})
        with patch("botocore.auth.get_current_datetime", return_value=moment):
            SigV4Auth(Credentials(key, secret, token), "ec2", "eu-central-1").add_auth(request)
        now = calendar.timegm(moment.timetuple()) + moment.microsecond / 1e6
        headers = signer.headers(body, ReadOnlyCredentials(key, secret, token), now)
        assert headers.pop("Host") == signer.host
        assert headers == dict(request.headers.items())
