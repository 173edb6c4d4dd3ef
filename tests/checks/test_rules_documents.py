import hashlib
import json
from datetime import UTC, datetime

import pytest

from checks.contract import Document
from checks.probes.documents import DocumentFacts, SecurityTxtFacts
from checks.rules import documents
from tests.checks.exchanges import exchange, passes

URL = "https://app.tidewriters.example/.well-known/document"
APPLE = {"applinks": {"details": [{"appIDs": ["ABCDE12345.example.app"], "components": [{"/": "/open/*"}]}]}}
PRINT = ":".join(["AB"] * 32)
ANDROID = [
    {
        "relation": ["delegate_permission/common.handle_all_urls"],
        "target": {"namespace": "android_app", "package_name": "example.app", "sha256_cert_fingerprints": [PRINT]},
    }
]


def document(kind="aasa", body="", declared="", status=200, content_type="application/json", **headers):
    told = Document(
        url=URL,
        kind=kind,
        content_type="application/json",
        sha256=hashlib.sha256((declared or body).encode()).hexdigest(),
    )
    answer = exchange(URL, status, body=body, content_type=content_type, **headers)
    return (DocumentFacts(document=told, answer=answer),)


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (document(body="{}"), None),
        (document(body="{}", declared="{ }"), "not the declared bytes"),
        (document(body="{}", content_type="text/plain"), "Content-Type text/plain, declared application/json"),
        (document(status=404), "-> 404"),
        (document(status=301, location="https://tidewriters.example/"), "-> 301"),
    ],
)
def test_documents(declared, facts, said):
    assert passes(documents.documents(declared, facts), said)


def bent(value, *path_and_new):
    """A copy of a JSON value with one thing in it changed."""
    copied = json.loads(json.dumps(value))
    *path, last, new = path_and_new
    place = copied
    for step in path:
        place = place[step]
    place[last] = new
    return copied


@pytest.mark.parametrize(
    ("kind", "told", "said"),
    [
        ("aasa", APPLE, None),
        ("aasa", bent(APPLE, "applinks", "details", 0, "appIDs", ["example.app"]), "'example.app' is no app id"),
        ("aasa", bent(APPLE, "applinks", "details", []), "names no app"),
        ("aasa", {}, "not in its form: KeyError"),
        ("aasa", [], "not in its form: TypeError"),
        ("assetlinks", ANDROID, None),
        ("assetlinks", bent(ANDROID, 0, "target", "sha256_cert_fingerprints", ["ab:cd"]), "is no SHA-256 fingerprint"),
        ("assetlinks", bent(ANDROID, 0, "target", "package_name", ""), "names no app"),
        ("assetlinks", [], "names no app"),
    ],
)
def test_app_links(declared, kind, told, said):
    assert passes(documents.app_links(declared, document(kind, json.dumps(told))), said)


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (document(body="<html>"), "not JSON"),
        (document(body="{}", content_type="application/pkcs7-mime"), "Content-Type application/pkcs7-mime"),
        (document(status=302, location="/"), "-> 302"),
    ],
)
def test_app_links_are_json_and_unredirected(declared, facts, said):
    assert passes(documents.app_links(declared, facts), said)


NOW = datetime(2026, 11, 21, tzinfo=UTC)
CONTACT = "Contact: mailto:security@tidewriters.example\n"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (CONTACT + "Expires: 2027-06-01T00:00:00Z\n", None),
        ("# a comment: x\n" + CONTACT.lower() + "expires: 2027-06-01T00:00:00+02:00\n", None),
        ("Expires: 2027-06-01T00:00:00Z\n", "no Contact"),
        ("Contact: security@tidewriters.example\nExpires: 2027-06-01T00:00:00Z\n", "no Contact that is"),
        (CONTACT, "0 Expires"),
        (CONTACT + "Expires: 2027-06-01T00:00:00Z\n" * 2, "2 Expires"),
        (CONTACT + "Expires: soon\n", "'soon' is no date"),
        (CONTACT + "Expires: 2027-06-01T00:00:00\n", "no time zone"),
        (CONTACT + "Expires: 2026-11-20T00:00:00Z\n", "expired on 2026-11-20"),
        (CONTACT + "Expires: 2028-06-01T00:00:00Z\n", "more than a year from now"),
    ],
)
def test_security_txt(declared, body, said):
    answer = exchange(URL, body=body, content_type="text/plain; charset=utf-8")

    assert passes(documents.security_txt(declared, SecurityTxtFacts(answer=answer, moment=NOW)), said)


def test_security_txt_is_plain_text(declared):
    page = exchange(URL, body=CONTACT + "Expires: 2027-06-01T00:00:00Z\n", content_type="text/html")

    assert passes(documents.security_txt(declared, SecurityTxtFacts(answer=page, moment=NOW)), "must be text/plain")
