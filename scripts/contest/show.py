"""What was measured, as docs/results.md shows it: a table, a figure, and the claims of speed, each computed from it.

The section stands in docs/results.md, and a few lines of it in README.md, between two lines; all that is between them
is replaced:

<!-- bench -->
<!-- /bench -->
"""

from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.ticker import FixedLocator, NullLocator

from contest.measure import AGREE, chosen
from distill_utils.cache import write_atomically
from distill_utils.results import figures
from distill_utils.results.scoreboard import human_count

START, END = "<!-- bench -->", "<!-- /bench -->"
COLORS = {"student": figures.STUDENT, "peer": figures.PLAIN, "transformer": figures.TEACHER}
MEANINGS = {"student": "our students", "peer": "peers", "transformer": "transformers"}
TASKS = {"emotion": "Emotion", "sst2": "SST-2"}
SMALL = 100_000  # parameters of the students that the claims are about


def section(results: dict) -> str:
    """All that stands between the two lines."""
    machine, notes = results["machine"], []
    if results["quick"]:
        notes = ["**A quick run on generated texts: to see that it runs, nothing else.**"]
    notes += [
        f"From `results/bench.json`, written by `make bench` in one run: {results['timed']} test texts of Emotion, the "
        f"contestants taking turns, each in a process of its own. {machine['processor']}, {machine['cores']} cores, "
        f"load average {machine['load_average']} at the start: read the ratios, not the microseconds. What the "
        f"processor has for bfloat16 and 8-bit products: {machine['units']}.",
        "Training: of the chosen settings, once, without the choosing; of a student when it was last trained here, "
        "without labelling, which is recorded, as the transformers are. A cold start goes from the interpreter's start "
        "to the first answer, and the memory is the most held by then. Size: weights and vocabulary, no code. Routes "
        "of one checkpoint share its recorded accuracy; those in int8 are measured.",
    ]
    if results["missing"]:
        notes.append("Not installed: " + "; ".join(f"{n} (`{how}`)" for n, how in results["missing"].items()) + ".")
    return "\n\n".join(
        [
            *notes,
            "![Accuracy against the time of a single text](../images/bench.png)",
            rows_table(results["rows"]),
            "**What was aimed at.**",
            "\n".join(f"- {line}" for line in aims(results)),
            f"**Labelling, {results['labelled']} texts of Emotion, {machine['cores']} threads.**",
            labelling_table(results["labelling"]),
        ]
    )


def rows_table(rows: list[dict]) -> str:
    """One line a contestant."""
    head = ["model", "run by", *TASKS.values(), "size", "parameters", "training, s", "texts/s, 1 thread", "2 threads"]
    head += ["one text, p50", "p99", "cold start, s", "memory, MB"]
    lines = [_line(head), "|---|---|" + "---:|" * (len(head) - 2)]
    for row in rows:
        cells = [f"**{row['model']}**" if row["group"] == "student" else row["model"], row["route"]]
        cells += [_number(row[f"accuracy {task}"], ".1f") for task in TASKS]
        cells += [_size(row["size KB"]), human_count(row["parameters"]), _number(row["training s"], ",.1f")]
        cells += [_number(row[f"sentences/s, {threads}"], ",.0f") for threads in ("1 thread", "2 threads")]
        cells += [_time(row["p50 us"]), _time(row["p99 us"]), _number(row["cold start s"], ".2f")]
        lines.append(_line([*cells, _number(row["memory MB"], ",.0f")]))
    return "\n".join(lines)


def labelling_table(rows: list[dict]) -> str:
    """One line a runtime."""
    lines = [_line(["model", "run by", "texts/s", "ratio", "same prediction, %"]), "|---|---|---:|---:|---:|"]
    for row in rows:
        cells = [row["model"], row["route"], _number(row["sentences/s"], ",.1f"), _number(row["ratio"], ".2f")]
        lines.append(_line([*cells, _number(row["agreement"], ".2f")]))
    return "\n".join(lines)


def aims(results: dict) -> list[str]:
    """What the figures were to show, each with what they show."""
    rows = results["rows"]
    small = [row for row in rows if row["group"] == "student" and row["parameters"] < SMALL]
    peers = {row["model"]: row for row in rows if row["group"] == "peer" and not row["route"]}
    models, found = dict.fromkeys(row["model"] for row in small), []
    for model in models:
        routes = [row for row in small if row["model"] == model]
        quick = max(routes, key=lambda row: row["sentences/s, 1 thread"])
        prompt = min(routes, key=lambda row: row["p50 us"])
        if other := peers.get("fastText"):
            times = quick["sentences/s, 1 thread"] / other["sentences/s, 1 thread"]
            found.append(f"{model} ({quick['route']}) reads {times:.2f} times fastText's texts a second; aim: 1.")
        if other := peers.get("TF-IDF + logistic regression"):
            times = other["p50 us"] / prompt["p50 us"]
            found.append(
                f"{model} ({prompt['route']}) answers a text {times:.1f} times sooner than scikit-learn; aim: 10."
            )
        own = max(row["size KB"] for row in routes)
        near = [row for row in rows if row["group"] == "peer" and row["size KB"] <= 10 * own]
        if near:
            best = max(near, key=lambda row: row["accuracy emotion"])
            lead = min(row["accuracy emotion"] for row in routes) - best["accuracy emotion"]
            named = ", ".join([best["model"], best["route"]] if best["route"] else [best["model"]])
            found.append(
                f"{model} is {lead:+.1f} points from the best peer of at most ten times its size ({named}); aim: above "
                "0."
            )
    for model in dict.fromkeys(row["model"] for row in results["labelling"]):
        best = chosen([row for row in results["labelling"] if row["model"] == model])
        aim = 4 if results["machine"]["units"] != "none" else 2
        found.append(
            f"{model} labels {best['ratio']:.1f} times as fast by {best['route']} as by transformers.pipeline, the "
            f"fastest with the same prediction for {AGREE:g}% of the texts or more; aim: {aim}."
        )
    return found


