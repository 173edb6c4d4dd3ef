import json
from collections.abc import Iterator
from typing import Any

import pytest
import stripe

from infra.stripe_provider import EndpointProvider, RetirementProvider
from tests.infra.stripe_account import StripeAccount, stripe_account

OWNER = "launch-ready-prod"
URL = "https://api.tidewriters.example/webhooks/stripe"
OLD, NEW = "2025-03-31.basil", "2026-10-28.endive"
provider = EndpointProvider()


@pytest.fixture
def account() -> Iterator[StripeAccount]:
    with stripe_account() as running:
        yield running


def inputs(account: StripeAccount, **changes: Any) -> dict[str, Any]:
    return {
        "owner": OWNER,
        "url": URL,
        "events": ["charge.refunded", "invoice.paid"],
        "api_version": OLD,
        "api_base": account.base,
        "api_key": "rk_live_made_up",
        "enabled": True,
        "description": "Launch Ready, stack prod",
        **changes,
    }


def made(account: StripeAccount, **changes: Any) -> dict[str, Any]:
    outs = provider.create(inputs(account, **changes)).outs
    assert outs is not None
    return outs


def updated(olds: dict[str, Any], news: dict[str, Any]) -> dict[str, Any]:
    outs = provider.update(OWNER, olds, news).outs
    assert outs is not None
    return outs


def signing(outs: dict[str, Any]) -> dict[str, str | None]:
    return json.loads(outs["signing"])


def test_creating_asks_for_exactly_what_was_declared(account: StripeAccount) -> None:
    outs = made(account)
    held = account.endpoints[outs["endpoint_id"]]
    assert (held["url"], held["enabled_events"], held["api_version"]) == (URL, ["charge.refunded", "invoice.paid"], OLD)
    assert held["metadata"] == {"launch_ready": f"{OWNER}:{OLD}"}
    assert signing(outs) == {"current": account.secrets[outs["endpoint_id"]], "previous": None}


def test_the_id_is_the_owner_because_stripes_id_changes_with_the_api_version(account: StripeAccount) -> None:
    assert provider.create(inputs(account)).id == OWNER


def test_creating_after_a_lost_answer_leaves_one_endpoint_whose_secret_is_known(account: StripeAccount) -> None:
    account.lose_next_answer = True
    with pytest.raises(stripe.InvalidRequestError):
        made(account)
    assert len(account.endpoints) == 1
    outs = made(account)
    assert list(account.endpoints) == [outs["endpoint_id"]]
    assert signing(outs)["current"] == account.secrets[outs["endpoint_id"]]


def test_creating_leaves_endpoints_of_others_alone(account: StripeAccount) -> None:
    others = {
        account.add(URL),
        account.add(URL, f"launch-ready-staging:{OLD}"),
        account.add("https://elsewhere.example/", f"{OWNER}:{OLD}"),
    }
    outs = made(account)
    assert set(account.endpoints) == others | {outs["endpoint_id"]}


def test_an_orphan_on_a_later_page_is_found(account: StripeAccount) -> None:
    orphan = account.add(URL, f"{OWNER}:{OLD}")
    for number in range(4):
        account.add(f"https://other.example/{number}")
    account.page = 2
    made(account)
    assert orphan not in account.endpoints


def test_the_same_inputs_are_no_difference_whatever_stripe_gave(account: StripeAccount) -> None:
    olds = {**made(account), "__provider": "pickled yesterday"}
    assert not provider.diff(OWNER, olds, {**inputs(account), "__provider": "pickled today"}).changes


