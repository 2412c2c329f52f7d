"""Distillation: a KL loss to the teacher's soft labels, and one training loop for hard and soft labels alike."""

import hashlib
import json
import os
import time
import warnings
from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from joblib import Parallel, cpu_count, delayed
from safetensors.torch import load, save
from torch import nn

from distill_utils.cache import cache_dir, keep, recall
from distill_utils.checks import above_zero, as_labels, as_soft_labels, as_texts, at_least, at_least_one
from distill_utils.dtypes import bf16_units
from distill_utils.progress import bar
from distill_utils.students.streaming import encode_labelled
from distill_utils.students.student import Student, length_batches

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
APART = 1_000_000  # words read over all passes; below, a process would take longer to start than to train
TRAINING = 2  # counted up when the loop gives other weights from the same lesson: kept students are trained again


def one_hot(labels: np.ndarray, n_classes: int) -> np.ndarray:
    """Hard labels as rows of the soft-label column: (n,) class numbers -> (n, n_classes) float32.

    Raises ValueError for what is not a class number in 0 .. n_classes - 1.
    """
    at_least_one(n_classes=n_classes)
    return np.eye(n_classes, dtype=np.float32)[as_labels(labels, n_classes)]


def balanced_weights(labels: np.ndarray, n_classes: int) -> np.ndarray:
    """Class weights that let each class count alike: n / (n_classes * count), float64 (n_classes,); mean 1 over texts.

    labels: class numbers, (n,). A class without a text gets 0. Raises ValueError for what is no class number.
    """
    at_least_one(n_classes=n_classes)
    counts = np.bincount(as_labels(labels, n_classes), minlength=n_classes)
    return np.divide(counts.sum(), n_classes * counts, out=np.zeros(n_classes), where=counts > 0)


def kl_to_soft_labels(
    student_logits: torch.Tensor, soft_labels: torch.Tensor, temperature: float = 1.0
) -> torch.Tensor:
    """KL(teacher || student), the mean over texts of a batch, in nats.

    student_logits, soft_labels: (n_texts, n_classes); soft labels are probabilities. A temperature above 1
    flattens both sides; its square keeps the size of the gradients (Hinton et al., 2015, section 2).

    Raises ValueError when the shapes differ or the temperature is not above 0.
    """
    _check(student_logits, soft_labels, temperature)
    log_student = F.log_softmax(student_logits / temperature, dim=-1)
    teacher = soft_labels ** (1 / temperature)
    teacher = teacher / teacher.sum(dim=-1, keepdim=True)
    kl = torch.xlogy(teacher, teacher) - teacher * log_student  # xlogy: 0 log 0 is 0
    return temperature**2 * kl.sum(dim=-1).mean()


def mse_to_logits(student_logits: torch.Tensor, soft_labels: torch.Tensor) -> torch.Tensor:
    """Mean squared error between logits (Tang et al., 2019, equation 2), the mean over texts and classes.

    Probabilities give logits up to a constant a row, so both sides are centred.

    Raises ValueError when the shapes differ.
    """
    _check(student_logits, soft_labels)
    teacher_logits = soft_labels.clamp_min(1e-7).log()
    centre = lambda logits: logits - logits.mean(dim=-1, keepdim=True)  # noqa: E731
    return F.mse_loss(centre(student_logits), centre(teacher_logits))


def _check(student_logits: torch.Tensor, soft_labels: torch.Tensor, temperature: float = 1.0) -> None:
    if student_logits.shape != soft_labels.shape:
        raise ValueError(
            f"logits of shape {tuple(student_logits.shape)} and soft labels of shape {tuple(soft_labels.shape)}: give "
            "one row a text and one column a class in both"
        )
    above_zero(temperature=temperature)


