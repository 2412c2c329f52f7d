"""Figures: what they show, taken back out of the axes; the same bytes for the same figure."""

from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.path import Path
from matplotlib.text import Text

from distill_utils.results import figures, lettering
from distill_utils.results.scoreboard import Scoreboard


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
    board.add("DistilBERT", None, parameters=(67_000_000, None), blog=46.0)
    axes = figures.score_against_size(board.results, teacher, title="t").axes[0]
    assert {(109_000_000, 100.0), (67_000_000, 50.0)} <= drawn(axes)  # the blog's own teacher is the largest it names
    board.add("RoBERTa", None, parameters=(125_000_000, None), blog=92.0)
    board.add("BERT", None, parameters=(109_000_000, None), blog=69.0)
    figure = figures.score_against_size(board.results, teacher, title="t")
    axes = figure.axes[0]
    assert {(125_000_000, 100.0), (109_000_000, 75.0)} <= drawn(axes)
    assert "the blog's, relative to its own RoBERTa" in legend(figure)
    assert axes.get_xscale() == "log"
    assert {(80_374, 90.0), (22_000_000, 100.0)} <= drawn(axes)
    assert any("80K" in text.get_text() for text in axes.texts)


def test_crowded_names_cover_neither_points_nor_each_other():
    board = Scoreboard("emotion", "accuracy", "folder")
    teacher = board.add("MiniLM-L6", 88.4, parameters=(22_700_000, 10_000_000))
    scores = {"MLP, hard labels": 80.4, "MLP, hard pseudo-labels": 81.1, "MLP-D": 81.6, "MLP-D, bag of words": 81.7}
    for model, score in scores.items():
        board.add(model, [score, score + 0.3], parameters=(80_162, 162), teacher="MiniLM-L6")
    board.add("Bi-LSTM, hard labels", 81.1, parameters=(2_300_000, 300_000))
    board.add("Bi-LSTM-D", 81.2, parameters=(2_300_000, 300_000), teacher="MiniLM-L6")
    figure = figures.score_against_size(board.results, teacher, title="t")
    axes = figure.axes[0]
    assert len(axes.texts) == 7 and not overlaps(figure)
    boxes = [Text.get_window_extent(text) for text in axes.texts]
    dots = axes.transData.transform([(r.parameters, 100 * r.score / teacher.score) for r in board.results])
    assert not any(box.count_contains(dots) for box in boxes)
    assert all(axes.bbox.count_contains(box.corners()) == 4 for box in boxes)


def test_no_leader_runs_through_a_name_where_points_coincide():
    board = Scoreboard("cola", "matthews_correlation", "folder")
    teacher = board.add("MPNet-base", 53.65, parameters=(109_488_002, None))
    board.add("MPNet-base, 6 layers-D", 54.04, parameters=(66_962_690, None), teacher="MPNet-base")
    board.add("BERT", None, parameters=(109_483_778, None), blog=52.8)  # at the teacher's very place
    board.add("DistilBERT", None, parameters=(66_955_010, None), blog=51.3)
    board.add("TF-IDF", 13.1, parameters=(11_000, None))
    board.add("MLP-D", [0.1, 1.7, 3.3], parameters=(80_178, None), teacher="MPNet-base")
    no_leader_strikes_a_name(figures.score_against_size(board.results, teacher, title="t", metric="MCC"))


def test_no_leader_runs_through_a_name_where_seven_points_crowd():
    wos = {"imdb": 0.225, "emotion": 0.271, "sst2": 0.274, "cola": 0.970}
    kept = {"imdb": 96.6, "emotion": 96.3, "sst2": 88.3, "cola": 9.2}
    points = [{"label": name, "task": name, "wos": wos[name], "retention": kept[name]} for name in wos]
    others = {"emotion": (0.271, 94.7), "sst2": (0.232, 93.0), "cola": (0.882, 39.0), "imdb": (0.276, 100.6)}
    points += [
        {"label": f"{name}, MiniLM-L6", "task": name, "wos": x, "retention": y} for name, (x, y) in others.items()
    ]
    no_leader_strikes_a_name(figures.retention_by_sensitivity(pd.DataFrame(points).assign(kind="real"), title="t"))


