"""Measure our students and teachers beside what a reader would use instead, in one table and one run.

python scripts/bench.py            # real data: a quarter of an hour on a quiet machine of two cores
python scripts/bench.py --quick    # generated texts, little of everything: does it run?

Peers are trained now, students unless the cache has them; the transformers are recorded. Writes results/bench.json, the
section in docs/results.md and images/bench.png; a quick run writes to build/bench/.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import onnxruntime
import torch
import transformers
from contest import checkpoints, measure, ours, peers, show
from contest.contestant import Contestant
from contest.measure import Sizes

from distill_utils import course, profiles
from distill_utils.cache import write_atomically
from distill_utils.dtypes import bf16_units
from distill_utils.experiment import Experiment
from distill_utils.progress import hush_libraries
from distill_utils.teachers import Teacher

ROOT = Path(__file__).resolve().parent.parent
TASKS = ("emotion", "sst2")
TIMED = TASKS[0]
DEFAULT = Sizes(texts=500, passes=20, alone=300, colds=2)
LABELLING = Sizes(texts=400, passes=2, alone=0, colds=0)
QUICK = Sizes(texts=60, passes=2, alone=25, colds=1)


def machine() -> dict[str, object]:
    """What the numbers were measured on."""
    file = Path("/proc/cpuinfo")
    lines = file.read_text().splitlines() if file.is_file() else []
    fields = [line.partition(":") for line in lines]
    names = [value.strip() for name, _, value in fields if name.startswith("model name")]
    flags = next((value.split() for name, _, value in fields if name.strip() in ("flags", "Features")), [])
    units = [*bf16_units(), *(flag for flag in flags if "vnni" in flag)]
    return {
        "processor": names[0] if names else platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "units": ", ".join(units) or "none",
        "load_average": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "onnxruntime": onnxruntime.__version__,
    }


def small_transformer(task: Experiment) -> Teacher:
    """The profile's small one, fine-tuned on the labels, as recorded; where there is none, the teacher."""
    small = task.profile.small
    return task.fine_tuned(small, task.profile.small_recipes[task.data.task.name]) if small else task.teacher


def contestants(task: Experiment, folder: Path) -> tuple[list[Contestant], list[Contestant]]:
    """All of one task, trained; and the teacher's runtimes, where the teacher is larger than the small transformer."""
    task.teach()
    small, test = small_transformer(task), task.texts["test"]
    found = [*ours.students(task, folder), *peers.peers(task, folder)]
    found += checkpoints.checkpoint(small, test, folder / "small")
    if small is task.teacher or task.data.task.name != TIMED:
        return found, []
    return found, checkpoints.checkpoint(task.teacher, test, folder / "teacher")


def run(sizes: Sizes, labelling: Sizes, profile: str, folder: Path) -> dict:
    """Everything that results/bench.json holds."""
    here, scores, made = machine(), {}, {}
    for name, task in course.experiments(TASKS, profiles.PROFILES[profile], seeds=1).items():
        print(f"{name}: training", flush=True)
        made[name] = contestants(task, folder / name)
        test, labels = task.texts["test"], task.labels["test"]
        scores[name] = {one.name: measure.accuracy(one, test, labels, task.names) for one in made[name][0]}
        if name == TIMED:
            texts, names, source = test, task.names, task.data.source
    timed, large = made[TIMED]
    print(f"{TIMED}: timing {len(timed)} contestants", flush=True)
    rows = measure.table(timed, scores, texts[: sizes.texts], sizes)
    few, labelled = texts[: labelling.texts], []
    for group in ([one for one in timed if one.group == "transformer"], large):
        if group:
            labelled += measure.labelling(group, few, names, labelling, here["cores"])
    return {
        "data_source": source,
        "quick": profile == "smoke",
        "machine": here,
        "timed": len(texts[: sizes.texts]),
        "labelled": len(few),
        "sizes": asdict(sizes),
        "missing": peers.missing(),
        "rows": rows,
        "labelling": labelled,
    }


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; 0 done, 1 a checkpoint cannot be had."""
    parser = argparse.ArgumentParser(description="Measure speed, size and accuracy beside what else there is.")
    parser.add_argument("--quick", action="store_true", help="generated texts, little of everything: does it run?")
    options = parser.parse_args(arguments)
    os.environ["DISTILL_QUIET"] = "1"
    hush_libraries()
    quick = options.quick or profiles.start("auto", *TASKS).profile.name == "smoke"
    root = ROOT / "build" / "bench" if quick else ROOT
    print(f"Texts: {'generated, NOT the real data' if quick else 'the real data sets'}.")
    for name, how in peers.missing().items():
        print(f"{name} is not installed, and takes no part: {how}")
    with tempfile.TemporaryDirectory() as folder:
        results = run(*((QUICK, QUICK, "smoke") if quick else (DEFAULT, LABELLING, "laptop")), Path(folder))
    write_atomically(root / "results" / "bench.json", (json.dumps(results, indent=1) + "\n").encode())
    show.write(results, root)
    print(show.rows_table(results["rows"]), show.labelling_table(results["labelling"]), *show.aims(results), sep="\n")
    print("written: results/bench.json, docs/results.md, images/bench.png" + (" in build/bench" if quick else ""))
    return 0


if __name__ == "__main__":
    sys.exit(main())
