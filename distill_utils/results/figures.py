"""Every plot of the series, in one look; each function takes numbers and gives a figure."""

from collections.abc import Callable, Iterable
from itertools import accumulate, cycle, product
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axis import Axis
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path as Line
from matplotlib.ticker import LogLocator, NullLocator
from matplotlib.transforms import Bbox

from distill_utils.results.lettering import lettering, shortened
from distill_utils.results.scoreboard import Result, human_count
from distill_utils.results.tables import text_width

STYLE = Path(__file__).with_name("distill.mplstyle")
TEACHER, STUDENT, PLAIN, BLOG = "#4269d0", "#ff725c", "#9aa0a6", "#efb118"
SERIES = ("C2", "C3", "C5", "C7", "C4", "C6")  # the cycle without the teacher's colour and the blog's
KEEPS = "student keeps, % of teacher"
HOLLOW = {"color": BLOG, "markerfacecolor": "white", "markeredgewidth": 1.6}
ORDERS = 16  # in which names look for their places
LEADER = {"arrowstyle": "-", "color": "#bbbbbb", "linewidth": 0.8, "shrinkB": 5}


def use_style() -> None:
    """Apply the series' look to all figures made after this."""
    plt.style.use(STYLE)


def save_figure(figure: plt.Figure, name: str, output: Path) -> None:
    """Write `figure` to `<output>/images/<name>.png`, the same bytes for the same figure."""
    path = Path(output) / "images" / f"{name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Software": None})


def class_balance(labels: np.ndarray, names: tuple[str, ...]) -> plt.Figure:
    """How often each class occurs, in percent, the most frequent first."""
    shares = pd.Series(100 * np.bincount(labels, minlength=len(names)) / len(labels)).sort_values()
    figure, axes = plt.subplots(figsize=(6, 0.45 * len(names) + 1))
    bars = axes.barh(range(len(names)), shares, color=PLAIN)
    _name_ticks(axes.yaxis, [names[label] for label in shares.index])
    axes.bar_label(bars, fmt="%.0f%%", padding=3)
    axes.set(xlabel="share of the training texts, %", title="Class balance", xlim=(0, 1.12 * shares.max()))
    axes.grid(axis="y", visible=False)
    return figure


def teacher_student() -> plt.Figure:
    """The set-up: the teacher labels a transfer set once; the student learns from those labels alone."""
    figure, axes = plt.subplots(figsize=(8.6, 3.5))
    axes.set(xlim=(0, 100), ylim=(0, 42))
    axes.axis("off")

    def box(x: float, y: float, width: float, text: str, color: str) -> None:
        axes.add_patch(
            FancyBboxPatch(
                (x, y),
                width,
                9,
                boxstyle="round,pad=0.4,rounding_size=1.6",
                facecolor=color + "22",
                edgecolor=color,
                linewidth=1.6,
            )
        )
        axes.text(x + width / 2, y + 4.5, text, ha="center", va="center", fontsize=10)

    def arrow(
        start: tuple[float, float],
        end: tuple[float, float],
        text: str = "",
        at: tuple[float, float] = (0, 0),
        style: str = "-",
    ) -> None:
        axes.add_patch(
            FancyArrowPatch(
                start,
                end,
                arrowstyle="-|>",
                mutation_scale=14,
                linewidth=1.4,
                linestyle=style,
                color="#444444",
                shrinkA=0,
                shrinkB=0,
            )
        )
        axes.text(*at, text, ha="center", va="center", fontsize=9, color="#444444")

    box(2, 30, 20, "labelled texts", PLAIN)
    box(38, 30, 22, "teacher\n(transformer)", TEACHER)
    box(2, 4, 20, "transfer set\n(texts, no labels)", PLAIN)
    box(38, 4, 22, "student\n(MLP)", STUDENT)
    box(76, 17, 22, "KL(teacher || student)", BLOG)
    arrow((22.6, 34.5), (37.2, 34.5), "fine-tune", (30, 37))
    arrow((22.6, 8.5), (37.2, 8.5), "every epoch", (30, 6))
    arrow((18, 13.6), (38, 29.4), "once", (24, 22.6))
    arrow((60.8, 34.5), (82, 26.8), "soft labels, cached", (77, 35))
    arrow((60.8, 8.5), (82, 16.2), "predictions", (76.5, 10))
    arrow((75.2, 21.5), (49, 13.8), "gradients", (60, 20.5), "--")
    return figure


