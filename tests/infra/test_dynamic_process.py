"""The Stripe provider as the engine runs it: pickled, in a process of its own, over gRPC."""

from collections.abc import Iterator
from typing import Any

import pytest
from pulumi.dynamic.dynamic import serialize_provider
from pulumi.runtime.proto import provider_pb2

from infra.stripe_provider import EndpointProvider
from tests.infra.engine_side import struct
from tests.infra.stripe_account import StripeAccount, stripe_account

URN = "urn:pulumi:prod::launch-ready::pulumi-python:dynamic:Resource::stripe-endpoint"


@pytest.fixture
def account() -> Iterator[StripeAccount]:
    with stripe_account() as running:
        yield running


def inputs(account: StripeAccount, **changes: Any) -> Any:
    return struct(
        {
            "owner": "launch-ready-prod",
            "url": "https://api.tidewriters.example/webhooks/stripe",
            "events": ["invoice.paid"],
            "api_version": "2026-10-28.endive",
            "api_base": account.base,
            "api_key": "rk_live_made_up",
            "enabled": True,
            "description": "Launch Ready, stack prod",
            "__provider": serialize_provider(EndpointProvider()),
            **changes,
        }
    )


def test_the_engines_calls_create_keep_and_delete_the_endpoint(engine_side: Any, account: StripeAccount) -> None:
    given = inputs(account)
    created = engine_side.Create(provider_pb2.CreateRequest(urn=URN, properties=given))
    assert created.id == "launch-ready-prod"
    assert created.properties["endpoint_id"] in account.endpoints

    same = engine_side.Diff(provider_pb2.DiffRequest(id=created.id, olds=created.properties, news=given))
    assert same.changes == provider_pb2.DiffResponse.DIFF_NONE

    engine_side.Delete(provider_pb2.DeleteRequest(id=created.id, urn=URN, properties=created.properties))
    assert account.endpoints == {}


def test_the_engines_refresh_finds_no_difference_and_says_when_the_endpoint_is_gone(
    engine_side: Any, account: StripeAccount
) -> None:
    given = inputs(account)
    state = engine_side.Create(provider_pb2.CreateRequest(urn=URN, properties=given)).properties
    read = engine_side.Read(provider_pb2.ReadRequest(id="launch-ready-prod", urn=URN, properties=state))
    same = engine_side.Diff(provider_pb2.DiffRequest(id=read.id, olds=read.properties, news=given))
    assert same.changes == provider_pb2.DiffResponse.DIFF_NONE

    account.endpoints.clear()
    gone = engine_side.Read(provider_pb2.ReadRequest(id="launch-ready-prod", urn=URN, properties=state))
    assert gone.id == ""


def test_the_engines_update_to_another_version_settles_at_once(engine_side: Any, account: StripeAccount) -> None:
    state = engine_side.Create(provider_pb2.CreateRequest(urn=URN, properties=inputs(account))).properties
    newer = inputs(account, api_version="2027-01-01.later")
    update = provider_pb2.UpdateRequest(id="launch-ready-prod", urn=URN, olds=state, news=newer)
    updated = engine_side.Update(update).properties
    assert updated["previous_endpoint_id"] == state["endpoint_id"]
    again = engine_side.Diff(provider_pb2.DiffRequest(id="launch-ready-prod", olds=updated, news=newer))
    assert again.changes == provider_pb2.DiffResponse.DIFF_NONE


def test_two_pickles_of_the_provider_are_equal_so_that_a_second_up_changes_nothing() -> None:
    assert serialize_provider(EndpointProvider()) == serialize_provider(EndpointProvider())
