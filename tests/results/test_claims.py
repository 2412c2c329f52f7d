"""Part 3's claims, on numbers made so that each of them holds, and on numbers next to those."""

from types import SimpleNamespace

import pandas as pd
import pytest

from distill_utils.results.claims import (
    line_through_the_blog,
    on_the_switch,
    on_word_order,
    sensitivity_table,
    switch_table,
)

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


def test_the_blogs_switches_stand_beside_ours_on_real_data():
    here = {"teacher": (1, 94.1), "switch, 5% hard": (17.3, 88.1), "one of ours": (0.48, 93.0)}
    table = switch_table(here, "folder")
    assert table.columns == ["model", "speed-up", "accuracy", "blog: speed-up", "blog: accuracy"]
    assert table.rows[1:] == [
        ["switch, 5% hard", "17x", "88.1", "20x", "91.4"],
        ["one of ours", "0.5x", "93.0", "", ""],
    ]
    assert "DistilBERT 90.4 at 2x" in table.note and "5% hard" not in table.note
    table = switch_table(here, "miniature")
    assert table.columns == ["model", "speed-up", "accuracy"] and table.note == ""


def test_the_line_goes_through_the_blogs_three_tasks():
    for wos, keeps in ((0.14, 100 * 91.8 / 93), (0.34, 100 * 86 / 93), (0.99, 100 * 10 / 52.8)):
        assert line_through_the_blog(wos) == pytest.approx(keeps)
    assert line_through_the_blog(0.24) == pytest.approx(100 * (91.8 + 86) / 2 / 93)  # half-way
    assert line_through_the_blog(0.0) == pytest.approx(100 * 91.8 / 93)


def test_the_blogs_sensitivities_stand_beside_those_of_single_words():
    row = {"n_texts": 168, "n_classes": 6, "accuracy": 77.5, "flips": 17.44, "wos_blog": 0.45, "wos": 0.27}
    row |= {"low": 0.222, "high": 0.32}
    frame = pd.DataFrame([{"task": "emotion", "n": 1} | row, {"task": "emotion", "n": 2} | row])
    table = sensitivity_table(frame, "folder")
    assert table.columns == ["task", "n", "texts", "p", "flips %", "WOS (/50)", "WOS (K)", "low", "high", "blog"]
    assert table.rows[0] == ["emotion", "1", "168", "77.5", "17.4", "0.45", "0.27", "0.22", "0.32", "0.14"]
    assert [row[-1] for row in table.rows] == ["0.14", ""]
    assert "blog" not in sensitivity_table(frame, "miniature").columns
