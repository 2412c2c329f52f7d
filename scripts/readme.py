"""Regenerate README's results, docs/results.md and the headline picture from what the notebooks write.

A page holds pairs of markers, and all that stands between them is replaced:

<!-- results:part1 -->
<!-- /results -->

`part1` to `part3` are all results of a part. `tasks` is the table of a few chosen rows, `claims` counts the verdicts of
the committed notebooks, `ablation` shows what scripts/ablation.py measured.
"""

import html
import json
import re
import sys
from collections import Counter
from pathlib import Path

import ablation
import matplotlib.pyplot as plt

from distill_utils.cache import write_atomically
from distill_utils.results import figures
from distill_utils.results.claims import BLOG
from distill_utils.results.scoreboard import elsewhere, human_count
from distill_utils.results.tables import written

ROOT = Path(__file__).resolve().parent.parent
PAGES = (Path("README.md"), Path("docs/results.md"))
PICTURE = Path("images/headline.png")
RESULTS, NOTEBOOKS, ABLATION = Path("results/laptop"), Path("notebooks"), Path("results/ablation.json")
START, END = re.compile(r"<!-- results:(\w+) -->"), "<!-- /results -->"
METRICS = {"accuracy": "accuracy", "matthews_correlation": "Matthews correlation"}
SOURCES = {
    "folder": "the real data set, read from a folder",
    "hub": "the real data set, from the hub",
    "miniature": "a generated miniature corpus, not the real data set",
    "file": "a file",
}
VERDICTS = {"held": "held", "did not hold": "did not hold", "not run": "were not run"}
# The rows of README's table below each task's teacher, and what the blog's teacher is there.
TINY, COUNTS = "Gated CNN-D", "TF-IDF + logistic regression"
CHOSEN = {
    "emotion": ("RoBERTa", "MLP-D", TINY),
    "imdb": ("RoBERTa", "MLP-D, bag of words", TINY),
    "sst2": ("RoBERTa", "MLP-D", TINY, "Switch, 20% deferred"),
    "cola": ("BERT", "MLP-D", TINY, "MPNet-base, 6 layers-D"),
}
TITLES = {"emotion": "Emotion", "imdb": "IMDB", "sst2": "SST-2", "cola": "CoLA"}
# What the blog has for a switch stands in its table of speeds.
SWITCHES = {("sst2", "Switch, 20% deferred"): BLOG["part3_switch"]["switch, 20% hard"][1]}

Results = dict[str, list[dict]]  # part -> rows, as Scoreboard.save writes them


class Refused(ValueError):
    """A page that cannot be rendered, said in one line."""


def render(page: str, results: Results, claims: list[str] = (), name: str = "README.md") -> str:
    """The text of a page with each block regenerated from `results` and the verdicts on the blog's `claims`.

    Raises Refused for a marker without results, or one that is not closed.
    """
    done, rest = "", page
    while marker := START.search(rest):
        end, following = rest.find(END, marker.end()), START.search(rest, marker.end())
        if end < 0 or following and following.start() < end:
            raise Refused(f"{name}: the marker results:{marker[1]} is not closed by {END}")
        done += f"{rest[: marker.end()]}\n{block(marker[1], results, claims, name)}\n{END}"
        rest = rest[end + len(END) :]
    return done + rest


def block(marker: str, results: Results, claims: list[str], name: str) -> str:
    """What stands between a pair of markers."""
    if marker == "tasks":
        return overview(results)
    if marker == "claims":
        return counted(claims)
    if not results.get(marker):
        known = ", ".join(sorted(results)) or "none"
        raise Refused(
            f"{name} has a marker results:{marker}, and there are no results of that name (there are: {known}): "
            "run make notebooks, which writes results/laptop, or correct the marker"
        )
    if marker == ABLATION.stem:
        return ablation.tables(results[marker])
    return all_rows(marker, results[marker])


