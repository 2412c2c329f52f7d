"""Labelled texts: where they come from, what a valid data set looks like, and no test text in training."""

import os.path
from dataclasses import dataclass, replace
from numbers import Integral
from pathlib import Path

import numpy as np
import pandas as pd
from datasets import ClassLabel, Dataset, DatasetDict, Features, Value

from distill_utils.texts import miniature
from distill_utils.texts.labels import classes_of, name_of, numbers_of, warn_of_look_alikes
from distill_utils.texts.readers import (
    SPLITS,
    SUFFIXES,
    DataError,
    Table,
    data_folder,
    is_data_file,
    parts_of,
    read_file,
    read_folder,
    read_hub,
)
from distill_utils.texts.splits import check_splits, drop_overlaps, fill_splits, warn_of_contradictions
from distill_utils.texts.words import plain

METRICS = ("accuracy", "macro_f1", "matthews_correlation")  # what `results.scoreboard` scores by


@dataclass(frozen=True)
class Task:
    """What a task is: its classes in label order, how it is scored, where it lives on the hub.

    Own data is named as its user wrote it ("emotion.csv", "cola/", "me/imdb"), which is never the name of one of TASKS.
    """

    name: str
    labels: tuple[str, ...]
    metric: str = "accuracy"  # one of METRICS
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
        return self[split]["text"][:]

    def labels(self, split: str) -> np.ndarray:
        """The labels of a split as int64, shape (n,)."""
        return np.asarray(self[split]["label"], dtype=np.int64)


def load_task(
    name: str | Path,
    *,
    data_dir: str | Path | None = None,
    source: str | None = None,
    text_column: str | None = None,
    label_column: str | None = None,
    metric: str | None = None,
    seed: int = 0,
) -> TaskData:
    """Load a task: its name, or your own data as a file, a folder of split files, or a hub id "owner/name".

    A named task is looked for in `data_dir` or `$DISTILL_DATA` (`<task>/<split>.parquet`, .csv or .jsonl),
    then on the hub; `source` ("folder", "hub", "miniature") asks for one of them. A folder of your own with the name of
    a task is given as a path: "./cola". Labels are read as names (see `labels`); numbers stand for class numbers in the
    named tasks, and where the file or the hub names its classes. A split that is missing is drawn from train, a tenth
    of each class. Texts of validation and test that also occur on the training side are dropped there and counted in
    `.dropped`. Own data is scored by `metric`, one of METRICS (accuracy); a named task has its own.

    Raises DataError, in one line, when nothing is found or a split, column, text, label or class is not usable.
    """
    if source not in (None, "folder", "hub", "miniature"):
        raise DataError(f"unknown data source {source!r}: use 'folder', 'hub' or 'miniature'")
    if not isinstance(name, str | Path):
        raise DataError(f"a {type(name).__name__} is no task: give a task's name, or the path of your data")
    for column in (text_column, label_column):
        if not isinstance(column, str | None):
            raise DataError(f"column {column!r} is of type {type(column).__name__}: give a column's name, a string")
    if metric not in (None, *METRICS):
        raise DataError(f"unknown metric {metric!r}: use one of {', '.join(METRICS)}")
    if own := name not in TASKS:
        tables, found, task = _own_data(name)
        task = replace(task, metric=metric or task.metric)
    else:
        task = TASKS[name]
        if metric not in (None, task.metric):
            raise DataError(f"{name} is scored by {task.metric}, not {metric}: leave metric out for a named task")
        tables, found = _named_task(task, data_dir, source)
    if name == "cola" and found != "miniature" and "validation" in tables:  # its test labels are private:
        tables["test"] = tables.pop("validation")  # the validation set is the test set here
    label_column = label_column or task.label_column
    names = {s: _names(t, s, label_column, () if own else task.labels) for s, t in tables.items() if s in SPLITS}
    if own:
        task = replace(task, labels=_classes(tables["train"], names["train"], label_column))
        warn_of_look_alikes(task.labels)
    frames = {}
    for split, table in tables.items():
        frames[split] = pd.DataFrame({"text": _texts(table, split, text_column, task.text_column)})
        if split in names:
            frames[split]["label"] = _numbers(names[split], task.labels, table, split, label_column)
    if name == "imdb":  # its line breaks are HTML
        frames = {s: f.assign(text=f["text"].str.replace("<br />", " ")) for s, f in frames.items()}
    # Recorded teachers and results of the named tasks hang on the rows of a draw that is not stratified.
    frames = fill_splits(frames, task.labels, stratified=own, seed=seed)
    frames, dropped = drop_overlaps(frames)
    check_splits(frames, dropped, task.labels)
    if own:
        warn_of_contradictions(frames["train"])
    return TaskData({s: _to_dataset(f, task.labels) for s, f in frames.items()}, task, found, dropped)


