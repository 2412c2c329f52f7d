"""A folder's files and the hub's data sets as tables, by split: what stands there, nothing guessed."""

import os
import re
import socket
import warnings
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies

import datasets
import huggingface_hub
import pandas as pd

from distill_utils.progress import hush_libraries
from distill_utils.texts.files import SUFFIXES, is_data_file, parts_of, read_bytes, read_file
from distill_utils.texts.tables import DataError, Table, from_arrow, names_of_classes

__all__ = [
    "SPLITS",
    "SUFFIXES",
    "DataError",
    "Table",
    "data_folder",
    "hub_in_reach",
    "is_data_file",
    "parts_of",
    "read_file",
    "read_folder",
    "read_hub",
]

SPLITS = ("train", "validation", "test")
NAMES = {  # what people call the splits, in any case
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev", "devel", "development", "eval", "evaluation"),
    "test": ("test", "testing"),
    "unsupervised": ("unsupervised", "unlabelled", "unlabeled", "pool"),
}
SPLIT_OF = {name: split for split, names in NAMES.items() for name in names}


def data_folder(data_dir: str | Path | None = None) -> Path | None:
    """The folder of the data sets: `data_dir`, or `$DISTILL_DATA`, or None. Raises DataError when it is not there."""
    given, named = (data_dir, "data_dir") if data_dir else (os.environ.get("DISTILL_DATA"), "$DISTILL_DATA")
    if not given:
        return None
    folder = Path(os.path.expanduser(given))
    if not folder.is_dir():
        raise DataError(f"{named} is {str(given)!r}, but there is no such folder: correct it, or unset it")
    return folder


def read_folder(folder: Path) -> dict[str, Table]:
    """The split files of a folder, or of its subfolder `data`, by split; warns of data files that no split takes.

    Raises DataError without a train file, and for two files that would be the same split.
    """
    where = folder.resolve().name
    try:
        files = sorted(file for file in folder.iterdir() if not file.name.startswith((".", "~")))
    except OSError as error:
        raise DataError(f"cannot open the folder {where!r}: {error.strerror}") from error
    found = [file for file in files if is_data_file(file)]
    shards = {file.name: re.fullmatch(r"(.+)-(\d{5})-of-(\d{5})(-[0-9a-f]+)?", parts_of(file)[0]) for file in found}
    by_name = {file.name: (shards[file.name][1] if shards[file.name] else parts_of(file)[0]) for file in found}
    if not any(name.lower() in SPLIT_OF for name in by_name.values()) and (folder / "data").is_dir():
        return read_folder(folder / "data")  # the hub's layout
    splits = _by_split(by_name, where, holds=[file.name for file in files])
    if others := [file.name for file in files if file not in found and file.name.split(".")[0].lower() in SPLIT_OF]:
        warnings.warn(
            f"not used in {where!r}: {', '.join(others)}; what is used ends in {', '.join(SUFFIXES)}", stacklevel=4
        )
    tables = {}
    for split, names in splits.items():
        if len(names) > 1 or shards[names[0]]:
            _check_shards(split, names, [shards[name] for name in names], where)
        tables[split] = _joined([read_file(folder / name) for name in names])
    return tables


def read_hub(repo: str, config: str | None) -> dict[str, Table]:
    """The splits of a hub data set "owner/name", or "owner/name:configuration".

    Raises DataError, after some seconds at most, when the hub is out of reach or does not give the data.
    """
    hush_libraries()
    repo, _, own_config = repo.partition(":")
    reached = hub_in_reach()
    with _offline(not reached):  # a copy of an earlier download is found at once, and the client does not try again
        try:
            builder = datasets.load_dataset_builder(repo, config or own_config or None)
            if builder.name == "csv" and not names_of_classes(builder.info.features or {}):
                tables = _csv_files(builder)
            else:
                builder.download_and_prepare()
                tables = {
                    split: from_arrow(rows.data.table, f"{repo}, {split}", names_of_classes(rows.features))
                    for split, rows in builder.as_dataset().items()
                }
        except DataError:
            raise
        except Exception as error:  # the hub's client raises its own, httpx's and the OS's errors
            raise DataError(f"cannot get {repo!r} from the hub: {_reason(error, repo, reached)}") from error
    splits = _by_split({split: split for split in tables}, repo, holds=list(tables))
    for split, names in splits.items():
        if len(names) > 1:
            raise DataError(f"{repo} has two splits for {split}: {', '.join(names)}")
    return {split: tables[names[0]] for split, names in splits.items()}