def overview(results: Results) -> str:
    """The table of the chosen rows, task by task, beside the blog's numbers; below it what word counts reach."""
    lines = ["| task | model | parameters | score | of its teacher | the blog |", "|---|---|---:|---:|---:|---:|"]
    for task, (blogs, *models) in CHOSEN.items():
        teacher = find(results, task, find(results, task, models[0])["teacher"])
        for model in (teacher["model"], *models):
            row = find(results, task, model)
            theirs = SWITCHES.get((task, model), row["blog_score"])
            shown = "" if theirs is None else written(theirs)
            name, kept = as_written(model), f"{written(share(results, task, model), 0)}%"
            if row is teacher:
                name, kept = f"{name} (the teacher)", ""
                shown = f"{blogs} {written(find(results, task, blogs)['blog_score'])}"
            counts = human_count(row["parameters"])
            lines.append(f"| {TITLES[task]} | {name} | {counts} | {score(row)} | {kept} | {shown} |")
    counts = ", ".join(f"{TITLES[task]} {score(find(results, task, COUNTS))}" for task in CHOSEN)
    return "\n".join([*lines, "", f"Word counts alone (TF-IDF and logistic regression) reach: {counts}."])


def find(results: Results, task: str, model: str) -> dict:
    """The first row of a model on a task, in the order of the parts. Raises Refused if there is none."""
    parts = (rows for part, rows in results.items() if part != ABLATION.stem)
    rows = (row for rows in parts for row in rows if row["metric"] in METRICS)
    for row in rows:
        if (row["task"], row["model"]) == (task, model):
            return row
    raise Refused(f"README.md names {model} on {task}, and no results have it: correct CHOSEN in scripts/readme.py")


def share(results: Results, task: str, model: str) -> float:
    """How much of its teacher's score a student keeps, in percent; for word counts, of the same teacher's."""
    teacher = find(results, task, TINY)["teacher"]
    return 100 * find(results, task, model)["score"] / find(results, task, teacher)["score"]


def counted(claims: list[str]) -> str:
    """One sentence: how many of the blog's claims held, and how many did not or were not run."""
    found = Counter(claims)
    parts = [f"**{found[verdict]} {words}**" for verdict, words in VERDICTS.items()]
    return f"Of {len(claims)} statements of the blog {', '.join(parts[:-1])} and {parts[-1]}."


def headline(results: Results) -> plt.Figure:
    """The one picture: what the smallest students and word counts keep of the teacher's score, task by task."""
    figures.use_style()
    figure, axes = plt.subplots(figsize=(7, 2.9))
    for row, task in enumerate(reversed(CHOSEN)):
        theirs, ours = (share(results, task, model) for model in (COUNTS, TINY))
        axes.plot([theirs, ours], [row, row], color="#dddddd", linewidth=3, zorder=1)
        axes.scatter(theirs, row, s=160, color=figures.PLAIN, zorder=2, label="word counts" if not row else None)
        axes.scatter(ours, row, s=90, color=figures.STUDENT, zorder=3, label="tiny student" if not row else None)
        axes.annotate(f"{written(ours, 0)}%", (ours, row), (0, 9), textcoords="offset points", ha="right")
    size = human_count(find(results, task, TINY)["parameters"])
    axes.axvline(100, color=figures.TEACHER, linewidth=2, label="the teacher")
    axes.set(xlim=(0, 108), ylim=(-0.5, len(CHOSEN) - 0.3), xlabel="score kept, % of the teacher's")
    axes.set_yticks(range(len(CHOSEN)), [TITLES[task] for task in reversed(CHOSEN)])
    axes.set_title(f"What a student of {size} numbers keeps of its teacher")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False)
    return figure


def points(results: Results) -> str:
    """What the picture shows, as text; it is written into the picture, which so says what it was drawn from."""
    models = (COUNTS, TINY)
    return "; ".join(f"{task} {', '.join(written(share(results, task, one)) for one in models)}" for task in CHOSEN)


def all_rows(part: str, rows: list[dict]) -> str:
    """The sentence on each distilled student, the table of all models, and where the numbers come from.

    Models that only the blog has run stand in a line below the table, one a task. Rows of other measures than
    `METRICS` (word-order sensitivity) stay in the results file.
    """
    names = ("task", "model", "teacher")
    rows = [row | {name: as_written(row[name] or "") for name in names} for row in rows if row["metric"] in METRICS]
    tasks = list(dict.fromkeys(row["task"] for row in rows))
    head = ["task"] * (len(tasks) > 1) + ["model", "score", "blog", "parameters", "teacher"]
    lines = [f"| {' | '.join(head)} |", "|" + "|".join("---:" if h in head[-4:-1] else "---" for h in head) + "|"]
    for row in rows:
        if only_in_the_blog(row):
            continue
        model = f"**{row['model']}**" if is_distilled(row) else row["model"]
        blog = "" if row["blog_score"] is None else written(row["blog_score"])
        cells = [model, score(row), blog, human_count(row["parameters"]), row["teacher"]]
        lines.append(f"| {' | '.join([row['task']] * (len(tasks) > 1) + cells)} |")
    sentences = [f"- {sentence}" for row in rows if (sentence := retention(row, rows))]
    below = []
    for task in tasks:
        line = elsewhere({r["model"]: r["blog_score"] for r in rows if r["task"] == task and only_in_the_blog(r)})
        below += [f"{task}: {line}" if len(tasks) > 1 else line] if line else []
    return "\n\n".join(["\n".join(sentences), "\n".join(lines), *below, provenance(part, rows)]).strip()


