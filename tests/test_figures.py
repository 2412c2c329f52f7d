"""Figures: what they show, taken back out of the axes; the same bytes for the same figure."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from distill_utils import figures
from distill_utils.scoreboard import Scoreboard


@pytest.fixture(autouse=True)
def look():
    figures.use_style()
    yield
    plt.close("all")


def test_class_balance_shows_shares():
    axes = figures.class_balance(np.array([0, 0, 0, 1]), ("a", "b")).axes[0]
    assert [bar.get_width() for bar in axes.patches] == [25, 75]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["b", "a"]


def test_score_is_relative_to_the_reference_on_a_log_axis():
    board = Scoreboard("emotion", "accuracy", "folder")
    teacher = board.add("MiniLM-L6", 90.0, parameters=(22_000_000, 10_000_000))
    board.add("MLP-D", [81.0, 81.0, 81.0], parameters=(80_374, 374), teacher="MiniLM-L6")
    board.add("BERT", None, parameters=(109_000_000, None), blog=92.0)
    axes = figures.score_against_size(board.results, teacher, title="t").axes[0]
    assert axes.get_xscale() == "log"
    drawn = {(line.get_xdata()[0], round(line.get_ydata()[0], 6)) for line in axes.lines if len(line.get_xdata()) == 1}
    assert {(80_374, 90.0), (22_000_000, 100.0), (109_000_000, 100.0)} <= drawn
    assert any("80K" in text.get_text() for text in axes.texts)


def test_ablation_puts_the_first_row_on_top():
    frame = pd.DataFrame({"change": ["all", "less"], "score": [90.0, 80.0], "std": [0.1, 0.2]})
    axes = figures.ablation(frame, title="t", xlabel="x").axes[0]
    line = axes.lines[0]
    assert dict(zip(line.get_xdata(), line.get_ydata(), strict=True)) == {90.0: 1, 80.0: 0}


def test_confusion_prints_every_count():
    axes = figures.confusion(np.array([[3, 1], [0, 7]]), ("a", "b"), title="t", xlabel="x", ylabel="y").axes[0]
    assert [text.get_text() for text in axes.texts] == ["3", "1", "0", "7"]


def test_saving_twice_gives_the_same_bytes(tmp_path):
    for folder in ("one", "two"):
        figures.save_figure(figures.teacher_student(), "setup", tmp_path / folder)
    one, two = ((tmp_path / folder / "images" / "setup.png").read_bytes() for folder in ("one", "two"))
    assert one == two and one[:4] == b"\x89PNG"