def fit(
    student: nn.Module,
    texts: list[str] | str | Path,
    soft_labels: np.ndarray | None = None,
    *,
    seed: int,
    epochs: int,
    learning_rate: float = 1e-2,
    batch_size: int = 256,
    loss: Loss = kl_to_soft_labels,
    class_weights: np.ndarray | None = None,
    folder: Path | None = None,
) -> nn.Module:
    """Train a student on texts and their soft labels, (n_texts, n_classes) probabilities; returns it, ready to use.

    The seed decides initial weights and batch order, so two calls that differ in one argument differ in nothing
    else. Adam, with a learning rate that falls linearly to zero. The same call made again reads the weights from
    the cache. `student.train_seconds` says how long the training took.

    Instead of both, the folder that `label_files` wrote: its texts are read a few thousand at a time, and what the
    student reads of them lies in files that go with the call, so that memory holds some 30 bytes a text. The trained
    weights are those that the same texts make as a list.

    class_weights: (n_classes,), such as `balanced_weights`; each text's loss is multiplied by its class's. For hard
    labels (one-hot rows): a soft label belongs to several classes at once.

    Torch's global random stream is left as it was. Raises ValueError when texts and soft labels do not match, when
    the soft labels are no probabilities, for class weights of soft labels, for amounts that train nothing, and for a
    folder that cannot be used.
    """
    given = {"epochs": epochs, "learning_rate": learning_rate, "batch_size": batch_size}
    given |= {"loss": loss, "class_weights": class_weights, "folder": folder, "read": {}}
    _run(_jobs([student], [seed], texts, soft_labels, **given))
    return student


def fit_each(
    student: nn.Module, texts: list[str], soft_labels: np.ndarray, *, seeds: Iterable[int], **options
) -> list[nn.Module]:
    """Copies of a student, each trained by `fit` with another of the seeds; the options are those of `fit`.

    A student whose steps are too small to share leaves cores idle. So a long training of several such students runs
    in processes of their own, one a core. The weights are the same.
    """
    given = {"student": student, "texts": texts, "soft_labels": soft_labels, "seeds": seeds}
    return fit_all([given | options])[0]


def fit_all(lessons: Iterable[dict]) -> list[list[nn.Module]]:
    """What `fit_each` makes of each lesson, a dictionary of its arguments; together they keep all cores busy."""
    jobs, students, read = [], [], {}
    for given in lessons:
        options = fit.__kwdefaults__ | given
        student, seeds = options.pop("student"), list(options.pop("seeds"))
        students.append([deepcopy(student) for _ in seeds])
        jobs += _jobs(students[-1], seeds, read=read, **options)
    _run(jobs)
    return students


def _jobs(
    students: list[nn.Module],
    seeds: list[int],
    texts: list[str] | str | Path,
    soft_labels: np.ndarray | None,
    *,
    epochs: int,
    learning_rate: float,
    batch_size: int,
    loss: Loss,
    class_weights: np.ndarray | None,
    folder: Path | None,
    read: dict,
) -> list["_Job"]:
    """What is to be trained, or found in the cache: students that differ in nothing but their seeds.

    read: what students have read of which texts, so that others who read them alike need not.
    """
    at_least_one(epochs=epochs, batch_size=batch_size)
    for seed in seeds:
        at_least(0, seed=seed)
    above_zero(learning_rate=learning_rate)
    student, folder, start = students[0], Path(folder or cache_dir()) / "students", time.perf_counter()
    if soft_labels is None and isinstance(texts, str | Path):
        *encoded, soft_labels = encode_labelled(student, Path(texts), folder)
    else:
        texts = as_texts(texts)
        if not texts:
            raise ValueError("0 texts: give some to train on")
        soft_labels = as_soft_labels(soft_labels, len(texts), len(student.labels))
        encoded = _encoded(student, texts, read)
    weights = [] if class_weights is None else _class_weights(class_weights, soft_labels)
    half = student.half and bool(bf16_units())
    lesson = _Lesson(*encoded, soft_labels, loss, weights, epochs, learning_rate, batch_size, folder, half)
    keys = [lesson.key(student, seed) for seed in seeds]
    lesson = lesson._replace(seconds=time.perf_counter() - start)
    return [_Job(lesson, *each) for each in zip(students, seeds, keys, strict=True)]


def _encoded(student: nn.Module, texts: list[str], read: dict) -> tuple[np.ndarray, np.ndarray]:
    encode = type(student).encode
    config = None if encode is Student.encode else json.dumps(student.config, default=np.generic.item)
    alike = encode, id(student.vocabulary), config, id(texts)
    if alike not in read:
        read[alike] = *student.encode(texts), texts  # which must not go: another list could get its id
    return read[alike][:2]


