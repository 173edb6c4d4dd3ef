import json
from typing import Any

import pytest

from checks.errors import UsageError
from checks.vantage import AwsAccess, StripeAccess, Vantage

DOCUMENT: dict[str, Any] = {
    "resolver": {"host": "127.0.0.1", "port": 5353},
    "ports": {"443": 8443, "80": 8080},
    "origins": {"api.tidewriters.example": {"host": "127.0.0.1", "port": 9443}},
    "ca_file": "/run/ca.pem",
    "aws": {
        "endpoint": "http://127.0.0.1:4566",
        "region": "eu-west-1",
        "access_key_id": "000000000001",
        "secret_access_key": "hush-aws",
    },
    "stripe": {"api_base": "http://127.0.0.1:12111", "api_key": "hush-stripe"},
    "signing_secret": "whsec_hush",
    "rehearsal": True,
}


def test_a_rehearsals_vantage_is_read():
    vantage = Vantage.load(json.dumps(DOCUMENT))

    assert vantage.resolver == ("127.0.0.1", 5353)
    assert (vantage.port(443), vantage.port(80), vantage.port(53)) == (8443, 8080, 53)
    assert vantage.origins == {"api.tidewriters.example": ("127.0.0.1", 9443)}
    assert vantage.aws == AwsAccess(**DOCUMENT["aws"])
    assert vantage.stripe == StripeAccess(**DOCUMENT["stripe"])
    assert vantage.rehearsal


@pytest.mark.parametrize("document", [{}, {"resolver": None, "ports": {}, "aws": None, "stripe": None}])
def test_nulls_are_the_real_world(document):
    assert Vantage.from_document(document) == Vantage()


def test_secrets_do_not_show():
    assert "hush" not in repr(Vantage.from_document(DOCUMENT))


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"resolvr": None}, "unknown key 'resolvr'; known: resolver"),
        ({"resolver": {"host": "127.0.0.1"}}, "KeyError: 'port'"),
        ({"ports": {"https": 1}}, "invalid literal"),
        ({"origins": {"api.tidewriters.example": {"host": "127.0.0.1"}}}, "KeyError: 'port'"),
        ({"origins": {"api.tidewriters.example": ["127.0.0.1", 9443]}}, "TypeError"),
        ({"stripe": {"api_base": "http://x"}}, "api_key"),
    ],
)
def test_a_wrong_vantage_is_refused(document, said):
    with pytest.raises(UsageError, match=said):
        Vantage.from_document(document)


@pytest.mark.parametrize(("text", "said"), [("{", "not JSON"), ("[]", "must be a JSON object, got list")])
def test_what_is_no_document_is_refused(text, said):
    with pytest.raises(UsageError, match=said):
        Vantage.load(text)
