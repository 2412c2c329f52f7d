"""The bench's own tools: turns, clocks, what it says. No assertion is about how fast anything is."""

import json
import os

import bench
import numpy as np
import pytest
import torch
from transformers import Trainer

from distill_utils import teachers
from distill_utils.students import count_parameters
from distill_utils.texts.tasks import load_task


@pytest.fixture(scope="module")
def data():
    return load_task("emotion", source="miniature")


def test_jobs_take_turns():
    order = []
    seconds = bench.interleaved({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, 3)
    assert order == ["a", "b"] * 3
    assert {name: len(times) for name, times in seconds.items()} == {"a": 3, "b": 3}


def test_single_texts_take_turns_by_block():
    order = []
    jobs = {"a": lambda text: order.append("a" + text), "b": lambda text: order.append("b" + text)}
    seconds = bench.latencies(jobs, ["1", "2", "3"], block=2)
    assert order == ["a1", "a2", "b1", "b2", "a3", "b3"]
    assert all(len(times) == 3 and min(times) >= 0 for times in seconds.values())


def test_warm_up_steps_do_not_count():
    assert bench.seconds_a_step([0.0, 9.0, 10.0, 12.0, 14.0], warm_up=1) == pytest.approx((14 - 9) / 3)
    with pytest.raises(ValueError, match="at least two must be left"):
        bench.seconds_a_step([0.0, 1.0], warm_up=1)


def test_the_step_clock_is_taken_off_again():
    original = Trainer.training_step
    with pytest.raises(RuntimeError), bench.step_starts() as starts:
        assert Trainer.training_step is not original
        raise RuntimeError
    assert Trainer.training_step is original and starts == []


def test_one_thread_ends_with_its_block(monkeypatch):
    monkeypatch.delenv("TOKENIZERS_PARALLELISM", raising=False)
    before = torch.get_num_threads()
    with bench.one_thread():
        assert torch.get_num_threads() == 1 and os.environ["TOKENIZERS_PARALLELISM"] == "false"
    assert torch.get_num_threads() == before and "TOKENIZERS_PARALLELISM" not in os.environ


def test_tables_are_aligned():
    rows = [{"model": "a", "n": 80374, "ratio": 1.0}, {"model": "long name", "n": None, "ratio": 1234.5}]
    assert bench.table(rows).splitlines() == [
        "model           n  ratio",
        "a          80,374      1",
        "long name          1,234",
    ]


def test_steps_of_both_recipes():
    stock, ours = bench.full_steps(16_000)
    assert stock == 3 * 500
    assert ours == round(bench.RECIPE.epochs * np.ceil(16_000 / bench.RECIPE.batch_size))


def test_the_students_have_the_blog_s_size_on_any_corpus(data):
    students = bench.our_students(data)
    assert {name: count_parameters(student)[0] for name, student in students.items()} == {
        "MLP (mean)": 80_374,
        bench.OURS: 80_374,
    }


def test_it_says_that_the_texts_are_not_the_real_ones(monkeypatch):
    monkeypatch.setenv("DISTILL_PROFILE", "smoke")
    found, line = bench.emotion()
    assert found.source == "miniature" and "NOT the real data" in line


def test_a_part_that_cannot_be_measured_is_said_and_the_rest_goes_on(tmp_path, monkeypatch, data, capsys):
    def unreachable(*args):
        raise teachers.CheckpointError("no weights here")

    monkeypatch.setenv("DISTILL_QUIET", "1")  # main sets it: undone after the test
    monkeypatch.setattr(bench, "emotion", lambda: (data, "Texts: miniature."))
    monkeypatch.setattr(bench, "bench_labelling", unreachable)
    monkeypatch.setattr(bench, "bench_students", lambda *args: [{"model": "ours"}])
    out = tmp_path / "bench.json"
    assert bench.main(["--quick", "--only", "labelling", "students", "--out", str(out)]) == 1
    written = json.loads(out.read_text())
    assert written["labelling"] is None and written["students"] == [{"model": "ours"}] and written["quick"]
    printed = capsys.readouterr()
    assert printed.out.startswith("Texts: miniature.") and "labelling: not measured: no weights here" in printed.err