def score_against_size(results: list[Result], reference: Result, *, title: str, metric: str = "accuracy") -> plt.Figure:
    """Score relative to `reference` (%) against the number of parameters, log x-axis; spread over seeds as bars.

    Models that only the blog has run appear hollow, each at its score relative to the blog's own teacher: RoBERTa, or
    BERT where the blog has no RoBERTa. Where the reference scores nothing, the scores stand as they are.
    """
    figure, axes = plt.subplots(figsize=(8.4, 4.8))
    axes.axhline(100, color=TEACHER, linewidth=1, linestyle=":")
    points, whole = [], reference.score or 100
    of_the_blog = {r.model: r.blog_score for r in results if r.blog_score}
    own = next((model for model in ("RoBERTa", "BERT") if model in of_the_blog), None)
    for result in (r for r in results if r.parameters):
        if result.score is not None:
            color = STUDENT if result.teacher else TEACHER if result.parameters > 10**7 else PLAIN
            relative = 100 * result.score / whole
            spread = 100 * (result.score_std or 0) / whole
            axes.errorbar(
                result.parameters, relative, yerr=spread or None, fmt="o", color=color, markersize=8, capsize=3
            )
        elif result.blog_score and own:
            relative = 100 * result.blog_score / of_the_blog[own]
            look = {"markerfacecolor": "none", "zorder": 3}  # a ring, where it lies on another point
            axes.plot(result.parameters, relative, "o", color=BLOG, markersize=8, **look)
        else:
            continue
        points.append((result.parameters, relative, f"{shortened(result.model)} ({human_count(result.parameters)})"))
    axes.set(xscale="log", xlabel="parameters (log scale)")
    relative_to = f" relative to {shortened(reference.model)}" if reference.score else ""
    _describe(axes, title=title, ylabel=f"{metric}{relative_to}, %")
    low, high = axes.get_xlim()
    axes.set_xlim(low / 20, high * 20)  # room for the names
    axes.margins(y=0.1)
    meanings = {"transformer": TEACHER, "taught by the teacher": STUDENT, "no teacher": PLAIN}
    dots = [axes.plot([], [], "o", color=color, label=name)[0] for name, color in meanings.items()]
    if any(result.blog_score and result.score is None for result in results):
        meaning = f"the blog's, relative to its own {own}"
        dots += axes.plot([], [], "o", markerfacecolor="white", color=BLOG, label=meaning)
    figure.legend(handles=dots, loc="outside lower center", ncols=4, fontsize=9, columnspacing=1)
    _name_beside(axes, points)
    return figure


def _describe(axes: plt.Axes, **texts: str) -> None:
    """Set title, xlabel or ylabel to texts that may hold names."""
    for what, text in texts.items():
        (text,), look = lettering([text], weight=plt.rcParams[f"axes.{what[-5:]}weight"])
        getattr(axes, f"set_{what}")(text, **look)


def _name_ticks(axis: Axis, names: Iterable[str], *, first: float = 0) -> None:
    """Ticks at `first`, `first` + 1, ..., one a name."""
    names, look = lettering(map(shortened, names))
    axis.set_ticks(first + np.arange(len(names)), names, **look)


def _legend(figure: plt.Figure, entries: dict[str, object], **options) -> None:
    """A legend below the axes, name -> what is drawn; named afterwards, since a legend leaves out names like "_a"."""
    names, look = lettering(map(shortened, entries))
    drawn = figure.legend(list(entries.values()), ["name"] * len(names), loc="outside lower center", **options)
    for text, name in zip(drawn.get_texts(), names, strict=True):
        text.set(text=name, **look)


