"""The bench's own tools: turns, processes, routes that answer alike, what it says; not how fast anything is."""

import importlib.util
import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import bench
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from contest import checkpoints, measure, ours, peers, show
from contest.contestant import Contestant, Failed, Running, numbers
from tiny_checkpoints import tiny_bert, tiny_mpnet

from distill_utils import teachers
from distill_utils.students import MLP, BiLSTM
from distill_utils.teachers.checkpoints import load_checkpoint
from distill_utils.texts.words import Vocabulary

ROOT = Path(__file__).resolve().parent.parent
LENGTHS = "def answer(texts):\n    print('chatter')\n    return [len(text) % 2 for text in texts]\n"


def contestant(folder, program=LENGTHS, **changes):
    folder.mkdir(exist_ok=True)
    return replace(Contestant("a model", "", "peer", folder, program, 10, 1.0), **changes)


def test_jobs_take_turns():
    order = []

    def job(name):
        order.append(name)
        return 1.0

    seconds = measure.turns({"a": lambda: job("a"), "b": lambda: job("b")}, 3)
    assert order == ["a", "b"] * 3 and seconds == {"a": [1.0] * 3, "b": [1.0] * 3}


def test_a_slow_job_sits_out_once_it_has_had_its_time():
    seconds = measure.turns({"slow": lambda: 4.0, "quick": lambda: 1.0}, 4, patience=5)
    assert seconds == {"slow": [4.0, 4.0], "quick": [1.0] * 4}


def test_single_texts_take_turns_by_block():
    order = []

    def job(name):
        return lambda texts: [order.append(name + text) or 0.5 for text in texts]

    seconds = measure.alone({"a": job("a"), "b": job("b")}, ["1", "2", "3"], block=2)
    assert order == ["a1", "a2", "b1", "b2", "a3", "b3"] and seconds == {"a": [0.5] * 3, "b": [0.5] * 3}


def test_a_contestant_answers_from_its_own_folder_and_process(tmp_path):
    (tmp_path / "number.txt").write_text("7")
    program = "import os\nnumber = open('number.txt').read()\nanswer = lambda texts: [number, os.environ['THREADS']]\n"
    with Running(contestant(tmp_path, program), threads=2, text="x") as running:
        found, seconds = running.answers(["a", "b"])
        assert found == ["7", "2"] and seconds > 0
        assert len(running.seconds_alone(["a", "b", "c"])) == 3
        assert running.cold > 0 and (running.memory is None or 1 < running.memory < 100)  # it imports nothing


def test_what_a_library_prints_is_no_answer(tmp_path):
    with Running(contestant(tmp_path), threads=1, text="x") as running:
        assert running.answers(["é\n😍", "ab"])[0] == ["1", "0"]


@pytest.mark.parametrize("program", ["import nothing_of_this_name", "def answer(texts):\n    raise ValueError('no')"])
def test_a_contestant_that_stops_is_named_with_its_last_words(tmp_path, program):
    with pytest.raises(Failed, match=r"^a model stopped: \w+Error: .+$"):
        Running(contestant(tmp_path, program), threads=1, text="x")


def test_code_and_what_a_route_does_not_need_have_no_size(tmp_path):
    for name, size in (("weights.bin", 300), ("words.json", 50), ("code.py", 1000)):
        (tmp_path / name).write_bytes(b"x" * size)
    assert contestant(tmp_path).size() == 350
    assert contestant(tmp_path, files=("words.json",)).size() == 50


def test_answers_are_numbers_or_names():
    assert numbers(["1", "joy", "0"], ("sadness", "joy")).tolist() == [1, 1, 0]


def test_accuracy_is_measured_unless_the_answers_are_known(tmp_path):
    labels, texts = np.array([1, 0, 1, 1]), ["a", "bb", "ccc", "dd"]
    assert measure.accuracy(contestant(tmp_path), texts, labels, ("x", "y")) == 75  # lengths 1, 2, 3, 2
    known = contestant(tmp_path, "this is no program", known=np.array([1, 1, 0, 1]))
    assert measure.accuracy(known, texts, labels, ("x", "y")) == 50


