"""What is behind the phases: a Worker where a route has one, then the cache, then the origin."""

from collections.abc import Callable
from dataclasses import replace

from rehearsal.twins.edge import cache_rules
from rehearsal.twins.edge.cache import Cache
from rehearsal.twins.edge.exchange import Answer, Exchange
from rehearsal.twins.edge.origins import OriginFetch, Pull
from rehearsal.twins.edge.passage import Passage
from rehearsal.twins.edge.workers import WorkerRuntime


class Upstream:
    """Answers what no phase ended."""

    def __init__(self, origins: OriginFetch, clock: Callable[[], float]) -> None:
        self._origins = origins
        self._cache = Cache(clock)
        self._workers = WorkerRuntime()

    async def answer(self, passage: Passage) -> Answer:
        """The Worker's answer, or that of cache and origin."""
        exchange = passage.exchange
        worker = passage.zone.worker(exchange.request.host, exchange.sent)

        async def behind(wanted: Exchange) -> Answer:
            return await self._cached(replace(passage, exchange=wanted))

        return await behind(exchange) if worker is None else await self._workers.run(worker, exchange, behind)

    async def close(self) -> None:
        """Close every kept connection, and end the Workers' threads."""
        self._workers.close()
        await self._origins.close()

    async def _cached(self, passage: Passage) -> Answer:
        exchange = passage.exchange
        pull = Pull(passage.zone, exchange, str(passage.setting("ssl")))
        rules = cache_rules.policy(
            passage.matching(cache_rules.PHASE), exchange.request, int(passage.setting("browser_cache_ttl"))
        )
        if not rules.eligible:
            answer = await self._origins.fetch(pull, exchange.request.method)
            return answer if answer.from_edge else answer.having(("cf-cache-status", "DYNAMIC"))
        stored = self._cache.find(exchange, rules)
        if stored.is_fresh:
            return stored.answer_to(exchange)
        # A cacheable answer is fetched whole, whatever part of it or condition the client asked for.
        answer = await self._origins.fetch(pull, "GET", cache_rules.CONDITIONAL, stored.conditions)
        return answer if answer.from_edge else self._cache.take(exchange, answer, rules, stored)
