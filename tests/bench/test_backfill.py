"""The benchmark runs, and what it shows of the command holds at any size."""

from bench.backfill import report


def test_a_killed_backfill_is_finished_and_then_finds_nothing_to_do() -> None:
    about, head, killed, finished, idle, busiest, members, table = report(60, 50)
    assert about == "60 subscriptions, 257 objects; 50 requests a second asked for"
    assert head.split()[-3:] == ["transactions", "members", "progress"]
    assert killed.split()[2] == "-9"
    assert 0 < int(killed.split()[-2]) < 60
    assert finished.split()[4] == idle.split()[4] == "0"
    assert int(finished.split()[-3]) > 0
    assert idle.split()[-3:-1] == ["0", "60"]
    assert "of Stripe's limit of 100 reads" in busiest
    assert members == "members: {'active': 58, 'refunded': 2}, as expected"
    assert table == "the table after the last run: unchanged"
