"""The generated example: three unbalanced classes that load as own data does, the same bytes every time."""

import numpy as np

from distill_utils.texts.example import KEPT, write_example
from distill_utils.texts.summary import facts
from distill_utils.texts.tasks import load_task
from distill_utils.texts.unlabelled import read_texts


def test_it_loads_as_a_task_of_ones_own(tmp_path, recwarn):
    table, texts = write_example(tmp_path, rows=300, unlabelled=50)
    data = load_task(str(table))
    assert data.task.labels == tuple(sorted(KEPT)) and data.task.name == "example.csv"
    counts = np.bincount(data.labels("train"))
    assert counts.max() > 2 * counts.min() > 0  # unbalanced
    assert len(read_texts(texts, "text")) == 50
    looked = facts(data.texts("train"), data.labels("train"))
    assert looked["repeated"] > 0 and looked["contradicting"] > 0
    before = [path.read_bytes() for path in (table, texts)]
    write_example(tmp_path, rows=300, unlabelled=50)
    assert [path.read_bytes() for path in (table, texts)] == before
