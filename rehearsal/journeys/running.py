"""Runs the journeys side by side and collects how each ended."""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from rehearsal.journeys.model import Journey, JourneyResult, MismatchError
from rehearsal.journeys.world import World

WORKERS = 6  # enough to overlap the waiting; more only queue for two cores

Told = Callable[[JourneyResult], None]


def run(journeys: Iterable[Journey], world: World, told: Told) -> list[JourneyResult]:
    """Every journey's result, in the order of `journeys`; `told` hears of each as it ends."""
    chosen = list(journeys)
    results: dict[str, JourneyResult] = {}

    def one(journey: Journey) -> None:
        result = _run_one(journey, world)
        results[journey.name] = result
        told(result)

    pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="journey")
    beside = sorted((journey for journey in chosen if not journey.alone), key=lambda journey: not journey.long)
    try:
        for finished in [pool.submit(one, journey) for journey in beside]:
            finished.result()
    finally:
        # After an interrupt the stories under way end by themselves, once their twins are gone.
        pool.shutdown(wait=False, cancel_futures=True)
    for journey in chosen:
        if journey.alone:
            one(journey)
    return [results[journey.name] for journey in chosen]


def _run_one(journey: Journey, world: World) -> JourneyResult:
    began = time.monotonic()
    person = journey.person()
    evidence: tuple[str, ...] = ()
    try:
        journey.story(world, person)
    except MismatchError as mismatch:
        passed, (step, expected, actual) = False, (mismatch.step, mismatch.expected, mismatch.actual)
        evidence = world.evidence(person)
    except Exception as error:  # noqa: BLE001 - a journey that breaks has failed; the others still run
        passed, (step, expected, actual) = False, world.last(person)
        evidence = (f"{type(error).__name__}: {error}", *world.evidence(person))
    else:
        passed, (step, expected, actual) = True, world.last(person)
    return JourneyResult(
        name=journey.name,
        title=journey.title,
        passed=passed,
        step=step,
        expected=expected,
        actual=actual,
        seconds=time.monotonic() - began,
        evidence=evidence,
    )
