"""The phases of a request, in the order that Cloudflare documents.

https://developers.cloudflare.com/ruleset-engine/reference/phases-list/; http_request_sanitize, URL normalisation, comes
first of all and is done when the request is read; in ddos_l7 and http_request_sbfm nothing can be executed here.
"""

from collections.abc import Callable

from rehearsal.twins.edge import bulk_redirects, firewall, rate_limits, redirects, transforms
from rehearsal.twins.edge.access import Access
from rehearsal.twins.edge.bulk_redirects import BulkRedirects
from rehearsal.twins.edge.exchange import Answer
from rehearsal.twins.edge.passage import Passage
from rehearsal.twins.edge.rate_limits import RateLimits
from rehearsal.twins.zone import ZoneTwin

Step = Callable[[Passage], Answer | None]


class Phases:
    """Takes requests through every phase up to the cache; `clock` gives seconds."""

    def __init__(self, account: ZoneTwin, access: Access, clock: Callable[[], float]) -> None:
        self._limits = RateLimits(clock)
        self._steps: tuple[tuple[str, Step], ...] = (
            ("always_use_https", redirects.by_scheme),  # zone settings; where they stand is not documented
            (redirects.PHASE, redirects.redirect),
            (transforms.REWRITE, transforms.rewrite),
            (transforms.CONFIG, transforms.configure),
            (firewall.CUSTOM, firewall.custom),
            ("securityLevel", firewall.under_attack),
            (rate_limits.PHASE, self._limits.check),
            (firewall.MANAGED, firewall.managed),
            ("access", access.check),
            (bulk_redirects.PHASE, BulkRedirects(account).redirect),
            (transforms.LATE, transforms.late),
        )

    def answer(self, passage: Passage) -> Answer | None:
        """The answer of the first phase that ends the request, or None where it goes on to Workers and cache."""
        for phase, step in self._steps:
            if phase in passage.skipped:
                continue
            answer = step(passage)
            if answer is not None:
                return answer
        return None

    def answered(self, passage: Passage, answer: Answer) -> None:
        """Count what rate limits count by the response."""
        self._limits.answered(passage, answer.status)
