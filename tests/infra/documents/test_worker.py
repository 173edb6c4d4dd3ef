"""The Worker's module, run by QuickJS in the edge's twin."""

import asyncio
from urllib.parse import urlsplit

import pytest

from infra.documents import script
from infra.documents.document import Document
from rehearsal.twins.edge.exchange import Answer, Exchange
from rehearsal.twins.edge.workers.runtime import WorkerRuntime
from rehearsal.twins.rules import Request
from rehearsal.twins.zone import Worker

HOST = "app.tide.example"
PATH = "/.well-known/security.txt"
ODD = 'Grüße "quoted" \\ ${x} </script> \u2028 🌊\r\n'
POLICY = Document("mta-sts.tide.example", "/.well-known/mta-sts.txt", "text/plain", "version: STSv1\n", "mta-sts")
DOCUMENTS = (Document(HOST, PATH, "text/plain; charset=utf-8", ODD, "security-txt"), POLICY)
ORIGIN = Answer(200, (("content-type", "text/html"), ("x-origin", "yes")), b"the origin's page")


def ask(url: str, method: str = "GET", *, closed: tuple[str, ...] = ()) -> Answer:
    """What the Worker answers in front of an origin whose answer is ORIGIN."""
    parts = urlsplit(url)
    request = Request(
        method=method, scheme="https", host=parts.netloc, path=parts.path, raw_path=parts.path, query=parts.query
    )

    async def origin(exchange: Exchange) -> Answer:
        assert exchange.request.method == method
        return ORIGIN

    async def run() -> Answer:
        worker = Worker(name="edge-answers", module=script.module(DOCUMENTS, closed, 600), bindings={})
        return await runtime.run(worker, Exchange.of(request, b"", parts.netloc), origin)

    runtime = WorkerRuntime()
    try:
        return asyncio.run(run())
    finally:
        runtime.close()


def headers(answer: Answer) -> dict[str, str]:
    return {name: value for name, value in answer.headers if name != "content-length"}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.kind)
def test_a_document_is_served_byte_for_byte_with_its_type(document: Document) -> None:
    answer = ask(document.url)
    assert (answer.status, answer.body) == (200, document.body.encode())
    assert headers(answer) == {
        "content-type": document.content_type,
        "cache-control": "public, max-age=300",
        "x-content-type-options": "nosniff",
    }


def test_a_query_changes_nothing() -> None:
    assert ask(f"https://{HOST}{PATH}?x=1").body == ODD.encode()


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_a_document_is_only_read(method: str) -> None:
    answer = ask(f"https://{HOST}{PATH}", method)
    assert answer.status == 405
    assert headers(answer)["allow"] == "GET, HEAD"
    assert headers(answer)["cache-control"] == "no-store"


def test_head_is_answered_like_get() -> None:
    assert ask(f"https://{HOST}{PATH}", "HEAD").headers == ask(f"https://{HOST}{PATH}").headers


@pytest.mark.parametrize(
    "url",
    [
        f"https://{HOST}/",
        f"https://{HOST}{PATH}/",
        f"https://{HOST}/x{PATH}",
        f"https://shop.tide.example{PATH}",
        f"https://{HOST}/constructor",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_everything_else_goes_to_the_origin(url: str, method: str) -> None:
    answer = ask(url, method)
    assert (answer.status, answer.body) == (ORIGIN.status, ORIGIN.body)
    assert headers(answer)["x-origin"] == "yes"


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_a_host_under_maintenance_says_when_to_come_back_and_is_not_kept(method: str) -> None:
    answer = ask(f"https://{HOST}/account?x=1", method, closed=(HOST,))
    assert answer.status == 503
    assert headers(answer) == {
        "content-type": "text/html; charset=utf-8",
        "cache-control": "no-store",
        "retry-after": "600",
        "x-content-type-options": "nosniff",
    }
    assert b"Back soon" in answer.body


def test_documents_are_served_during_maintenance_and_other_hosts_are_open() -> None:
    closed = (HOST,)
    assert ask(f"https://{HOST}{PATH}", closed=closed).status == 200
    assert ask("https://shop.tide.example/", closed=closed).body == ORIGIN.body


def test_the_module_is_the_same_each_time() -> None:
    assert script.module(DOCUMENTS, (HOST,), 600) == script.module(DOCUMENTS, (HOST,), 600)