def few_labels(data: TaskData, *, train: int, held_out: int, seed: int = 0) -> TaskData:
    """The same task with `train` labelled texts, drawn evenly from the classes; the other texts join the pool.

    Validation and test are cut to `held_out` texts each, drawn at random; what they lose goes nowhere. A split that
    is small enough stays whole.

    Raises DataError when a class has fewer texts than its share, or a split would be empty.
    """
    for amount in (train, held_out):
        if not isinstance(amount, Integral):
            raise DataError(f"train={train!r} and held_out={held_out!r}: give whole numbers of texts")
    labels, classes = data.labels("train"), data.task.labels
    each, counts = train // len(classes), np.bincount(labels, minlength=len(classes))
    if each < 1 or held_out < 1:
        raise DataError(
            f"cannot draw {train} labelled and {held_out} held-out text(s) for {len(classes)} classes: "
            "ask for one or more of each class, and one or more held out"
        )
    if counts.min() < each:
        raise DataError(
            f"class {classes[counts.argmin()]!r} has {counts.min()} text(s) in train, fewer than the {each} a class "
            f"of {train} labelled texts: ask for {len(classes) * counts.min()} or fewer"
        )
    random, chosen = np.random.default_rng(seed), dict(data)
    for split in ("validation", "test"):
        rows = random.permutation(len(data[split]))[:held_out]
        chosen[split] = data[split].select(np.sort(rows))
    by_class = [random.permutation(np.flatnonzero(labels == k)) for k in range(len(classes))]
    labelled = np.sort(np.concatenate([rows[:each] for rows in by_class]))
    rest = np.setdiff1d(np.arange(len(labels)), labelled)
    chosen["train"] = data["train"].select(labelled)
    unlabelled = [data["train"].select(rest)["text"], data.texts("unsupervised") if "unsupervised" in data else []]
    chosen["unsupervised"] = Dataset.from_dict({"text": [text for texts in unlabelled for text in texts]})
    return TaskData(chosen, data.task, data.source, data.dropped)


def _named_task(task: Task, data_dir: str | Path | None, source: str | None) -> tuple[dict[str, Table], str]:
    if source == "miniature":
        return {
            split: Table(pd.DataFrame({"text": texts, "label": labels} if split != "unsupervised" else {"text": texts}))
            for split, (texts, labels) in miniature.generate(task.name).items()
        }, "miniature"
    folder = None if source == "hub" else data_folder(data_dir)
    if folder and (folder / task.name).is_dir():
        return read_folder(folder / task.name), "folder"
    if source == "folder":
        where = f"no folder {task.name!r} in {str(folder)!r}" if folder else "no data folder"
        raise DataError(f"{where}: set $DISTILL_DATA or data_dir= to the folder that has {task.name!r}")
    try:
        return read_hub(task.hub, task.hub_config), "hub"
    except DataError as error:
        if folder is None:
            raise
        raise DataError(f"no folder {task.name!r} in {str(folder)!r}, and {error}") from error


def _own_data(name: str | Path) -> tuple[dict[str, Table], str, Task]:
    """The tables, where they were found, and a task without classes, named so that it is none of TASKS."""
    path, name = Path(os.path.expanduser(name)), str(name)
    if name and os.path.isdir(path):  # not path.is_dir(), which raises for a name that is too long
        return read_folder(path), "folder", Task(f"{path.resolve().name}/", ())
    if os.path.isfile(path):
        return {"train": read_file(path)}, "file", Task(path.name, ())
    if is_data_file(path):
        raise DataError(f"no file {name[:200]!r} here: give a path relative to the notebook, or an absolute one")
    if name.startswith((".", "~")) or name.endswith("/") or path.is_absolute():
        raise DataError(f"no folder {name[:200]!r} here: give a path relative to the notebook, or an absolute one")
    if name.count("/") == 1:
        try:
            return read_hub(name, None), "hub", Task(name, ())
        except DataError as error:
            raise DataError(f"no folder {name!r} here, and {error}") from error
    raise DataError(
        f"unknown task {name[:200]!r}: use one of {', '.join(TASKS)}, a file ({', '.join(SUFFIXES)}), a folder, "
        "or a hub id 'owner/name'"
    )


