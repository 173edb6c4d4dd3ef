from random import Random

from hypothesis import given
from hypothesis import strategies as st

from infra.names.naming import former_resources, host_resources, record_resource, record_resources

names = st.sampled_from(["@", "app", "apex", "*", "*.eu", "_dmarc"])
kinds = st.sampled_from(["A", "TXT", "MX"])
lists = st.lists(st.tuples(names, kinds, st.text(max_size=4)), max_size=12, unique=True)


def test_a_record_is_named_after_what_it_stands_at() -> None:
    found = record_resources([("@", "MX", "a."), ("_dmarc", "TXT", "v=DMARC1"), ("*.eu", "A", "192.0.2.1")])
    assert found == ["record-apex-mx", "record-_dmarc-txt", "record-*.eu-a"]


def test_records_of_one_name_and_type_are_told_apart_by_their_content() -> None:
    first, second = record_resources([("@", "TXT", "one"), ("@", "TXT", "two")])
    assert (first, second) == ("record-apex-txt-7692c3", "record-apex-txt-3fc4cc")
    assert first == record_resource("@", "TXT", "one", repeated=True)


def test_a_host_with_several_addresses_counts_them() -> None:
    assert host_resources("@", ["A", "A", "AAAA"]) == ["host-apex-a", "host-apex-a-2", "host-apex-aaaa"]


def test_a_host_called_apex_is_not_the_apex() -> None:
    assert host_resources("apex", ["A"]) != host_resources("@", ["A"])


@given(lists)
def test_no_two_records_share_a_name(records: list[tuple[str, str, str]]) -> None:
    assert len(set(record_resources(records))) == len(records)


@given(lists, st.randoms())
def test_the_order_of_the_list_names_nothing(records: list[tuple[str, str, str]], random: Random) -> None:
    named = dict(zip(records, record_resources(records), strict=True))
    shuffled = sorted(records, key=lambda _: random.random())
    assert dict(zip(shuffled, record_resources(shuffled), strict=True)) == named


@given(lists, st.data())
def test_a_record_that_is_taken_out_renames_no_other_unless_one_is_left_of_its_kind(
    records: list[tuple[str, str, str]], data: st.DataObject
) -> None:
    if not records:
        return
    gone = data.draw(st.sampled_from(records))
    before = dict(zip(records, record_resources(records), strict=True))
    left = [record for record in records if record != gone]
    for record, name in zip(left, record_resources(left), strict=True):
        alone = sum(1 for other in left if other[:2] == record[:2]) == 1
        assert name == before[record] or (alone and record[:2] == gone[:2])


def test_contents_whose_hashes_begin_alike_get_more_digits() -> None:
    alike = [("@", "TXT", text) for text in colliding()]
    one, two = record_resources(alike)
    assert one != two
    assert len(one) == len("record-apex-txt-") + 7


def colliding() -> tuple[str, str]:
    """Two texts whose SHA-256 agree in the first six digits, found once by trying numbers."""
    return "4163", "8864"


@given(lists, st.tuples(names, kinds, st.just("added")))
def test_a_record_that_is_renamed_because_another_came_or_went_is_known_by_its_former_name(
    records: list[tuple[str, str, str]], added: tuple[str, str, str]
) -> None:
    """Made anew it would be refused: Cloudflare has it already, under the former name (error 81058)."""
    fewer, more = records, [*records, added]
    for old, new in ((fewer, more), (more, fewer)):
        known = dict(zip(old, record_resources(old), strict=True))
        for record, name, former in zip(new, record_resources(new), former_resources(new), strict=True):
            assert record not in known or known[record] in (name, former)


@given(lists)
def test_no_two_records_were_the_same_one(records: list[tuple[str, str, str]]) -> None:
    formers = [former for former in former_resources(records) if former]
    assert len(set(formers)) == len(formers)
    assert not set(formers) & set(record_resources(records))
