"""What bought each gain: labels, text, teacher and start taken apart, students and seeds as in the notebooks.

python scripts/ablation.py               # all four tasks, after the notebooks: over an hour on two cores
python scripts/ablation.py sst2 cola     # these

Writes results/ablation.json; `make readme` shows it in docs/results.md.
"""

import json
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from distill_utils import course
from distill_utils.cache import write_atomically
from distill_utils.experiment import Experiment
from distill_utils.profiles import PROFILES
from distill_utils.results.tables import written
from distill_utils.students import one_hot

RESULTS = Path(__file__).resolve().parent.parent / "results" / "ablation.json"
PROFILE, SEEDS = PROFILES["laptop"], 3
STUDENTS = {
    course.BAG: "MLP, bag of words",
    course.PAIRS: "MLP, pairs",
    course.CONV: "gated CNN",
    course.BILSTM: "Bi-LSTM",
}
TITLES = {"emotion": "Emotion", "sst2": "SST-2", "cola": "CoLA", "imdb": "IMDB"}
# Each line of the tables: the texts, who labels them and how, and where the student's words start.
LABELS = "its own texts, labels"
SOFT = "its own texts, soft labels in their place"
OWN = "its own texts, soft labels"
POOL = "its own texts and the pool, soft labels"
CLASSES = "all texts, the teacher's classes"
PLAIN = "all texts, soft labels, words start at random"
UNMOVED = "all texts, soft labels, answers not moved"
ALL = "all texts, soft labels"
SMALL = "all texts, soft labels of MiniLM"
LESSONS = (LABELS, SOFT, OWN, POOL, CLASSES, PLAIN, UNMOVED, ALL, SMALL)


def lessons(task: Experiment, small: Experiment, kind: str) -> dict[str, dict]:
    """Arguments of `Experiment.train` for one kind of student, by lesson; small: the task with the smaller teacher."""
    own, n_classes, sizes = task.texts["train"], len(task.names), task.profile
    epochs = {course.CONV: 2 * sizes.conv_epochs, course.BILSTM: sizes.bilstm_hard_epochs}
    hard = course.settings(task, kind, own) | {"epochs": epochs.get(kind, sizes.student_epochs)}
    taught, texts, soft = partial(course.student, task, kind), *course.lesson(task)
    all_texts = {"make": taught, "texts": texts, "soft_labels": soft} | course.settings(task, kind, texts)
    own_texts = {"make": taught, "texts": own, "soft_labels": task.teacher.soft_labels(own)}
    start = {"make": partial(taught, taught=False)}
    found = {
        LABELS: own_texts | hard | start | {"soft_labels": task.hard},
        SOFT: own_texts | hard | start,
        OWN: own_texts | course.settings(task, kind, own),
        CLASSES: all_texts | {"soft_labels": one_hot(soft.argmax(axis=1), n_classes)},
        PLAIN: all_texts | start,
        ALL: all_texts,
        SMALL: all_texts
        | {"make": partial(course.student, small, kind), "soft_labels": small.teacher.soft_labels(texts)},
    }
    if all_texts["match"]:
        found[UNMOVED] = all_texts | {"match": False}
    if further := len(task.teacher.at_hand(task.further)):  # the last of the texts
        pool = texts[:-further]
        found[POOL] = all_texts | {"texts": pool, "soft_labels": soft[: len(pool)]} | course.settings(task, kind, pool)
    return found


def rows(name: str) -> Iterator[dict]:
    """The rows of a task, as they are measured."""
    task = course.experiments([name], PROFILE, seeds=SEEDS)[name]
    task.teach()
    small = task.beside()
    for kind in STUDENTS:
        for lesson, models in task.train_all(lessons(task, small, kind)).items():
            scores = [task.score(model.predict(task.texts["test"])) for model in models]
            yield {
                "task": name,
                "student": kind,
                "lesson": lesson,
                "metric": task.data.task.metric,
                "score": round(float(np.mean(scores)), 4),
                "score_std": round(float(np.std(scores, ddof=1)), 4),
                "validation": round(task.validation(models)[0], 4),
                "n_seeds": len(models),
            }


def tables(found: list[dict]) -> str:
    """A table a task for a page: lessons down, students across, test scores in the cells."""
    cells = {(row["task"], row["lesson"], row["student"]): (row["score"], row["score_std"]) for row in found}
    lines = []
    for name in (name for name in TITLES if any(row["task"] == name for row in found)):
        lines += ["", f"| {TITLES[name]} | {' | '.join(STUDENTS.values())} |", "|---|" + "---:|" * len(STUDENTS)]
        for lesson in LESSONS:
            scores = [cells.get((name, lesson, kind)) for kind in STUDENTS]
            if not any(scores):
                continue
            lines.append(f"| {lesson} | {' | '.join('' if score is None else written(score) for score in scores)} |")
    seeds = ", ".join(map(str, sorted({row["n_seeds"] for row in found})))
    note = f"Test accuracy in percent (CoLA: Matthews correlation), mean ± standard deviation over {seeds} seeds."
    return "\n".join([*lines[1:], "", f"{note} From `results/ablation.json`, by `python scripts/ablation.py`."])


def main(names: list[str]) -> int:
    """Measure the tasks named, or all; each row is kept as it comes."""
    if unknown := set(names) - set(TITLES):
        print(f"unknown task {min(unknown)}: use {', '.join(TITLES)}", file=sys.stderr)
        return 2
    found = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else []
    for name in names or TITLES:
        for row in rows(name):
            same = [row[key] for key in ("task", "student", "lesson")]
            found = [old for old in found if [old[key] for key in ("task", "student", "lesson")] != same] + [row]
            write_atomically(RESULTS, (json.dumps(found, indent=1) + "\n").encode())
            print(f"{name}, {row['student']}, {row['lesson']}: {written((row['score'], row['score_std']))}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
