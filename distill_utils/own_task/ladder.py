"""The small students, each taught and beside its two controls; every choice is made on validation."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from distill_utils.experiment import Experiment
from distill_utils.students import Student, balanced_weights, one_hot
from distill_utils.texts import augmentation

BAG, PAIRS, BILSTM = "bag-of-words MLP", "word-pairs MLP", "Bi-LSTM"
STUDENTS = (BAG, PAIRS, BILSTM)
SOFT, PSEUDO, HARD, WEIGHTED = "taught", "hard pseudo-labels", "hard labels", "hard labels, classes weighted"
SMALL = 64  # texts of a batch, where there are few: below MANY
MANY = 20_000


@dataclass(frozen=True)
class Rung:
    """One kind of student on one kind of labels, trained once a seed; validation: mean and spread, in percent."""

    student: str
    labels: str
    epochs: int
    models: list[Student]
    validation: tuple[float, float]

    @property
    def name(self) -> str:
        """As tables have it."""
        return f"{self.student} ({self.labels})"


def transfer_kinds(task: Experiment, more: list[str]) -> tuple[dict[str, list[str]], int]:
    """Texts for the teacher to label, by kind, as far as it answers them; and how many leaks that removed.

    more: the unlabelled texts that the task was given beside its own; of all of these the task's pool is taken. A
    teacher that answers any text also gets what can be made out of the training texts.
    """
    sizes, unlabelled = task.profile.transfer, task.pool if more or "unsupervised" in task.data else []
    if not task.teacher.any_text:
        sizes = dict.fromkeys(sizes, 0)
    kinds, removed = augmentation.transfer_set(
        task.texts["train"], **sizes, seed=0, unlabelled=unlabelled, held_out=task.held_out
    )
    if not task.teacher.any_text:
        kinds.pop("word probes", None)
    answered = {kind: task.teacher.answerable(texts) for kind, texts in kinds.items()}
    return {kind: texts for kind, texts in answered.items() if texts}, removed


def choices(kinds: dict[str, list[str]]) -> dict[str, list[str]]:
    """The transfer sets that compete, by name: the training texts, these with one other kind, everything."""
    others = [kind for kind in kinds if kind != "train"]
    sets = {"training texts": kinds["train"]}
    sets |= {f"+ {kind}": kinds["train"] + kinds[kind] for kind in others}
    if len(others) > 1:
        sets["all kinds"] = [text for texts in kinds.values() for text in texts]
    return sets


def choose_transfer_set(task: Experiment, sets: dict[str, list[str]]) -> tuple[str, dict[str, float]]:
    """The best set for the cheapest student that reads pairs, on validation, and the scores of all, in percent."""
    make, found = partial(task.mlp, taught=True), {}
    seen = task.profile.ladder["mlp"][1]  # so that a large set is not cut short
    for name, texts in sets.items():
        models = _trained(task, make, PAIRS, texts, task.teacher.soft_labels(texts), seen, only=1)
        found[name] = task.validation(models)[0]
    return max(found, key=found.get), found


def rungs(task: Experiment, student: str, texts: list[str], soft_labels: np.ndarray) -> dict[str, Rung]:
    """A student on the teacher's soft labels, on its hard ones, and on the training labels: {labels: rung}.

    Each sees about as many texts; of the profile's two amounts validation takes one, for each of them. Where the metric
    is not accuracy, a rare class counts for more, so hard labels are tried with balanced class weights, too.
    """
    make = _makers(task)[student]
    pseudo = one_hot(soft_labels.argmax(axis=1), len(task.names))
    found = {
        SOFT: _best(task, student, SOFT, partial(make, taught=True), texts, soft_labels),
        PSEUDO: _best(task, student, PSEUDO, partial(make, taught=True), texts, pseudo),
        HARD: _best(task, student, HARD, make, task.texts["train"], task.hard),
    }
    if task.data.task.metric != "accuracy":
        weights = balanced_weights(task.labels["train"], len(task.names))
        found[WEIGHTED] = _best(task, student, WEIGHTED, make, task.texts["train"], task.hard, class_weights=weights)
    return found


def record(task: Experiment, rung: Rung) -> dict[str, object]:
    """Put a rung on the task's board; its row of the ladder's table."""
    result = task.record(rung.name, rung.models, teacher=task.teacher_name if rung.labels in (SOFT, PSEUDO) else None)
    return {
        "student": rung.student,
        "labels": rung.labels,
        "epochs": rung.epochs,
        "validation %": rung.validation,
        "test %": (result.score, result.score_std),
    }


def kept(task: Experiment, taught: list[Rung]) -> str:
    """How much of the teacher's validation score each taught student keeps, in one sentence; none without a score."""
    if len(task.teacher.answerable(task.texts["validation"])) < len(task.texts["validation"]):
        return "The teacher does not answer the validation texts: what is kept of it is not known."
    whole = task.validation([task.teacher])[0]
    if whole <= 0:
        return f"{task.teacher_name} scores nothing on validation: there is nothing to keep."
    shares = [f"{rung.student} {100 * rung.validation[0] / whole:.0f}%" for rung in taught]
    return f"Of the validation score of {task.teacher_name} the taught students keep: {'; '.join(shares)}."


def best_model(task: Experiment, rung: Rung) -> Student:
    """The model of a rung that scores best on validation: the one to hand over."""
    return max(rung.models, key=lambda model: task.validation([model])[0])


def _makers(task: Experiment) -> dict[str, Callable[..., Student]]:
    return {BAG: partial(task.mlp, pooling="mean"), PAIRS: task.mlp, BILSTM: task.bilstm}


def _best(
    task: Experiment, student: str, labels: str, make: Callable, texts: list[str], soft_labels: np.ndarray, **options
) -> Rung:
    amounts = task.profile.ladder["bilstm" if student == BILSTM else "mlp"]
    tried = [_trained(task, make, student, texts, soft_labels, seen, only=1, **options) for seen in amounts]
    seen = amounts[int(np.argmax([task.validation(models)[0] for models in tried]))]
    models = _trained(task, make, student, texts, soft_labels, seen, **options)
    return Rung(student, labels, _epochs(seen, len(texts)), models, task.validation(models))


def _trained(
    task: Experiment,
    make: Callable,
    student: str,
    texts: list[str],
    soft_labels: np.ndarray,
    seen: int,
    only: int | None = None,
    **options,
) -> list[Student]:
    if student == BILSTM:
        options["learning_rate"] = 2e-3
    few = len(texts) < MANY and student != BILSTM  # whose batches hold texts of one length, and are small as it is
    batch = task.profile.bilstm_batch if student == BILSTM else task.profile.student_batch
    return task.train(
        make,
        texts,
        soft_labels,
        only=only,
        epochs=_epochs(seen, len(texts)),
        batch_size=min(batch, SMALL) if few else batch,
        **options,
    )


def _epochs(seen: int, n_texts: int) -> int:
    """Passes over a set that come to `seen` texts; 2 at least, 100 at most."""
    return min(max(round(seen / n_texts), 2), 100)