@pytest.mark.parametrize(
    "change",
    [
        {"url": "https://api.other.example/webhooks/stripe"},
        {"events": ["invoice.paid"]},
        {"api_version": NEW},
        {"api_key": "rk_live_rotated"},
        {"api_base": "https://api.stripe.com"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_matters_is_a_difference_and_never_a_replacement(account: StripeAccount, change: dict[str, Any]) -> None:
    result = provider.diff(OWNER, made(account), inputs(account, **change))
    assert result.changes
    assert result.replaces == []


def test_address_and_events_change_in_place_and_keep_the_secret(account: StripeAccount) -> None:
    olds = made(account)
    news = inputs(account, url="https://api.other.example/hook", events=["invoice.paid"])
    outs = updated(olds, news)
    assert outs["endpoint_id"] == olds["endpoint_id"]
    assert outs["signing"] == olds["signing"]
    held = account.endpoints[olds["endpoint_id"]]
    assert (held["url"], held["enabled_events"]) == ("https://api.other.example/hook", ["invoice.paid"])


def test_a_new_api_version_stands_beside_the_old_one_with_both_secrets(account: StripeAccount) -> None:
    olds = made(account)
    outs = updated(olds, inputs(account, api_version=NEW))
    assert set(account.endpoints) == {olds["endpoint_id"], outs["endpoint_id"]}
    assert account.endpoints[outs["endpoint_id"]]["api_version"] == NEW
    assert account.endpoints[olds["endpoint_id"]]["status"] == "enabled"
    assert signing(outs) == {
        "current": account.secrets[outs["endpoint_id"]],
        "previous": account.secrets[olds["endpoint_id"]],
    }


def test_a_half_failed_change_of_version_is_repeated_without_a_second_new_endpoint(account: StripeAccount) -> None:
    olds = made(account)
    news = inputs(account, api_version=NEW)
    account.lose_next_answer = True
    with pytest.raises(stripe.InvalidRequestError):
        updated(olds, news)
    outs = updated(olds, news)
    assert set(account.endpoints) == {olds["endpoint_id"], outs["endpoint_id"]}
    assert signing(outs)["current"] == account.secrets[outs["endpoint_id"]]


def test_retiring_removes_the_old_endpoint_and_nothing_else(account: StripeAccount) -> None:
    other = account.add("https://other.example/")
    olds = made(account)
    outs = updated(olds, inputs(account, api_version=NEW))
    RetirementProvider().update("x", olds, outs)
    assert set(account.endpoints) == {other, outs["endpoint_id"]}


def test_there_is_nothing_to_retire_on_a_first_run(account: StripeAccount) -> None:
    outs = made(account)
    before = len(account.calls)
    retired = RetirementProvider().create(outs)
    assert (len(account.calls), list(account.endpoints)) == (before, [outs["endpoint_id"]])
    assert not RetirementProvider().diff(retired.id, retired.outs or {}, outs).changes


def test_a_change_after_the_overlap_forgets_the_previous_secret(account: StripeAccount) -> None:
    overlapping = updated(made(account), inputs(account, api_version=NEW))
    outs = updated(overlapping, inputs(account, api_version=NEW, events=["invoice.paid"]))
    assert signing(outs) == {"current": account.secrets[outs["endpoint_id"]], "previous": None}
    assert list(account.endpoints) == [outs["endpoint_id"]]


def test_an_endpoint_removed_by_hand_is_made_again_and_both_secrets_hold(account: StripeAccount) -> None:
    olds = made(account)
    del account.endpoints[olds["endpoint_id"]]
    outs = updated(olds, inputs(account, events=["invoice.paid"]))
    assert list(account.endpoints) == [outs["endpoint_id"]]
    assert signing(outs)["previous"] == account.secrets[olds["endpoint_id"]]


def test_deleting_twice_is_no_error(account: StripeAccount) -> None:
    outs = updated(made(account), inputs(account, api_version=NEW))
    provider.delete(OWNER, outs)
    assert account.endpoints == {}
    provider.delete(OWNER, outs)


def test_a_refresh_sees_what_was_changed_by_hand(account: StripeAccount) -> None:
    outs = made(account)
    account.endpoints[outs["endpoint_id"]].update(status="disabled", enabled_events=["*"])
    read = provider.read(OWNER, outs)
    assert read.id == OWNER
    assert provider.diff(OWNER, read.outs or {}, inputs(account)).changes
    mended = updated(read.outs or {}, inputs(account))
    assert account.endpoints[outs["endpoint_id"]]["status"] == "enabled"
    again = provider.read(OWNER, mended)
    assert not provider.diff(OWNER, again.outs or {}, inputs(account)).changes


def test_a_refresh_of_a_removed_endpoint_has_no_id(account: StripeAccount) -> None:
    outs = made(account)
    account.endpoints.clear()
    assert not provider.read(OWNER, outs).id


def test_another_refusal_of_stripe_is_not_swallowed(account: StripeAccount) -> None:
    outs = made(account)
    account.lose_next_answer = True
    with pytest.raises(stripe.InvalidRequestError, match="cut off"):
        updated(outs, inputs(account, events=["invoice.paid"]))
