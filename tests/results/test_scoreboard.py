"""Scores, the paired test, and results as data."""

import json

import numpy as np
import pytest

from distill_utils.results.claims import BLOG, Claim, claims_table, reported
from distill_utils.results.scoreboard import METRICS, TITLES, Scoreboard, human_count, paired_bootstrap, score
from distill_utils.texts import tasks


def test_matthews_correlation_by_hand():
    labels, predictions = np.array([1, 1, 1, 0, 0]), np.array([1, 1, 0, 0, 1])
    tp, tn, fp, fn = 2, 1, 1, 1
    expected = 100 * (tp * tn - fp * fn) / np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
    assert score("matthews_correlation", labels, predictions) == pytest.approx(expected)
    assert score("accuracy", labels, predictions) == pytest.approx(60)


def test_paired_bootstrap_agrees_with_the_normal_approximation():
    random = np.random.default_rng(0)
    a, b = random.random(2000) < 0.9, random.random(2000) < 0.88
    difference, low, high = paired_bootstrap(a, b)
    each = a.astype(float) - b
    error = 100 * each.std() / np.sqrt(len(each))
    assert difference == pytest.approx(100 * each.mean())
    assert low == pytest.approx(difference - 1.96 * error, abs=0.1)
    assert high == pytest.approx(difference + 1.96 * error, abs=0.1)


def test_paired_bootstrap_averages_seeds():
    a = np.array([[1, 1, 0, 1], [1, 0, 0, 1]])
    difference, low, high = paired_bootstrap(a, np.array([1, 0, 0, 1]))
    assert difference == pytest.approx(100 * 0.5 / 4) and low <= difference <= high


def test_a_board_keeps_one_row_a_model_and_writes_it(tmp_path):
    board = Scoreboard("emotion", "accuracy", "folder")
    board.add("MLP", [80.0, 82.0, 84.0], parameters=(80374, 374), blog=86.0, train_seconds=1.234)
    board.add("BERT", None, blog=92.4)
    board.add("MLP", [81.0, 82.0, 83.0], parameters=(80374, 374), blog=86.0, train_seconds=1.26)
    board.save(tmp_path / "results" / "part1.json")
    rows = json.loads((tmp_path / "results" / "part1.json").read_text())
    assert {row["model"] for row in rows} == {"MLP", "BERT"} and len(rows) == 2
    mlp, bert = board["MLP"], board["BERT"]
    assert (mlp.score, mlp.score_std, mlp.n_seeds, mlp.train_seconds) == (82.0, 1.0, 3, 1.3)
    assert (bert.score, bert.n_seeds, bert.data_source) == (None, 0, "the blog")
    board.add("a table of answers", None)
    table = board.table(highlight="MLP")
    assert table.rows == [  # what only the blog has run is no row
        ["→ MLP", "82.0 ± 1.0", "86.0", "80K", "374", "", "folder"],
        ["a table of answers", "no answers", "", "", "", "", "no answers"],
    ]
    assert table.note == ("In the blog: BERT 92.4. These checkpoints come from the hub; the profile full runs them.")
    assert Scoreboard("own", "accuracy", "file").table().note == ""


def test_claims_say_what_became_of_them():
    verdicts = [Claim("x", "y", held).verdict for held in (True, False, None)]
    assert verdicts == ["held", "did not hold", "not run"]
    table = claims_table([Claim("a", "b", False)], teacher="MPNet-base", source="folder")
    assert table.rows == [["a", "b", "did not hold"]] and table.columns[1] == "measured, teacher MPNet-base"


def test_generated_texts_judge_nothing():
    table = claims_table([Claim("a", "b", False)], teacher="MiniLM-L6", source="miniature")
    assert table.rows == [["a", "b"]] and table.columns[0].startswith("GENERATED TEXTS: THEY JUDGE NOTHING.")
    assert not any("blog" in column or "verdict" in column.split() for column in table.columns)
    assert reported("part1", "miniature") == {}
    assert reported("part1", "folder") == reported("part1", "hub") == BLOG["part1"]


def test_counts_for_people():
    assert [human_count(n) for n in (None, 374, 80374, 22_715_910)] == ["", "374", "80K", "22.7M"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: score("accuracy", [0, 1], [0, 1, 1]), "2 texts and 3 predictions: give one a text"),
        (lambda: score("accuracy", [], []), "labels=0: give"),
        (lambda: score("f1", [0], [0]), "unknown metric 'f1': use one of accuracy, macro_f1, matthews_correlation"),
        (lambda: score("accuracy", ["a", "b"], [0, 1]), "labels are class numbers, not such as 'a'"),
        (lambda: score("accuracy", [0, 1], np.eye(2)), r"predictions of shape \(2, 2\)"),
        (lambda: paired_bootstrap([], []), r"outcomes of shape \(0,\) and \(0,\): give both for the same texts"),
        (lambda: paired_bootstrap([1, 0], [1]), r"outcomes of shape \(2,\) and \(1,\): give"),
        (lambda: paired_bootstrap(np.ones((2, 3)), np.ones(2)), r"outcomes of shape \(2, 3\) and \(2,\): give"),
        (lambda: paired_bootstrap([1, 2], [0, 1]), "outcomes are 0 .wrong. and 1 .right."),
        (lambda: paired_bootstrap([1, 0], [0, 1], draws=0), "draws=0: give"),
    ],
)
def test_numbers_that_cannot_be_compared_are_named(call, message):
    with pytest.raises(ValueError, match=message) as error:
        call()
    assert "\n" not in str(error.value)


def test_macro_f1_by_hand():
    labels, predictions = [0, 0, 0, 0, 1, 2], [0, 0, 0, 1, 1, 0]
    # Class 0: 3 of 4 found, 3 of 4 named are right, F1 3/4. Class 1: precision 1/2, recall 1, F1 2/3. Class 2: 0.
    assert score("macro_f1", labels, predictions) == pytest.approx(100 * (3 / 4 + 2 / 3 + 0) / 3)


def test_metrics_are_those_of_tasks_each_with_its_title():
    assert tuple(METRICS) == tuple(TITLES) == tasks.METRICS
    for metric, title in TITLES.items():
        board = Scoreboard("mine.csv", metric, "file")
        board.add("MLP", 50.0)
        assert board.table().columns[1] == f"{title} %"
    assert TITLES["macro_f1"] == "macro-F1"
