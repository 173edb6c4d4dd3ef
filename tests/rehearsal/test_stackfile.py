from collections.abc import Callable
from pathlib import Path

import pytest

from rehearsal.errors import StackError
from rehearsal.stackfile import load

CONFIG = """
  sample:domain: {type: string}
  sample:days: {type: integer, default: 7}
  sample:live: {type: boolean, default: true}
  sample:hosts: {type: array, items: {type: string}, default: []}
  sample:mail: {type: object, default: {policy: none}}
  sample:apiKey: {type: string, secret: true}
"""


def _load(project: Callable[..., Path], stack: str, **overrides: object) -> dict[str, str]:
    return dict(load(project("", config=CONFIG, stack=stack), "prod", overrides).values)


def _refused(project: Callable[..., Path], stack: str) -> str:
    with pytest.raises(StackError) as caught:
        _load(project, stack)
    assert caught.value.exit_code == 4
    return str(caught.value)


def test_defaults_join_what_the_stack_sets(project: Callable[..., Path]) -> None:
    values = _load(project, "config: {aws:region: eu-west-1, sample:domain: a.example, sample:days: 3}")
    assert values == {
        "aws:region": "eu-west-1",
        "sample:apiKey": "rehearsal-made-up-secret-apiKey",
        "sample:days": "3",
        "sample:domain": "a.example",
        "sample:hosts": "[]",
        "sample:live": "true",
        "sample:mail": '{"policy": "none"}',
    }


def test_secrets_are_made_up_whatever_the_file_seals(project: Callable[..., Path]) -> None:
    root = project("", config=CONFIG, stack="config: {sample:domain: a, sample:apiKey: {secure: v1:abc:def}}")
    config = load(root, "prod")
    assert config.values["sample:apiKey"] == "rehearsal-made-up-secret-apiKey"
    assert config.secret_keys == {"sample:apiKey"}


def test_overrides_win_and_need_no_namespace(project: Callable[..., Path]) -> None:
    values = _load(project, "config: {domain: a.example}", apiKey="sk_test_1", days=1)
    assert (values["sample:apiKey"], values["sample:days"], values["sample:domain"]) == ("sk_test_1", "1", "a.example")


def test_on_and_off_are_texts_as_for_the_engine(project: Callable[..., Path]) -> None:
    values = _load(project, "config: {sample:domain: off, sample:mail: {a: on, b: No, c: true}, sample:live: False}")
    assert (values["sample:domain"], values["sample:live"]) == ("off", "false")
    assert values["sample:mail"] == '{"a": "on", "b": "No", "c": true}'
    assert "must be of type 'boolean', got \"yes\"" in _refused(project, "config: {sample:domain: a, sample:live: yes}")


def test_every_problem_is_told_at_once(project: Callable[..., Path]) -> None:
    message = _refused(project, "config: {sample:days: many, sample:live: 3, sample:hosts: [a, 2], sample:domian: x}")
    assert message.splitlines() == [
        "Pulumi.prod.yaml: 5 problems",
        "  - sample:days: must be of type 'integer', got \"many\"",
        "  - sample:live: must be of type 'boolean', got 3",
        "  - sample:hosts[1]: must be of type 'string', got 2",
        "  - sample:domian: is not a key of this project; did you mean sample:domain?",
        "  - sample:domain: is missing; set it in Pulumi.prod.yaml",
    ]


def test_keys_of_providers_are_their_own_business(project: Callable[..., Path]) -> None:
    assert _load(project, "config: {sample:domain: a, cloudflare:apiToken: x}")["cloudflare:apiToken"] == "x"


def test_a_secret_in_plain_text_is_refused_without_showing_it(project: Callable[..., Path]) -> None:
    message = _refused(project, "config: {sample:domain: a, sample:apiKey: sk_live_1}")
    assert "sample:apiKey: is a secret in plain text" in message
    assert "sk_live_1" not in message


def test_a_sealed_value_of_a_plain_key_is_refused(project: Callable[..., Path]) -> None:
    assert "does not declare it `secret: true`" in _refused(project, "config: {sample:domain: {secure: v1:a:b}}")


def test_a_missing_stack_names_those_that_exist(project: Callable[..., Path]) -> None:
    with pytest.raises(StackError, match=r"Pulumi\.stage\.yaml does not exist; stacks here: Pulumi\.prod\.yaml"):
        load(project("", config=CONFIG), "stage")


def test_a_missing_project_is_said(tmp_path: Path) -> None:
    with pytest.raises(StackError, match=r"Pulumi\.yaml does not exist"):
        load(tmp_path, "prod")


def test_malformed_yaml_is_told_with_its_line(project: Callable[..., Path]) -> None:
    assert "is not valid YAML at line 3, column 1" in _refused(project, "config:\n  a: [1\n")
    assert "must hold a mapping, got list" in _refused(project, "- a\n")
    assert "`config` must be a mapping, got str" in _refused(project, "config: text\n")


def test_a_type_that_pulumi_does_not_know_is_refused(project: Callable[..., Path]) -> None:
    with pytest.raises(StackError, match="has type 'number', which is none of string, integer"):
        load(project("", config="{sample:n: {type: number}}"), "prod")
