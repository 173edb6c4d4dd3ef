import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from checks.probes import webhook


@given(st.binary(max_size=200), st.text("abcdef0123456789", min_size=16), st.integers(0, 2**40))
def test_signatures_are_those_of_stripes_own_library(body, secret, timestamp):
    text = body.hex()
    header = webhook.signature(text.encode(), secret, timestamp)

    assert stripe.WebhookSignature.verify_header(text, header, secret, tolerance=None)


def test_a_tampered_body_does_not_verify():
    header = webhook.signature(b"probe", "whsec_x", 1)

    with pytest.raises(stripe.SignatureVerificationError):
        stripe.WebhookSignature.verify_header("prize", header, "whsec_x", tolerance=None)
