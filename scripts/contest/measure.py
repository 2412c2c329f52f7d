"""What is measured of contestants: on the same texts, taking turns, so that a busy machine slows them all."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np

from contest.contestant import Contestant, Running, numbers

PATIENCE = 5.0  # seconds of passes after which a contestant takes no further turn
AGREE = 99.5  # percent of the texts
BLOCK = 25  # texts that are given alone, one after the other, before it is another's turn


@dataclass(frozen=True)
class Sizes:
    """How much of everything is timed."""

    texts: int  # of the test split
    passes: int  # over them, at most
    alone: int  # texts given one at a time
    colds: int  # starts


def turns(jobs: dict[str, Callable[[], float]], rounds: int, patience: float = PATIENCE) -> dict[str, list[float]]:
    """The seconds that each job says it took, `rounds` times, the jobs taking turns.

    One that has taken `patience` seconds in all sits out the rest.
    """
    seconds = {name: [] for name in jobs}
    for _ in range(rounds):
        for name, job in jobs.items():
            if sum(seconds[name]) < patience:
                seconds[name].append(job())
    return seconds


def alone(jobs: dict[str, Callable[[list[str]], list[float]]], texts: list[str], block: int = BLOCK) -> dict:
    """Seconds of each job for each text alone; the jobs take turns, a block of texts at a time."""
    seconds = {name: [] for name in jobs}
    for start in range(0, len(texts), block):
        for name, job in jobs.items():
            seconds[name] += job(texts[start : start + block])
    return seconds


def cold_starts(contestants: list[Contestant], text: str, rounds: int) -> dict[str, tuple[float, float | None]]:
    """The least seconds from the interpreter's start to the first answer, and the most memory held by then, in MB."""
    memory = {}

    def start(contestant: Contestant) -> float:
        with Running(contestant, threads=1, text=text) as running:
            memory[contestant.name] = running.memory
            return running.cold

    jobs = {one.name: (lambda one=one: start(one)) for one in contestants}
    found = turns(jobs, rounds, patience=float("inf"))
    return {name: (min(seconds), memory[name]) for name, seconds in found.items()}


def speeds(
    contestants: list[Contestant], texts: list[str], sizes: Sizes, *, threads: int, singles: bool = False
) -> tuple[dict[str, float], dict[str, list[float]], dict[str, list[str]]]:
    """Sentences a second, the best of the passes; seconds of single texts, where asked for; and the answers."""
    answers = {}

    def job(running: Running) -> float:
        answers[running.contestant.name], seconds = running.answers(texts)
        return seconds

    with ExitStack() as stack:
        started = [stack.enter_context(Running(one, threads=threads, text=texts[0])) for one in contestants]
        for running in started:  # warm up
            running.answers(texts[:32])
        found = turns({one.contestant.name: (lambda one=one: job(one)) for one in started}, sizes.passes)
        latencies = {}
        if singles:
            latencies = alone({one.contestant.name: one.seconds_alone for one in started}, texts[: sizes.alone])
    return {name: len(texts) / min(seconds) for name, seconds in found.items()}, latencies, answers


def accuracy(contestant: Contestant, texts: list[str], labels: np.ndarray, names: tuple[str, ...]) -> float:
    """Accuracy on all test texts, in percent."""
    predicted = contestant.known
    if predicted is None:
        with Running(contestant, threads=2, text=texts[0]) as running:
            predicted = numbers(running.answers(texts)[0], names)
    return 100 * float(np.mean(predicted == labels))


def table(timed: list[Contestant], scores: dict[str, dict[str, float]], texts: list[str], sizes: Sizes) -> list[dict]:
    """One row a contestant; `scores`: accuracy by data set and name."""
    cold = cold_starts(timed, texts[0], sizes.colds)
    one, singles, _ = speeds(timed, texts, sizes, threads=1, singles=True)
    two, _, _ = speeds(timed, texts, sizes, threads=2)
    rows = []
    for contestant in timed:
        name = contestant.name
        middle, slow = 1e6 * np.percentile(singles[name], [50, 99])
        rows.append(
            {"model": contestant.model, "route": contestant.route, "group": contestant.group}
            | {f"accuracy {task}": round(found[name], 2) if name in found else None for task, found in scores.items()}
            | {
                "size KB": round(contestant.size() / 1000, 1),
                "parameters": contestant.parameters,
                "training s": None if contestant.train_seconds is None else round(contestant.train_seconds, 1),
                "sentences/s, 1 thread": round(one[name], 1),
                "sentences/s, 2 threads": round(two[name], 1),
                "p50 us": round(middle, 1),
                "p99 us": round(slow, 1),
                "cold start s": round(cold[name][0], 2),
                "memory MB": None if cold[name][1] is None else round(cold[name][1]),
            }
        )
    return rows


def labelling(
    contestants: list[Contestant], texts: list[str], names: tuple[str, ...], sizes: Sizes, threads: int
) -> list[dict]:
    """Runtimes of one checkpoint: speed and agreement in percent, both beside the first's."""
    speed, _, answers = speeds(contestants, texts, sizes, threads=threads)
    predicted = {name: numbers(found, names) for name, found in answers.items()}
    first = contestants[0].name
    return [
        {
            "model": one.model,
            "route": one.route,
            "sentences/s": round(speed[one.name], 1),
            "ratio": round(speed[one.name] / speed[first], 2),
            "agreement": round(100 * float(np.mean(predicted[one.name] == predicted[first])), 2),
        }
        for one in contestants
    ]


def chosen(rows: list[dict]) -> dict:
    """The fastest of a checkpoint's runtimes whose predictions agree on at least `AGREE` percent of the texts."""
    return max((row for row in rows if row["agreement"] >= AGREE), key=lambda row: row["ratio"])