def hub_in_reach() -> bool:
    """Whether the hub, or the proxy that leads there, takes a connection within 3 seconds."""
    if huggingface_hub.constants.HF_HUB_OFFLINE:
        return False
    proxies = getproxies()
    address = proxies.get("https") or proxies.get("all") or huggingface_hub.constants.ENDPOINT
    to = urlsplit(address if "://" in address else f"//{address}")
    try:
        socket.create_connection((to.hostname, to.port or (80 if to.scheme == "http" else 443)), timeout=3).close()
    except OSError:
        return False
    return True


def _by_split(names: dict[str, str], where: str, holds: list[str]) -> dict[str, list[str]]:
    """{split: the things that are of it}, of things whose name for it is given; warns of the others."""
    splits = {split: [] for split in NAMES}
    unused = []
    for thing, name in names.items():
        splits.get(SPLIT_OF.get(name.lower()), unused).append(thing)
    if not splits["train"]:
        raise DataError(f"no train split in {where!r}: name one train ({SUFFIXES[0]}, .csv, ...); it {_held(holds)}")
    if unused:
        known = "; ".join(f"{split} ({', '.join(others)})" for split, (_, *others) in NAMES.items())
        warnings.warn(f"not used in {where!r}: {', '.join(unused)}; what is used is named {known}", stacklevel=5)
    return {split: things for split, things in splits.items() if things}


def _held(names: list[str]) -> str:
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return f"holds {', '.join(names[:8])}{more}" if names else "is empty"


def _check_shards(split: str, names: list[str], shards: list[re.Match | None], folder: str) -> None:
    """Refuse files of one split that are not the whole row of its shards."""
    numbers = {int(shard[2]) for shard in shards if shard}
    if len(numbers) < len(names) or len({shard.group(1, 3) for shard in shards}) > 1:
        raise DataError(f"{len(names)} files in {folder!r} are its {split} split, {', '.join(names)}: keep one of them")
    missing = sorted(set(range(int(shards[0][3]))) - numbers)
    if missing:
        raise DataError(f"{split} in {folder!r} has shards {', '.join(names)}, but not number {missing[0]}: fetch it")


def _joined(tables: list[Table]) -> Table:
    if len(tables) == 1:
        return tables[0]
    first = tables[0]
    for table in tables[1:]:
        if list(table.frame) != list(first.frame) or table.class_names != first.class_names:
            raise DataError(f"{first.source} and {table.source} are parts of one split, but differ in their columns")
    frame = pd.concat([table.frame for table in tables], ignore_index=True)
    return Table(frame, first.class_names, f"{first.source} and the files after it")


@contextmanager
def _offline(offline: bool):
    before = datasets.config.HF_HUB_OFFLINE
    datasets.config.HF_HUB_OFFLINE = before or offline
    try:
        yield
    finally:
        datasets.config.HF_HUB_OFFLINE = before


def _csv_files(builder: datasets.DatasetBuilder) -> dict[str, Table]:
    """CSV files of a hub data set, read here: the hub's reader would make 7 of 007, and nothing of NA."""
    tables = {}
    for split, files in builder.config.data_files.items():
        local = datasets.DownloadManager(dataset_name=builder.dataset_name).download(list(files))
        parts = zip(files, local, strict=True)
        tables[str(split)] = _joined([read_bytes(Path(at).read_bytes(), Path(file).name) for file, at in parts])
    return tables


def _reason(error: Exception, repo: str, reached: bool) -> str:
    said = " ".join(str(error).split())
    if configurations := re.search(r"available configs: \[(.*?)\]|not found\. Available: \[(.*?)\]", said):
        names = re.findall(r"'(.*?)'", configurations[0])
        return f"it has the configurations {', '.join(names)}: choose one, as in '{repo}:{names[0]}'"
    if isinstance(error, datasets.exceptions.DatasetNotFoundError):
        return "there is no public data set of this name: correct it, or run 'hf auth login' for a private one"
    if not reached or isinstance(error, ConnectionError):
        return (
            "it is out of reach: connect to it, or point $DISTILL_DATA at a folder with the data (own data: give its "
            "path), or use profile='smoke' (generated miniature corpora)"
        )
    return f"{type(error).__name__}: {said[:200]}"
