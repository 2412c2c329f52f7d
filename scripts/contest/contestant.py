"""A contestant: what it is called, its folder, and its program; and a process in which it runs."""

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

WORKER = Path(__file__).with_name("worker.py")
ROOT = WORKER.parent.parent.parent


@dataclass(frozen=True)
class Contestant:
    """A trained model in a folder, and one way of running it.

    program: Python source, run in the folder, that defines `answer(texts)`: a class number or name a text. files: those
    it needs there, all by default; code does not count. known: its answers to the test texts, where they were computed
    before, from the same weights. train_seconds: without choosing settings, and without labelling; None where it was
    trained on another machine.
    """

    model: str
    route: str
    group: str  # "student", "peer" or "transformer"
    folder: Path
    program: str
    parameters: int | None
    train_seconds: float | None = None
    files: tuple[str, ...] = ()
    known: np.ndarray | None = None

    @property
    def name(self) -> str:
        """The model and how it is run."""
        return f"{self.model}, {self.route}" if self.route else self.model

    def size(self) -> int:
        """Bytes on disk, code left out."""
        files = [self.folder / name for name in self.files] or [path for path in self.folder.rglob("*")]
        return sum(path.stat().st_size for path in files if path.is_file() and path.suffix != ".py")


class Failed(RuntimeError):
    """A contestant that stopped; the message is one line."""


class Running:
    """A contestant in a process of its own, ready when made; `cold` is the seconds that took, `memory` in MB.

    threads: of whatever it computes with. Raises Failed when it stops instead of answering.
    """

    def __init__(self, contestant: Contestant, *, threads: int, text: str):
        self.contestant, self._errors = contestant, tempfile.TemporaryFile(mode="w+")
        kinds = ("OMP", "OPENBLAS", "MKL", "RAYON")
        set_to = {f"{kind}_NUM_THREADS": str(threads) for kind in kinds}
        set_to |= {"TOKENIZERS_PARALLELISM": "true" if threads > 1 else "false", "THREADS": str(threads)}
        set_to |= {"PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))}
        start = time.perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, str(WORKER), contestant.program, text],
            cwd=contestant.folder,
            env=os.environ | set_to,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        self.memory = self._reply()
        self.cold = time.perf_counter() - start

    def __enter__(self) -> "Running":
        return self

    def __exit__(self, *error) -> None:
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
        self._errors.close()

    def answers(self, texts: list[str]) -> tuple[list[str], float]:
        """Its answers to texts given in one call, and the seconds they took."""
        found = self._ask("answer", texts)
        return found["answers"], found["seconds"]

    def seconds_alone(self, texts: list[str]) -> list[float]:
        """Seconds for each text, given alone."""
        return self._ask("alone", texts)

    def _ask(self, what: str, texts: list[str]):
        print(json.dumps({"do": what, "texts": texts}), file=self._process.stdin, flush=True)
        return self._reply()

    def _reply(self):
        line = self._process.stdout.readline()
        if line:
            return json.loads(line)
        self._process.wait()
        self._errors.seek(0)
        said = self._errors.read().strip().splitlines() or ["it said nothing"]
        raise Failed(f"{self.contestant.name} stopped: {said[-1]}")


def numbers(answers: list[str], labels: tuple[str, ...]) -> np.ndarray:
    """Class numbers of answers that are numbers or names, int64 (n,)."""
    known = {str(number): number for number in range(len(labels))} | {name: i for i, name in enumerate(labels)}
    return np.array([known[answer] for answer in answers])