def figure(rows: list[dict]) -> plt.Figure:
    """Accuracy against the median time of a single text, both on log axes, a panel a data set; the area is the size.

    Of each student's routes that give the same answers the quickest is drawn, and of the others each.
    """
    figures.use_style()
    drawn = []
    for row in rows:
        same = [one for one in rows if one["model"] == row["model"]]
        if row["group"] != "student" or row is min(same, key=lambda one: one["p50 us"]):
            drawn.append(row)
    picture, panels = plt.subplots(1, len(TASKS), figsize=(13, 5.6), sharex=True)
    largest = max(row["size KB"] for row in drawn)
    for axes, (task, title) in zip(panels, TASKS.items(), strict=True):
        points = []
        for row in (one for one in drawn if one[f"accuracy {task}"] is not None):
            place = row["p50 us"], 100 - row[f"accuracy {task}"]
            area = 36 * (row["size KB"] / largest) ** 0.5 + 4
            axes.plot(*place, "o", markersize=area, color=COLORS[row["group"]], alpha=0.55, markeredgewidth=0)
            points.append((*place, f"{row['model']}, {row['route']}" if row["route"] else row["model"]))
        axes.set(xscale="log", yscale="log", xlabel="one text, median (log scale)", title=title)
        low, high = min(y for _, y, _ in points), max(y for _, y, _ in points)
        axes.set_ylim(high * 1.15, low / 1.15)  # fewer errors are higher
        axes.set_xlim(min(x for x, _, _ in points) / 4, max(x for x, _, _ in points) * 4)
        axes.yaxis.set_major_locator(FixedLocator([errors for errors in range(1, 100) if errors % 2 == 0]))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter(lambda errors, _: f"{100 - errors:.0f}")
        axes.xaxis.set_major_formatter(lambda time, _: _time(time))
        axes.set_ylabel("test accuracy, % (errors on a log scale)")
        figures._name_beside(axes, points)
    handles = [plt.Line2D([], [], marker="o", ls="", color=COLORS[group], label=MEANINGS[group]) for group in COLORS]
    picture.legend(handles=handles, loc="outside lower center", ncols=3, title="area: size on disk", fontsize=9)
    return picture


def speeds(rows: list[dict]) -> str:
    """README's lines: each small student by its quickest route, beside the peers and the slowest transformer."""
    small = [row for row in rows if row["group"] == "student" and row["parameters"] < SMALL]
    peers = [row for row in rows if row["group"] == "peer" and not row["route"]]
    large = [row for row in rows if row["group"] == "transformer"][:1]
    groups = [[row for row in small if row["model"] == model] for model in dict.fromkeys(row["model"] for row in small)]
    found = [
        (group[0]["model"], max(row["sentences/s, 1 thread"] for row in group), min(row["p50 us"] for row in group))
        for group in [*groups, *([row] for row in peers + large)]
    ]
    rate = ", ".join(f"{model} {float(f'{texts:.2g}'):,.0f}" for model, texts, _ in found)  # to two digits
    alone = ", ".join(f"{model} {micro / 1000:.2g}" for model, _, micro in found)
    return (
        f"Short texts a second on one thread: {rate}.\nMilliseconds for one text alone: {alone}.\n"
        "From `results/bench.json`; [the whole table](docs/results.md#the-figures-to-choose-by)."
    )


def write(results: dict, root: Path) -> None:
    """The section in docs/results.md (made where there is none), README's lines where it has a place, the figure."""
    _replace(root / "docs" / "results.md", section(results), f"# Results\n\n{START}\n{END}\n")
    if (root / "README.md").exists():
        _replace(root / "README.md", speeds(results["rows"]))
    picture = figure(results["rows"])
    figures.save_figure(picture, "bench", root)
    plt.close(picture)


def _replace(path: Path, text: str, fresh: str = "") -> None:
    """Put a text between the two lines of a page; fresh: the page where there is none."""
    old = path.read_text(encoding="utf-8") if path.exists() else fresh
    before, start, rest = old.partition(START)
    _, end, after = rest.partition(END)
    if not (start and end):
        raise ValueError(f"{path.name} has no line {START} with {END} behind it: write both where the table belongs")
    write_atomically(path, f"{before}{START}\n{text}\n{END}{after}".encode())


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _number(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)


def _size(kilobytes: float) -> str:
    return f"{kilobytes:.0f} KB" if kilobytes < 1000 else f"{kilobytes / 1000:,.1f} MB"


def _time(microseconds: float) -> str:
    return f"{microseconds:.0f} µs" if microseconds < 1000 else f"{microseconds / 1000:,.{microseconds < 10_000:d}f} ms"