def no_leader_strikes_a_name(figure):
    assert not overlaps(figure)
    (axes,) = figure.axes
    boxes = {text: Text.get_window_extent(text) for text in axes.texts}
    for text in axes.texts:
        if text.arrow_patch.get_visible():
            start, end = axes.transData.transform(text.xy), boxes[text].min + boxes[text].size / 2
            leader = Path([start, end])
            assert not any(leader.intersects_bbox(box) for other, box in boxes.items() if other is not text)


def test_ablation_puts_the_first_row_on_top():
    frame = pd.DataFrame({"change": ["all", "less"], "score": [90.0, 80.0], "std": [0.1, 0.2]})
    axes = figures.ablation(frame, title="t", xlabel="x").axes[0]
    line = axes.lines[0]
    assert dict(zip(line.get_xdata(), line.get_ydata(), strict=True)) == {90.0: 1, 80.0: 0}


def test_confusion_prints_every_count():
    axes = figures.confusion(np.array([[3, 1], [0, 7]]), ("a", "b"), title="t", xlabel="x", ylabel="y").axes[0]
    assert [text.get_text() for text in axes.texts] == ["3", "1", "0", "7"]


def drawn(axes):
    """{(x, y), ...} of every line and marker."""
    return {(round(float(x), 6), round(float(y), 6)) for line in axes.lines for x, y in line.get_xydata()}


def names(axes):
    return [text.get_text() for text in axes.texts]


