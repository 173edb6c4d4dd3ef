"""Rules over what pages set, load, tell and hide."""

import re
from urllib.parse import urljoin

from checks.contract import Contract
from checks.model import Verdict, judge
from checks.probes.hosts import api_hosts
from checks.probes.html import Link, links
from checks.probes.html import robots as robots_meta
from checks.probes.http import Exchange, host_of
from checks.probes.pages import RobotsFacts

SAME_SITE = frozenset({"lax", "strict"})
# Loaded from Stripe and never pinned: Stripe, "Including Stripe.js".
UNPINNED = frozenset({"js.stripe.com"})
VERSIONED = re.compile(r"@\d+|/v?\d+\.\d+|[.-][0-9a-f]{8,}\.")
TRACE_REFUSED = frozenset({400, 403, 404, 405, 501})
BANNER = re.compile(r"/\d|\b\d+\.\d+")
TELLING = ("server", "x-powered-by", "x-aspnet-version", "x-aspnetmvc-version", "x-generator")
STACK_TRACE = re.compile(
    r"Traceback \(most recent call last\)|^\s+at \S+ ?\(?.*:\d+:\d+\)?|node_modules/|java\.lang\.\w+|goroutine \d+ \["
    r"|Whitelabel Error Page|Stack trace:|on line <b>\d+|\.py\", line \d+",
    re.MULTILINE,
)
SIGN_IN = frozenset({401, 403})


def cookies(contract: Contract, facts: tuple[Exchange, ...]) -> Verdict:
    """http.cookies: every cookie is Secure; a session's also HttpOnly, SameSite and __Host- (ASVS 5.0 3.3.1 to 3.3.4).

    A session's cookie is one that is declared as such. What is set only after signing in is not seen from here.
    """
    sessions = set(contract.edge.cache.session_cookies)
    found = [(visit, text) for visit in facts for text in visit.headers_named("set-cookie")]
    problems = [problem for visit, text in found for problem in _cookie_problems(visit.url, text, sessions)]
    named = sorted({text.partition("=")[0] for _, text in found})
    return judge(
        "Secure on every cookie; HttpOnly, SameSite=Lax or Strict and __Host- on a session's",
        seen=f"{len(facts)} pages set {', '.join(named) if named else 'no cookie for a stranger'}",
        problems=list(dict.fromkeys(problems)),
        evidence=tuple(f"{visit.url}: {_without_value(text)}" for visit, text in found),
    )


def sri(contract: Contract, facts: tuple[Exchange, ...]) -> Verdict:
    """http.sri: what other sites' servers give a page to run is pinned by its digest (ASVS 5.0 3.6.1, W3C SRI).

    js.stripe.com is exempt: Stripe changes it in place. A file without a version in its address cannot be pinned and
    is a warning: host it yourself. What scripts load in their turn is not seen.
    """
    foreign = [(visit, link) for visit in facts for link in links(visit.body) if _foreign(contract, visit, link)]
    loose = [(visit, link) for visit, link in foreign if not link.integrity or link.crossorigin is None]
    told = [(f"{visit.url} loads {link.url}", bool(VERSIONED.search(link.url))) for visit, link in loose]
    return judge(
        "integrity and crossorigin on each script and style of another site",
        seen=f"{len(facts)} pages, {len(foreign)} files of other sites",
        problems=[f"{what} without integrity and crossorigin" for what, versioned in told if versioned],
        warnings=[f"{what}, which has no version and cannot be pinned" for what, versioned in told if not versioned],
        evidence=tuple(f"{visit.url}: {link.url} {link.integrity or '(no integrity)'}" for visit, link in foreign),
    )


def methods(_contract: Contract, facts: tuple[Exchange, ...]) -> Verdict:
    """http.methods: TRACE is refused, and no header tells a version (ASVS 5.0 13.4.4 and 13.4.6)."""
    problems = [visit.line() for visit in facts if visit.method == "TRACE" and visit.status not in TRACE_REFUSED]
    banners = {
        f"{host_of(visit.url)}: {name}: {value}"
        for visit in facts
        for name in TELLING
        for value in visit.headers_named(name)
        if BANNER.search(value)
    }
    return judge(
        "TRACE refused; no version in Server or X-Powered-By",
        seen=f"{len(facts)} answers",
        problems=[*problems, *sorted(banners)],
        evidence=tuple(visit.line() for visit in facts if visit.method == "TRACE"),
    )