def test_the_table_has_a_row_a_contestant(tmp_path):
    (tmp_path / "weights").write_bytes(b"x" * 2000)
    sizes = bench.Sizes(texts=4, passes=2, alone=3, colds=1)
    row, other = measure.table(
        [contestant(tmp_path), contestant(tmp_path, route="another", train_seconds=None)],
        {"emotion": {"a model": 75.0, "a model, another": 50.0}, "sst2": {"a model": 60.126}},
        ["a", "bb", "c", "dd"],
        sizes,
    )
    assert (row["accuracy emotion"], row["accuracy sst2"], row["size KB"], row["training s"]) == (75.0, 60.13, 2.0, 1.0)
    assert (other["accuracy emotion"], other["accuracy sst2"], other["training s"]) == (50.0, None, None)
    assert all(row[name] > 0 for name in ("sentences/s, 1 thread", "sentences/s, 2 threads", "p50 us", "cold start s"))
    assert row["p99 us"] >= row["p50 us"]


def test_labelling_is_compared_with_the_first(tmp_path):
    names = "def answer(texts):\n    return ['yx'[len(text) % 2] for text in texts]\n"  # the other way round
    sizes = bench.Sizes(texts=4, passes=1, alone=0, colds=0)
    first, same, other = measure.labelling(
        [
            contestant(tmp_path, route=route, program=code)
            for route, code in (("", LENGTHS), ("2", LENGTHS), ("3", names))
        ],
        ["a", "bb", "c", "dd"],
        ("x", "y"),
        sizes,
        threads=1,
    )
    assert first["ratio"] == 1 and (first["agreement"], same["agreement"], other["agreement"]) == (100, 100, 0)


def test_the_fastest_runtime_whose_answers_agree_is_chosen():
    rows = [
        {"route": "pipeline", "ratio": 1.0, "agreement": 100.0},
        {"route": "faster", "ratio": 2.0, "agreement": 99.5},
        {"route": "fastest", "ratio": 3.0, "agreement": 99.49},
    ]
    assert measure.chosen(rows)["route"] == "faster"


TEXTS = ["red is a word", "", "green, is it?", "red red green so 😍", "unknown words only"]


def small(kind):
    torch.manual_seed(0)
    vocabulary = Vocabulary(["red", "green", "is", "so", "😍"])
    if kind is MLP:
        return MLP(vocabulary, ("no", "yes", "maybe"), pooling="pairs").eval()
    return BiLSTM(vocabulary, ("no", "yes", "maybe"), embedding_size=4, hidden=3, dense=4).eval()


@pytest.mark.parametrize(
    ("kind", "routes"),
    [
        (MLP, ["library", "torch", "numpy", "ONNX", "numpy int8", "ONNX int8"]),
        (BiLSTM, ["torch", "ONNX", "ONNX int8"]),
    ],
)
def test_every_route_of_a_student_gives_its_answers(tmp_path, monkeypatch, kind, routes):
    student = small(kind)
    student.train_seconds = 1.5
    monkeypatch.setattr(ours.course, "distil", lambda task, kind: {kind: [student]})
    found = ours._routes(None, "a student", tmp_path)
    assert [one.route for one in found] == routes
    assert {one.parameters for one in found} == {student.count_parameters()[0]}
    for one in found:
        assert (one.train_seconds, one.size() > 0) == (1.5, True)
        if one.route not in ("library", "torch"):  # a process with torch takes seconds to start
            with Running(one, threads=1, text="red") as running:
                assert numbers(running.answers(TEXTS)[0], student.labels).tolist() == student.predict(TEXTS).tolist()
    monkeypatch.chdir(tmp_path)
    for program in {one.program for one in found if one.route in ours.OWN}:
        exec(program, names := {})
        assert names["answer"](TEXTS).tolist() == student.predict(TEXTS).tolist()


