"""A teacher that labels on many machines: files in, files with soft labels out, by Ray Data."""

import glob
import hashlib
import json
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby, takewhile
from operator import itemgetter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from distill_utils.cache import room_to_write
from distill_utils.checks import same_classes
from distill_utils.progress import bar
from distill_utils.texts.labelled import (
    NOTE,
    PREFIX,
    check_text_column,
    classes_of,
    labelled_files,
    note_of,
    open_parquet,
    text_batches,
)
from distill_utils.texts.tables import DataError

if TYPE_CHECKING:  # not at run time: who reads files for a teacher does without torch
    from distill_utils.teachers import Labeller

READERS = 2  # files read ahead; one reader feeds a million texts a second


def label_files(teacher: "Labeller", files: str, folder: str | Path, *, text_column: str = "text") -> Path:
    """Label the texts of parquet files on all machines of a Ray cluster; returns the folder, for `fit`.

    files: a pattern, such as "in/*.parquet". Each file becomes one of the same name in `folder`: its columns, and
    beside them a column `soft_label_<class>` a class, float32, as `teacher.soft_labels` gives them. Rows keep their
    order, so the output is what one process would have written.

    A pool of actors holds the teacher: one a GPU for a transformer where the cluster has any, else one a core. What a
    machine that is lost had in hand, some batches of `teacher.chunk` texts, Ray gives to another. A file appears when
    it is whole. The call made again labels the files that are missing, or whose input has changed since.

    It joins the cluster that `ray.init` or $RAY_ADDRESS names, or uses this machine alone. All machines see the files
    by the same paths, and have this library.

    Raises DataError, in one line, before any work for files that cannot be used and for a folder with another teacher's
    labels; CacheError (an OSError) when the folder cannot be written; ImportError without the extra `scale`.
    """
    folder = Path(folder).expanduser()
    todo = _todo(teacher, files, folder, text_column)
    if not todo:
        return folder
    with (
        room_to_write(folder, "give"),
        TemporaryDirectory(dir=folder, prefix=".partial-") as partial,
        bar(what="teacher labels files", total=sum(file.n_texts for file in todo), unit="text") as progress,
    ):
        labelled = _labelled(teacher, [file.source for file in todo], text_column)
        for number, batches in groupby(labelled, key=itemgetter(0)):
            file, staged, n_texts = todo[number], Path(partial) / "file.parquet", 0
            with pq.ParquetWriter(staged, file.schema) as writer:
                for _, batch in batches:
                    writer.write_batch(pa.RecordBatch.from_arrays(batch.columns, schema=file.schema))
                    progress.update(len(batch))
                    n_texts += len(batch)
            if n_texts != file.n_texts:
                raise DataError(f"{file.source} changed while it was read: let it be whole, then label it again")
            file.target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(staged, file.target)
    return folder


@dataclass(frozen=True)
class _File:
    """A file to label, where it goes, and the schema it has there."""

    source: Path
    target: Path
    schema: pa.Schema
    n_texts: int


def _todo(teacher: "Labeller", files: str, folder: Path, text_column: str) -> list[_File]:
    """The files whose labels are not in the folder yet. Raises DataError when something is wrong with either."""
    found = [path for path in map(Path, sorted(glob.glob(os.path.expanduser(files), recursive=True))) if path.is_file()]
    if not found:
        raise DataError(f"no file matches {files!r}: give a pattern, such as 'in/*.parquet'")
    sources = [path for path in found if not path.resolve().is_relative_to(folder.resolve())]
    if not sources:
        raise DataError(f"{files!r} lies in {folder}, where the labels would go: give another folder for them")
    done = {}
    for path in labelled_files(folder):
        schema = open_parquet(path).schema_arrow
        note = done[path] = note_of(schema)
        same_classes(teacher.class_names, classes_of(schema), f"the teacher {teacher.name}", f"the file {path}")
        if note.get("fingerprint") != teacher.fingerprint:
            by = note.get("teacher", "something else")
            raise DataError(f"{path} was labelled by {by}, not by this {teacher.name}: give another folder")
    fixed = Path(*takewhile(lambda part: not glob.has_magic(part), Path(os.path.expanduser(files)).parts))
    root = fixed if fixed.is_dir() else fixed.parent
    todo = []
    for path in sources:
        file, target = open_parquet(path), folder / path.relative_to(root)
        target = target if target.suffix == ".parquet" else target.with_name(f"{target.name}.parquet")
        check_text_column(file.schema_arrow, text_column, path)
        if taken := [name for name in file.schema_arrow.names if name.startswith(PREFIX)]:
            raise DataError(f"{path} has a column {taken[0]!r} already: leave it out, or name it otherwise")
        # The last part of a parquet file says where each piece of it lies, how long it is, and its least and largest
        # value: it changes with the content, and is read without the content.
        content = hashlib.sha256(json.dumps(file.metadata.to_dict(), default=str).encode()).hexdigest()[:32]
        note = {"text": text_column, "teacher": teacher.name, "fingerprint": teacher.fingerprint, "content": content}
        if done.get(target) == note:
            continue
        schema = file.schema_arrow
        for name in teacher.class_names:
            schema = schema.append(pa.field(PREFIX + name, pa.float32()))
        schema = schema.with_metadata({**(schema.metadata or {}), NOTE: json.dumps(note).encode()})
        todo.append(_File(path, target, schema, file.metadata.num_rows))
    return todo


