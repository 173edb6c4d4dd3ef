"""Reads what a page loads and says of itself, without running it."""

from dataclasses import dataclass
from html.parser import HTMLParser


@dataclass(frozen=True, kw_only=True)
class Link:
    """Another resource that a page names: the tag, its address as written, and whether the page loads and trusts it."""

    tag: str
    url: str
    loads: bool  # a script or a stylesheet: what may change the page
    integrity: str
    crossorigin: str | None


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[Link] = []
        self.robots: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if tag == "meta" and told.get("name", "").lower() in {"robots", "googlebot"}:
            self.robots.append(told.get("content", "").lower())
        url = told.get("src") or told.get("href")
        if url:
            styles = tag == "link" and bool({"stylesheet", "modulepreload"} & set(told.get("rel", "").lower().split()))
            self.links.append(
                Link(
                    tag=tag,
                    url=url,
                    loads=styles or (tag == "script" and "src" in told),
                    integrity=told.get("integrity", ""),
                    crossorigin=told.get("crossorigin"),
                )
            )


def links(body: str) -> tuple[Link, ...]:
    """Every resource that a page names, in its order."""
    return tuple(_read(body).links)


def robots(body: str) -> tuple[str, ...]:
    """What a page's robots meta elements say, in lower case."""
    return tuple(_read(body).robots)


def _read(body: str) -> _Reader:
    reader = _Reader()
    reader.feed(body)
    reader.close()
    return reader