def _spread(heights: list[float], gap: float) -> list[float]:
    """Rising `heights`, pushed up until neighbours are `gap` apart."""
    return list(accumulate(heights, lambda before, height: max(height, before + gap)))


def _label_ends(axes: plt.Axes, ends: list[tuple[float, float, str, str]]) -> None:
    """Each (x, y, name, colour) named at the right of the axes, the crowded names pushed down."""
    bottom, top = axes.get_ylim()
    ends = sorted(ends, key=lambda end: -end[1])
    names, look = lettering(shortened(name) for _, _, name, _ in ends)
    heights = _spread([-y for _, y, _, _ in ends], 0.06 * (top - bottom))
    for (x, y, _, color), name, height in zip(ends, names, heights, strict=True):
        axes.annotate(
            name,
            (x, y),
            (1.02, -height),
            textcoords=axes.get_yaxis_transform(),
            color=color,
            fontsize=10,
            va="center",
            arrowprops=LEADER | {"relpos": (0, 0.5), "shrinkA": 1},
            **look,
        )


def _name_beside(axes: plt.Axes, points: Iterable[tuple[float, float, str]]) -> None:
    """Each (x, y, name) named beside its point, where the name covers no point, no other name, least of the lines.

    Names find their places one after another, in `ORDERS` orders; the order that comes out best is taken.
    """
    if not (points := list(points)):
        return
    axes.figure.draw_without_rendering()  # settles the layout, so that pixels can be compared
    names, look = lettering(name for _, _, name in points)
    dots = axes.transData.transform([point[:2] for point in points])
    paths = [line.get_transform().transform_path(line.get_path()) for line in axes.lines]
    paths += [axes.transData.transform_path(bar) for bars in axes.collections for bar in bars.get_paths()]
    drawn = np.unique(np.concatenate([path.interpolated(50).vertices for path in paths]).round(), axis=0)  # pixels
    texts = [
        axes.annotate(name, (x, y), fontsize=9, ha="center", va="center", arrowprops=LEADER, **look)
        for (x, y, _), name in zip(points, names, strict=True)
    ]
    sizes = [np.array(text.get_window_extent().size) for text in texts]
    random, least, found = np.random.default_rng(0), np.inf, {}
    for _ in range(ORDERS):
        cost, places = _places(axes, dots, sizes, drawn, random.permutation(len(dots)), least)
        if cost < least:
            least, found = cost, places
    for own, (gap, offset) in found.items():
        texts[own].set(anncoords="offset points", position=offset)
        texts[own].arrow_patch.set_visible(gap > 7)


def _places(
    axes: plt.Axes, dots: np.ndarray, sizes: list[np.ndarray], drawn: np.ndarray, order: Iterable[int], most: float
) -> tuple[float, dict[int, tuple]]:
    """What names cost that find their places in this order; and each one's gap and offset from its dot, in points.

    Given up where they cost `most`.
    """
    per_point = axes.figure.dpi / 72
    taken = [Bbox([dot - 4 * per_point, dot + 4 * per_point]) for dot in dots]
    sides = [(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1)]
    sides += [(x, y) for x, y in product((0.5, -0.5, 1, -1), repeat=2) if abs(x) != abs(y)]
    leaders, total, found = [], 0, {}
    for own in order:
        here, size, elsewhere = dots[own], sizes[own], np.flatnonzero((dots != dots[own]).any(axis=1))
        options = []
        for gap, side in product((7, 18, 30, 50, 75), np.array(sides)):
            if gap > 30 and min(options)[0] < 130:  # far away only where nothing near is free
                break
            centre = here + side * (gap * per_point + size / 2)
            box = Bbox([centre - size / 2 - 2, centre + size / 2 + 2])
            outside = 4 - axes.bbox.count_contains(box.corners())
            leader = Line([here, centre])  # should run through no other name, point or leader
            struck = sum(leader.intersects_bbox(other) for other in taken[len(dots) :])
            struck += sum(other.intersects_bbox(box) for other in leaders)
            crossed = sum(leader.intersects_bbox(taken[other]) for other in elsewhere)
            crossed += sum(leader.intersects_path(other) for other in leaders)
            if gap == 7:  # without a leader it seems to name whatever is near
                away = np.hypot(*(dots - dots.clip(box.min, box.max)).T)
                crossed += np.sum(away[elsewhere] < away[own] + 3 * per_point)
            cost = 6 * box.count_contains(drawn) + 1000 * (box.count_overlaps(taken) + outside)
            cost += 100 * struck + 30 * crossed + gap
            options.append((cost, gap, len(options), (centre - here) / per_point, box, leader))
        cost, gap, _, offset, box, leader = min(options)
        total, found[own] = total + cost, (gap, offset)
        taken.append(box)
        leaders += [leader] * (gap > 7)
        if total >= most:
            break
    return total, found


