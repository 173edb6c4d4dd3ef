import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.core.desired import Notice
from handlers.core.errors import VendorError
from handlers.destinations.slack import Slack, message, text
from tests.handlers.loopback import Answer


def notice(**details: str) -> Notice:
    return Notice(
        key="payment_failed:in_1",
        kind="payment_failed",
        member_id="mem_1",
        at=1_793_188_800,
        max_age_seconds=86400,
        details=details,
    )


@pytest.fixture
def slack(slack_workspace, slack_server):
    return Slack(
        secret=slack_workspace.key, options={"channel": slack_workspace.channel}, base_url=slack_server.url + "/api"
    )


def test_a_notice_is_posted_once(slack, slack_workspace):
    assert slack.send(notice(amount="19.00 EUR")) == {"channel": "C0123456789", "ts": "1800000000.000001"}
    assert slack_workspace.posted == [message(notice(amount="19.00 EUR"), "C0123456789")]


def test_the_message_says_what_who_and_when():
    shown = message(notice(invoice="in_1", amount_due="19.00 EUR"), "C0123456789")
    assert shown == {
        "channel": "C0123456789",
        "text": "*Payment failed*\nmember: mem_1 · 2026-10-28 12:00 UTC\namount due: 19.00 EUR\ninvoice: in_1",
        "unfurl_links": False,
        "unfurl_media": False,
    }


def test_slacks_control_characters_are_escaped():
    assert "x: &lt;!channel&gt; &amp;" in text(notice(x="<!channel> &"))


def test_a_detail_stays_on_its_line_and_is_bounded():
    shown = text(notice(x="two\nlines", y="y" * 5000))
    assert "x: two lines" in shown
    assert len(shown) < 500


LINK = "https://app.example.com/claim?from=mail&token=" + "lc1_" + "x" * 250


def test_a_claim_link_is_shown_whole_as_operations_hand_it_on():
    assert f"\nclaim: {LINK.replace('&', '&amp;')}" in text(notice(claim=LINK))


@pytest.mark.parametrize(
    "details",
    [{"error": LINK}, {"claim": LINK + " ada@example.com"}, {"claim": "lc1_" + "x" * 50}, {"claim": "<!here>"}],
)
def test_no_other_detail_shows_a_token_or_a_command(details):
    shown = text(notice(**details))
    assert "xxxx" not in shown
    assert "<" not in shown


@settings(deadline=None)
@given(st.emails())
def test_no_email_address_is_shown(address):
    assert f"@{address.rpartition('@')[2]}" not in text(notice(who=address))


@settings(deadline=None)
@given(st.dictionaries(st.text(), st.text(), max_size=3))
def test_no_detail_can_ping_a_channel(details):
    assert "<" not in text(notice(**details))


PERMANENT = ["invalid_auth", "account_inactive", "channel_not_found", "not_in_channel", "is_archived", "missing_scope"]


@pytest.mark.parametrize("code", [*PERMANENT, "msg_too_long", "a_code_of_tomorrow"])
def test_what_only_a_person_can_mend_is_permanent(slack, slack_server, code):
    slack_server.answer = lambda asked: Answer.of({"ok": False, "error": code})
    with pytest.raises(VendorError, match=f"post payment_failed: {code}") as caught:
        slack.send(notice())
    assert (caught.value.permanent, caught.value.unknown) == (True, False)


@pytest.mark.parametrize("code", PERMANENT)
def test_a_known_refusal_says_what_to_do(slack, slack_server, code):
    slack_server.answer = lambda asked: Answer.of({"ok": False, "error": code})
    with pytest.raises(VendorError, match=rf"{code} \(.+\)"):
        slack.send(notice())


@pytest.mark.parametrize(
    ("code", "unknown"),
    [
        ("ratelimited", False),
        ("rate_limited", False),
        ("service_unavailable", False),
        ("request_timeout", False),
        ("internal_error", True),
        ("fatal_error", True),
    ],
)
def test_what_passes_by_itself_is_transient(slack, slack_server, code, unknown):
    slack_server.answer = lambda asked: Answer.of({"ok": False, "error": code}, Retry_After="30")
    with pytest.raises(VendorError) as caught:
        slack.send(notice())
    assert (caught.value.permanent, caught.value.unknown, caught.value.retry_after) == (False, unknown, 30.0)


def test_a_code_that_is_no_code_is_not_repeated(slack, slack_server):
    slack_server.answer = lambda asked: Answer.of({"ok": False, "error": "ada@example.com did it"})
    with pytest.raises(VendorError, match="unnamed_error") as caught:
        slack.send(notice())
    assert "ada" not in str(caught.value)


@pytest.mark.parametrize("channel", [None, "", "#general", "general", 7, "c0123456789"])
def test_a_channel_must_be_an_id(channel):
    with pytest.raises(ValueError, match="slack options"):
        Slack(secret="x", options={"channel": channel}, base_url="http://127.0.0.1:1")
