"""Make the recordings that come with the library: MPNet fine-tuned for each task, and its answers.

python scripts/record.py                   # all four tasks, one after the other: hours on two cores
python scripts/record.py sst2 cola         # these

Each task is resumed where it was stopped, and written when it is done. A recording holds the answers to the task's own
splits, and to all that notebooks asked this teacher with the same cache: so run the notebooks, then this again.
"""

import argparse
import hashlib
import json
import platform
import subprocess
import sys
import time
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

import torch

from distill_utils.profiles import MPNET_RECIPES
from distill_utils.results.scoreboard import score
from distill_utils.teachers import CheckpointError, fine_tune, recordings
from distill_utils.teachers.checkpoints import identity, resolve_checkpoint
from distill_utils.teachers.dtypes import CPUINFO, precision
from distill_utils.texts.tasks import SPLITS, DataError, TaskData, few_labels, load_task

ROOT = Path(__file__).resolve().parent.parent
CHECKPOINT = "mpnet"
TASKS = ("cola", "sst2", "emotion", "imdb")
PACKAGES = ("torch", "transformers", "tokenizers", "peft", "safetensors", "numpy")


def load(task: str) -> TaskData:
    """A task as the notebooks have it under the laptop profile."""
    data = load_task(task)
    return few_labels(data, train=1000, held_out=5000) if task == "imdb" else data


def data_hashes(data: TaskData) -> dict[str, str]:
    """The SHA-256 of each split's texts and labels."""
    return {
        split: hashlib.sha256(json.dumps([data.texts(split), data.labels(split).tolist()]).encode()).hexdigest()
        for split in SPLITS
    }


def machine() -> dict[str, object]:
    """What computed it."""
    info = CPUINFO.read_text() if CPUINFO.is_file() else ""
    names = [line.partition(":")[2].strip() for line in info.splitlines() if line.startswith("model name")]
    return {
        "processor": names[0] if names else platform.processor() or platform.machine(),
        "threads": torch.get_num_threads(),
        "precision": precision(),
        "versions": {"python": platform.python_version()} | {name: version(name) for name in PACKAGES},
    }


def commit() -> str | None:
    """The checkout's commit, with a + where files differ from it; None outside of one."""
    found = subprocess.run(["git", "describe", "--always", "--abbrev=40", "--dirty=+"], cwd=ROOT, capture_output=True)
    return found.stdout.decode().strip() or None


def make(task: str) -> Path:
    """Fine-tune the task's teacher, or read what an earlier run made, have it answer, and write the recording."""
    data, recipe = load(task), MPNET_RECIPES[task]
    teacher = fine_tune(CHECKPOINT, data.texts("train"), data.labels("train"), data.task.labels, recipe, recorded=False)
    start = time.perf_counter()
    scores = {
        split: round(score(data.task.metric, data.labels(split), teacher.predict(data.texts(split))), 2)
        for split in SPLITS
    }
    about = {
        "task": task,
        "checkpoint": {CHECKPOINT: identity(CHECKPOINT, resolve_checkpoint(CHECKPOINT))},
        "data": {split: {"texts": len(data[split]), "sha256": found} for split, found in data_hashes(data).items()},
        "classes": data.task.labels,
        "recipe": asdict(recipe),
        "metric": data.task.metric,
        "scores": scores,
        "seconds": {
            "fine_tuning": round(teacher.train_seconds, 1),
            "answers_in_this_run": round(time.perf_counter() - start, 1),
        },
        "answers_in_this_run": teacher.answers(),
        **machine(),
        "commit": commit(),
    }
    folder = recordings.record(task, teacher, about)
    size = sum(path.stat().st_size for path in folder.rglob("*.*")) / 2**20
    print(f"{task}: {data.task.metric} {scores}; {teacher.answers()}; {size:.1f} MB in {folder.name}/", flush=True)
    return folder


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; 0 done, 1 a task could not be recorded."""
    parser = argparse.ArgumentParser(description="Fine-tune MPNet for each task and record its answers.")
    parser.add_argument("tasks", nargs="*", metavar="TASK", help=", ".join(TASKS))
    options = parser.parse_args(arguments)
    if unknown := set(options.tasks) - set(TASKS):
        parser.error(f"unknown task {min(unknown)}: use {', '.join(TASKS)}")
    failed = False
    for task in options.tasks or TASKS:
        try:
            make(task)
        except (CheckpointError, DataError) as error:  # one task's trouble is not the others'
            print(f"{task}: not recorded: {error}", file=sys.stderr)
            failed = True
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
