"""A small edge in front of a small app and API, of which a test switches single things off, and its contract."""

import hashlib
import json
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

APEX = "tidewriters.example"
APP, API, OPS, OLD = f"app.{APEX}", f"api.{APEX}", f"ops.{APEX}", "oldtide.example"
HSTS = "max-age=31536000; includeSubDomains"
POLICY = "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
PAGE = '<html><script src="/_next/static/app.js"></script><a href="/elsewhere">x</a></html>'
SESSION = "__Host-session=abc; Path=/; Secure; HttpOnly; SameSite=Lax"
LINKS = json.dumps({"applinks": {"details": [{"appIDs": ["ABCDE12345.example.app"]}]}})
LOGIN = "https://tidewriters.cloudflareaccess.com/cdn-cgi/access/login"
ORIGINS = [f"https://{APEX}", f"https://{APP}"]
SAFE = {
    "content-security-policy": POLICY,
    "referrer-policy": "strict-origin-when-cross-origin",
    "cross-origin-opener-policy": "same-origin",
}


def widen(document: dict[str, Any]) -> None:
    """Declare one of everything that this edge has."""
    edge = document["edge"]
    edge["cache"] |= {"never_paths": ["/account"], "session_cookies": ["__Host-session"]}
    edge["waf"]["managed"] = ["Cloudflare Managed Free Ruleset"]
    edge["csp"] = [{"host": host, "enforced": True, "policy": POLICY} for host in (APEX, APP)]
    edge["headers"] = [{"host": APEX, "name": "referrer-policy", "value": SAFE["referrer-policy"]}]
    edge["cors"] = {"origins": ORIGINS, "methods": ["GET"], "headers": ["content-type"], "max_age_seconds": 600}
    edge["access_hosts"] = [OPS]
    edge["documents"] = [
        {
            "url": f"https://{APP}/.well-known/apple-app-site-association",
            "kind": "aasa",
            "content_type": "application/json",
            "sha256": hashlib.sha256(LINKS.encode()).hexdigest(),
        }
    ]
    document["hosts"][4] |= {"proxied": True, "ttl": 1}
    document["retired"] = [{"domain": OLD, "to": f"https://{APEX}", "status": 301, "keep_path": True}]
    moved = {"url": f"https://{APEX}/old", "to": f"https://{APP}/new", "status": 308, "by": "single"}
    document["path_redirects"] = {"total": 1, "sample": [moved]}


