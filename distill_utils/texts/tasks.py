"""Labelled texts: where they come from, what a valid data set looks like, and no test text in training."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from datasets import ClassLabel, Dataset, DatasetDict, Features, Value

from distill_utils.texts import miniature
from distill_utils.texts.readers import SPLITS, SUFFIXES, DataError, Table, read_file, read_folder, read_hub
from distill_utils.texts.words import normalise

VALIDATION_SHARE = 0.1  # of train, where a task has no validation split of its own


@dataclass(frozen=True)
class Task:
    """What a task is: its classes in label order, how it is scored, where it lives on the hub."""

    name: str
    labels: tuple[str, ...]
    metric: str = "accuracy"  # or "matthews_correlation"
    hub: str = ""
    hub_config: str | None = None
    text_column: str = "text"
    label_column: str = "label"
    licence: str = "your own"


TASKS = {
    task.name: task
    for task in (
        Task(
            "emotion",
            ("sadness", "joy", "love", "anger", "fear", "surprise"),
            hub="dair-ai/emotion",
            licence="for educational and research use (Saravia et al., 2018)",
        ),
        Task("sst2", ("negative", "positive"), hub="SetFit/sst2", licence="research use (Socher et al., 2013)"),
        Task(
            "cola",
            ("unacceptable", "acceptable"),
            metric="matthews_correlation",
            hub="nyu-mll/glue",
            hub_config="cola",
            text_column="sentence",
            licence="research use (Warstadt et al., 2019)",
        ),
        Task("imdb", ("negative", "positive"), hub="stanfordnlp/imdb", licence="research use (Maas et al., 2011)"),
    )
}


class TaskData(DatasetDict):
    """The splits of a task (`text`, `label`), with the task, the data source, and what was dropped.

    source: "folder", "hub", "miniature" or "file". dropped: {split: rows removed because a later split has them}.
    """

    def __init__(self, splits: dict[str, Dataset], task: Task, source: str, dropped: dict[str, int]):
        super().__init__(splits)
        self.task, self.source, self.dropped = task, source, dropped

    def texts(self, split: str) -> list[str]:
        """The texts of a split."""
        return list(self[split]["text"])

    def labels(self, split: str) -> np.ndarray:
        """The labels of a split as int64, shape (n,)."""
        return np.asarray(self[split]["label"], dtype=np.int64)


def load_task(
    name: str,
    *,
    data_dir: str | None = None,
    source: str | None = None,
    text_column: str | None = None,
    label_column: str | None = None,
    seed: int = 0,
) -> TaskData:
    """Load a task: its name, or your own data as a file, a folder of split files, or a hub id "owner/name".

    A named task is looked for in `data_dir` or `$DISTILL_DATA` (`<task>/<split>.parquet`, .csv or .jsonl),
    then on the hub; `source` ("folder", "hub", "miniature") asks for one of them. Texts of validation and test
    that also occur on the training side are dropped there and counted in `.dropped`.

    Raises DataError, in one line, when nothing is found or a split, column, text or label is not usable.
    """
    if source not in (None, "folder", "hub", "miniature"):
        raise DataError(f"unknown data source {source!r}: use 'folder', 'hub' or 'miniature'")
    if name in TASKS:
        task = TASKS[name]
        tables, found = _named_task(task, data_dir or os.environ.get("DISTILL_DATA"), source)
    else:
        tables, found, task = _own_data(name)
    task_columns = (text_column or task.text_column, label_column or task.label_column)
    frames = {split: _columns(table.frame, split, *task_columns) for split, table in tables.items()}
    if name == "imdb":  # its line breaks are HTML
        frames = {s: f.assign(text=f["text"].str.replace("<br />", " ")) for s, f in frames.items()}
    if name not in TASKS:
        task = Task(task.name, _classes_of(frames["train"]))
    frames = _split(task, frames, seed, published=found != "miniature")
    for split, frame in frames.items():
        frames[split] = _checked(frame, split, task.labels)
    frames, dropped = drop_overlaps(frames)
    return TaskData({s: _to_dataset(f, task.labels) for s, f in frames.items()}, task, found, dropped)


def drop_overlaps(frames: dict[str, pd.DataFrame]) -> tuple[dict[str, pd.DataFrame], dict[str, int]]:
    """Remove from each split the texts that occur in a later one (train before validation before test).

    Texts are compared as `words.normalise` writes them. Returns the frames and {split: rows removed}.
    """
    kept, dropped, held_out = {}, {}, set()
    for split in ("test", "validation", "train", "unsupervised"):
        if split not in frames:
            continue
        keys = frames[split]["text"].map(normalise)
        leaks = keys.isin(held_out)
        kept[split], dropped[split] = frames[split][~leaks].reset_index(drop=True), int(leaks.sum())
        if split != "train":  # the unlabelled pool may repeat train: the teacher has seen those texts anyway
            held_out |= set(keys)
    return {split: kept[split] for split in frames}, dropped


def few_labels(data: TaskData, *, train: int, held_out: int, seed: int = 0) -> TaskData:
    """The same task with `train` labelled texts, drawn evenly from the classes; the other texts join the pool.

    Validation and test are cut to `held_out` texts each, drawn at random; what they lose goes nowhere. A split that
    is small enough stays whole.
    """
    random, splits = np.random.default_rng(seed), dict(data)
    for split in ("validation", "test"):
        rows = random.permutation(len(data[split]))[:held_out]
        splits[split] = data[split].select(np.sort(rows))
    labels = data.labels("train")
    by_class = [random.permutation(np.flatnonzero(labels == k)) for k in range(len(data.task.labels))]
    labelled = np.sort(np.concatenate([rows[: train // len(by_class)] for rows in by_class]))
    rest = np.setdiff1d(np.arange(len(labels)), labelled)
    splits["train"] = data["train"].select(labelled)
    unlabelled = [data["train"].select(rest)["text"], data.texts("unsupervised") if "unsupervised" in data else []]
    splits["unsupervised"] = Dataset.from_dict({"text": [text for texts in unlabelled for text in texts]})
    return TaskData(splits, data.task, data.source, data.dropped)


def _named_task(task: Task, folder: str | None, source: str | None) -> tuple[dict[str, Table], str]:
    if source == "miniature":
        return {
            split: Table(pd.DataFrame({"text": texts, "label": labels} if split != "unsupervised" else {"text": texts}))
            for split, (texts, labels) in miniature.generate(task.name).items()
        }, "miniature"
    if source in (None, "folder") and folder and (Path(folder) / task.name).is_dir():
        return read_folder(Path(folder) / task.name), "folder"
    if source == "folder":
        raise DataError(
            f"no folder {task.name!r} in {folder!r}: set $DISTILL_DATA or data_dir= to the folder that has it"
        )
    return read_hub(task.hub, task.hub_config), "hub"


def _own_data(name: str) -> tuple[dict[str, Table], str, Task]:
    path = Path(name)
    task = Task(path.stem or name, ())
    if path.is_dir():
        return read_folder(path), "folder", task
    if path.is_file():
        return {"train": read_file(path)}, "file", task
    if path.suffix in SUFFIXES:
        raise DataError(f"no file {name!r} here: give a path relative to the notebook, or an absolute one")
    if name.count("/") == 1:
        return read_hub(name, None), "hub", task
    raise DataError(
        f"unknown task {name!r}: use one of {', '.join(TASKS)}, a file ({', '.join(SUFFIXES)}), a folder, "
        "or a hub id 'owner/name'"
    )


def _columns(frame: pd.DataFrame, split: str, text: str, label: str) -> pd.DataFrame:
    if text not in frame and "text" in frame:
        text = "text"
    wanted = {"text": text} if split == "unsupervised" else {"text": text, "label": label}
    for column in wanted.values():
        if column not in frame:
            raise DataError(
                f"no column {column!r} in {split}: it has {', '.join(map(repr, frame.columns))}; "
                "say which with text_column and label_column"
            )
    return pd.DataFrame({new: frame[old] for new, old in wanted.items()})


def _classes_of(train: pd.DataFrame) -> tuple[str, ...]:
    classes = sorted(train["label"].dropna().unique())
    if len(classes) < 2:
        raise DataError(f"column 'label' holds {len(classes)} class: a classifier needs at least two")
    return tuple(str(label) for label in classes)


def _split(task: Task, frames: dict[str, pd.DataFrame], seed: int, published: bool) -> dict[str, pd.DataFrame]:
    frames = dict(frames)
    if task.name == "cola" and published:  # its test labels are private: the validation set is the test set here
        frames["test"] = frames.pop("validation") if "validation" in frames else frames.get("test")
    if "test" in frames and "label" in frames["test"] and (frames["test"]["label"] == -1).all():
        raise DataError("the test split has no labels (all -1): give a labelled one")
    for split in ("test", "validation"):
        if frames.get(split) is None:
            shuffled = frames["train"].sample(frac=1.0, random_state=seed)
            size = max(1, round(VALIDATION_SHARE * len(shuffled)))
            frames[split], frames["train"] = shuffled[:size], shuffled[size:].sort_index()
    return {split: frames[split] for split in (*SPLITS, "unsupervised") if split in frames}


def _checked(frame: pd.DataFrame, split: str, labels: tuple[str, ...]) -> pd.DataFrame:
    empty = frame["text"].isna() | (frame["text"].astype(str).str.strip() == "")
    if empty.any():
        raise DataError(
            f"{int(empty.sum())} empty text(s) in {split}, first in row {frame.index[empty][0]}: remove them"
        )
    frame = frame.assign(text=frame["text"].astype(str))
    if split == "unsupervised":
        return frame
    if frame["label"].isna().any():
        missing = frame["label"].isna()
        raise DataError(
            f"{int(missing.sum())} missing label(s) in {split}, first in row {frame.index[missing][0]}: "
            "label those rows or remove them"
        )
    numbers = {name: number for number, name in enumerate(labels)}
    is_number = pd.api.types.is_numeric_dtype(frame["label"])
    known = frame["label"].map(lambda value: numbers.get(str(value), value if is_number else -1))
    if is_number:  # integers that are not themselves class names are class numbers
        known = known.astype(float)
        known = known.where((known % 1 == 0) & known.between(0, len(labels) - 1), -1)
    if (known == -1).any():
        bad = frame["label"][known == -1]
        raise DataError(
            f"label {str(bad.iloc[0])!r} in {split}, row {bad.index[0]}, is outside the class list "
            f"({', '.join(labels)}): correct it or remove the row"
        )
    return frame.assign(label=known.astype(np.int64))


def _to_dataset(frame: pd.DataFrame, labels: tuple[str, ...]) -> Dataset:
    features = {"text": Value("string")}
    if "label" in frame:
        features["label"] = ClassLabel(names=list(labels))
    return Dataset.from_dict({name: frame[name].tolist() for name in features}, features=Features(features))
