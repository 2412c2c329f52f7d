"""Make the recordings that come with the library: each task's transformers under `laptop`, and their answers.

python scripts/record.py                   # all four tasks, one after the other: many hours on two cores
python scripts/record.py sst2 cola         # these

Each transformer is a recording of its own: MPNet, its first half, MiniLM, and MiniLM taught by MPNet. Training goes on
where it was stopped. A recording holds the answers to the task's held-out texts, and all others that the cache has: so
run the notebooks, then this again.
"""

import argparse
import hashlib
import json
import platform
import re
import subprocess
import sys
import time
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

import torch

from distill_utils.course import experiments
from distill_utils.dtypes import CPUINFO, precision
from distill_utils.experiment import Experiment
from distill_utils.profiles import PROFILES
from distill_utils.teachers import CheckpointError, Teacher, recordings
from distill_utils.texts.tasks import SPLITS, DataError, TaskData

ROOT = Path(__file__).resolve().parent.parent
PROFILE = PROFILES["laptop"]
TASKS = ("cola", "sst2", "emotion", "imdb")
PACKAGES = ("torch", "transformers", "tokenizers", "peft", "safetensors", "numpy")


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


def make(task: str, elsewhere: str | None) -> list[Path]:
    """Fine-tune the task's transformers, or read what an earlier run made, have them answer, and write recordings.

    elsewhere: what computed those that an earlier run made, if that was another machine.
    """
    experiment = experiments([task], PROFILE, seeds=1, recorded=False)[task]
    folders = [record(experiment, experiment.teach().title, experiment.teacher, elsewhere)]
    return folders + [record(experiment, name, model, elsewhere) for name, model in experiment.smaller().items()]


def record(experiment: Experiment, name: str, model: Teacher, elsewhere: str | None) -> Path:
    """Have one transformer answer the task's held-out texts, and write its recording."""
    data, start = experiment.data, time.perf_counter()
    scores = {
        split: round(experiment.score(model.predict(experiment.texts[split]), split), 2)
        for split in ("validation", "test")
    }
    about = {
        "task": data.task.name,
        "model": name,
        "checkpoint": {model.adapter.checkpoint: model.adapter.base},
        "data": {split: {"texts": len(data[split]), "sha256": found} for split, found in data_hashes(data).items()},
        "classes": data.task.labels,
        "recipe": asdict(model.recipe),
        "metric": data.task.metric,
        "scores": scores,
        "seconds": {
            "fine_tuning": round(model.train_seconds, 1),
            "answers_in_this_run": round(time.perf_counter() - start, 1),
        },
        "answers_in_this_run": model.answers(),
        **machine(),
        "earlier_runs_on": elsewhere,
        "commit": commit(),
    }
    folder = recordings.record(f"{data.task.name}-{re.sub('[^a-z0-9]+', '-', name.lower())}", model, about)
    size = sum(path.stat().st_size for path in folder.rglob("*.*")) / 2**20
    print(f"{folder.name}: {data.task.metric} {scores}; {model.answers()}; {size:.1f} MB", flush=True)
    return folder


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; 0 done, 1 a task could not be recorded."""
    parser = argparse.ArgumentParser(description="Record the transformers of the course, and their answers.")
    parser.add_argument("tasks", nargs="*", metavar="TASK", help=", ".join(TASKS))
    parser.add_argument("--elsewhere", metavar="MACHINE", help="what computed what the cache already holds")
    options = parser.parse_args(arguments)
    if unknown := set(options.tasks) - set(TASKS):
        parser.error(f"unknown task {min(unknown)}: use {', '.join(TASKS)}")
    failed = False
    for task in options.tasks or TASKS:
        try:
            make(task, options.elsewhere)
        except (CheckpointError, DataError) as error:  # one task's trouble is not the others'
            print(f"{task}: not recorded: {error}", file=sys.stderr)
            failed = True
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