def errors(contract: Contract, facts: tuple[Exchange, ...]) -> Verdict:
    """http.errors: a path that does not exist is 404 and tells nothing of the inside (ASVS 5.0 16.5.1).

    A host of the API may answer 403 instead, as AWS does for what needs a signature.
    """
    apis = set(api_hosts(contract))
    problems = []
    for visit in facts:
        allowed = {404, 403} if host_of(visit.url) in apis else {404}
        if visit.status not in allowed:
            problems.append(visit.line())
        if trace := STACK_TRACE.search(visit.body):
            problems.append(f"{visit.url} shows a stack trace: {trace[0].strip()[:80]}")
    return judge(
        "404 without a stack trace for a path that does not exist",
        seen=f"{len(facts)} hosts",
        problems=problems,
        evidence=tuple(visit.line() for visit in facts),
    )


def noindex(contract: Contract, facts: tuple[RobotsFacts, ...]) -> Verdict:
    """http.noindex: search engines may list the home page of production, and nothing of a test (Google, robots rules).

    The declared hidden hosts, and every host of a stack in test mode, say noindex or ask who one is. Google obeys
    noindex only where robots.txt lets it see the page, so Disallow alone hides nothing.
    """
    hidden = set(contract.edge.noindex_hosts)
    problems = []
    for position, one in enumerate(facts):
        if one.host in hidden or not contract.livemode:
            problems += [] if _hidden(one.page) else [f"{one.host} may be listed by search engines"]
        elif position == 0:
            problems += [f"{one.host} {reason}" for reason in _indexing_problems(one)]
    return judge(
        "production's home page may be listed, hidden hosts say noindex",
        seen=f"{len(facts)} hosts",
        problems=problems,
        evidence=tuple(f"{one.page.line()}, x-robots-tag {_robots_said(one.page) or '(none)'}" for one in facts),
    )


def _cookie_problems(url: str, text: str, sessions: set[str]) -> list[str]:
    name, attributes = _cookie(text)
    where = f"{url}: cookie {name}"
    problems = [] if "secure" in attributes else [f"{where} is not Secure"]
    if name in sessions:
        problems += [] if "httponly" in attributes else [f"{where} is not HttpOnly"]
        same_site = attributes.get("samesite", "").lower()
        problems += [] if same_site in SAME_SITE else [f"{where} has SameSite {same_site or '(none)'}"]
        problems += [] if name.startswith("__Host-") else [f"{where} has no __Host- prefix"]
    if name.startswith("__Host-") and ("domain" in attributes or attributes.get("path") != "/"):
        problems.append(f"{where} is __Host- but not for Path=/ of its own host alone")
    return problems


def _cookie(text: str) -> tuple[str, dict[str, str]]:
    first, *rest = text.split(";")
    pairs = (part.strip().partition("=") for part in rest)
    return first.partition("=")[0].strip(), {name.strip().lower(): value.strip() for name, _, value in pairs}


def _without_value(text: str) -> str:
    first, *rest = text.split(";")
    return ";".join((f"{first.partition('=')[0]}=…", *rest))


def _foreign(contract: Contract, visit: Exchange, link: Link) -> bool:
    if not link.loads:
        return False
    host = host_of(urljoin(visit.url, link.url))
    ours = host == contract.domain or host.endswith(f".{contract.domain}")
    return bool(host) and not ours and host not in UNPINNED


def _robots_said(page: Exchange) -> str:
    return ", ".join((*(value.lower() for value in page.headers_named("x-robots-tag")), *robots_meta(page.body)))


def _hidden(page: Exchange) -> bool:
    asks_who = page.status in SIGN_IN or bool(page.location and host_of(page.location) != host_of(page.url))
    return asks_who or bool({"noindex", "none"} & set(re.split(r"[,:\s]+", _robots_said(page))))


def _indexing_problems(one: RobotsFacts) -> list[str]:
    problems = ["says noindex"] if _hidden(one.page) else []
    return problems + (["forbids everything in robots.txt"] if _disallows_all(one.robots) else [])


def _disallows_all(answer: Exchange) -> bool:
    """Whether robots.txt forbids the whole site to everybody (RFC 9309 section 2.2)."""
    if answer.status != 200:
        return False
    everybody, opening = False, False
    for line in answer.body.splitlines():
        name, _, value = line.partition("#")[0].partition(":")
        name, value = name.strip().lower(), value.strip()
        if name == "user-agent":
            everybody = value == "*" or (opening and everybody)
            opening = True
        elif name in {"allow", "disallow"}:
            opening = False
            if everybody and name == "disallow" and value == "/":
                return True
    return False
