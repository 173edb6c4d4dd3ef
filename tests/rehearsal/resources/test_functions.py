import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from rehearsal.resources.aws.archives import zip_bytes
from rehearsal.resources.handler import RefusedError

NOTHING = "def handler(event, context): ...\n"


def test_a_function_needs_a_role_that_trusts_lambda(here: Any) -> None:
    wrong = here.role("for-another-service", service="ec2.amazonaws.com")
    for role in (wrong, wrong.replace("for-another-service", "never-made")):
        with pytest.raises(RefusedError, match="cannot be assumed by Lambda"):
            here.function("roleless", NOTHING, role)


def test_an_environment_has_four_kibibytes(here: Any) -> None:
    variables = {"POLICY": "x" * 4096}
    with pytest.raises(RefusedError, match="4102 bytes, Lambda takes at most 4096"):
        here.function("wordy", NOTHING, here.role("wordy"), environment={"variables": variables})


def test_reserved_environment_variables_are_refused(here: Any) -> None:
    with pytest.raises(RefusedError, match="reserves the environment variables AWS_REGION"):
        here.function("pushy", NOTHING, here.role("pushy"), environment={"variables": {"AWS_REGION": "x"}})


def test_a_hundred_of_the_accounts_concurrency_cannot_be_reserved(here: Any) -> None:
    role = here.role("greedy")
    here.function("modest", NOTHING, role, reservedConcurrentExecutions=10)
    with pytest.raises(RefusedError, match="reserves 891 of the account's concurrency, 890 can be reserved"):
        here.function("greedy", NOTHING, role, reservedConcurrentExecutions=891)


def test_the_targets_overrides_join_the_environment(here: Any) -> None:
    from dataclasses import replace

    here.target = replace(here.target, overrides={"KIT_API_BASE": "http://127.0.0.1:9"})
    source = "import os\ndef handler(event, context):\n    return [os.environ['KIT_API_BASE'], os.environ['OURS']]\n"
    here.function("pointed", source, here.role("pointed"), environment={"variables": {"OURS": "yes"}})
    assert here.invoke("pointed") == ["http://127.0.0.1:9", "yes"]


def test_a_function_can_be_read_and_deleted(here: Any) -> None:
    from rehearsal.resources import HANDLERS

    handler = HANDLERS["aws:lambda/function:Function"]
    made = here.function("fleeting", NOTHING, here.role("fleeting"))
    found = handler.read("fleeting", here.target)
    assert found == made.outputs
    handler.delete("fleeting", here.target)
    handler.delete("fleeting", here.target)
    assert handler.read("fleeting", here.target) is None


def test_updating_says_that_it_is_not_supported(here: Any) -> None:
    from rehearsal.errors import DeploymentError
    from rehearsal.resources import HANDLERS
    from rehearsal.resources.handler import Declared

    handler = HANDLERS["aws:sqs/queue:Queue"]
    declared = Declared(urn="urn:pulumi:a::b::c::q", type=handler.type, name="q", inputs={}, source="infra/q.py:1")
    with pytest.raises(DeploymentError, match="update is not supported by this twin"):
        handler.update("q", declared, here.target)


def test_only_queues_feed_functions(here: Any) -> None:
    here.function("streamed", NOTHING, here.role("streamed"))
    inputs = {"eventSourceArn": "arn:aws:kinesis:eu-west-1:1:stream/s", "functionName": "streamed"}
    with pytest.raises(RefusedError, match="only SQS queues"):
        here.declare("aws:lambda/eventSourceMapping:EventSourceMapping", "streamed", inputs)


def _names(data: bytes, directory: Path) -> dict[str, bytes]:
    path = directory / "read.zip"
    path.write_bytes(data)
    with zipfile.ZipFile(path) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


def test_a_directory_is_zipped_the_same_each_time(tmp_path: Path) -> None:
    (tmp_path / "code" / "inner").mkdir(parents=True)
    (tmp_path / "code" / "main.py").write_text("a")
    (tmp_path / "code" / "inner" / "b.py").write_text("b")
    archive = {"$archive": {"path": "code"}}
    first = zip_bytes(archive, tmp_path)
    (tmp_path / "code" / "main.py").touch()
    assert zip_bytes(archive, tmp_path) == first
    assert _names(first, tmp_path) == {"main.py": b"a", "inner/b.py": b"b"}


def test_a_zip_file_is_taken_byte_for_byte(tmp_path: Path) -> None:
    (tmp_path / "code.zip").write_bytes(b"PK as it is")
    assert zip_bytes({"$archive": {"path": "code.zip"}}, tmp_path) == b"PK as it is"


def test_assets_and_archives_nest(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "x.py").write_text("x")
    (tmp_path / "one.py").write_text("one")
    assets = {
        "main.py": {"$asset": {"text": "main"}},
        "one.py": {"$asset": {"path": "one.py"}},
        "lib": {"$archive": {"path": "lib"}},
    }
    data = zip_bytes({"$archive": {"assets": assets}}, tmp_path)
    assert _names(data, tmp_path) == {"main.py": b"main", "one.py": b"one", "lib/x.py": b"x"}


def test_a_missing_archive_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere does not exist"):
        zip_bytes({"$archive": {"path": "nowhere"}}, tmp_path)


def test_a_layer_of_remote_code_is_refused(here: Any) -> None:
    inputs = {"name": "remote", "runtime": "python3.11", "handler": "m.h", "role": here.role("remote"), "s3Bucket": "b"}
    with pytest.raises(RefusedError, match="needs the function's `code`"):
        here.declare("aws:lambda/function:Function", "remote", inputs)
    assert "remote" not in json.dumps(here.aws.client("lambda").list_functions()["Functions"], default=str)
