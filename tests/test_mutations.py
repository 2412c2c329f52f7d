"""Broken on purpose: each mutation of the library must make a test fail that passes on the library as it is."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

MUTATIONS = {
    "KL from the student to the teacher": (
        "distillation.py",
        "kl = torch.xlogy(teacher, teacher) - teacher * log_student",
        "kl = log_student.exp() * (log_student - teacher.log())",
        "test_distillation.py::test_kl_runs_from_teacher_to_student",
    ),
    "a student trained without the soft labels": (
        "distillation.py",
        "soft_labels = np.ascontiguousarray(soft_labels, dtype=np.float32)",
        "soft_labels = np.eye(soft_labels.shape[1], dtype=np.float32)[np.argmax(soft_labels, axis=1)]",
        "test_distillation.py::test_fit_learns_the_soft_labels_it_is_given",
    ),
    "a label map in another order": (
        "tasks.py",
        "numbers = {name: number for number, name in enumerate(labels)}",
        "numbers = {name: number for number, name in enumerate(reversed(labels))}",
        "test_tasks.py::test_class_names_become_their_numbers",
    ),
    "soft labels in another order than their texts": (
        "cache.py",
        "np.stack([self._rows[_key(t)] for t in texts])",
        "np.stack([self._rows[_key(t)] for t in sorted(texts)])",
        "test_teachers.py::test_soft_labels_are_the_softmax_in_the_order_asked_for",
    ),
    "a Bi-LSTM that pools its inputs": (
        "students.py",
        "pooled = self.dropout(states.amax(dim=1))",
        "pooled = self.dropout(words.amax(dim=1).repeat(1, 2)[:, : states.shape[2]])",
        "test_students.py::test_bilstm_forward_by_hand",
    ),
    "a test text left in the training side": (
        "tasks.py",
        "kept[split], dropped[split] = frames[split][~leaks].reset_index(drop=True), int(leaks.sum())",
        "kept[split], dropped[split] = frames[split], int(leaks.sum())",
        "test_tasks.py::test_overlaps_are_dropped_on_the_training_side",
    ),
}


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_mutation_is_caught(mutation, tmp_path):
    file, before, after, test = MUTATIONS[mutation]
    shutil.copytree(ROOT / "distill_utils", tmp_path / "distill_utils")
    broken = tmp_path / "distill_utils" / file
    text = broken.read_text(encoding="utf-8")
    assert text.count(before) == 1, "the line to break is gone: write the mutation anew"
    broken.write_text(text.replace(before, after), encoding="utf-8")
    # "import" checks that the copy is what runs, so that a failure means the mutation and nothing else.
    command = "import sys, pytest, distill_utils as d; print(d.__file__); sys.exit(pytest.main(sys.argv[1:]))"
    run = subprocess.run(
        [sys.executable, "-c", command, "-q", "-p", "no:cacheprovider", "--no-header", f"{ROOT / 'tests' / test}"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT / "tests")])},
        cwd=ROOT / "tests",
        capture_output=True,
        text=True,
    )
    assert str(tmp_path) in run.stdout
    assert run.returncode == pytest.ExitCode.TESTS_FAILED and "1 failed" in run.stdout, run.stdout[-2000:]
