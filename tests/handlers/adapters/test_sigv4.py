from collections import Counter
from datetime import UTC, datetime
from unittest.mock import patch

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.adapters.sigv4 import Credentials, sign_post

visible = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40)
# Tabs, runs of spaces and Unicode's own: values are signed with single spaces. No line breaks: none can be sent.
header_value = st.text(
    st.one_of(
        st.characters(min_codepoint=32, max_codepoint=126),
        st.sampled_from("\t  \u00a0\u2003é\U0001f980"),
        st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]),
    ),
    max_size=40,
)
secret_text = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=40)
header_name = st.sampled_from(["Content-Type", "X-Amz-Target", "X-Amz-Meta-Z", "Accept", "a-first", "Zebra"])
labels = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=20)


def by_botocore(url, headers, body, credentials, region, service, now):
    request = AWSRequest(method="POST", url=url, headers=dict(headers), data=body)
    signer = botocore.auth.SigV4Auth(BotocoreCredentials(*credentials), service, region)
    with patch.object(botocore.auth, "get_current_datetime", lambda: datetime.fromtimestamp(now, UTC)):
        signer.add_auth(request)
    return dict(request.headers.items())


@pytest.mark.timeout(1800)  # the nightly profile takes longer than a test should
def test_the_signature_is_botocores_byte_for_byte():
    seen = Counter()

    @settings(max_examples=5 * settings().max_examples)
    @given(
        host=st.tuples(labels, st.sampled_from(["", ":8443"])).map("".join),
        headers=st.dictionaries(header_name, header_value),
        body=st.just(b"") | st.binary() | st.text().map(str.encode),
        credentials=st.tuples(visible, secret_text, st.none() | visible | secret_text),
        region=labels,
        service=labels,
        now=st.integers(0, 4_000_000_000),
    )
    def check(host, headers, body, credentials, region, service, now):
        known = Credentials(*credentials)
        ours = sign_post(host, headers, body, credentials=known, region=region, service=service, now=now)
        theirs = by_botocore(f"https://{host}/", headers, body, credentials, region, service, now)
        assert ours == {**theirs, "Host": host}
        seen["with a session token" if credentials[2] else "without"] += 1
        seen["empty body"] += not body

    check()
    requests = seen["with a session token"] + seen["without"]
    print(f"SigV4 against botocore {botocore.__version__}: {requests} requests: {dict(seen)}")
    assert min(seen.values()) > requests / 20


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
