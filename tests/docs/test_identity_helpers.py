"""The files that an app copies, held against the vectors, and those against what the functions take."""

import importlib.util
import json
import re
import shutil
import subprocess
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.core.identity import MAX_REFERENCE_USER_BYTES, sign_reference, user_of_reference

FOLDER = Path(__file__).parents[2] / "docs" / "identity"
VECTORS = json.loads((FOLDER / "vectors.json").read_text())
STRIPS_TYPES = (22, 6)  # the first Node with --experimental-strip-types
WEB_CRYPTO = (19, 0)  # the first Node that has it without being asked

Vector = dict[str, Any]


def named(vectors: list[Vector]) -> Any:
    return pytest.mark.parametrize("vector", vectors, ids=[vector["name"] for vector in vectors])


@pytest.fixture(scope="module")
def helper() -> ModuleType:
    """The Python file as an app has it: by itself."""
    spec = importlib.util.spec_from_file_location("launch_ready_identity", FOLDER / "launch_ready_identity.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@named(VECTORS["sign"])
def test_python_signs_each_vector(helper: ModuleType, vector: Vector) -> None:
    assert helper.sign_reference(vector["user_id"], vector["key"]) == vector["reference"]


@named(VECTORS["refuse_to_sign"])
def test_python_refuses_what_would_name_nobody(helper: ModuleType, vector: Vector) -> None:
    with pytest.raises(ValueError, match=r"user id|identity key"):
        helper.sign_reference(vector["user_id"], vector["key"])


@named(VECTORS["sign"])
def test_the_functions_take_each_signed_vector(vector: Vector) -> None:
    assert sign_reference(vector["user_id"], vector["key"]) == vector["reference"]
    assert user_of_reference(vector["reference"], (vector["key"],)) == vector["user_id"]


@named(VECTORS["refuse_to_sign"])
def test_the_functions_refuse_the_same(vector: Vector) -> None:
    with pytest.raises(ValueError, match=r"user id|identity key"):
        sign_reference(vector["user_id"], vector["key"])


@named(VECTORS["verify"])
def test_the_functions_tell_whom_a_reference_names(vector: Vector) -> None:
    assert user_of_reference(vector["reference"], tuple(vector["keys"])) == vector["user_id"]


@given(st.text(max_size=120), st.text(min_size=30, max_size=40))
def test_the_python_file_and_the_functions_agree_on_everything(helper: ModuleType, user_id: str, key: str) -> None:
    key = key.encode(errors="replace").decode()  # a key that UTF-8 cannot hold is in no secret
    assert outcome(helper.sign_reference, user_id, key) == outcome(sign_reference, user_id, key)


def outcome(sign: Any, user_id: str, key: str) -> str:
    try:
        return sign(user_id, key)
    except ValueError as error:
        return str(error)


def test_every_file_says_the_same_limits() -> None:
    said = {
        "MAX_USER_BYTES": MAX_REFERENCE_USER_BYTES,
        "MIN_KEY": 32,
        "maxUserBytes": MAX_REFERENCE_USER_BYTES,
        "minKey": 32,
    }
    for path in FOLDER.glob("launch_ready_identity.*"):
        found = re.findall(r"(MAX_USER_BYTES|MIN_KEY|maxUserBytes|minKey) = (\d+)", path.read_text())
        assert len(found) == 2, path
        assert all(said[name] == int(value) for name, value in found), path
    assert f"1 to {MAX_REFERENCE_USER_BYTES} bytes of UTF-8" in (FOLDER / "identity.md").read_text()


SCRIPT = """
import { readFileSync } from "node:fs";
import { signReference } from %(helper)s;
const vectors = JSON.parse(readFileSync(%(vectors)s, "utf8"));
const said = async ({ user_id, key }) => {
  try { return await signReference(user_id, key); } catch (error) { return `${error.name}: ${error.message}`; }
};
const all = [...vectors.sign, ...vectors.refuse_to_sign];
console.log(JSON.stringify(await Promise.all(all.map(said))));
"""


def node() -> tuple[str, tuple[int, int]]:
    """Where Node is, and its version."""
    found = shutil.which("node")
    if found is None:
        pytest.skip("there is no Node here: launch_ready_identity.ts is untested in this run")
    version = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout
    major, minor = re.findall(r"\d+", version)[:2]
    return found, (int(major), int(minor))


def without_types(source: str) -> str:
    """`source` as JavaScript, where Node does not do it itself: the file annotates with these three types only."""
    return re.sub(r": (string|Promise<string>|Uint8Array)(?=[,) ])", "", source)


def test_typescript_signs_and_refuses_each_vector(helper: ModuleType, tmp_path: Path) -> None:
    executable, version = node()
    source = (FOLDER / "launch_ready_identity.ts").read_text()
    options, file = ["--experimental-strip-types", "--no-warnings"], tmp_path / "helper.mts"
    if version < STRIPS_TYPES:
        options, file, source = [], tmp_path / "helper.mjs", without_types(source)
    if version < WEB_CRYPTO:
        options.append("--experimental-global-webcrypto")
    file.write_text(source)
    script = tmp_path / "script.mjs"
    script.write_text(
        SCRIPT % {"helper": json.dumps(f"./{file.name}"), "vectors": json.dumps(f"{FOLDER}/vectors.json")}
    )
    ran = subprocess.run([executable, *options, script], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    expected = [vector["reference"] for vector in VECTORS["sign"]]
    refused = [outcome(helper.sign_reference, each["user_id"], each["key"]) for each in VECTORS["refuse_to_sign"]]
    expected += [f"RangeError: {message}" for message in refused]
    assert json.loads(ran.stdout) == expected