def _run(jobs: list["_Job"]) -> None:
    todo = [job for job in jobs if not job.recalled()]
    apart = [job for job in todo if job.student.threads == 1 and job.words >= APART and not job.lesson.is_mapped]
    at_once = min(len(apart), cpu_count())
    if at_once > 1:
        apart.sort(key=lambda job: -job.words * job.student.count_parameters()[1])  # the longest first
        with warnings.catch_warnings():  # texts that a worker has mapped look like a leak; another one takes its place
            warnings.filterwarnings("ignore", message="A worker stopped while some jobs were given")
            trained = Parallel(at_once, return_as="generator_unordered")(delayed(_apart)(job) for job in apart)
            for _ in bar(trained, what="students", total=len(apart), unit="student"):
                pass
    for job in todo:
        if not (at_once > 1 and job in apart and job.recalled()):
            job.learn()
    for job in jobs:
        job.student.eval()


class _Lesson(NamedTuple):
    """All that decides what a student learns but its start and the seed; and where the weights are kept."""

    rows: np.ndarray
    counts: np.ndarray
    soft_labels: np.ndarray
    loss: Loss
    class_weights: list[float]
    epochs: int
    learning_rate: float
    batch_size: int
    folder: Path
    half: bool  # in no key, as for teachers: what is kept holds on every processor
    seconds: float = 0.0  # that reading the texts took: each student's training counts them

    @property
    def is_mapped(self) -> bool:
        """Whether the rows lie in a file without a name, which no other process can open."""
        return isinstance(self.rows.base, np.memmap)

    def key(self, student: nn.Module, seed: int) -> str:
        numbers = [seed, self.epochs, self.learning_rate, self.batch_size, *self.class_weights]
        with torch.random.fork_rng(devices=[]):
            return _key(student, self.rows, self.counts, self.soft_labels, self.loss, numbers)


@dataclass(eq=False)
class _Job:
    """One student and one seed; under the key the weights are kept."""

    lesson: _Lesson
    student: nn.Module
    seed: int
    key: str

    @property
    def words(self) -> int:
        """Read over all passes."""
        return self.lesson.epochs * len(self.lesson.rows)

    def recalled(self) -> bool:
        """Whether the weights were kept; then the student has them."""
        kept = recall(self.lesson.folder, self.key)
        if kept:
            state = load(kept[0])
            self.student.train_seconds = float(state.pop("train_seconds"))
            self.student.load_state_dict(state)
        return bool(kept)

    def learn(self) -> None:
        """Train the student and keep its weights."""
        student, start, threads = self.student, time.perf_counter(), torch.get_num_threads()
        torch.set_num_threads(student.threads or threads)
        try:
            with torch.random.fork_rng(devices=[]):
                _train(student, self.lesson, self.seed)
        finally:
            torch.set_num_threads(threads)
        student.train_seconds = self.lesson.seconds + time.perf_counter() - start
        kept = {**student.state_dict(), "train_seconds": torch.tensor(student.train_seconds)}
        keep(self.lesson.folder, self.key, save(kept))


def _apart(job: _Job) -> None:
    os.environ["DISTILL_QUIET"] = "1"  # the bars of several would write over each other
    job.learn()


def _class_weights(weights: np.ndarray, soft_labels: np.ndarray) -> list[float]:
    found, n_classes = np.asarray(weights), soft_labels.shape[1]
    if found.shape != (n_classes,) or found.dtype.kind not in "fiu" or not (np.isfinite(found) & (found >= 0)).all():
        raise ValueError(f"class_weights of shape {found.shape}: give {n_classes} numbers of 0 or more, one a class")
    soft = np.flatnonzero((soft_labels != 0).sum(axis=1) > 1)
    if len(soft):
        raise ValueError(
            f"class weights are for hard labels, and row {soft[0]} of the soft labels belongs to several classes: "
            "leave class_weights out, or give one_hot(soft_labels.argmax(axis=1), n_classes)"
        )
    return [float(weight) for weight in found]


