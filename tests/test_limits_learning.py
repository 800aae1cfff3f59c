"""What the controller makes of a limit that it can only meet: simulated minutes, and the decisions one by one."""

from __future__ import annotations

from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from server_limit import KINDS, Kind, Simulation

from kantata_async.limits.curve import RateCurve
from kantata_async.limits.limit import SCOUT_SECONDS, Limit, learn


@pytest.mark.parametrize(("limit", "seed"), [*product((5, 20), range(4)), *product((100,), range(2))])
@pytest.mark.parametrize("kind", KINDS)
def test_a_hidden_limit_is_found_and_kept(kind: Kind, limit: int, seed: int) -> None:
    """After 15 seconds, for 60: at least 92 % of it, at most 1 % refused, and none refused twice in a row."""
    run = Simulation(kind, limit, seed=seed).until(75)
    assert run.passed(15, 75) >= 0.92 * limit * 60
    assert run.refused_share(15, 75) <= 0.01
    assert run.refused_twice == 0


@pytest.mark.parametrize(
    ("first", "then", "seed"),
    [
        *((*change, seed) for change, seed in product(((20, 10), (20, 40)), range(1, 5))),
        *((*change, seed) for change, seed in product(((100, 50), (50, 100)), range(1, 3))),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_a_changed_limit_is_found_again(kind: Kind, first: int, then: int, seed: int) -> None:
    """Halved or doubled: within 15 seconds at least 85 % of it goes through, over three."""
    at = 40 + 1.37 * seed
    run = Simulation(kind, first, seed=seed, changes=[(at, then)]).until(at + 20)
    found = (
        second
        for second in range(150)
        if run.passed(at + second / 10, at + second / 10 + 3) >= 0.85 * then * 3
        and run.refused_share(at + second / 10, at + second / 10 + 3) <= 0.05
    )
    assert next(found) / 10 <= 15
    assert run.refused_twice == 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_limit_beside_the_general_one_is_used(kind: Kind) -> None:
    """Own 2/s beside 20/s: at least 1.4 a second of it, at most 5 % refused, and the others have theirs."""
    own = others = 0.0
    for seed in range(4):
        simulation = Simulation(kind, 20, seed=seed, own=2)
        others += simulation.until(75).passed(15, 75) / 60 / 4
        run = simulation.runs["own"]
        own += run.passed(15, 75) / 60 / 4
        assert run.refused_share(15, 75) <= 0.05
    assert own >= 1.4
    assert others >= 0.9 * (20 - own)


@pytest.mark.parametrize(("limit", "per", "least"), [(50, 10.0, 0.7), (300, 60.0, 0.55)])
def test_a_long_window_is_found_out(limit: int, per: float, least: float) -> None:
    """Spent in its beginning, it refuses for long; what went through in all of it then is the rate."""
    run = Simulation("fixed_window", limit, per=per, seed=1).until(400)
    assert run.passed(200, 400) >= least * limit / per * 200
    assert run.refused_share(200, 400) <= 0.05
    assert run.refused_twice == 0


def test_before_anything_is_known_it_starts_modestly_and_climbs() -> None:
    """Doubling, up to what is allowed."""
    curve = RateCurve(wall=10, ceiling=35)
    assert curve.rate(0) == 10
    assert curve.rate(1.5) == 20
    assert curve.rate(60) == 35


def test_after_a_meeting_it_restarts_with_a_ramp_and_ends_beyond_the_wall() -> None:
    """Never a jump: quickly to just under, slowly along, then past it."""
    curve = RateCurve(wall=100, met=True, hold=8)
    rates = [curve.rate(tenth / 10) for tenth in range(100)]
    assert rates == sorted(rates)
    assert rates[0] == pytest.approx(85)
    assert rates[10] == pytest.approx(97)
    assert rates[54] < 100 < rates[70]
    assert max(later - earlier for earlier, later in pairwise(rates[:80])) < 2


@given(
    wall=st.floats(0.02, 9000),
    hold=st.floats(3.5, 120),
    climb=st.floats(0, 1e6),
    sent=st.integers(0, 100_000),
    elapsed=st.floats(0, 1e5),
    met=st.booleans(),
    before=st.none() | st.floats(0.02, 9000),
)
def test_a_refusal_never_raises_the_rate_at_which_it_came(
    wall: float, hold: float, climb: float, sent: int, elapsed: float, met: bool, before: float | None
) -> None:
    """Whatever else it teaches, the restart is slower; and no rate is none."""
    curve = RateCurve(wall=wall, met=met, hold=hold, before=before)
    after = curve.refused(climb=climb, sent=sent, elapsed=elapsed)
    assert 0 < after.rate(0) <= max(1 / 60, curve.rate(climb), before or 0)
    assert after.met


def test_a_given_rate_learns_nothing() -> None:
    """A fixed limit stays what it is."""
    curve = RateCurve.given(5)
    assert curve.refused(climb=3, sent=4, elapsed=1) is curve
    assert curve.blocked(sent=4, elapsed=1) is curve


@pytest.mark.parametrize(
    ("sent", "elapsed", "wall"), [(0, 34.0, 3.0), (30, 60.0, 3.0), (300, 60.0, 5.0), (900, 60.0, 10.0)]
)
def test_a_long_refusal_is_not_believed_all_at_once(sent: int, elapsed: float, wall: float) -> None:
    """What was let through until it ended bounds the limit; but others may have used the account up meanwhile."""
    assert RateCurve(wall=10.0, met=True).blocked(sent=sent, elapsed=elapsed).wall == pytest.approx(wall)


def test_a_refusal_pauses_and_one_scout_goes_first() -> None:
    """Nothing goes in the pause; then one, and no other before its answer, or before it has been waited for enough."""
    limit = Limit(RateCurve.given(100))
    limit.take(0.0)
    limit.turn_down(0.0, 0.01)
    assert limit.wait(0.02, again=False) > 0
    ready = 0.01 + limit.wait(0.01, again=False)
    limit.take(ready)
    assert limit.wait(ready + 0.5, again=False) == pytest.approx(SCOUT_SECONDS - 0.5)
    limit.let_through(ready, ready + 0.02)
    assert limit.wait(ready + 0.02, again=True) <= 0


def test_one_that_was_refused_is_not_the_scout_while_another_may_be() -> None:
    """It goes by itself only after the others could have, and the refusal must be over."""
    limit = Limit(RateCurve.given(100))
    limit.take(0.0)
    limit.turn_down(0.0, 0.01)
    assert limit.wait(0.01, again=True) > limit.wait(0.01, again=False)
    assert limit.wait(0.01, again=True) > 1.0


def test_a_scout_that_is_refused_makes_the_pause_longer() -> None:
    """At least doubled each time, up to a minute."""
    limit = Limit(RateCurve.given(10))
    now, pauses = 0.0, []
    for _ in range(9):
        limit.take(now)
        limit.turn_down(now, now + 0.01)
        pauses.append(limit.wait(now + 0.01, again=False))
        now += 0.01 + pauses[-1]
    assert pauses[1:7] == pytest.approx([1, 2, 4, 8, 16, 32], abs=0.1)
    assert pauses[-1] == pytest.approx(60)


@pytest.mark.parametrize(("refused", "wall"), [([], 10), ([1.1], 10), ([1.1, 3.2], 3)])
def test_only_scouts_that_are_refused_show_that_a_refusal_lasts(refused: list[float], wall: float) -> None:
    """Not the seconds for which the client itself paused, or had nothing to send."""
    limit = Limit(RateCurve(10, met=True, hold=3.5), climb=3.0)
    for left in (0.0, *refused):
        limit.take(left)
        limit.turn_down(left, left + 0.01)
    limit.take(9.0)
    limit.let_through(9.0, 9.01)
    assert limit.curve.wall == pytest.approx(wall, rel=0.02)


def test_those_on_their_way_when_one_is_refused_teach_nothing_more() -> None:
    """One meeting of the wall is one lesson, however many it hits; what was let through is counted all the same."""
    limit = Limit(RateCurve(wall=50, met=True))
    for number in range(4):
        limit.take(number / 100)
    limit.turn_down(0.0, 0.05)
    learnt = limit.curve
    for number in range(1, 4):
        limit.turn_down(number / 100, 0.05 + number / 100)
    assert limit.curve == learnt
    assert limit.sent == 0


def test_retry_after_is_the_least_pause() -> None:
    """For all, also when it comes with an answer that teaches nothing."""
    limit = Limit(RateCurve())
    limit.take(0.0)
    limit.take(0.1)
    limit.turn_down(0.0, 0.2, retry_after=7)
    assert limit.wait(0.2, again=False) == pytest.approx(7)
    limit.turn_down(0.1, 0.3, retry_after=9)
    assert limit.wait(0.3, again=False) == pytest.approx(9)


def test_no_time_without_requests_that_wait_counts_as_climbing() -> None:
    """A rate that nobody asks for proves nothing."""
    limit = Limit(RateCurve(wall=10))
    for second in range(1, 100):
        limit.take(float(second))
    assert limit.rate == 10


def test_a_429_counts_against_the_narrowest_limit() -> None:
    """The wider one is not blamed, and does not count what was not let through; a success ends the pauses of both."""
    wide, narrow = Limit(RateCurve(wall=100)), Limit(RateCurve(wall=10))
    for limit in (wide, narrow):
        limit.take(0.0)
    learn([wide, narrow], 0.0, 0.1, refused=True, retry_after=None)
    assert (wide.blocked, wide.sent) == (None, 0)
    assert narrow.blocked == 0.0
    learn([wide, narrow], 5.0, 5.1, refused=False, retry_after=None)
    assert narrow.blocked is None


def test_what_left_as_a_refusal_was_taken_in_is_no_scout() -> None:
    """By a coarse clock both happen at once; only what left later shows that the pause is over."""
    limit = Limit(RateCurve(wall=10, met=True))
    limit.take(0.0)
    limit.take(0.1)
    limit.turn_down(0.0, 0.1)
    limit.let_through(0.1, 0.2)
    assert limit.blocked == 0.0