def _column(table: Table, split: str, *names: str) -> pd.Series:
    """The first of these columns that the table has."""
    source = f" ({table.source})" if table.source else ""
    if table.frame.empty:
        raise DataError(f"the {split} split has no rows{source}: give it some, or take it away")
    for name in names:
        if name in table.frame:
            return table.frame[name]
    advice = "say which with text_column and label_column"
    if split != "train":
        drawn = " (it is drawn from train then)" if split in SPLITS else ""
        advice = f"name its columns as in train, or take the {split} split away{drawn}"
    elif parts_of(Path(table.source))[1] in (".csv", ".tsv"):
        advice += ", or add a first line with the names"
    raise DataError(
        f"no column {names[0]!r} in {split}: it has {', '.join(map(repr, table.frame.columns))}{source}; {advice}"
    )


def _texts(table: Table, split: str, asked_for: str | None, usual: str) -> list[str]:
    # Only where no column was asked for: a task's files may call it "text" where the hub has another name.
    texts = _column(table, split, *([asked_for] if asked_for else [usual, "text"])).tolist()
    empty = [row for row, text in enumerate(texts) if text is None or isinstance(text, str) and not plain(text).strip()]
    if empty:
        raise DataError(
            f"{len(empty)} empty text(s) in {split}, first in row {empty[0]}: remove them{_place(table, empty[0])}"
        )
    for row, text in enumerate(texts):
        if not isinstance(text, str):
            raise DataError(
                f"the text in {split}, row {row}, is a {type(text).__name__}, not a string: write it in quotes, or "
                f"say with text_column which column holds the texts{_place(table, row)}"
            )
    return texts


def _names(table: Table, split: str, column: str, class_names: tuple[str, ...]) -> list[str]:
    """The class name of each row. class_names: those that numbers stand for; the table's own where there are none."""
    class_names, names = class_names or table.class_names.get(column, ()), []
    for row, value in enumerate(_column(table, split, column)):
        try:
            names.append(name_of(value, class_names))
        except ValueError as error:
            raise DataError(
                f"label in {split}, row {row}: {error}; give each text one class{_place(table, row)}"
            ) from error
    if missing := [row for row, name in enumerate(names) if name is None]:
        raise DataError(
            f"{len(missing)} missing label(s) in {split}, first in row {missing[0]}: "
            f"label those rows or remove them{_place(table, missing[0])}"
        )
    return names


def _classes(train: Table, names: list[str], column: str) -> tuple[str, ...]:
    classes = classes_of(names, train.class_names.get(column, ()))
    if len(classes) < 2:
        raise DataError(f"column {column!r} holds {len(classes)} class: a classifier needs at least two")
    return classes


def _numbers(names: list[str], classes: tuple[str, ...], table: Table, split: str, column: str) -> np.ndarray:
    numbers = numbers_of(names, classes)
    unknown = np.flatnonzero(numbers == -1)
    if len(unknown):
        values = table.frame[column].astype(str)
        if len(unknown) == len(values) and values.isin(["-1", "-1.0"]).all():  # how the hub marks what has no label
            raise DataError(f"the {split} split has no labels (all -1): give a labelled one")
        row = unknown[0]
        raise DataError(
            f"label {values.iloc[row][:40]!r} in {split}, row {row}, is outside the class list "
            f"({_listed(classes)}): correct it or remove the row{_place(table, row)}"
        )
    return numbers


def _listed(classes: tuple[str, ...]) -> str:
    names = ", ".join(" ".join(name.split())[:40] for name in classes[:20])
    return names + (f" and {len(classes) - 20} more" if len(classes) > 20 else "")


def _place(table: Table, row: int) -> str:
    return f" ({table.where(row)})" if table.source else ""


def _to_dataset(frame: pd.DataFrame, labels: tuple[str, ...]) -> Dataset:
    features = {"text": Value("string")}
    if "label" in frame:
        features["label"] = ClassLabel(names=list(labels))
    return Dataset.from_dict({name: frame[name].tolist() for name in features}, features=Features(features))