def _plain_log_axis(axes: plt.Axes, text: Callable[[float], str]) -> None:
    """A log x-axis with ticks at 1, 2, 5, 10, ... (a long one: 1, 10, 100, ...), each written as `text(value)`."""
    axes.set_xscale("log")
    low, high = axes.dataLim.intervalx
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 1000 * low else (1,)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(lambda value, _: text(value))


def _count(value: float) -> str:
    """5000.0 -> "5K", 1e6 -> "1M"."""
    return human_count(round(value)).replace(".0", "")


def _groups(frame: pd.DataFrame, column: str) -> list[tuple[str, pd.DataFrame, str]]:
    """(name, rows, colour) for every value of `column`, in order of appearance."""
    return [(name, rows, color) for (name, rows), color in zip(frame.groupby(column, sort=False), cycle(SERIES))]


def retention_by_size(rows: list[tuple[str, str, int, float, float]], *, title: str) -> plt.Figure:
    """How much of the teacher each student keeps, against the student's size; a line a task, log x-axis.

    rows: (task, model, parameters, retention in %, spread in %); the dotted line at 100 is the teacher.
    """
    frame = pd.DataFrame(rows, columns=["task", "model", "parameters", "retention", "std"]).astype({"std": float})
    figure, axes = plt.subplots(figsize=(7, 4.4))
    axes.axhline(100, color=TEACHER, linewidth=1.2, linestyle=":")
    ends = []
    for task, line, color in _groups(frame, "task"):
        line = line.sort_values("parameters")
        axes.errorbar(line["parameters"], line["retention"], yerr=line["std"], fmt="o-", color=color, capsize=3)
        if len(line) > 1:
            ends.append((line["parameters"].iloc[-1], line["retention"].iloc[-1], task, color))
    _plain_log_axis(axes, _count)
    axes.set(xlabel="parameters of the student (log scale)", ylabel=KEEPS)
    _describe(axes, title=title)
    axes.margins(x=0.12, y=0.14)  # room for the names
    _label_ends(axes, [*ends, (axes.get_xlim()[1], 100, "teacher", TEACHER)])
    alone = frame.groupby("task")["model"].transform("size") == 1  # no line to name: the point bears the task's name
    name = frame["model"].where(~alone, frame["model"] + ", " + frame["task"])
    named = frame.assign(size=np.log10(frame["parameters"]).round(1), alone=alone, name=name)
    named = named.sort_values(["alone", "retention"], ascending=False)
    named = named.drop_duplicates(["model", "size"]).sort_values("parameters")  # one name a column of points
    _name_beside(axes, zip(named["parameters"], named["retention"], map(shortened, named["name"]), strict=True))
    return figure


