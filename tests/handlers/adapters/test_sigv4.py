from datetime import UTC, datetime
from unittest.mock import patch

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.adapters.sigv4 import Credentials, sign_post

visible = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40)
header_value = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40)
header_name = st.sampled_from(["Content-Type", "X-Amz-Target", "X-Amz-Meta-Z", "Accept", "a-first", "Zebra"])
labels = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=20)


def by_botocore(url, headers, body, credentials, region, service, now):
    request = AWSRequest(method="POST", url=url, headers=dict(headers), data=body)
    signer = botocore.auth.SigV4Auth(BotocoreCredentials(*credentials), service, region)
    with patch.object(botocore.auth, "get_current_datetime", lambda: datetime.fromtimestamp(now, UTC)):
        signer.add_auth(request)
    return dict(request.headers.items())


@settings(deadline=None)
@given(
    host=st.tuples(labels, st.sampled_from(["", ":8443"])).map("".join),
    headers=st.dictionaries(header_name, header_value),
    body=st.binary() | st.text().map(str.encode),
    credentials=st.tuples(visible, visible, st.none() | visible),
    region=labels,
    service=labels,
    now=st.integers(0, 4_000_000_000),
)
def test_the_signature_is_botocores_byte_for_byte(host, headers, body, credentials, region, service, now):
    ours = sign_post(
        host, headers, body, credentials=Credentials(*credentials), region=region, service=service, now=now
    )
    theirs = by_botocore(f"https://{host}/", headers, body, credentials, region, service, now)
    assert ours == {**theirs, "Host": host}


def test_a_session_token_is_sent_and_covered():
    sent = sign_post(
        "sqs.eu-west-1.amazonaws.com",
        {},
        b"{}",
        credentials=Credentials("AKID", "secret", "token"),
        region="eu-west-1",
        service="sqs",
        now=0,
    )
    assert sent["X-Amz-Security-Token"] == "token"
    assert "SignedHeaders=host;x-amz-date;x-amz-security-token," in sent["Authorization"]
