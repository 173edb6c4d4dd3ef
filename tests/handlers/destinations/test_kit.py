import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handlers.core.desired import Desired
from handlers.core.errors import VendorError
from handlers.destinations.kit import Kit
from tests.handlers.loopback import Answer

EMAIL = "ada.lovelace@example.com"
TAGS = {"member_active": 11, "level:pro": 12, "level:team": 13}
FOREIGN = 99  # a tag that the founder gave by hand


def desired(*labels: str, email: str | None = EMAIL) -> Desired:
    return Desired(member_id="mem_1", email=email, labels=frozenset(labels), version=1)


@pytest.fixture
def kit(kit_account, kit_server):
    return Kit(secret=kit_account.key, options={"tags": TAGS}, base_url=kit_server.url + "/v4")


@pytest.fixture
def writes(kit_server):
    """What was written at Kit so far."""
    return lambda: [(asked.method, asked.path) for asked in kit_server.asked if asked.method != "GET"]


def test_a_new_member_becomes_a_subscriber_with_tags(kit, kit_account, kit_server):
    remote = kit.bring(desired("member_active", "level:pro"), {})
    (id_,) = kit_account.subscribers
    assert remote == {"subscriber_id": str(id_)}
    assert kit_account.subscribers[id_] == EMAIL
    assert sorted(kit_account.tagged[id_]) == [11, 12]
    assert kit_server.asked[0].json() == {"email_address": EMAIL}  # a name that somebody gave at Kit stays


def test_a_second_run_writes_nothing(kit, writes):
    remote = kit.bring(desired("member_active"), {})
    before = writes()
    assert kit.bring(desired("member_active"), remote) == remote
    assert writes() == before


def test_a_run_that_was_cut_off_before_it_was_recorded_is_repeated_safely(kit, kit_account):
    first = kit.bring(desired("member_active"), {})
    assert kit.bring(desired("member_active"), {}) == first
    assert list(kit_account.tagged.values()) == [[11]]


def test_tags_that_are_no_longer_due_go_and_foreign_ones_stay(kit, kit_account):
    id_ = kit_account.add(EMAIL, FOREIGN, 12, 13)
    kit.bring(desired("member_active", "level:pro"), {"subscriber_id": str(id_)})
    assert sorted(kit_account.tagged[id_]) == [11, 12, FOREIGN]


def test_labels_that_the_options_do_not_name_are_none_of_kits_business(kit, kit_account, writes):
    assert kit.bring(desired("level:unknown"), {}) == {}
    assert writes() == []
    assert kit_account.subscribers == {}


def test_a_member_without_labels_who_is_at_kit_loses_the_tags_even_if_the_id_was_never_recorded(kit, kit_account):
    id_ = kit_account.add(EMAIL, 11, FOREIGN)
    assert kit.bring(desired(), {}) == {"subscriber_id": str(id_)}
    assert kit_account.tagged[id_] == [FOREIGN]


def test_an_address_with_a_plus_is_found(kit, kit_account):
    id_ = kit_account.add("ada+list@example.com", 11)
    assert kit.bring(desired(email="ada+list@example.com"), {}) == {"subscriber_id": str(id_)}
    assert kit_account.tagged[id_] == []


def test_a_subscriber_deleted_at_kit_is_made_again(kit, kit_account):
    remote = kit.bring(desired("member_active"), {"subscriber_id": "7"})
    (id_,) = kit_account.subscribers
    assert remote == {"subscriber_id": str(id_)}
    assert kit_account.tagged[id_] == [11]


def test_without_an_address_there_is_nothing_to_take_away(kit, writes):
    assert kit.bring(desired(email=None), {}) == {}
    assert writes() == []


def test_labels_without_an_address_need_a_person(kit):
    with pytest.raises(VendorError, match="mem_1 has labels but no e-mail") as caught:
        kit.bring(desired("member_active", email=None), {})
    assert caught.value.permanent


def test_a_known_subscriber_needs_no_address(kit, kit_account):
    id_ = kit_account.add(EMAIL)
    kit.bring(desired("member_active", email=None), {"subscriber_id": str(id_)})
    assert kit_account.tagged[id_] == [11]


def test_a_tag_that_is_gone_meanwhile_counts_as_removed(kit, kit_account, kit_server):
    id_ = kit_account.add(EMAIL, 12)
    kit_server.answer = lambda asked: (
        Answer.of({"errors": ["Not Found"]}, 404) if asked.method == "DELETE" else kit_account(asked)
    )
    assert kit.bring(desired(), {"subscriber_id": str(id_)}) == {"subscriber_id": str(id_)}


def test_a_tag_id_that_kit_does_not_know_needs_a_person(kit, kit_account):
    kit_account.tag_ids.remove(11)
    with pytest.raises(VendorError, match="add tag 11: HTTP 404: Not Found") as caught:
        kit.bring(desired("member_active"), {})
    assert caught.value.permanent


def test_kits_words_are_passed_on_without_the_address(kit):
    with pytest.raises(VendorError, match="HTTP 422: Email address") as caught:
        kit.bring(desired("member_active", email="ada.lovelace"), {})
    assert caught.value.permanent


def test_kits_plain_text_429_is_transient(kit, kit_server):
    kit_server.answer = lambda asked: Answer(429, b"Too Many Requests", {"Content-Type": "text/plain"})
    with pytest.raises(VendorError, match="create subscriber: HTTP 429") as caught:
        kit.bring(desired("member_active"), {})
    assert (caught.value.permanent, caught.value.retry_after, caught.value.unknown) == (False, None, False)


def test_pages_without_end_are_given_up(kit, kit_account, kit_server):
    id_ = kit_account.add(EMAIL)
    page = {"tags": [], "pagination": {"has_next_page": True, "end_cursor": "same"}}
    kit_server.answer = lambda asked: Answer.of(page)
    with pytest.raises(VendorError, match="more than 20 pages"):
        kit.bring(desired(), {"subscriber_id": str(id_)})


@pytest.mark.parametrize(
    "data",
    [
        [],
        {},
        {"tags": None},
        {"tags": [{"name": "x"}], "pagination": {}},
        {"tags": [7], "pagination": {}},
        {"tags": []},
    ],
)
def test_an_answer_of_another_shape_is_not_taken_for_no_tags(kit, kit_account, kit_server, data):
    id_ = kit_account.add(EMAIL)
    kit_server.answer = lambda asked: Answer.of(data)
    with pytest.raises(VendorError, match="unexpected body"):
        kit.bring(desired(), {"subscriber_id": str(id_)})


labels = st.frozensets(st.sampled_from([*TAGS, "level:unknown"]))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from([11, 12, 13, FOREIGN]), unique=True), labels, st.booleans())
def test_from_any_tags_it_arrives_at_the_desired_ones_and_stays(kit, kit_account, writes, present, wanted, recorded):
    kit_account.subscribers.clear()
    id_ = kit_account.add(EMAIL, *present)
    remote = kit.bring(desired(*wanted), {"subscriber_id": str(id_)} if recorded else {})
    expected = {TAGS[label] for label in wanted & set(TAGS)} | ({FOREIGN} & set(present))
    assert set(kit_account.tagged[id_]) == expected
    before = writes()
    kit.bring(desired(*wanted), remote)
    assert writes() == before


@pytest.mark.parametrize(
    "options",
    [{}, {"tags": {}}, {"tags": [1]}, {"tags": {"a": "1"}}, {"tags": {"a": True}}, {"tags": {"a": 0}}],
)
def test_wrong_options_are_named(options):
    with pytest.raises(ValueError, match="kit options: "):
        Kit(secret="x", options=options, base_url="http://127.0.0.1:1")
