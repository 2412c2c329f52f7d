"""What is deployed: a folder with the student, the switch, a model card, the results and the report."""

import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

import distill_utils
from distill_utils.cache import write_atomically
from distill_utils.own_task.cost import bytes_in, human_bytes
from distill_utils.results.tables import table
from distill_utils.students import Student
from distill_utils.switch import Switch

# What a fresh process runs: nothing of the notebook is there, the teacher neither.
ELSEWHERE = """
import json, sys
from distill_utils.students import Student
from distill_utils.switch import Switch
folder, texts = json.load(sys.stdin)
student, switch = Student.from_pretrained(folder + "/student"), Switch.from_pretrained(folder + "/switch")
logits = student.predict_logits(texts)
print(json.dumps({"student": student.predict(texts).tolist(), "switch": switch.predict(texts).tolist(),
                  "asks": (switch.router(texts, logits) >= switch.threshold).tolist()}))
"""


def write(folder: Path, *, student: Student, switch: Switch, results: dict, card: str, report: str) -> None:
    """Write `student/`, `switch/`, `results.json`, `README.md` and `report.html`, each whole or not at all."""
    student.save_pretrained(folder / "student")
    switch.save_pretrained(folder / "switch")
    files = {"results.json": json.dumps(_without_nan(results), indent=1, allow_nan=False) + "\n", "README.md": card}
    for name, text in (files | {"report.html": report}).items():
        write_atomically(folder / name, text.encode())


def contents(folder: Path) -> pd.DataFrame:
    """What a hand-over holds, and its size."""
    what = {
        "student/": "the chosen student: Student.from_pretrained",
        "switch/": "student, router and threshold: Switch.from_pretrained",
        "README.md": "the model card",
        "results.json": "every figure of the tables",
        "report.html": "this report, one file",
    }
    size = lambda path: bytes_in(path) if path.is_dir() else path.stat().st_size  # noqa: E731
    return pd.DataFrame(
        [{"file": name, "is": text, "size": human_bytes(size(folder / name))} for name, text in what.items()]
    )


def answers(student: Student, switch: Switch, texts: list[str]) -> dict[str, list]:
    """The student's answers, the switch's without its teacher, and which texts it would ask the teacher about."""
    logits = student.predict_logits(texts)
    found = logits.argmax(axis=1).tolist()
    return {"student": found, "switch": found, "asks": (switch.router(texts, logits) >= switch.threshold).tolist()}


def answers_elsewhere(folder: Path, texts: list[str]) -> dict[str, list]:
    """The same, by a new Python process in an empty folder that loads both from the hand-over.

    Raises ValueError, with the process's last line, when it fails.
    """
    library = str(Path(distill_utils.__file__).resolve().parent.parent)
    paths = os.pathsep.join(filter(None, [library, os.environ.get("PYTHONPATH")]))
    with TemporaryDirectory() as empty:
        done = subprocess.run(
            [sys.executable, "-c", ELSEWHERE],
            input=json.dumps([str(folder.resolve()), list(texts)]),
            capture_output=True,
            text=True,
            cwd=empty,
            env=os.environ | {"PYTHONPATH": paths},
        )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["nothing was printed"])[-1]
        raise ValueError(f"what was handed over cannot be loaded elsewhere: {last}")
    return json.loads(done.stdout)


def model_card(
    *,
    task: str,
    sentence: str,
    data: dict[str, object],
    decision: pd.DataFrame,
    classes: pd.DataFrame,
    switch: str,
    limits: list[str],
) -> str:
    """The hand-over's README.md: what it is, how to use it, data, sizes, scores for each class, limits."""
    lines = [
        f"# A small text classifier for {_plain(task)}",
        "",
        sentence,
        "",
        "## Use",
        "",
        "```python",
        "from distill_utils.students import Student",
        "from distill_utils.switch import Switch",
        "",
        'student = Student.from_pretrained("student")',
        'print([student.labels[number] for number in student.predict(["a text", "another one"])])',
        "",
        'switch = Switch.from_pretrained("switch")  # teacher=... lets it ask; without one the student answers',
        "print(switch.describe())",
        "```",
        "",
        f"{switch} The teacher is not in this folder. A fine-tuned one is written by `guide.save_pretrained(folder)` "
        "in the notebook, and read by `Teacher.from_pretrained(folder)`.",
        "",
        "## Data",
        "",
        *(f"- {name}: {_plain(value)}" for name, value in data.items()),
        "",
        "## Size, speed and score",
        "",
        *_markdown(decision),
        "",
        "## Each class (test texts, the student)",
        "",
        *_markdown(classes),
        "",
        "## Limits",
        "",
        *(f"- {line}" for line in limits),
        "",
    ]
    return "\n".join(lines)


def _markdown(frame: pd.DataFrame) -> list[str]:
    """A table in Markdown, its cells as `results.tables` writes them."""
    shown = table(frame)
    rows = [shown.columns, ["---"] * len(shown.columns), *shown.rows]
    return [f"| {' | '.join(map(_plain, row))} |" for row in rows]


def _without_nan(value: object) -> object:
    """What JSON can hold: numbers of numpy as Python's, and null where there is none."""
    if isinstance(value, dict):
        return {str(name): _without_nan(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_nan(inner) for inner in value]
    value = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(value, float) and not np.isfinite(value) else value


def _plain(value: object) -> str:
    """One line that breaks no table: what users wrote may hold bars and line ends."""
    return " ".join(str(value).split()).replace("|", "\\|")
