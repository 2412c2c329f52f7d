"""Every plot of the series, in one look; each function takes numbers and gives a figure."""

from itertools import pairwise
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from distill_utils.scoreboard import Result, human_count

STYLE = Path(__file__).with_name("distill.mplstyle")
TEACHER, STUDENT, PLAIN, BLOG = "#4269d0", "#ff725c", "#9aa0a6", "#efb118"


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
    shares = pd.Series(100 * np.bincount(labels, minlength=len(names)) / len(labels), index=names).sort_values()
    figure, axes = plt.subplots(figsize=(6, 0.45 * len(names) + 1))
    bars = axes.barh(shares.index, shares, color=PLAIN)
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

    Models that were not run appear hollow, at the blog's score relative to the blog's BERT row of `results`.
    """
    figure, axes = plt.subplots(figsize=(8.4, 4.8))
    axes.axhline(100, color=TEACHER, linewidth=1, linestyle=":")
    points = []
    bert = next((r.blog_score for r in results if r.model == "BERT"), None)
    for result in (r for r in results if r.parameters):
        if result.score is not None:
            color = STUDENT if result.teacher else TEACHER if result.parameters > 10**6 else PLAIN
            relative = 100 * result.score / reference.score
            spread = 100 * (result.score_std or 0) / reference.score
            axes.errorbar(
                result.parameters, relative, yerr=spread or None, fmt="o", color=color, markersize=8, capsize=3
            )
        elif result.blog_score and bert:
            relative = 100 * result.blog_score / bert
            axes.plot(result.parameters, relative, "o", markerfacecolor="white", color=BLOG, markersize=8)
        else:
            continue
        points.append((result.parameters, relative, f"{result.model} ({human_count(result.parameters)})"))
    axes.set(xscale="log", xlabel="parameters (log scale)", title=title)
    axes.set_ylabel(f"{metric} relative to {reference.model}, %")
    low, high = axes.get_xlim()
    axes.set_xlim(low / 1.5, high * 30)  # room for the names
    _name_points(axes, points)
    meanings = {"transformer": TEACHER, "taught by the teacher": STUDENT, "no teacher": PLAIN}
    dots = [axes.plot([], [], "o", color=color, label=name)[0] for name, color in meanings.items()]
    dots += axes.plot([], [], "o", markerfacecolor="white", color=BLOG, label="not run here: the blog's")
    axes.legend(handles=dots, loc="lower right", fontsize=9)
    return figure


def _name_points(axes: plt.Axes, points: list[tuple[float, float, str]]) -> None:
    """Names to the right of each group of models of like size, spread so that none covers another."""
    points = sorted(points)
    groups = [[points[0]]]
    for before, point in pairwise(points):
        if point[0] > 10 * before[0]:
            groups.append([])
        groups[-1].append(point)
    bottom, top = axes.get_ylim()
    gap = 0.052 * (top - bottom)
    for group in groups:
        column, height = 1.6 * max(x for x, _, _ in group), -np.inf
        for x, y, name in sorted(group, key=lambda point: point[1]):
            height = max(y, height + gap)
            line = {"arrowstyle": "-", "color": "#bbbbbb", "linewidth": 0.8, "shrinkB": 5, "relpos": (0, 0.5)}
            axes.annotate(name, (x, y), (column, height), fontsize=9, va="center", arrowprops=line)
    axes.set_ylim(bottom, max(top, height + gap))


def ablation(frame: pd.DataFrame, *, title: str, xlabel: str) -> plt.Figure:
    """Mean score of each row of `frame` (columns `change`, `score`, `std`) as a dot with its spread."""
    figure, axes = plt.subplots(figsize=(7, 0.42 * len(frame) + 1.1))
    rows = np.arange(len(frame))[::-1]
    axes.errorbar(frame["score"], rows, xerr=frame["std"], fmt="o", color=STUDENT, capsize=3, markersize=7)
    axes.set(yticks=rows, yticklabels=frame["change"], xlabel=xlabel, title=title)
    axes.set_ylim(-0.6, len(frame) - 0.4)
    return figure


def confusion(counts: np.ndarray, names: tuple[str, ...], *, title: str, xlabel: str, ylabel: str) -> plt.Figure:
    """A matrix of counts, (n_classes, n_classes), rows against columns."""
    figure, axes = plt.subplots(figsize=(0.75 * len(names) + 1.6, 0.6 * len(names) + 1.4))
    sns.heatmap(
        pd.DataFrame(counts, names, names), annot=True, fmt="d", cmap="Blues", cbar=False, ax=axes, linewidths=0.5
    )
    axes.set(title=title, xlabel=xlabel, ylabel=ylabel)
    axes.tick_params(axis="x", rotation=30)
    axes.tick_params(axis="y", rotation=0)
    axes.grid(visible=False)
    return figure