def transfer_curve(
    frame: pd.DataFrame, *, title: str, xlabel: str, ylabel: str, reference: dict[str, float]
) -> plt.Figure:
    """Score against the number of transfer texts, a line with its spread a student, log x-axis.

    frame: columns `student`, `texts`, `score`, `std`; reference: name -> score, drawn as dotted lines.
    """
    figure, axes = plt.subplots(figsize=(7, 4.2))
    ends = []
    for student, line, color in _groups(frame, "student"):
        x, y, std = line.sort_values("texts")[["texts", "score", "std"]].to_numpy(float).T
        axes.plot(x, y, "o-", color=color, markersize=5)
        axes.fill_between(x, y - std, y + std, color=color, alpha=0.18, linewidth=0)
        ends.append((x[-1], y[-1], student, color))
    _plain_log_axis(axes, _count)
    _describe(axes, xlabel=xlabel, ylabel=ylabel, title=title)
    for name, score in reference.items():
        color = TEACHER if name == "teacher" else "#777777"
        axes.axhline(score, color=color, linewidth=1.2, linestyle=":")
        ends.append((axes.get_xlim()[1], score, name, color))
    _label_ends(axes, ends)
    return figure


def transfer_kinds(frame: pd.DataFrame, *, title: str, xlabel: str) -> plt.Figure:
    """Mean score and spread by kind of transfer data, the first kind on top; a colour a student.

    frame: columns `student`, `kind`, `score`, `std`.
    """
    kinds, students = list(frame["kind"].unique()), _groups(frame, "student")
    figure, axes = plt.subplots(figsize=(7, 0.55 * len(kinds) + 1.5))
    offsets = 0.16 * (np.arange(len(students)) - (len(students) - 1) / 2)
    entries = {}
    for (student, rows, color), offset in zip(students, offsets, strict=True):
        y, std = rows["kind"].map(kinds.index) + offset, rows["std"].astype(float)
        entries[student] = axes.errorbar(rows["score"], y, xerr=std, fmt="o", color=color, capsize=2)
    _name_ticks(axes.yaxis, kinds)
    axes.set_ylim(len(kinds) - 0.5, -0.5)
    _describe(axes, xlabel=xlabel, title=title)
    _legend(figure, entries, ncols=len(students))
    return figure


def sensitivity(frame: pd.DataFrame, *, blog: dict[str, float], title: str) -> plt.Figure:
    """Word-order sensitivity (WOS) by task for shuffled 1-, 2- and 3-grams, with 95% intervals.

    frame: columns `task`, `n`, `wos`, `low`, `high`; blog: task -> its value (n = 1, the /50 formula), hollow.
    """
    tasks = list(frame["task"].unique())
    figure, axes = plt.subplots(figsize=(7, 4.2))
    for n, marker, alpha in ((1, "o", 1), (2, "s", 0.65), (3, "^", 0.5)):
        rows = frame[frame["n"] == n]
        bars = (rows["wos"] - rows["low"], rows["high"] - rows["wos"])
        x = np.array([tasks.index(task) for task in rows["task"]]) + 0.16 * (n - 2)
        label = f"{n}-grams shuffled" if n > 1 else "words shuffled (n = 1)"
        axes.errorbar(x, rows["wos"], bars, fmt=marker, color=TEACHER, alpha=alpha, capsize=3, label=label)
    known = [task for task in tasks if task in blog]
    x = [tasks.index(task) - 0.32 for task in known]
    axes.plot(x, [blog[task] for task in known], "o", label="the blog, n = 1", **HOLLOW)
    _name_ticks(axes.xaxis, tasks)
    _describe(axes, title=title)
    axes.set(xlim=(-0.6, len(tasks) - 0.5), ylabel="word-order sensitivity (WOS)", ylim=(0, None))
    axes.grid(axis="x", visible=False)
    figure.legend(loc="outside lower center", ncols=4, fontsize=9, columnspacing=1)
    return figure


