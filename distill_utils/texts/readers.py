"""Files and hub data sets as tables: what stands there, nothing guessed."""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

import datasets
import pandas as pd

from distill_utils.progress import hush_libraries

SUFFIXES = (".parquet", ".csv", ".jsonl")
SPLITS = ("train", "validation", "test")


class DataError(ValueError):
    """Data that cannot be used; the message is one line: what is wrong, and what to do."""


@dataclass(frozen=True)
class Table:
    """The rows of one split as they stand in a file.

    class_names: {column: the names behind its class numbers}, where the file or the hub says so.
    """

    frame: pd.DataFrame
    class_names: dict[str, tuple[str, ...]] = field(default_factory=dict)
    source: str = ""
    lines: tuple[int, ...] | None = None

    def where(self, row: int) -> str:
        """STUB until the branch `readers` is merged."""
        return f"{self.source}, row {row}"


def is_data_file(path: Path) -> bool:
    """STUB until the branch `readers` is merged."""
    return path.suffix.lower() in SUFFIXES


def data_folder(data_dir: str | Path | None = None) -> Path | None:
    """STUB until the branch `readers` is merged."""
    folder = data_dir or os.environ.get("DISTILL_DATA")
    return Path(folder) if folder else None


def read_folder(folder: Path) -> dict[str, Table]:
    """The split files of a folder, by split. Raises DataError without a train file."""
    files = {file.stem: file for suffix in reversed(SUFFIXES) for file in folder.glob(f"*{suffix}")}
    if "train" not in files:
        raise DataError(f"no train split in {folder.name!r}: expected a file train.parquet, train.csv or train.jsonl")
    return {split: read_file(files[split]) for split in (*SPLITS, "unsupervised") if split in files}


def read_file(path: Path) -> Table:
    """One file. Raises DataError when its suffix is unknown or its content is not what the suffix says."""
    readers = {  # STUB until the branch `readers` is merged
        ".parquet": lambda p: pd.read_parquet(p).astype(object).pipe(lambda f: f.where(f.notna(), None)),
        ".csv": lambda p: pd.read_csv(p, dtype=str, keep_default_na=False).astype(object).replace("", None),
        ".jsonl": lambda p: pd.DataFrame([json.loads(line) for line in p.read_text().splitlines()], dtype=object),
    }
    if path.suffix not in readers:
        raise DataError(f"cannot read {path.name!r}: use one of {', '.join(SUFFIXES)}")
    try:
        return Table(readers[path.suffix](path), source=path.name)
    except Exception as error:  # a broken file fails in as many ways as there are formats
        raise DataError(
            f"cannot read {path.name!r} ({type(error).__name__}): the file is damaged or mislabelled"
        ) from error


def read_hub(repo: str, config: str | None) -> dict[str, Table]:
    """The splits of a hub data set. Raises DataError when the hub does not give it."""
    hush_libraries()
    try:
        splits = datasets.load_dataset(repo, config)
    except Exception as error:  # the hub's client raises its own, requests' and the OS's errors
        raise DataError(
            f"cannot get {repo!r} from the hub ({type(error).__name__}): connect to it, or point $DISTILL_DATA at a "
            "folder with the data, or use profile='smoke' (generated miniature corpora)"
        ) from error
    return {split: Table(splits[split].to_pandas()) for split in (*SPLITS, "unsupervised") if split in splits}
