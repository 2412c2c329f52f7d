"""Part 3's claims, on numbers made so that each of them holds, and on numbers next to those."""

from types import SimpleNamespace

import pytest

from distill_utils.results.claims import on_the_switch, on_word_order

WOS = {"emotion": (0.1, 90), "sst2": (0.3, 85), "cola": (0.9, 75), "imdb": (0.29, 80)}
ORDER = {"bag": 98.2, "pairs": 90.0, "bilstm": 99.3, "suffices": True, "beats_bert": None}
SWITCH = {"student": 35.0, "alone": 80.0, "switches": {5: (20.0, 81.4), 20: (5.0, 82.5)}, "detector": 1.1}


def order(wos=(), **changes):
    found = {
        name: SimpleNamespace(wos=wos, wos_blog=wos, accuracy=accuracy)
        for name, (wos, accuracy) in (WOS | dict(wos)).items()
    }
    return [claim.verdict for claim in on_word_order(found, **(ORDER | changes))]


def test_what_holds_on_word_order():
    assert order() == 7 * ["held"] + ["not run"]
    assert order(beats_bert=False)[-1] == "did not hold"


@pytest.mark.parametrize(
    ("changes", "broken"),
    [
        ({"wos": {"sst2": (0.05, 85)}}, [0]),
        ({"wos": {"cola": (0.8, 75)}}, [1]),
        ({"wos": {"cola": (0.9, 51)}}, [2]),
        ({"wos": {"imdb": (0.3, 80)}}, [3]),
        ({"bag": 98.1}, [4]),  # which still suffices: 98 of 100 is the rule's
        ({"bag": 97.9, "pairs": 98.2}, [6]),
        ({"bilstm": 99.2}, [5]),
        ({"suffices": False}, [6]),
    ],
)
def test_each_claim_on_word_order_can_fail(changes, broken):
    assert [row for row, verdict in enumerate(order(**changes)) if verdict == "did not hold"] == broken


@pytest.mark.parametrize(
    ("changes", "broken"),
    [
        ({}, []),
        ({"student": 34.9}, [0]),
        ({"switches": {5: (19.9, 81.4), 20: (5.0, 82.5)}}, [1]),
        ({"switches": {5: (20.0, 81.4), 20: (4.9, 82.5)}}, [2]),
        ({"switches": {5: (20.0, 81.3), 20: (5.0, 82.5)}}, [3]),
        ({"switches": {5: (20.0, 81.4), 20: (5.0, 82.4)}}, [3]),
        ({"detector": 0.5}, [4]),
    ],
)
def test_each_claim_on_the_switch_can_fail(changes, broken):
    claims = on_the_switch(**(SWITCH | changes))
    assert [row for row, claim in enumerate(claims) if not claim.held] == broken
