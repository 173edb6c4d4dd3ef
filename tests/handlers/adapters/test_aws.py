"""The services' clients against a server on loopback: how long they hold on, and what their errors tell."""

from collections.abc import Iterator

import pytest

from handlers.adapters.aws import ATTEMPTS, TIMEOUT_SECONDS, AwsError, DynamoDb, SecretsManager, Sqs
from handlers.adapters.deliveries import LEASE_SECONDS
from infra.timing import APPLY, SYNC
from tests.handlers.loopback import Answer, Asked, Loopback, serving

UNAVAILABLE = Answer.of({"__type": "ServiceUnavailable"}, 503)


@pytest.fixture
def server() -> Iterator[Loopback]:
    with serving(lambda asked: Answer.of({})) as made:
        yield made


@pytest.fixture
def environ(server: Loopback) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": server.url,
        "AWS_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "AKID",
        "AWS_SECRET_ACCESS_KEY": "sekret",
    }


@pytest.fixture
def table(environ: dict[str, str]) -> Iterator[DynamoDb]:
    client = DynamoDb(environ)
    yield client
    client.close()


@pytest.mark.parametrize("attempts", [1, 2, 3])
def test_a_call_is_made_as_often_as_asked_and_then_fails(
    server: Loopback, environ: dict[str, str], attempts: int
) -> None:
    server.answer = lambda asked: UNAVAILABLE
    client = DynamoDb(environ, attempts=attempts)
    with pytest.raises(AwsError, match="HTTP 503 ServiceUnavailable"):
        client.get_item()
    client.close()
    assert len(server.asked) == attempts


@pytest.mark.parametrize(
    "passing",
    [
        UNAVAILABLE,
        Answer.of({"__type": "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"}, 400),
        Answer.of({"__type": "ThrottlingException"}, 400),
        Answer.of({"__type": "TransactionInProgressException"}, 400),
        Answer(then="reset"),
        Answer(200, b"<html>"),
    ],
)
def test_a_passing_fault_is_not_noticed(server: Loopback, table: DynamoDb, passing: Answer) -> None:
    server.answer = lambda asked: passing if len(server.asked) == 1 else Answer.of({"Item": {}})
    assert table.get_item() == {"Item": {}}


@pytest.mark.parametrize("code", ["ConditionalCheckFailedException", "ValidationException", "AccessDeniedException"])
def test_what_no_further_try_can_change_is_asked_once(server: Loopback, table: DynamoDb, code: str) -> None:
    server.answer = lambda asked: Answer.of({"__type": f"com.amazonaws.dynamodb.v20120810#{code}"}, 400)
    with pytest.raises(AwsError) as caught:
        table.update_item()
    assert len(server.asked) == 1
    assert caught.value.code == code
    assert caught.value.condition_failed == caught.value.lost_race == (code == "ConditionalCheckFailedException")


def test_a_conflict_is_a_lost_race_and_no_failed_condition(server: Loopback, table: DynamoDb) -> None:
    server.answer = lambda asked: Answer.of({"__type": "TransactionConflictException"}, 400)
    with pytest.raises(AwsError) as caught:
        table.update_item()
    assert caught.value.lost_race
    assert not caught.value.condition_failed


def test_a_cancelled_transaction_says_why_for_each_action(server: Loopback, table: DynamoDb) -> None:
    reasons = [{"Code": "None"}, {"Code": "TransactionConflict", "Message": "…"}, {"Code": "None"}]
    body = {"__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException", "CancellationReasons": reasons}
    server.answer = lambda asked: Answer.of(body, 400)
    with pytest.raises(AwsError) as caught:
        table.transact_write_items(TransactItems=[])
    assert caught.value.code == "TransactionCanceledException"
    assert caught.value.reasons == ("None", "TransactionConflict", "None")


def test_every_try_of_a_transaction_has_the_same_token_and_every_transaction_another(
    server: Loopback, table: DynamoDb
) -> None:
    server.answer = lambda asked: Answer(then="reset") if len(server.asked) == 1 else Answer.of({})
    table.transact_write_items(TransactItems=[])
    table.transact_write_items(TransactItems=[])
    first, again, other = [asked.json()["ClientRequestToken"] for asked in server.asked]
    assert first == again
    assert first != other
    assert 1 <= len(first) <= 36


def test_silence_is_an_error_without_a_code(server: Loopback, environ: dict[str, str]) -> None:
    server.shutdown()
    server.server_close()
    with pytest.raises(AwsError, match="gave no answer") as caught:
        Sqs(environ).send_message_batch()
    assert caught.value.code == ""
    assert not caught.value.lost_race


def test_operations_go_by_their_names_in_the_services_protocols(server: Loopback, environ: dict[str, str]) -> None:
    clients = DynamoDb(environ), Sqs(environ), SecretsManager(environ)
    table, queues, secrets = clients
    table.batch_get_item(RequestItems={})
    table.query(TableName="t")
    table.delete_item(TableName="t")
    queues.send_message_batch(QueueUrl="u")
    secrets.get_secret_value(SecretId="s")
    for client in clients:
        client.close()

    def named(asked: Asked) -> tuple[str, str]:
        return asked.headers["x-amz-target"], asked.headers["content-type"].removeprefix("application/x-amz-json-")

    assert [named(asked) for asked in server.asked] == [
        ("DynamoDB_20120810.BatchGetItem", "1.0"),
        ("DynamoDB_20120810.Query", "1.0"),
        ("DynamoDB_20120810.DeleteItem", "1.0"),
        ("AmazonSQS.SendMessageBatch", "1.0"),
        ("secretsmanager.GetSecretValue", "1.1"),
    ]


def test_all_waiting_for_one_call_fits_into_apply() -> None:
    on_the_kept_connection, on_a_new_one = 1, 2
    waits = on_the_kept_connection + ATTEMPTS * on_a_new_one
    assert waits * TIMEOUT_SECONDS <= APPLY.timeout_seconds


def test_a_lease_outlives_the_function_that_holds_it() -> None:
    assert SYNC.timeout_seconds < LEASE_SECONDS