def _labelled(teacher: "Labeller", sources: list[Path], text_column: str) -> Iterator[tuple[int, pa.RecordBatch]]:
    """(number of the file, batch with soft labels), in order."""
    try:
        import ray.data
    except ImportError as error:
        raise ImportError("many machines need ray: pip install 'distill_utils[scale]'") from error
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    started = not ray.is_initialized()
    if started:
        ray.init(log_to_driver=False, logging_level="error")
    try:
        resources = ray.cluster_resources()
        kind = "GPU" if teacher.has_weights and resources.get("GPU") else "CPU"
        data = ray.data.from_items([{"number": n} for n in range(len(sources))], override_num_blocks=len(sources))
        data.context.execution_options.preserve_order = True
        data.context.target_max_block_size = 1  # byte: each batch is a piece of work by itself
        data.context.enable_progress_bars = False
        # Readers need no core: they wait for the disk. Nor may Ray join them to the actors: a file would be one piece.
        batches = data.map_batches(
            _read,
            fn_args=(sources, text_column, teacher.chunk),
            batch_size=1,
            batch_format="pyarrow",
            num_cpus=0,
            compute=ray.data.TaskPoolStrategy(size=READERS),
        )
        found = batches.map_batches(
            _Worker,
            fn_constructor_args=(ray.put(teacher), text_column),
            batch_size=1,
            batch_format="pyarrow",
            compute=ray.data.ActorPoolStrategy(min_size=1, max_size=max(int(resources.get(kind, 1)), 1)),
            **({"num_gpus": 1} if kind == "GPU" else {"num_cpus": 1}),
        )
        for piece in found.iter_batches(batch_size=1, batch_format="pyarrow"):
            yield _unpacked(piece)
    finally:
        if started:
            ray.shutdown()


def _packed(number: int, batch: pa.RecordBatch, error: str | None = None) -> pa.Table:
    """A batch as one row, which Ray neither cuts nor converts; error: what went wrong with it."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    whole = pa.array([sink.getvalue().to_pybytes()], pa.large_binary())
    return pa.table({"number": [number], "batch": whole, "error": pa.array([error], pa.string())})


def _unpacked(piece: pa.Table) -> tuple[int, pa.RecordBatch]:
    if error := piece["error"][0].as_py():
        raise ValueError(error)
    with pa.ipc.open_stream(piece["batch"][0].as_buffer()) as reader:
        return piece["number"][0].as_py(), reader.read_next_batch()


def _read(piece: pa.Table, sources: list[Path], text_column: str, size: int) -> Iterator[pa.Table]:
    """The batches of a file, one of no rows where it has none."""
    number = piece["number"][0].as_py()
    file, batch = open_parquet(sources[number]), None
    for _, batch, _ in text_batches(file, sources[number], None, text_column, size):
        yield _packed(number, batch)
    if batch is None:
        empty = file.schema_arrow.empty_table()
        yield _packed(
            number, pa.RecordBatch.from_arrays([c.combine_chunks() for c in empty.columns], empty.schema.names)
        )


class _Worker:
    """An actor's teacher."""

    def __init__(self, teacher, text_column: str):
        import ray

        self.teacher, self.text_column = ray.get(teacher), text_column

    def __call__(self, piece: pa.Table) -> pa.Table:
        number, batch = _unpacked(piece)
        try:
            return _packed(number, with_soft_labels(self.teacher, batch, self.text_column))
        except Exception as error:  # a teacher may raise anything; Ray would add its own account of the way
            return _packed(number, batch, f"the teacher failed on {len(batch)} texts: {' '.join(str(error).split())}")


def with_soft_labels(teacher: "Labeller", batch: pa.RecordBatch, text_column: str) -> pa.RecordBatch:
    """A batch with the teacher's soft labels beside its columns: labelled now, and not kept in the cache."""
    logits = teacher.logits(batch.column(text_column).to_pylist()).astype(np.float16).astype(np.float32)
    for name, column in zip(teacher.class_names, teacher.softened(logits).T, strict=True):
        batch = batch.append_column(PREFIX + name, pa.array(column, pa.float32()))
    return batch