def legend(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def overlaps(figure):
    """Pairs of texts in the axes that cover each other."""
    figure.canvas.draw()
    boxes = [Text.get_window_extent(text) for text in figure.axes[0].texts]
    return [(a, b) for a, b in combinations(boxes, 2) if a.overlaps(b)]


def test_retention_by_size_names_each_student_once_and_each_task():  # CoLA's name stands at its only point
    rows = [
        ("Emotion", "MLP-D", 80_374, 98.9, 0.3),
        ("Emotion", "Bi-LSTM-D", 664_000, 99.4, 0.2),
        ("SST-2", "Bi-LSTM-D", 661_000, 96.9, 0.4),
        ("SST-2", "MLP-D", 80_130, 93.1, 0.5),
        ("CoLA", "MLP-D", 80_130, 18.0, 6.0),
    ]
    figure = figures.retention_by_size(rows, title="t")
    axes = figure.axes[0]
    assert axes.get_xscale() == "log"
    assert {(size, kept) for _, _, size, kept, _ in rows} <= drawn(axes)
    assert sorted(names(axes)) == ["Bi-LSTM-D", "Emotion", "MLP-D, CoLA", "SST-2", "teacher"]
    assert not overlaps(figure)


def test_transfer_curve_sorts_each_student_by_texts_and_bands_its_spread():
    frame = pd.DataFrame({"student": "MLP-D", "texts": [50_000, 1000], "score": [86.0, 80.0], "std": [0.5, 1.0]})
    figure = figures.transfer_curve(
        frame, title="t", xlabel="x", ylabel="y", reference={"teacher": 88.0, "a": 87.9, "b": 79.5}
    )
    axes = figure.axes[0]
    assert axes.lines[0].get_xydata().tolist() == [[1000, 80], [50_000, 86]]
    band = axes.collections[0].get_paths()[0].vertices
    assert {(1000, 79), (1000, 81), (50_000, 85.5), (50_000, 86.5)} <= set(map(tuple, band))
    assert {88.0, 87.9, 79.5} <= {y for _, y in drawn(axes)}
    figure.canvas.draw()
    assert {"1K", "2K", "5K", "10K", "50K"} <= {label.get_text() for label in axes.get_xticklabels()}
    assert sorted(names(axes)) == ["MLP-D", "a", "b", "teacher"] and not overlaps(figure)


def test_transfer_kinds_sets_the_students_of_a_kind_apart():
    rows = [("MLP-D", "none", 79, 1), ("MLP-D", "EDA", 80, 1), ("Bi-LSTM-D", "none", 79, 1)]
    figure = figures.transfer_kinds(
        pd.DataFrame(rows, columns=["student", "kind", "score", "std"]), title="t", xlabel="x"
    )
    axes = figure.axes[0]
    dots = [container.lines[0].get_xydata().tolist() for container in axes.containers]
    assert dots == [[[79, -0.08], [80, 0.92]], [[79, 0.08]]]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["none", "EDA"]
    bottom, top = axes.get_ylim()
    assert bottom > top  # the first kind is on top
    assert legend(figure) == ["MLP-D", "Bi-LSTM-D"]


def test_sensitivity_draws_the_intervals_and_the_blogs_value_hollow():
    rows = [("SST-2", n, 0.3 / n, 0.3 / n - 0.05, 0.3 / n + 0.1) for n in (1, 2, 3)] + [("own", 1, 1.1, 1.0, 1.2)]
    frame = pd.DataFrame(rows, columns=["task", "n", "wos", "low", "high"])
    figure = figures.sensitivity(frame, blog={"SST-2": 0.34, "IMDB": 0.28}, title="t")
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["SST-2", "own"]
    low, high = axes.containers[0].lines[2][0].get_segments()[0][:, 1]
    assert (low, high) == pytest.approx((0.25, 0.4))
    (blog,) = [line for line in axes.lines if line.get_label() == "the blog, n = 1"]
    assert blog.get_ydata().tolist() == [0.34] and blog.get_markerfacecolor() == "white"
    assert axes.get_ylim()[0] == 0 and axes.get_ylim()[1] > 1.1
    assert len(legend(figure)) == 4


def test_retention_by_sensitivity_names_the_real_and_joins_the_miniature():
    rows = [("SST-2", "SST-2", 0.36, 93.1, "real"), ("IMDB", "IMDB", 0.35, 93.0, "real")]
    rows += [(f"dial {i}", "SST-2", 0.2 + 0.1 * i, 97.0 - 5 * i, "miniature") for i in range(3)]
    frame = pd.DataFrame(rows, columns=["label", "task", "wos", "retention", "kind"])
    figure = figures.retention_by_sensitivity(frame, title="t")
    axes = figure.axes[0]
    assert names(axes) == ["SST-2", "IMDB"] and not overlaps(figure)
    real, joined = (container.lines[0] for container in axes.containers[:2])
    assert real.get_xydata().tolist() == [[0.36, 93.1]] and real.get_color() == joined.get_color()
    assert joined.get_ydata().tolist() == [97, 92, 87]
    assert legend(figure) == ["SST-2, miniature"]


def test_switch_curves_show_routers_bounds_and_named_points():
    speed, accuracy = np.array([1.0, 4.0, 60.0]), np.array([89.0, 88.8, 86.0])
    points = {"teacher": (1, 89.0), "student": (60, 86.0), "chosen": (4, 88.8), "blog, 5% hard": (4.1, 88.7)}
    curves = {"margin": (speed, accuracy), "random": (speed, accuracy - [0, 1, 0])}
    figure = figures.switch_curves(curves, points, title="t", teacher=89.0)
    axes = figure.axes[0]
    assert axes.get_xscale() == "log"
    lines = {line.get_label(): line for line in axes.lines}
    assert lines["margin"].get_ydata().tolist() == [89.0, 88.8, 86.0]
    assert lines["random"].get_color() == figures.PLAIN and lines["random"].get_linestyle() == "--"
    assert set(points.values()) <= drawn(axes)
    assert [line.get_xdata()[0] for line in axes.lines if line.get_markerfacecolor() == "white"] == [4.1]
    assert names(axes) == list(points) and not overlaps(figure)
    assert legend(figure) == ["margin", "random"]


def test_two_teachers_are_joined_by_a_line_a_task():
    columns = ["task", "teacher", "of the teacher", "of the student"]
    rows = [
        ("a", "small", 88.0, 82.0),
        ("a", "large", 93.0, 84.0),
        ("b", "small", 34.0, 6.0),
        ("b", "large", 61.0, 7.0),
    ]
    figure = figures.teachers_compared(pd.DataFrame(rows, columns=columns), title="t", xlabel="x")
    axes = figure.axes[0]
    assert {x for x, _ in drawn(axes)} == {88, 82, 93, 84, 34, 6, 61, 7}
    hollow = {line.get_xdata()[0] for line in axes.lines if line.get_markerfacecolor() == "white"}
    assert hollow == {88, 82, 34, 6}  # of the first teacher
    joined = {tuple(line.get_xdata()) for line in axes.lines if len(line.get_xdata()) == 2}
    assert joined == {(88, 93), (82, 84), (34, 61), (6, 7)}
    assert legend(figure) == ["small", "large", "student of small", "student of large"]


def test_dial_shows_shares_as_percent():
    frame = pd.DataFrame({"order": [0.0, 0.5, 1.0], "retention": [99.0, 80.0, 30.0], "std": [0.5, 2.0, 5.0]})
    axes = figures.dial(frame, title="t").axes[0]
    assert axes.lines[0].get_xydata().tolist() == [[0, 99], [50, 80], [100, 30]]
    assert axes.get_ylabel() == "student keeps, % of teacher"


def test_saving_twice_gives_the_same_bytes(tmp_path):
    for folder in ("one", "two"):
        figures.save_figure(figures.teacher_student(), "setup", tmp_path / folder)
    one, two = ((tmp_path / folder / "images" / "setup.png").read_bytes() for folder in ("one", "two"))
    assert one == two and one[:4] == b"\x89PNG"


NAMES = ("$0-$50", "_private", r"5% <b> \frac{1} 😀", "مرحبا\ntwo lines", "007")
CURVE = (np.array([1.0, 4.0, 60.0]), np.array([89.0, 88.8, 86.0]))


def of_sizes(names, title):
    board = Scoreboard("own", "accuracy", "file")
    for row, name in enumerate(names):
        board.add(name, [80.0 + row, 81.0 + row], parameters=(10 ** (4 + row % 4), 1))
    return figures.score_against_size(board.results, board.results[0], title=title)


def rows(names, *columns):
    """A frame with a row a name: the name, then numbers that rise."""
    values = [(name, *(row + 1.0 + at for at in range(len(columns) - 1))) for row, name in enumerate(names)]
    return pd.DataFrame(values, columns=columns)


def of_sensitivity(names, title):
    frame = rows(names, "task", "wos", "low", "high").assign(n=1, low=0.0, high=99.0)
    return figures.sensitivity(frame, blog={names[0]: 0.3}, title=title)


def of_both_kinds(names, title):
    frame = rows(names, "label", "wos", "retention")
    kinds = [frame.assign(task=names, kind=kind) for kind in ("real", "miniature")]
    return figures.retention_by_sensitivity(pd.concat(kinds), title=title)


def of_two_teachers(names, title):
    frame = rows(names, "task", "of the teacher", "of the student")
    return figures.teachers_compared(
        pd.concat([frame.assign(teacher="one"), frame.assign(teacher="two")]), title=title, xlabel="$x$"
    )


DRAWN = {
    "class_balance": lambda names, title: figures.class_balance(np.arange(len(names)), names),
    "confusion": lambda names, title: figures.confusion(
        np.zeros((len(names), len(names)), int), names, title=title, xlabel="$x$", ylabel="$y"
    ),
    "score_against_size": of_sizes,
    "retention_by_size": lambda names, title: figures.retention_by_size(
        [(name, name, 10 ** (4 + row), 50.0 + row, 1.0) for row, name in enumerate(names)],
        title=title,
    ),
    "transfer_curve": lambda names, title: figures.transfer_curve(
        rows(names, "student", "texts", "score", "std"), title=title, xlabel="$x$", ylabel="$y", reference={"$a$": 3.0}
    ),
    "transfer_kinds": lambda names, title: figures.transfer_kinds(
        rows(names, "student", "score", "std").assign(kind=names), title=title, xlabel="$x$"
    ),
    "sensitivity": of_sensitivity,
    "retention_by_sensitivity": of_both_kinds,
    "teachers_compared": of_two_teachers,
    "switch_curves": lambda names, title: figures.switch_curves(
        dict.fromkeys(names, CURVE),
        {name: (1.0 + row, 88) for row, name in enumerate(names)},
        title=title,
        teacher=89,
    ),
    "dial": lambda names, title: figures.dial(rows(names, "name", "order", "retention", "std"), title=title),
    "ablation": lambda names, title: figures.ablation(rows(names, "change", "score", "std"), title=title, xlabel="$x$"),
}


def shown(figure):
    """All texts of a figure after drawing, by what they say."""
    figure.canvas.draw()
    return {text.get_text(): text for text in figure.findobj(Text)}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("kind", DRAWN)
def test_names_are_drawn_as_they_were_written(kind, caplog):
    texts = shown(DRAWN[kind](NAMES, "$0-$50: _a"))
    if kind != "dial":  # which has no names but its title
        assert {name for name in NAMES if any(name in text for text in texts)} == set(NAMES)
    assert kind == "class_balance" or "$0-$50: _a" in texts
    # Only the powers of ten of a log axis are mathematics.
    formulas = [text for text, drawn in texts.items() if "$" in text and drawn.get_parse_math()]
    assert not [text for text in formulas if "mathdefault" not in text]
    assert not caplog.records


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("kind", ["class_balance", "confusion", "ablation"])
def test_long_and_equal_names_are_drawn(kind):
    shown(DRAWN[kind](("a" * 300, "b" * 300), "t"))
    assert {"same", "other"} <= set(shown(DRAWN[kind](("same", "same", "other"), "t")))


def test_legends_keep_names_that_start_with_an_underscore():
    for kind in ("transfer_kinds", "switch_curves"):
        assert legend(DRAWN[kind](NAMES, "t")) == list(NAMES)


@pytest.mark.filterwarnings("error")
def test_names_that_no_font_has_are_numbered_in_every_figure(monkeypatch):
    lettering._installed.cache_clear(), lettering._fonts_with.cache_clear()
    monkeypatch.setattr(lettering, "findSystemFonts", list)
    monkeypatch.setattr(lettering, "_numbers", {"积极": 1, "消极": 2})  # met before: no warning
    for kind in ("confusion", "switch_curves"):
        texts = "\n".join(shown(DRAWN[kind](("积极", "消极"), "t")))
        assert "[1]" in texts and "[2]" in texts and "积" not in texts
    lettering._installed.cache_clear(), lettering._fonts_with.cache_clear()


@pytest.mark.filterwarnings("error")
def test_classes_that_never_occur_and_models_that_never_differ():
    axes = figures.class_balance(np.array([0, 0]), ("a", "never", "7")).axes[0]
    assert sorted(bar.get_width() for bar in axes.patches) == [0, 0, 100]
    axes = figures.confusion(np.zeros((3, 3), int), ("a", "a", "b"), title="t", xlabel="x", ylabel="y").axes[0]
    assert [text.get_text() for text in axes.texts] == 9 * ["0"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["a", "a", "b"]


@pytest.mark.filterwarnings("error")
def test_a_reference_that_scores_nothing_leaves_the_scores_as_they_are():
    board = Scoreboard("cola", "matthews_correlation", "folder")
    teacher = board.add("teacher", 0.0, parameters=(22_000_000, 1))
    board.add("student", 12.0, parameters=(80_000, 1))
    axes = figures.score_against_size(board.results, teacher, title="t", metric="MCC").axes[0]
    assert {(80_000, 12.0), (22_000_000, 0.0)} <= drawn(axes) and axes.get_ylabel() == "MCC, %"


@pytest.mark.filterwarnings("error")
def test_a_board_without_sizes_is_drawn_empty():
    board = Scoreboard("own", "accuracy", "file")
    shown(figures.score_against_size([board.add("a", 50.0)], board["a"], title="t"))
