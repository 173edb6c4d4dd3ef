"""The files by which a mobile app may open a host's links."""

import json
from typing import Any

from infra.documents.document import Document
from infra.documents.sections import AndroidApp, AppleApp, Apps

AASA_PATH = "/.well-known/apple-app-site-association"
ASSETLINKS_PATH = "/.well-known/assetlinks.json"
_JSON = "application/json"


def apple(host: str, apps: Apps) -> Document:
    """Apple's file: without an extension, as JSON, never redirected.

    https://developer.apple.com/documentation/xcode/supporting-associated-domains
    """
    details = [_details(app) for app in apps.apple]
    return Document(host, AASA_PATH, _JSON, _text({"applinks": {"details": details}}), "aasa")


def android(host: str, apps: Apps) -> Document:
    """Google's Digital Asset Links. https://developer.android.com/training/app-links/configure-assetlinks"""
    return Document(host, ASSETLINKS_PATH, _JSON, _text([_statement(app) for app in apps.android]), "assetlinks")


def _details(app: AppleApp) -> dict[str, Any]:
    return {"appIDs": [f"{app.team_id}.{app.bundle_id}"], "components": [{"/": path} for path in app.paths]}


def _statement(app: AndroidApp) -> dict[str, Any]:
    target = {
        "namespace": "android_app",
        "package_name": app.package,
        "sha256_cert_fingerprints": list(app.fingerprints),
    }
    return {"relation": ["delegate_permission/common.handle_all_urls"], "target": target}


def _text(value: Any) -> str:
    return json.dumps(value, indent=2) + "\n"