@pytest.mark.parametrize("make", [partial(tiny_bert, num_labels=3), tiny_mpnet])
def test_every_runtime_of_a_checkpoint_gives_the_teacher_s_answers(tmp_path, monkeypatch, make):
    model, tokenizer = load_checkpoint(make(tmp_path / "checkpoint"), ("no", "yes", "maybe"))
    teacher = teachers.Teacher(model, tokenizer, name="tiny", max_tokens=6)
    texts = ["red", "green apple pie is so", "the red apple is so green and too long to be read whole", ""] * 20
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(4)  # so that texts differ
        bias = [weight for weight in model.parameters() if weight.shape == (3,)][-1]
        bias -= torch.from_numpy(teacher.logits(texts).mean(axis=0))  # and no class is the answer to all
    found = checkpoints.checkpoint(teacher, texts, tmp_path / "here")
    wanted, routes = teacher.logits(texts).argmax(axis=1), [one.route for one in found]
    assert routes[:4] == ["transformers.pipeline", "Teacher", "ONNX", "ONNX int8"] and len(set(wanted)) > 1
    assert ("OpenVINO" in routes) == bool(importlib.util.find_spec("openvino"))
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("THREADS", "1")
    for one in found:
        if one.route != "ONNX int8":  # it may differ
            assert one.known.tolist() == wanted.tolist()
            # OpenVINO takes bfloat16 where the processor has units, and these untrained weights lie close to ties.
            program = one.program.replace('"LATENCY"', '"LATENCY", "INFERENCE_PRECISION_HINT": "f32"')
            exec(program, names := {})
            answers = [str(answer) for answer in names["answer"](texts)]
            assert numbers(answers, teacher.class_names).tolist() == wanted.tolist(), one.route
    sizes = {one.route: one.size() for one in found}
    assert sizes["ONNX int8"] < sizes["ONNX"]


def test_what_is_not_installed_is_named_with_the_line_that_installs_it(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "fasttext" else object())
    assert peers.missing() == {"fasttext": "pip install fasttext-community"}


def row(model, route="", group="peer", **values):
    found = {"model": model, "route": route, "group": group, "accuracy emotion": 90.0, "accuracy sst2": 80.0}
    found |= {"size KB": 100.0, "parameters": 80_374, "training s": 2.0, "sentences/s, 1 thread": 1000.0}
    found |= {"sentences/s, 2 threads": 1100.0, "p50 us": 20.0, "p99 us": 45.6, "cold start s": 0.25, "memory MB": 33}
    return found | values


RESULTS = {
    "quick": False,
    "machine": {"processor": "a processor", "cores": 2, "load_average": 0.5, "units": "none"},
    "timed": 1000,
    "labelled": 400,
    "missing": {"openvino": "pip install openvino"},
    "rows": [
        row("MLP-D", "library", "student", **{"sentences/s, 1 thread": 3000.0}),
        row("MLP-D", "numpy", "student", **{"p50 us": 10.0}),
        row("fastText", **{"sentences/s, 1 thread": 2000.0, "size KB": 9000.0, "accuracy emotion": 95.0}),
        row("fastText", "quantised", **{"size KB": 900.0, "parameters": None, "accuracy emotion": 88.5}),
        row("TF-IDF + logistic regression", **{"p50 us": 500.0, "size KB": 1001.0, "accuracy sst2": None}),
        row("MiniLM-L6", "Teacher", "transformer", **{"p50 us": 12_345.0, "size KB": 90_000.0, "training s": None}),
    ],
    "labelling": [
        {"model": "MiniLM-L6", "route": route, "sentences/s": 100 * ratio, "ratio": ratio, "agreement": agreement}
        for route, ratio, agreement in (
            ("transformers.pipeline", 1, 100),
            ("OpenVINO", 2.4, 99.75),
            ("ONNX int8", 5, 98),
        )
    ],
}


def test_what_was_aimed_at_stands_beside_what_was_measured():
    throughput, latency, accuracy, labelling = show.aims(RESULTS)
    assert throughput == "MLP-D (library) reads 1.50 times fastText's texts a second; aim: 1."
    assert latency == "MLP-D (numpy) answers a text 50.0 times sooner than scikit-learn; aim: 10."
    assert accuracy.startswith(
        "MLP-D is +1.5 points from the best peer of at most ten times its size (fastText, quantised)"
    )
    assert labelling.startswith("MiniLM-L6 labels 2.4 times as fast by OpenVINO") and labelling.endswith("aim: 2.")