def _weighted(loss: Loss, weights: list[float], logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """The mean over texts of weight times loss. `loss` is a mean over texts, so it is taken class by class."""
    classes, total = labels.argmax(dim=-1), 0.0
    for number in classes.unique().tolist():
        rows = classes == number
        total = total + weights[number] * rows.sum() / len(rows) * loss(logits[rows], labels[rows])
    return total


def _train(student: nn.Module, lesson: _Lesson, seed: int) -> None:
    torch.manual_seed(seed)
    student.reset_parameters()
    student.train()
    counts, batch_size, loss = lesson.counts, lesson.batch_size, lesson.loss
    if lesson.class_weights:
        loss = partial(_weighted, loss, lesson.class_weights)
    ends = np.cumsum(counts)
    order_of = np.random.default_rng(seed)
    batches = _batches(student, counts, batch_size, order_of)
    steps = lesson.epochs * len(batches)
    optimizers = _optimizers(student, lesson.learning_rate)
    decays = [torch.optim.lr_scheduler.LinearLR(one, 1.0, 0.0, total_iters=steps) for one in optimizers]
    with bar(what="student", total=steps, unit="batch") as progress:
        for epoch in range(lesson.epochs):
            for batch in batches if epoch == 0 else _batches(student, counts, batch_size, order_of):
                lengths = counts[batch]
                # The batch's words, laid end to end: for each text the row numbers ends - length ... ends - 1.
                words = np.repeat(ends[batch] - np.cumsum(lengths), lengths) + np.arange(lengths.sum())
                with torch.autocast("cpu", torch.bfloat16, enabled=lesson.half):
                    logits = student(torch.from_numpy(lesson.rows[words]), torch.from_numpy(lengths))
                student.zero_grad()
                loss(logits.float(), torch.from_numpy(lesson.soft_labels[batch])).backward()
                for one in (*optimizers, *decays):
                    one.step()
                progress.update()


def _optimizers(student: nn.Module, learning_rate: float) -> list[torch.optim.Optimizer]:
    """Adam for all weights; of a sparse table, which has thousands of rows, only those that a batch reads move."""
    tables = [layer.weight for layer in student.modules() if isinstance(layer, nn.Embedding) and layer.sparse]
    others = [weight for weight in student.parameters() if all(weight is not table for table in tables)]
    found = [torch.optim.Adam(others, lr=learning_rate, fused=True)]
    return [*found, torch.optim.SparseAdam(tables, lr=learning_rate)] if tables else found


def _batches(student: nn.Module, counts: np.ndarray, batch_size: int, random: np.random.Generator) -> list[np.ndarray]:
    """The rows of each batch of an epoch, in random order; the number of batches is the same in every epoch."""
    if student.equal_lengths:
        return length_batches(counts, batch_size, random)
    order = random.permutation(len(counts))
    return [order[start : start + batch_size] for start in range(0, len(order), batch_size)]


def _key(
    student: nn.Module, rows: np.ndarray, counts: np.ndarray, soft_labels: np.ndarray, loss: Loss, numbers: list
) -> str:
    """A hash of all that decides the trained weights. A loss is known by its gradient on a fixed batch.

    Texts count as the student reads them, so whatever changes its reading, such as the rule of words, changes the key.
    """
    known = [TRAINING, type(student).__name__, student.config, student.labels, numbers]
    digest = hashlib.sha256(json.dumps(known, default=np.generic.item).encode())
    for array in (_pull(loss, soft_labels.shape[1]), rows, counts, soft_labels):
        digest.update(np.ascontiguousarray(array))
    # The weights before training, from a fixed seed, stand for how a student starts.
    torch.manual_seed(0)
    student.reset_parameters()
    for weight in student.state_dict().values():
        digest.update(weight.numpy().tobytes())
    return digest.hexdigest()[:32]


def _pull(loss: Loss, n_classes: int) -> np.ndarray:
    """The gradient of a loss, (n, n_classes), where students and teachers are from unsure to sure of every class."""
    random, n = torch.Generator().manual_seed(0), 256
    logits, labels = torch.randn(2, n, n_classes, generator=random) * torch.logspace(-1, 1.5, n)[:, None]
    logits.requires_grad_()
    found = loss(logits, labels[torch.randperm(n, generator=random)].softmax(-1))
    if not isinstance(found, torch.Tensor) or found.shape != () or not found.requires_grad:
        shape = f" of shape {tuple(found.shape)}" if isinstance(found, torch.Tensor) else ""
        raise ValueError(
            f"the loss gave a {type(found).__name__}{shape}: it must give one number for a batch, which torch can "
            "derive, such as the mean over texts"
        )
    return torch.autograd.grad(found, logits)[0].numpy()
