"""Results as data: one row a model, beside the blog's number; and a paired test."""

import json
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef

from distill_utils.cache import write_atomically
from distill_utils.checks import as_labels, as_outcomes, at_least_one
from distill_utils.results.tables import SAVED, Table, table

METRICS = {
    "accuracy": accuracy_score,
    "macro_f1": partial(f1_score, average="macro"),  # the mean over classes: a rare one counts as much as any
    "matthews_correlation": matthews_corrcoef,
}
TITLES = {"accuracy": "accuracy", "macro_f1": "macro-F1", "matthews_correlation": "MCC"}


def score(metric: str, labels: np.ndarray, predictions: np.ndarray) -> float:
    """Accuracy, macro-F1 or Matthews correlation, in percent, of class numbers, (n,) each.

    Raises ValueError for another metric, no texts, other lengths, and what is no class number.
    """
    if metric not in METRICS:
        raise ValueError(f"unknown metric {metric!r}: use one of {', '.join(METRICS)}")
    labels = as_labels(labels)
    at_least_one(labels=len(labels))
    predictions = as_labels(predictions, n_texts=len(labels), what="predictions")
    return 100 * float(METRICS[metric](labels, predictions))


@dataclass(frozen=True)
class Result:
    """One model on one task. score, score_std and blog_score in percent; None is "not run" or "not in the blog".

    A model that was not run, but has a score in the blog, stands in the line below the table (`elsewhere`).
    """

    task: str
    model: str
    metric: str
    score: float | None
    score_std: float | None
    n_seeds: int
    parameters: int | None
    parameters_without_embeddings: int | None
    data_source: str
    teacher: str | None
    train_seconds: float | None
    blog_score: float | None


@dataclass
class Scoreboard:
    """The results of a notebook, in the order they came."""

    task: str
    metric: str
    data_source: str
    results: list[Result] = field(default_factory=list)

    def add(
        self,
        model: str,
        scores: float | list[float] | None,
        *,
        parameters: tuple[int | None, int | None] = (None, None),
        teacher: str | None = None,
        train_seconds: float | None = None,
        blog: float | None = None,
    ) -> Result:
        """Record a model: one score, one score a seed, or None for a model that was not run."""
        values = [] if scores is None else list(np.atleast_1d(scores))
        result = Result(
            self.task,
            model,
            self.metric,
            _round(np.mean(values)) if values else None,
            _round(np.std(values, ddof=1)) if len(values) > 1 else None,
            len(values),
            *parameters,
            self.data_source if values else "the blog" if blog is not None else "no answers",
            teacher,
            _round(train_seconds, 1) if train_seconds is not None else None,
            blog,
        )
        self.results = [r for r in self.results if r.model != model] + [result]
        return result

    def __getitem__(self, model: str) -> Result:
        return next(result for result in self.results if result.model == model)

    def table(self, highlight: str | None = None) -> Table:
        """The board as a table: score and spread, the blog's score, parameters; one model may be highlighted.

        What only the blog has run is no row: its scores stand in a line below.
        """
        of_the_blog = {r.model: r.blog_score for r in self.results if r.score is None and r.blog_score is not None}
        rows = [
            {
                "model": r.model,
                f"{TITLES[self.metric]} %": ("no answers" if r.score is None else (r.score, r.score_std)),
                "blog": r.blog_score,
                "parameters": r.parameters,
                "without embeddings": r.parameters_without_embeddings,
                "teacher": r.teacher,
                "data": r.data_source,
            }
            for r in self.results
            if r.model not in of_the_blog
        ]
        if not any(r.blog_score for r in self.results):  # a task of your own
            rows = [{name: value for name, value in row.items() if name != "blog"} for row in rows]
        counts = dict.fromkeys(("parameters", "without embeddings"), human_count)
        return table(rows, highlight=highlight, formats=counts, note=elsewhere(of_the_blog))

    def save(self, path: Path) -> None:
        """Write the results as JSON, one object a model."""
        save_all([self], path)


def save_all(boards: list[Scoreboard], path: Path) -> None:
    """Write the results of several tasks as one JSON list."""
    rows = [asdict(result) for board in boards for result in board.results]
    write_atomically(path, (json.dumps(rows, indent=1) + "\n").encode())


def elsewhere(scores: dict[str, float]) -> str:
    """The line below a table on models that only the blog has run: model -> its score there; "" for none."""
    if not scores:
        return ""
    found = ", ".join(f"{model} {score:.1f}" for model, score in scores.items())
    return f"In the blog: {found}. These checkpoints come from the hub; the profile full runs them."


def human_count(number: int | None) -> str:
    """80374 -> "80K", 22715910 -> "22.7M", None -> ""."""
    if number is None:
        return ""
    if number < 1000:
        return str(number)
    return f"{number / 1e3:.0f}K" if number < 1e6 else f"{number / 1e6:.1f}M"


def paired_bootstrap(
    correct_a: np.ndarray, correct_b: np.ndarray, *, draws: int = 10_000, seed: int = 0
) -> tuple[float, float, float]:
    """The difference in accuracy a - b on the same texts, in points, with a 95% interval.

    correct_*: (n_texts,) or (n_seeds, n_texts) of 0 and 1; seeds are averaged text by text, then texts are
    redrawn. An interval that holds 0 is a tie at this test size (Koehn, 2004).

    Raises ValueError for no texts or seeds, unequal numbers of texts, and other values than 0 and 1.
    """
    at_least_one(draws=draws)
    a, b = (np.atleast_2d(as_outcomes(correct)) for correct in (correct_a, correct_b))
    if a.ndim > 2 or b.ndim > 2 or a.shape[1] != b.shape[1] or not min(a.size, b.size):
        raise ValueError(
            f"outcomes of shape {np.shape(correct_a)} and {np.shape(correct_b)}: give both for the same texts, "
            "(n_texts,) or (n_seeds, n_texts)"
        )
    difference = a.mean(axis=0) - b.mean(axis=0)
    # A text's difference takes few distinct values, so redrawing texts is redrawing their counts.
    values, counts = np.unique(difference, return_counts=True)
    redrawn = np.random.default_rng(seed).multinomial(len(difference), counts / len(difference), size=draws)
    means = 100 * redrawn @ values / len(difference)
    return 100 * float(difference.mean()), *map(float, np.percentile(means, [2.5, 97.5]))


def _round(value: float, digits: int = SAVED) -> float:
    return round(float(value), digits)
