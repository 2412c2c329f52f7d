"""The decision table: what each model scores, how large it is and how fast, beside the teacher."""

import pandas as pd

from distill_utils.experiment import Experiment
from distill_utils.own_task.cost import bytes_on_disk, human_bytes, measure
from distill_utils.own_task.decision import Candidate, advice, answers_of
from distill_utils.own_task.teaching import answers
from distill_utils.results.intervals import paired_difference
from distill_utils.results.scoreboard import TITLES, human_count

SINGLES, TOGETHER = 50, 200  # texts that are timed one by one, and all at once
AGAINST = "minus teacher (95%)"


def candidate(task: Experiment, name: str, models: list) -> Candidate:
    """A kind of model, once a seed, as the rule of `decision` wants it."""
    return Candidate(name, _parameters(models[0]) or 0, answers_of(models, task.texts["validation"]))


def advise(task: Experiment, chosen: Candidate, *, twin: Candidate, tolerance: float) -> str:
    """The sentence of `decision.advice` for a chosen student, beside the task's teacher and its linear model."""
    compared = {"linear": candidate(task, "TF-IDF + logistic regression", [task.linear]), "teacher": None}
    if answers(task, "validation"):
        compared["teacher"] = candidate(task, task.teacher_name, [task.teacher])
    labels, metric = task.labels["validation"], task.data.task.metric
    return advice(metric, labels, chosen, twin=twin, tolerance=tolerance, **compared)


def compare(task: Experiment, models: dict[str, list]) -> pd.DataFrame:
    """A row a model, the teacher first: test score, difference to the teacher, parameters, size, latency, speed.

    models: name -> one kind of model, once a seed; the first is timed. In brackets stand the difference's interval, and
    how many times as fast as the teacher it is. What a table of answers does not have stays empty, and the times then
    stand alone.
    """
    teacher = task.teacher
    timed = {name: found[0] for name, found in models.items()}
    if teacher.any_text:
        timed = {task.teacher_name: teacher} | timed
    texts = task.texts["test"][:TOGETHER]
    costs = {
        name: measure(getattr(model, "logits", model.predict), texts, bytes_on_disk(model), singles=SINGLES)
        for name, model in timed.items()
    }
    whole, rows = costs.get(task.teacher_name), []
    for name, found in {task.teacher_name: [teacher], **models}.items():
        cost = costs.get(name)
        row = {"model": name} | _scored(task, name, found)
        row |= {"parameters": human_count(_parameters(found[0]))}
        if cost:
            many = f"{round(1 / cost.seconds, -1):,.0f}" if cost.seconds < 0.1 else f"{1 / cost.seconds:.1f}"
            row |= {
                "on disk": human_bytes(cost.bytes),
                "ms a text": f"{1000 * cost.latency:.3g}{_times(whole and whole.latency / cost.latency)}",
                "texts a second": f"{many}{_times(whole and whole.seconds / cost.seconds)}",
            }
        rows.append(row)
    return pd.DataFrame(rows)


def _scored(task: Experiment, name: str, models: list) -> dict:
    metric, labels, texts = task.data.task.metric, task.labels["test"], task.texts["test"]
    column = f"{TITLES[metric]} %"
    if name == task.teacher_name and not answers(task, "test"):
        return {column: None, AGAINST: None}
    scores = [task.score(model.predict(texts)) for model in models]
    mean, spread = pd.Series(scores).mean(), pd.Series(scores).std()
    row = {column: (mean, spread) if len(scores) > 1 else mean, AGAINST: None}
    if name != task.teacher_name and answers(task, "test"):
        points, low, high = paired_difference(metric, labels, answers_of(models, texts), task.teacher.predict(texts))
        row[AGAINST] = f"{points:+.1f} ({low:+.1f} .. {high:+.1f})"
    return row


def _parameters(model: object) -> int | None:
    if hasattr(model, "count_parameters"):
        return model.count_parameters()[0]
    return model[-1].coef_.size + model[-1].intercept_.size  # TF-IDF and a linear model


def _times(ratio: float | None) -> str:
    if ratio is None:
        return ""
    return f" ({ratio:.2g}x)" if ratio < 100 else f" ({round(ratio, -len(str(int(ratio))) + 2):,.0f}x)"
