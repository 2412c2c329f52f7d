"""Regenerate the results in README.md from results/laptop/*.json, which the notebooks write.

README.md holds a pair of markers for each part; all that stands between them is replaced:

<!-- results:part1 -->
<!-- /results -->
"""

import html
import json
import re
import sys
from pathlib import Path

from distill_utils.cache import write_atomically
from distill_utils.results.scoreboard import elsewhere, human_count

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
RESULTS = ROOT / "results" / "laptop"
START, END = re.compile(r"<!-- results:(\w+) -->"), "<!-- /results -->"
METRICS = {"accuracy": "accuracy", "matthews_correlation": "Matthews correlation"}
SOURCES = {
    "folder": "the real data set, read from a folder",
    "hub": "the real data set, from the hub",
    "miniature": "a generated miniature corpus, not the real data set",
    "file": "a file",
}


class Refused(ValueError):
    """A README that cannot be rendered, said in one line."""


def render(readme_text: str, results: dict[str, list[dict]]) -> str:
    """The README with each block regenerated from `results` ({part: rows, as Scoreboard.save writes them}).

    Raises Refused for a marker without results, or one that is not closed.
    """
    done, rest = "", readme_text
    while marker := START.search(rest):
        part, end = marker[1], rest.find(END, marker.end())
        following = START.search(rest, marker.end())
        if end < 0 or following and following.start() < end:
            raise Refused(f"README.md: the marker results:{part} is not closed by {END}")
        if not results.get(part):
            known = ", ".join(sorted(results)) or "none"
            raise Refused(
                f"README.md has a marker results:{part}, and there are no results of that name (there are: {known}): "
                "run make notebooks, which writes results/laptop, or correct the marker"
            )
        done += f"{rest[: marker.end()]}\n{block(part, results[part])}\n{END}"
        rest = rest[end + len(END) :]
    return done + rest


def block(part: str, rows: list[dict]) -> str:
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
        blog = "" if row["blog_score"] is None else f"{row['blog_score']:.1f}"
        cells = [model, score(row), blog, human_count(row["parameters"]), row["teacher"]]
        lines.append(f"| {' | '.join([row['task']] * (len(tasks) > 1) + cells)} |")
    sentences = [sentence for row in rows if (sentence := retention(row, rows))]
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
    """Mean and spread of a row in percent."""
    if row["score"] is None:
        return "no answers"
    return f"{row['score']:.1f}" + (f" ± {row['score_std']:.1f}" if row["score_std"] is not None else "")


def retention(row: dict, rows: list[dict]) -> str:
    """One sentence: how much of its teacher's score a distilled student keeps, and how much smaller it is."""
    same_task = (other for other in rows if other["task"] == row["task"])
    teacher = next((other for other in same_task if other["model"] == row["teacher"]), None)
    if not is_distilled(row) or row["score"] is None or teacher is None or not teacher["score"]:
        return ""
    times = teacher["parameters"] / row["parameters"]
    return (
        f"On {row['task']}, {row['model']} keeps {100 * row['score'] / teacher['score']:.1f}% of its teacher's "
        f"{METRICS[row['metric']]} ({teacher['model']}) with {times:.{0 if times >= 10 else 1}f} times "
        "fewer parameters."
    )


def provenance(part: str, rows: list[dict]) -> str:
    """One line under the table: metric, seeds, data, file."""
    run = [row for row in rows if row["score"] is not None]
    metrics = " and ".join(dict.fromkeys(METRICS[row["metric"]] for row in rows))
    seeds = ", ".join(map(str, sorted({row["n_seeds"] for row in run if row["score_std"] is not None})))
    sources = " and ".join(dict.fromkeys(SOURCES.get(row["data_source"], row["data_source"]) for row in run))
    spread = f"; ± is the standard deviation over {seeds} seeds" if seeds else ""
    return f"Score: test {metrics} in percent{spread}. Data: {sources}. From `results/laptop/{part}.json`."


def read_results(folder: Path = RESULTS) -> dict[str, list[dict]]:
    """All results in a folder, by part."""
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))}


def main() -> int:
    """Rewrite README.md; 0 done, 2 refused."""
    old = README.read_text(encoding="utf-8")
    try:
        new = render(old, read_results())
    except Refused as refusal:
        print(refusal, file=sys.stderr)
        return 2
    write_atomically(README, new.encode())
    print(f"README.md: {'updated' if new != old else 'nothing to change'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