def retention_by_sensitivity(frame: pd.DataFrame, *, title: str) -> plt.Figure:
    """How much of the teacher a bag-of-words student keeps, against word-order sensitivity; a colour a task.

    frame: columns `label`, `task`, `wos`, `retention` (%), `kind`: "real" points carry their label, the
    "miniature" ones of one task are joined in the order of the rows (the steps of its dial).
    """
    figure, axes = plt.subplots(figsize=(7, 4.4))
    axes.axhline(100, color=TEACHER, linewidth=1.2, linestyle=":")
    entries = {}
    for task, rows, color in _groups(frame, "task"):
        for kind, look in (("real", {"fmt": "o", "markersize": 10}), ("miniature", {"fmt": "o-", "markersize": 5})):
            chosen = rows[rows["kind"] == kind]
            if len(chosen):
                bars = axes.errorbar(chosen["wos"], chosen["retention"], color=color, linewidth=1, **look)
                if kind == "miniature":
                    entries[f"{shortened(task)}, miniature"] = bars
    axes.set(xlabel="word-order sensitivity (WOS)", ylabel=KEEPS)
    _describe(axes, title=title)
    axes.margins(y=0.14)  # room for the names
    if entries:
        _legend(figure, entries, ncols=4, fontsize=9, columnspacing=1)
    real = frame[frame["kind"] == "real"]
    _name_beside(axes, zip(real["wos"], real["retention"], map(shortened, real["label"]), strict=True))
    return figure


def teachers_compared(frame: pd.DataFrame, *, title: str, xlabel: str) -> plt.Figure:
    """Two teachers and the same student taught by each, a row a task: two lines, from the first (hollow) to the second.

    frame: columns `task`, `teacher`, `of the teacher`, `of the student` (scores), two rows a task.
    """
    tasks, (first, second) = list(frame["task"].unique()), frame["teacher"].unique()
    figure, axes = plt.subplots(figsize=(7, 0.7 * len(tasks) + 1.6))
    table, looks = frame.set_index(["task", "teacher"]), {"": (TEACHER, -0.14), "student of ": (STUDENT, 0.14)}
    entries = {}
    for (role, (color, offset)), (row, task) in product(looks.items(), enumerate(tasks)):
        column, y = "of the student" if role else "of the teacher", row + offset
        start, end = (table.loc[(task, teacher), column] for teacher in (first, second))
        axes.plot([start, end], [y, y], color=color, linewidth=1.5, zorder=1)
        for x, teacher, face in ((start, first, "white"), (end, second, color)):
            (dot,) = axes.plot(x, y, "o", color=color, markerfacecolor=face, markersize=7)
            entries[f"{role}{shortened(teacher)}"] = dot
    _name_ticks(axes.yaxis, tasks)
    axes.set_ylim(len(tasks) - 0.5, -0.5)
    _describe(axes, title=title, xlabel=xlabel)
    _legend(figure, entries, ncols=2, fontsize=9)
    return figure


def switch_curves(
    curves: dict[str, tuple[np.ndarray, np.ndarray]],
    points: dict[str, tuple[float, float]],
    *,
    title: str,
    teacher: float,
) -> plt.Figure:
    """Accuracy (%) against speed-up over the teacher alone (log x-axis), a line a router.

    curves: router -> (speed-ups, accuracies), "random" and "oracle" as grey bounds; points: name -> (speed-up,
    accuracy), hollow where the name starts with "blog"; teacher: its accuracy, the dotted line.
    """
    figure, axes = plt.subplots(figsize=(7, 4.8))
    axes.axhline(teacher, color=TEACHER, linewidth=1.2, linestyle=":")
    bounds, colors = {"random": (0, (2, 2)), "oracle": (0, (6, 2))}, cycle(SERIES[1:])  # the first is the student's
    entries = {}
    for name, (speed, accuracy) in curves.items():
        color = PLAIN if name in bounds else next(colors)
        width = 1.6 if entries else 4  # the first shows where others lie on it: with two classes margin is confidence
        look = {"color": color, "linestyle": bounds.get(name, "-"), "linewidth": width}
        (entries[name],) = axes.plot(speed, accuracy, label=name, **look)
    for name, (speed, accuracy) in points.items():
        color = {"teacher": TEACHER, "student": STUDENT}.get(name, "#444444")
        look = HOLLOW if name.lower().startswith("blog") else {"color": color}
        axes.plot(speed, accuracy, "o", markersize=8, **look)
    _plain_log_axis(axes, "{:g}x".format)
    axes.margins(y=0.14)  # room for the names
    axes.set(xlabel="speed-up over the teacher alone (log scale)", ylabel="accuracy, %")
    _describe(axes, title=title)
    _legend(figure, entries, ncols=3, fontsize=9)
    _name_beside(axes, [(*point, shortened(name)) for name, point in points.items()])
    return figure