def test_cells_are_written_for_people():
    lines = show.rows_table(RESULTS["rows"]).splitlines()
    assert lines[0].count("|") == lines[1].count("|") == lines[-1].count("|")
    assert lines[2] == (
        "| **MLP-D** | library | 90.0 | 80.0 | 100 KB | 80K | 2.0 | 3,000 | 1,100 | 20 µs | 46 µs | 0.25 | 33 |"
    )
    assert lines[5] == (
        "| fastText | quantised | 88.5 | 80.0 | 900 KB |  | 2.0 | 1,000 | 1,100 | 20 µs | 46 µs | 0.25 | 33 |"
    )
    assert "|  | 12 ms | " not in lines[7] and "| 90.0 MB | 80K |  | 1,000 | 1,100 | 12 ms |" in lines[7]


def test_only_the_section_of_the_bench_is_replaced(tmp_path):
    (tmp_path / "docs").mkdir()
    path = tmp_path / "docs" / "results.md"
    path.write_text(f"before\n{show.START}\nof last year\n{show.END}\nafter\n<!-- results:part1 -->\n{show.END}\n")
    show.write(RESULTS, tmp_path)
    text = path.read_text()
    assert text.startswith(f"before\n{show.START}\nFrom `results/bench.json`") and "of last year" not in text
    assert text.endswith(f"{show.END}\nafter\n<!-- results:part1 -->\n{show.END}\n")
    assert "Not installed: openvino (`pip install openvino`)." in text
    assert (tmp_path / "images" / "bench.png").exists()
    path.write_text("no lines")
    with pytest.raises(ValueError, match="results.md has no line"):
        show.write(RESULTS, tmp_path)


def test_the_speeds_in_readme_are_those_of_the_quickest_routes(tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{show.START}\nof last year\n{show.END}\nafter\n")
    show.write(RESULTS, tmp_path)
    lines = readme.read_text().splitlines()
    models = ("MLP-D", "fastText", "TF-IDF + logistic regression", "MiniLM-L6")
    rates, alone = ("3,000", "2,000", "1,000", "1,000"), ("0.01", "0.02", "0.5", "12")
    for line, shown in ((lines[2], rates), (lines[3], alone)):
        assert line.endswith(": " + ", ".join(map(" ".join, zip(models, shown, strict=True))) + ".")
    assert lines[:2] == ["before", show.START] and lines[5:] == [show.END, "after"]


def test_where_there_is_no_page_one_is_made(tmp_path):
    show.write(RESULTS, tmp_path)
    assert (tmp_path / "docs" / "results.md").read_text().startswith(f"# Results\n\n{show.START}\n")


def test_the_figure_draws_a_student_s_quickest_route_and_all_others():
    picture = show.figure(RESULTS["rows"])
    emotion, sst2 = picture.axes
    names = {text.get_text() for text in emotion.texts}
    assert names == {
        "MLP-D, numpy",
        "fastText",
        "fastText, quantised",
        "TF-IDF + logistic regression",
        "MiniLM-L6, Teacher",
    }
    assert len(sst2.texts) == 4  # one has no accuracy there
    places = {(line.get_xdata()[0], round(line.get_ydata()[0], 1)) for line in emotion.lines}
    assert (10.0, 10.0) in places and (20.0, 5.0) in places  # microseconds and errors in percent
    assert emotion.get_xscale() == emotion.get_yscale() == "log"
    plt.close(picture)


@pytest.mark.skipif(not (ROOT / "results" / "bench.json").exists(), reason="no results/bench.json yet: make bench")
def test_the_committed_page_shows_the_committed_results():
    results = json.loads((ROOT / "results" / "bench.json").read_text(encoding="utf-8"))
    page = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
    assert f"{show.START}\n{show.section(results)}\n{show.END}" in page
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"{show.START}\n{show.speeds(results['rows'])}\n{show.END}" in readme
    assert not results["quick"] and results["data_source"] in ("folder", "hub")


def test_a_quick_run_writes_apart_from_the_real_one(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("DISTILL_QUIET", "1")  # main sets it: undone after the test
    monkeypatch.setattr(bench, "ROOT", tmp_path)
    monkeypatch.setattr(bench, "run", lambda *args: RESULTS | {"quick": True})
    assert bench.main(["--quick"]) == 0
    assert json.loads((tmp_path / "build" / "bench" / "results" / "bench.json").read_text())["quick"]
    assert "A quick run on generated texts" in (tmp_path / "build" / "bench" / "docs" / "results.md").read_text()
    assert not (tmp_path / "results").exists() and "NOT the real data" in capsys.readouterr().out
