"""Broken on purpose: each mutation of the library must make a test fail that passes on the library as it is."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

MUTATIONS = {
    "an exported pair that reaches back into the text before": (
        "export/predictor.py",
        "before[starts] = 0",
        "pass",
        "export/test_export.py::test_the_predictor_answers_as_the_student[pairs]",
    ),
    "an exported gated CNN that sees beyond a text's end": (
        "export/predictor.py",
        "else gated) * within",
        "else gated)",
        "export/test_export.py::test_the_predictor_answers_as_the_student[gated]",
    ),
    "KL from the student to the teacher": (
        "students/distillation.py",
        "kl = torch.xlogy(teacher, teacher) - teacher * log_student",
        "kl = log_student.exp() * (log_student - teacher.log())",
        "students/test_distillation.py::test_kl_runs_from_teacher_to_student",
    ),
    "a student trained without the soft labels": (
        "students/distillation.py",
        "soft_labels = as_soft_labels(soft_labels, len(texts), len(student.labels))",
        "soft_labels = np.eye(soft_labels.shape[1], dtype=np.float32)[np.argmax(soft_labels, axis=1)]",
        "students/test_distillation.py::test_fit_learns_the_soft_labels_it_is_given",
    ),
    "answers moved away from the mix that is asked for": (
        "students/shares.py",
        "bias[number] -= (lead[ours] + lead[ours + 1]) / 2",
        "bias[number] += (lead[ours] + lead[ours + 1]) / 2",
        "students/test_shares.py::test_a_student_keeps_what_it_learned_and_moves_the_line",
    ),
    "a cascade that cuts between texts of equal doubt": (
        "switch/cascade.py",
        "words[~cuts | (right < enough)] = np.inf",
        "words[right < enough] = np.inf",
        "switch/test_cascade.py::test_no_pair_of_thresholds_is_cheaper[18]",
    ),
    "a switch as a teacher that keeps the student's word": (
        "switch/switch.py",
        "logits[deferred] = self._ask([texts[row] for row in deferred], logits.shape[1])",
        "self._ask([texts[row] for row in deferred], logits.shape[1])",
        "switch/test_cascade.py::test_at_work_each_is_asked_what_it_must_be",
    ),
    "a label map in another order": (
        "texts/labels.py",
        "for number, name in enumerate(classes)}",
        "for number, name in enumerate(reversed(classes))}",
        "texts/test_tasks.py::test_class_names_become_their_numbers",
    ),
    "1 and 1.0 as two classes": (
        "texts/labels.py",
        "return str(int(whole[1])) if whole else name",
        "return name",
        "texts/test_tasks.py::test_one_class_whatever_the_type_in_each_file",
    ),
    "own data split without a look at its classes": (
        "texts/tasks.py",
        "stratified=own",
        "stratified=False",
        "texts/test_tasks.py::test_ten_of_three_hundred_are_in_every_split",
    ),
    "soft labels in another order than their texts": (
        "cache.py",
        "(self._places.get(_key(text), -1) for text in as_texts(texts))",
        "(self._places.get(_key(text), -1) for text in sorted(texts))",
        "teachers/test_teachers.py::test_soft_labels_are_the_softmax_in_the_order_asked_for",
    ),
    "a Bi-LSTM that pools its inputs": (
        "students/bilstm.py",
        "pooled = self.dropout(states.amax(dim=1))",
        "pooled = self.dropout(words.amax(dim=1).repeat(1, 2)[:, : states.shape[2]])",
        "students/test_students.py::test_bilstm_forward_by_hand",
    ),
    "a test text left in the training side": (
        "texts/splits.py",
        "kept[split], dropped[split] = frames[split][~leaks].reset_index(drop=True), int(leaks.sum())",
        "kept[split], dropped[split] = frames[split], int(leaks.sum())",
        "texts/test_splits.py::test_overlaps_are_dropped_on_the_training_side",
    ),
}


# Runs in one process that has imported what is slow to import; each copy of the library is tested in a fork of it.
RUNNER = """
import os, sys, datasets, nlpaug.augmenter.word, pytest, sklearn.pipeline, torch, transformers
tests, *copies = sys.argv[1:]
for copy, test in zip(copies[::2], copies[1::2]):
    if (child := os.fork()) == 0:
        os.dup2(os.open(os.path.join(copy, "log"), os.O_WRONLY | os.O_CREAT), 1)
        sys.path[:0] = [copy, tests]
        import distill_utils
        print(distill_utils.__file__, flush=True)
        code = pytest.main(["-q", "-p", "no:cacheprovider", "--no-header", os.path.join(tests, test)])
        sys.stdout.flush()
        os._exit(code)
    open(os.path.join(copy, "code"), "w").write(str(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])))
"""


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> dict[str, Path]:
    """A copy of the library for each mutation, with what its test printed and its exit code."""
    found, command = {}, [sys.executable, "-c", RUNNER, str(ROOT / "tests")]
    for mutation, (file, before, after, test) in MUTATIONS.items():
        found[mutation] = tmp_path_factory.mktemp("copy")
        shutil.copytree(ROOT / "distill_utils", found[mutation] / "distill_utils")
        broken = found[mutation] / "distill_utils" / file
        text = broken.read_text(encoding="utf-8")
        assert text.count(before) == 1, f"the line to break is gone, write the mutation anew: {mutation}"
        broken.write_text(text.replace(before, after), encoding="utf-8")
        command += [str(found[mutation]), test]
    subprocess.run(command, cwd=ROOT / "tests", check=True)
    return found


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_mutation_is_caught(mutation, folders):
    folder = folders[mutation]
    printed = (folder / "log").read_text(encoding="utf-8")
    assert printed.startswith(str(folder)), "the copy must be what ran, or a failure would mean nothing"
    code = int((folder / "code").read_text())
    assert code == pytest.ExitCode.TESTS_FAILED and "1 failed" in printed, printed[-2000:]
