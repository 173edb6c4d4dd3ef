"""The file in a stack: which lines become rules and which a list, what the plan allows, what the contract tells."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra.plans import PLANS
from infra.redirects import bulk, contract, declared, old_paths, single
from infra.redirects.declared import OWN_RULES
from infra.settings import Stack
from tests.infra.test_config import loaded, problems

FILE = "old.csv"
Write = Callable[..., dict[str, Any]]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes the file and gives the configuration that names it."""
    monkeypatch.setattr(old_paths, "PROJECT_ROOT", tmp_path)

    def _write(*lines: str) -> dict[str, Any]:
        (tmp_path / FILE).write_text("\n".join(["from,to,status", *lines]), encoding="utf-8")
        return {"redirects": {"file": FILE}}

    return _write


def many(count: int) -> list[str]:
    return [f"/old/{at},/new/{at}" for at in range(count)]


def refs(stack: Stack) -> list[str]:
    return [str(rule.ref) for rule in single.rules(stack)]


def test_without_a_file_the_alias_and_https_are_all_there_is() -> None:
    stack = loaded(redirects={})
    assert refs(stack) == ["www-to-apex", "https"]
    assert contract.path_redirects(stack) == {"total": 0, "sample": []}


def test_old_paths_come_before_the_alias_and_https_so_that_they_take_one_hop(write: Write) -> None:
    first, second, *others = refs(loaded(**write("/a,/b", "/c,/d")))
    assert first.startswith("path-")
    assert second.startswith("path-")
    assert others == ["www-to-apex", "https"]


def test_a_rule_keeps_its_ref_wherever_its_line_stands(write: Write) -> None:
    before = refs(loaded(**write("/a,/b", "/c,/d")))
    after = refs(loaded(**write("/new,/line", "/c,/other", "/a,/b")))
    assert set(before) <= set(after)


@pytest.mark.parametrize("plan", ["free", "pro", "business", "enterprise"])
def test_the_plan_decides_how_many_lines_are_rules_of_the_zone(write: Write, plan: Any) -> None:
    room = PLANS[plan].redirect_rules - OWN_RULES
    stack = loaded(zonePlan=plan, **write(*many(room + 3)))
    found = declared.of(stack)
    assert [redirect.line for redirect in found.single] == list(range(2, room + 2))
    assert [redirect.line for redirect in found.bulk] == [room + 2, room + 3, room + 4]
    assert len(refs(stack)) == PLANS[plan].redirect_rules


def test_rules_of_the_zone_from_before_leave_less_room(write: Write) -> None:
    rule = {"ref": "old", "expression": '(http.host eq "a.tidewriters.example")', "action": "redirect"}
    value = {"fromValue": {"targetUrl": {"value": "https://tidewriters.example/"}, "statusCode": 301}}
    extra = {"http_request_dynamic_redirect": [{**rule, "actionParameters": value}]}
    stack = loaded(zonePlan="free", extraRules=extra, **write(*many(9)))
    assert len(declared.of(stack).single) == 7


def test_more_entries_than_the_plan_holds_are_refused_with_the_plan_that_holds_them(write: Write) -> None:
    [found] = problems(zonePlan="free", **write(*many(10_009)))
    assert found.startswith("launch-ready:redirects.file: got 10009 old paths; plan 'free' has room for 8 of them")
    assert "10000 as entries of bulk lists" in found
    assert found.endswith("List fewer; zonePlan pro allows it.")
    assert len(declared.of(loaded(zonePlan="pro", **write(*many(10_009)))).bulk) == 9_986


def test_what_is_wrong_is_told_with_file_and_line(write: Write) -> None:
    found = problems(**write("/a,/b", "/b,/c", "nowhere,/d"))
    assert found[0].startswith("launch-ready:redirects.file: got old.csv:2: tidewriters.example/a → ")
    assert found[1].startswith("launch-ready:redirects.file: got old.csv:4: nowhere; from has a path")


def test_of_very_many_faults_the_first_are_told(write: Write) -> None:
    found = problems(**write(*(f"nowhere{at},/d" for at in range(80))))
    assert len(found) == 51
    assert found[-1].startswith(
        "launch-ready:redirects.file: got old.csv:52; 30 more things are wrong from this line on"
    )


@pytest.mark.parametrize(
    ("file", "limit"),
    [
        ("missing.csv", "the file cannot be read: No such file or directory"),
        ("../old.csv", "is a .csv inside the project"),
        ("/etc/old.csv", "is a .csv inside the project"),
        ("old.txt", "is a .csv inside the project"),
    ],
)
def test_a_file_that_cannot_be_read_is_told(file: str, limit: str) -> None:
    [found] = problems(redirects={"file": file})
    assert found.startswith("launch-ready:redirects.file: got ")
    assert limit in found


def test_what_the_edge_serves_itself_must_not_be_redirected(write: Write) -> None:
    contact = {"contact": "mailto:security@tidewriters.example", "expires": "2027-06-01"}
    [found] = problems(securityTxt=contact, **write("/.well-known/security.txt,/security"))
    assert "the edge serves https://tidewriters.example/.well-known/security.txt itself" in found


def test_a_target_may_be_at_any_record_of_the_zone(write: Write) -> None:
    records = [{"name": "docs", "type": "CNAME", "content": "docs.hosting.example"}]
    stack = loaded(records=records, **write("/help,https://docs.tidewriters.example/"))
    assert len(declared.of(stack).single) == 1


def test_www_may_be_the_canonical_name(write: Write) -> None:
    hosts = [{"name": "www", "platform": "plain", "addresses": ["203.0.113.24"], "role": "web"}]
    stack = loaded(canonical="www", hosts=hosts, apps={}, access={}, **write("/a,/b"))
    path, alias, https = single.rules(stack)
    assert path.expression == (
        '(http.host in {"www.tidewriters.example" "tidewriters.example"} and http.request.uri.path eq "/a")'
    )
    assert (alias.ref, alias.expression) == ("apex-to-www", '(http.host eq "tidewriters.example")')
    assert https.expression == '(not ssl and http.host in {"www.tidewriters.example" "staging.tidewriters.example"})'
    [redirect] = contract.redirects(stack)
    assert (redirect["from_host"], redirect["to_host"]) == ("tidewriters.example", "www.tidewriters.example")


def test_the_lists_name_is_one_that_cloudflare_takes() -> None:
    assert bulk.list_name(loaded()) == "launch_ready_prod"


def test_the_contract_tells_an_address_to_try_of_every_kind(write: Write) -> None:
    stack = loaded(
        zonePlan="free",
        **write(
            "/a/launch-ready-1,/taken",
            "/a/*,/b/*",
            "/c/*,/d,302",
            "/e,/f?own=1",
            "app.tidewriters.example/g,https://elsewhere.example/,308",
            *many(40),
        ),
    )
    found = contract.path_redirects(stack)
    assert found["total"] == 45
    assert len(found["sample"]) <= 50
    host = "https://tidewriters.example"
    tried = {entry["url"]: (entry["to"], entry["status"], entry["by"]) for entry in found["sample"]}
    assert tried[f"{host}/a/launch-ready-2"] == (f"{host}/b/launch-ready-2", 301, "single")
    assert tried[f"{host}/c/launch-ready-1"] == (f"{host}/d", 302, "single")
    assert tried[f"{host}/e"] == (f"{host}/f?own=1", 301, "single")
    assert tried["https://app.tidewriters.example/g"] == ("https://elsewhere.example/", 308, "single")
    assert tried[f"{host}/old/0"] == (f"{host}/new/0", 301, "single")
    assert tried[f"{host}/old/39"] == (f"{host}/new/39", 301, "bulk")