def only_in_the_blog(row: dict) -> bool:
    """Whether a row is of a model that was not run, and has a score in the blog."""
    return row["score"] is None and row["blog_score"] is not None


def as_written(name: str) -> str:
    """A name for Markdown, in a table too: nothing in it is a column, a tag, code or mathematics."""
    escaped = re.sub(r"[\\`*_\[\]|~]", r"\\\g<0>", html.escape(" ".join(name.split()), quote=False))
    return escaped.replace("$", "<span>$</span>")  # as the code host's manual says


def is_distilled(row: dict) -> bool:
    """Whether a row is one of the blog's distilled students: their names end in -D."""
    return bool(row["teacher"]) and row["model"].endswith("-D")


def score(row: dict) -> str:
    """Mean and spread of a row in percent, as the notebooks' tables write them."""
    return "no answers" if row["score"] is None else written((row["score"], row["score_std"]))


def retention(row: dict, rows: list[dict]) -> str:
    """One sentence: how much of its teacher's score a distilled student keeps, and how much smaller it is."""
    same_task = (other for other in rows if other["task"] == row["task"])
    teacher = next((other for other in same_task if other["model"] == row["teacher"]), None)
    if not is_distilled(row) or row["score"] is None or teacher is None or not teacher["score"]:
        return ""
    times = teacher["parameters"] / row["parameters"]
    return (
        f"On {row['task']}, {row['model']} keeps {written(100 * row['score'] / teacher['score'])}% of its teacher's "
        f"{METRICS[row['metric']]} ({teacher['model']}) with {written(times, 0 if times >= 10 else 1)} times "
        "fewer parameters."
    )


def provenance(part: str, rows: list[dict]) -> str:
    """One line under the table: metric, seeds, data, file."""
    run = [row for row in rows if row["score"] is not None]
    metrics = " and ".join(dict.fromkeys(METRICS[row["metric"]] for row in rows))
    seeds = ", ".join(map(str, sorted({row["n_seeds"] for row in run if row["score_std"] is not None})))
    sources = " and ".join(dict.fromkeys(SOURCES.get(row["data_source"], row["data_source"]) for row in run))
    spread = f"; ± is the standard deviation over {seeds} seeds" if seeds else ""
    return f"Score: test {metrics} in percent{spread}. Data: {sources}. From `{RESULTS}/{part}.json`."


def read_results(root: Path = ROOT) -> Results:
    """All results of a repository, by part."""
    paths = [*sorted((root / RESULTS).glob("*.json")), *root.glob(str(ABLATION))]
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in paths}


def read_claims(root: Path = ROOT) -> list[str]:
    """The verdicts in the tables of claims that the committed notebooks show, one a statement."""
    found = []
    for path in sorted((root / NOTEBOOKS).glob("[0-9]_*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if "claims_table(" in "".join(cell["source"]):
                shown = "".join("".join(output.get("data", {}).get("text/html", "")) for output in cell["outputs"])
                found += re.findall(rf">({'|'.join(VERDICTS)})<", shown)
    return found


def main(root: Path = ROOT) -> int:
    """Write the pages and the picture anew, or nothing; 0 done, 2 refused."""
    results, claims = read_results(root), read_claims(root)
    old = {page: (root / page).read_text(encoding="utf-8") for page in PAGES}
    try:
        new = {page: render(text, results, claims, page.name) for page, text in old.items()}
        figure, shown = headline(results), points(results)
    except Refused as refusal:
        print(refusal, file=sys.stderr)
        return 2
    for page, text in new.items():
        write_atomically(root / page, text.encode())
        print(f"{page}: {'updated' if text != old[page] else 'nothing to change'}")
    figure.savefig(root / PICTURE, metadata={"Software": None, "Description": shown})
    return 0


if __name__ == "__main__":
    sys.exit(main())
