"""What the miniature corpora must show, read from the results of the notebooks that nbval has just run.

Real models made them (MiniLM as the teacher, three seeds), so `make test` runs this after nbval; pytest does not
collect it by itself. $SMOKE_RESULTS names the folder.
"""

import json
import os
from collections import defaultdict
from pathlib import Path

import pytest

RESULTS = Path(os.environ.get("SMOKE_RESULTS", "build/nbval/results/smoke"))


@pytest.fixture(scope="module")
def scores() -> dict[tuple[str, str], list[float]]:
    rows = [row for part in ("part1", "part2", "part3") for row in json.loads((RESULTS / f"{part}.json").read_text())]
    assert {row["data_source"] for row in rows} == {"miniature"}
    assert {row["n_seeds"] for row in rows if row["model"] in ("MLP-D", "Bi-LSTM-D")} == {3}
    found = defaultdict(list)  # parts repeat some rows: each of them counts
    for row in rows:
        found[row["task"], row["model"]].append(row["score"])
    return found


def test_emotion_is_a_matter_of_words(scores):
    teacher, distilled = max(scores["emotion", "MiniLM-L6"]), min(scores["emotion", "MLP-D, bag of words"])
    assert distilled >= max(scores["emotion", "MLP, hard labels"]) + 3
    assert distilled >= 0.95 * teacher
    assert max(scores["emotion", "TF-IDF + logistic regression"]) < teacher - 10


def test_sst2_needs_order(scores):
    teacher, mlp, bilstm = (scores["sst2", model] for model in ("MiniLM-L6", "MLP-D", "Bi-LSTM-D"))
    gap = max(teacher) - max(mlp)
    assert max(teacher) - min(bilstm) < 0.6 * gap  # the Bi-LSTM closes clearly more of it


def test_cola_is_out_of_reach_for_both(scores):
    teacher = min(scores["cola", "MiniLM-L6"])
    assert teacher > 50
    assert max(scores["cola", "MLP-D"]) < 0.3 * teacher and max(scores["cola", "Bi-LSTM-D"]) < 0.7 * teacher


def test_word_order_sensitivity_ranks_the_tasks(scores):
    (emotion,), (sst2,), (cola,) = (scores[task, "wos, n = 1"] for task in ("emotion", "sst2", "cola"))
    assert emotion < 0.25 < sst2 < 0.8 < cola
