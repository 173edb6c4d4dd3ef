import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehearsal.errors import EventsError
from rehearsal.replay.values import Found, values

ONE = {"id": "evt_1", "object": "event", "data": {"object": {"id": "sub_1"}}}
TWO = {"id": "evt_2", "object": "event", "data": {"object": {"note": '} ] "quoted" ü \n'}}}


def read(text: str, piece: int = 7) -> list[Found]:
    """What is found in `text` that arrives in pieces."""
    return list(values((text[start : start + piece] for start in range(0, len(text), piece)), "the file"))


def found(text: str) -> list[object]:
    return [each.value for each in read(text)]


PAGE = json.dumps({"object": "list", "data": [ONE, TWO], "has_more": False, "url": "/v1/events"}, indent=2)
FORMS = {
    "JSON lines": f"{json.dumps(ONE)}\n{json.dumps(TWO)}\n",
    "JSON lines with empty lines and carriage returns": f"\r\n{json.dumps(ONE)}\r\n\r\n{json.dumps(TWO)}\r\n",
    "no line end": f"{json.dumps(ONE)}\n{json.dumps(TWO)}",
    "objects without anything between them": json.dumps(ONE) + json.dumps(TWO),
    "pretty objects": f"{json.dumps(ONE, indent=2)}\n{json.dumps(TWO, indent=4)}\n",
    "a list": json.dumps([ONE, TWO]),
    "a pretty list": json.dumps([ONE, TWO], indent=2),
    "a list of lists": json.dumps([[ONE], [], [TWO]]),
    "a page": PAGE,
    "a page whose data comes first": json.dumps({"data": [ONE, TWO], "object": "list"}),
    "a page of Stripe's second API": json.dumps({"data": [ONE, TWO], "next_page_url": None}),
    "two pages": json.dumps({"object": "list", "data": [ONE]}) + "\n" + json.dumps({"object": "list", "data": [TWO]}),
    "a list of pages": json.dumps([{"object": "list", "data": [ONE]}, {"object": "list", "data": [TWO]}]),
    "an empty page and a full one": json.dumps({"object": "list", "data": []}) + PAGE,
}


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS.keys())
@pytest.mark.parametrize("piece", [1, 7, 10_000])
def test_every_form_gives_the_same_objects(text, piece):
    assert [each.value for each in read(text, piece)] == [ONE, TWO]


def test_lines_of_text_around_the_json_are_told_with_their_line():
    text = f"A newer version of the CLI is available\n[warning] old key\n{PAGE}\nDone.\n"
    assert [(each.line, each.is_json) for each in read(text)] == [
        (1, False),
        (2, False),
        (6, True),
        (15, True),
        (28, False),
    ]


def test_values_that_are_no_objects_are_told():
    assert found(f'null\n"text"\n12\n[1, [2]]\n{json.dumps([ONE, 3, None])}') == [
        None,
        "text",
        12,
        [1, [2]],
        ONE,
        3,
        None,
    ]


def test_an_object_has_the_line_where_it_begins():
    text = "\n\n" + json.dumps([ONE, TWO], indent=1) + "\n\n" + json.dumps(ONE)
    assert [each.line for each in read(text)] == [4, 13, 24]


@pytest.mark.parametrize("end", [{"has_more": True}, {"next_page_url": "/v2/core/events?page=2"}])
def test_a_page_that_is_not_the_last_says_so(end):
    assert [each.more for each in read(json.dumps({"data": [ONE], **end}))] == [False, True]


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ('{"id": "evt_1"', "line 1, column 15", "found the end"),
        ('{"id": "evt_1', "line 1, column 8", "unterminated string"),
        ('{"id": "evt_1"}\n{"id": evt_2}', "line 2, column 8", "expecting value, found 'evt_2}'"),
        ('{"id": "evt_1"}\n{\n  "id": 1,\n}', "line 4, column 1", "expected a name in quotation marks, found '}'"),
        ('{"id": "evt_1"},\n{"id": "evt_2"}', "line 1, column 16", "expected a new line or another object, found ','"),
        ('{"id": "evt_1"}\n"id": "evt_2"}', "line 2", "a line may be cut"),
        ('[{"id": "evt_1"} {"id": "evt_2"}]', "line 1, column 18", "expected ',' or ']'"),
        ('[{"id": "evt_1"}', "line 1, column 17", "found the end"),
        ('{"id" "evt_1"}', "line 1, column 7", "expected ':'"),
        ('{"data": [{"id": 1}, {"id":]}', "line 1, column 28", "expecting value"),
        ('{"amount": NaN}', "line 1, column 12", "NaN is no JSON number"),
        ('{"amount": ' + "9" * 5000 + "}", "line 1, column 12", "digits"),
        ('{"id":\n  \x1b[32m"evt_1"\x1b[0m}', "line 2, column 3", "colours off"),
        ('{"a":' + "[" * 100_000, "line 1, column 6", "nested too deeply"),
        ("[" * 100_000 + "{", "line 1", "nested too deeply"),
    ],
)
def test_what_is_not_json_is_refused_with_its_place(text, where, what):
    with pytest.raises(EventsError) as caught:
        read(text, 1000)
    assert f"the file, {where}" in str(caught.value)
    assert what in str(caught.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.lists(st.dictionaries(st.text(max_size=5).filter(lambda name: name != "data"), JSON), max_size=4)


@given(OBJECTS, st.sampled_from([None, 1]), st.booleans(), st.integers(1, 30), st.booleans())
def test_any_objects_come_out_as_they_went_in_however_they_are_cut(objects, indent, as_list, piece, is_ascii):
    if as_list:
        text = json.dumps(objects, indent=indent, ensure_ascii=is_ascii)
    else:
        text = "\n".join(json.dumps(each, indent=indent, ensure_ascii=is_ascii) for each in objects)
    assert [each.value for each in read(text, piece)] == objects


@given(st.text(alphabet='{}[]",: \n\\1atdn'), st.integers(1, 5))
def test_any_text_is_read_or_refused(text, piece):
    try:
        lines = [each.line for each in read(text, piece)]
    except EventsError:
        return
    assert lines == sorted(lines)


def test_a_long_page_is_not_held_in_memory():
    held = 0
    body = json.dumps(ONE)

    def pieces() -> Iterator[str]:
        nonlocal held
        yield '{"object": "list", "data": ['
        for _ in range(1000):
            held += 1
            yield body + ","
        yield body + "]}"

    for each in values(pieces(), "the file"):
        assert each.value == ONE
        held -= 1
        assert held < 5
