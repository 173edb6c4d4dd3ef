import copy
import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from checks import contract
from checks.errors import UsageError


def paths(value, prefix=()):
    """The path of every key in a document, the first item of a list standing for all."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield (*prefix, key)
            yield from paths(inner, (*prefix, key))
    elif isinstance(value, list) and value:
        yield from paths(value[0], (*prefix, 0))


SAMPLE = json.loads((Path(__file__).parent / "contract.json").read_text(encoding="utf-8"))


def test_the_schema_is_a_valid_schema():
    Draft202012Validator.check_schema(contract.schema())


def test_a_contract_is_read_whole_and_cannot_be_changed(document):
    parsed = contract.parse(document)

    assert parsed.model_dump(mode="json") == document
    with pytest.raises(ValueError, match="frozen"):
        setattr(parsed, "domain", "other.example")  # noqa: B010 - the type checker forbids the plain form too


@pytest.mark.parametrize("path", list(paths(SAMPLE)), ids=lambda path: ".".join(map(str, path)))
def test_every_key_is_required(document, path):
    broken = copy.deepcopy(document)
    holder = broken
    for step in path[:-1]:
        holder = holder[step]
    del holder[path[-1]]

    with pytest.raises(UsageError, match=f"'{path[-1]}' is a required property"):
        contract.parse(broken)


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("domain",), "Not A Host", "domain: 'Not A Host' does not match"),
        (("livemode",), "true", "livemode: 'true' is not of type 'boolean'"),
        (("edge", "ssl"), "strictest", "edge.ssl: 'strictest' is not one of"),
        (("hosts", 1, "ttl"), 0, r"hosts\[1\]\.ttl: 0 is less than the minimum of 1"),
        (("mail", "bimi"), "v=BIMI1", "mail.bimi: 'v=BIMI1' is not of type 'object', 'null'"),
        (("endpoints", "webhook"), "http://x.example/", "endpoints.webhook: .* does not match"),
        (("surprise",), 1, "'surprise' was unexpected"),
    ],
)
def test_what_is_wrong_is_named_with_its_path(document, path, value, said):
    holder = document
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = value

    with pytest.raises(UsageError, match=said):
        contract.parse(document)


def test_everything_that_is_wrong_is_said_at_once(document):
    document["version"] = 2
    document["region"] = "nowhere"

    with pytest.raises(UsageError) as raised:
        contract.parse(document)

    assert "version" in str(raised.value)
    assert "region" in str(raised.value)


@pytest.mark.parametrize("part", ["mta_sts", "tls_rpt", "bimi"])
def test_what_is_not_declared_may_be_null(document, part):
    document["mail"][part] = None
    document["edge"]["hsts"] = None

    assert getattr(contract.parse(document).mail, part) is None


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"cannot read the contract .*missing\.json: No such file"):
        contract.load(tmp_path / "missing.json")


@pytest.mark.parametrize(("text", "said"), [("{", "is not JSON"), ("[]", "must be a JSON object, got list")])
def test_a_file_that_is_no_contract_is_named(tmp_path, text, said):
    path = tmp_path / "contract.json"
    path.write_text(text)

    with pytest.raises(UsageError, match=said):
        contract.load(path)


def test_a_file_is_loaded(tmp_path, document):
    path = tmp_path / "contract.json"
    path.write_text(json.dumps(document))

    assert contract.load(path) == document