def dial(frame: pd.DataFrame, *, title: str) -> plt.Figure:
    """How much of the teacher a student keeps, against the share of texts whose label is in the word order.

    frame: columns `order` (0 to 1), `retention` (%), `std`.
    """
    figure, axes = plt.subplots(figsize=(6.4, 3.8))
    std = frame["std"].astype(float)
    axes.errorbar(100 * frame["order"], frame["retention"], yerr=std, fmt="o-", color=STUDENT, capsize=3)
    axes.set(xlabel="texts whose label is in the word order, %", ylabel=KEEPS)
    _describe(axes, title=title)
    return figure


def ablation(frame: pd.DataFrame, *, title: str, xlabel: str) -> plt.Figure:
    """Mean score of each row of `frame` (columns `change`, `score`, `std`) as a dot with its spread."""
    figure, axes = plt.subplots(figsize=(7, 0.42 * len(frame) + 1.1))
    rows = np.arange(len(frame))[::-1]
    axes.errorbar(frame["score"], rows, xerr=frame["std"], fmt="o", color=STUDENT, capsize=3, markersize=7)
    _name_ticks(axes.yaxis, frame["change"][::-1])
    _describe(axes, xlabel=xlabel, title=title)
    axes.set_ylim(-0.6, len(frame) - 0.4)
    return figure


def confusion(counts: np.ndarray, names: tuple[str, ...], *, title: str, xlabel: str, ylabel: str) -> plt.Figure:
    """A matrix of counts, (n_classes, n_classes), rows against columns."""
    room = 0.1 * max(0, *(text_width(shortened(name)) - 8 for name in names))  # inches for long names
    figure, axes = plt.subplots(figsize=(0.75 * len(names) + 1.6 + room, 0.6 * len(names) + 1.4 + room / 2))
    sns.heatmap(counts, annot=True, fmt="d", cmap="Blues", cbar=False, ax=axes, linewidths=0.5)
    _name_ticks(axes.xaxis, names, first=0.5)
    _name_ticks(axes.yaxis, names, first=0.5)
    _describe(axes, title=title, xlabel=xlabel, ylabel=ylabel)
    axes.tick_params(axis="x", rotation=30)
    axes.tick_params(axis="y", rotation=0)
    if room:
        plt.setp(axes.get_xticklabels(), ha="right", rotation_mode="anchor")  # the end of a long name at its column
    axes.grid(visible=False)
    return figure


def filters(words: list[str], passed: np.ndarray, *, title: str, xlabel: str, ylabel: str) -> plt.Figure:
    """How much each filter lets pass at each word of a text, in its order; passed: (n_filters, n_words)."""
    figure, axes = plt.subplots(figsize=(0.55 * len(words) + 1.6, 0.4 * len(passed) + 1.6))
    most = max(np.abs(passed).max(), 1e-9)
    sns.heatmap(passed, cmap="vlag", vmin=-most, vmax=most, ax=axes, linewidths=0.5, cbar_kws={"pad": 0.02})
    _name_ticks(axes.xaxis, words, first=0.5)
    _name_ticks(axes.yaxis, map(str, range(1, len(passed) + 1)), first=0.5)
    _describe(axes, title=title, xlabel=xlabel, ylabel=ylabel)
    axes.tick_params(axis="x", rotation=45)
    axes.tick_params(axis="y", rotation=0)
    plt.setp(axes.get_xticklabels(), ha="right", rotation_mode="anchor")
    axes.grid(visible=False)
    return figure