class SmallEdge:
    """What a proper edge answers; `broken` switches single things off."""

    def __init__(self) -> None:
        self.broken: set[str] = set()
        self.page = PAGE
        self.retry_after = "10"
        self.asked: Counter[str] = Counter()
        self.lock = threading.Lock()

    def works(self, part: str) -> bool:
        return part not in self.broken

    def plain(self, method, host, path, headers, body):
        if host == API:
            return (403, {}, "") if self.works("api") else (301, {"location": f"https://{host}{path}"}, "")
        if not self.works("https"):
            return 200, {}, PAGE
        target = APEX if host.startswith("www.") else host
        return 301, {"location": f"https://{target}{path}"}, ""

    def secure(self, method, host, path, headers, body):
        status, sent, text = self.answer(method, host, urlsplit(path).path, path, headers, body)
        sent = {"content-type": "text/html; charset=utf-8", **sent}
        if self.works("hsts"):
            sent["strict-transport-security"] = HSTS
        if self.works("nosniff"):
            sent["x-content-type-options"] = "nosniff"
        return status, sent, text

    def answer(self, method, host, path, whole, headers, body):
        if method == "TRACE":
            return (405, {}, "") if self.works("trace") else (200, {}, whole)
        if host in {OLD, f"www.{OLD}"}:
            return 301, {"location": f"https://{APEX}{whole if self.works('retired') else '/'}"}, ""
        if host.startswith("www.") and self.works("www"):
            return 301, {"location": f"https://{APEX}{whole}"}, ""
        if path.startswith(("/.env", "/.git/")):
            return (403, {"cf-ray": "1-AMS"}, "") if self.works("waf") else (404, {}, "")
        if host == API:
            return self.api(method, path, headers, body)
        if host == OPS:
            return (302, {"location": f"{LOGIN}/{OPS}"}, "") if self.works("access") else (200, {}, self.page)
        return self.app(host, path, whole, headers)

    def app(self, host, path, whole, headers):
        if "jndi" in whole and self.works("managed"):
            return 403, {"cf-ray": "1-AMS"}, ""
        if path.startswith("/auth/"):
            return self.limited(whole)
        if path.startswith("/_next/static/"):
            return self.static(path)
        if path.startswith("/account"):
            return 200, self.private(path), self.page
        if path == "/old":
            return 308, {"location": f"https://{APP}/new?{urlsplit(whole).query if self.works('paths') else ''}"}, ""
        if path.startswith("/.well-known/"):
            return self.well_known(path)
        if path == "/robots.txt":
            return (
                200,
                {"content-type": "text/plain"},
                "User-agent: *\nDisallow:" + ("\n" if self.works("robots") else " /\n"),
            )
        return self.home(host, path)

    def home(self, host, path):
        if not self.works("maintenance") and host == APP:
            return 503, {}, ""
        if path != "/" and not path.startswith("/elsewhere"):
            return (404, {}, "missing") if self.works("errors") else (500, {}, "Traceback (most recent call last):")
        status = "HIT" if not self.works("html") else "DYNAMIC"
        safe = {name: value for name, value in SAFE.items() if self.works(name)}
        sent = {"cache-control": "no-cache", "cf-cache-status": status, "set-cookie": self.cookie(), **safe}
        return 200, sent, self.page

    def cookie(self) -> str:
        return SESSION if self.works("cookies") else SESSION.replace("; HttpOnly", "")

    def private(self, path):
        kept = not self.works("deception") and path.endswith(".css")
        return {"cache-control": "no-store", "cf-cache-status": "MISS" if kept else "DYNAMIC"}

    def well_known(self, path):
        if path.endswith("security.txt"):
            end = datetime.now(UTC) + timedelta(days=90 if self.works("security.txt") else -1)
            return (
                200,
                {"content-type": "text/plain; charset=utf-8"},
                f"Contact: mailto:a@{APEX}\nExpires: {end.isoformat()}\n",
            )
        return 200, {"content-type": "application/json"}, LINKS if self.works("documents") else "{}"

    def api(self, method, path, headers, body):
        crossing = self.crossing(headers["origin"])
        if method == "OPTIONS":
            return 204, {**crossing, "access-control-allow-methods": "GET" if self.works("preflight") else "*"}, ""
        if path == "/health":
            aged = {"age": "5"} if not self.works("private") else {}
            return 200, {"content-type": "application/json", **aged, **crossing}, '{"status": "ok"}'
        if method == "GET":
            return 403, {}, ""
        if not self.works("challenge"):
            return 403, {"cf-mitigated": "challenge"}, ""
        return (400 if self.works("signature") else 200), {}, "{}"

    def crossing(self, origin):
        if not origin or (self.works("cors") and origin not in ORIGINS):
            return {}
        return {"access-control-allow-origin": origin, "vary": "Origin"}

    def limited(self, whole):
        asked = parse_qs(urlsplit(whole).query)
        if "next" in asked and not self.works("open"):
            return 302, {"location": asked["next"][0]}, ""
        if "launch-ready-probe" not in urlsplit(whole).path:
            return 200, {"set-cookie": self.cookie()}, self.page
        with self.lock:
            self.asked["auth"] += 1
        over = self.asked["auth"] > 20 and self.works("rate")
        if over and self.retry_after == "0":
            self.asked["auth"] = 0  # the next request comes when the limit has lifted
        return (429, {"retry-after": self.retry_after}, "") if over else (404, {}, "")

    def static(self, path):
        kind = {"content-type": "text/javascript; charset=utf-8"}
        if "." not in path:
            return 404, {"cf-cache-status": "BYPASS" if self.works("cache rule") else "DYNAMIC"}, ""
        with self.lock:
            self.asked[path] += 1
        hit = self.asked[path] > 1 and self.works("cache")
        kept = {} if self.works("cookie kept") else {"set-cookie": SESSION}
        control = "public, max-age=31536000, immutable"
        return 200, {**kind, **kept, "cache-control": control, "cf-cache-status": "HIT" if hit else "MISS"}, "js"
