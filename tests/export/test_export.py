"""An exported student answers as the student does, by numpy, by ONNX Runtime and in a browser, without this library."""

import html
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import conftest
import numpy as np
import onnx
import onnxruntime
import pytest
import torch

import distill_utils.export.folder as folder_module
from distill_utils.export import export, show
from distill_utils.export.int8 import quantise
from distill_utils.export.predictor import Predictor
from distill_utils.profiles import CONV
from distill_utils.students import MLP, BiLSTM, Ensemble, GatedCNN, Student, fit, one_hot
from distill_utils.switch import Switch
from distill_utils.switch.routers import Doubt, margin
from distill_utils.texts.miniature import generate
from distill_utils.texts.tasks import load_task
from distill_utils.texts.words import RULES, Vocabulary, words_of

VECTORS = json.loads((Path(__file__).parents[2] / "docs" / "text_rules.json").read_text(encoding="utf-8"))
WORDS = list(dict.fromkeys(word for vector in VECTORS for word in vector["words"]))
NAMES = ("no", "ça </script><!-- & \\u003c", "peut-être\u2028😍")
CONVOLUTIONS = {
    "gated": {"channels": 6, "frequent": 9, "rare_size": 2},
    "gated wide": {"channels": 4, "layers": 3, "width": 5, "frequent": 0, "rare_size": 6, "endings": 1},
    "gated narrow": {"channels": 5, "layers": 1, "width": 1},
}
KINDS = ("mean", "pairs", "odd", *CONVOLUTIONS, "bilstm")


def texts(n: int = 200) -> list[str]:
    """The written rules' texts, what is empty or unknown or long, and mixtures of them."""
    random = np.random.default_rng(0)
    found = [vector["text"] for vector in VECTORS] + ["xyzzy", " ".join(WORDS[:150]), "great " * 130, "\ud83d lone"]
    while len(found) < n:
        found.append(random.choice(["", " ", "! "]).join(random.choice(found[: len(VECTORS)], random.integers(1, 9))))
    return found


def student(kind: str) -> Student:
    torch.manual_seed(0)
    vocabulary = Vocabulary(WORDS[::2])
    if kind == "bilstm":
        return BiLSTM(vocabulary, NAMES, embedding_size=6, hidden=4, dense=5).eval()
    if kind in CONVOLUTIONS:
        found = GatedCNN(vocabulary, NAMES, embedding_size=6, **CONVOLUTIONS[kind]).eval()
        with torch.no_grad():  # as large as trained ones
            for weight in found.parameters():
                weight.normal_(std=0.4)
        return found
    sizes = {"embedding_size": 1, "hidden": 3} if kind == "odd" else {}
    found = MLP(vocabulary, NAMES, pooling="mean" if kind == "mean" else "pairs", **sizes)
    with torch.no_grad():
        found.embedding.weight *= 20  # as large as trained ones
    return found


@pytest.fixture(scope="module")
def exported(tmp_path_factory) -> Iterator[dict[str, tuple[Student, Path]]]:
    found, threads = {}, torch.get_num_threads()
    for kind in KINDS:
        found[kind] = student(kind), tmp_path_factory.mktemp(kind)
        export(*found[kind])
    torch.set_num_threads(1)  # these students are too small to share
    yield found
    torch.set_num_threads(threads)


def graph_logits(path: Path, rows: np.ndarray) -> np.ndarray:
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).run(["logits"], {"rows": rows})[0]


@pytest.mark.parametrize("kind", KINDS)
def test_the_predictor_answers_as_the_student(exported, kind):
    trained, folder = exported[kind]
    predictor, wanted = Predictor(folder), trained.predict_logits(texts())
    np.testing.assert_allclose(predictor.logits(texts()), wanted, rtol=0, atol=1e-5)
    assert predictor.predict(texts()) == [NAMES[number] for number in wanted.argmax(axis=1)]
    powers = np.exp(wanted.astype(np.float64))
    probabilities = powers / powers.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(predictor.probabilities(texts()), probabilities, rtol=0, atol=1e-5)
    assert predictor.logits([]).shape == (0, 3) and predictor.predict([]) == []
    assert kind == "bilstm" or len({*wanted.argmax(axis=1)}) > 1


@pytest.mark.parametrize("kind", KINDS)
def test_the_graph_answers_as_the_student_whatever_the_batch(exported, kind):
    trained, folder = exported[kind]
    short = [text for text in texts() if len(words_of(text)) <= 60]  # of longer ones a Bi-LSTM reads pieces
    predictor, wanted = Predictor(folder), trained.predict_logits(short)
    for batch in (slice(0, 1), slice(1, 2), slice(2, None)):
        found = graph_logits(folder / "student.onnx", predictor.rows(short[batch]))
        np.testing.assert_allclose(found, wanted[batch], rtol=0, atol=1e-5)


@pytest.mark.parametrize("endings", [1, 7])
def test_a_gated_cnn_s_graph_reads_an_unknown_word_by_the_last_three_bytes_of_it(tmp_path, endings):
    export(GatedCNN(Vocabulary(["so", "great"]), NAMES, endings=endings), tmp_path)
    crcs = [0x5A2E6C70, 0xE364865F, 0xE8B7BE43]  # of "zzy", "té" and "a", by gzip
    wanted = [[1, *(2 + crc % endings for crc in crcs), 0], [0, -1, -1, -1, -1], [-1] * 5]
    predictor = Predictor(tmp_path)
    assert predictor.rows(["GREAT xyzzy, santé! a so", "so", ""]).tolist() == wanted
    assert predictor.rows([]).shape == (0, 1) and predictor.rows(["?"]).tolist() == [[-1]]


@pytest.mark.parametrize("kind", KINDS)
def test_int8_is_near_and_one_student_in_numpy_and_in_onnx(exported, kind):
    trained, folder = exported[kind]
    small, wanted = Predictor(folder, int8=True), trained.predict_logits(texts())
    difference = np.abs(small.logits(texts()) - wanted).max()
    assert 1e-5 < difference < 0.02 * np.ptp(wanted)
    if kind != "bilstm":
        found = graph_logits(folder / "student.int8.onnx", small.rows(texts()))
        np.testing.assert_allclose(found, small.logits(texts()), rtol=0, atol=1e-5)


def test_int8_by_hand():
    values, scales = quantise(np.array([[1.27, 0, -3], [-0.5, 0, 254]], np.float32), axis=1)
    assert values.dtype == np.int8 and values.tolist() == [[127, 0, -2], [-50, 0, 127]]
    np.testing.assert_allclose(scales, [[0.01, 1, 2]], rtol=1e-6)


def test_the_shipped_words_follow_the_written_rules(tmp_path):
    vocabulary = Vocabulary(WORDS)
    export(MLP(vocabulary, NAMES), tmp_path)
    predictor = Predictor(tmp_path)
    for vector in VECTORS:
        rows = predictor.rows([vector["text"]])[0]
        assert [WORDS[row] for row in rows if row >= 0] == vector["words"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_files_say_what_they_are(exported, kind):
    trained, folder = exported[kind]
    note = json.loads((folder / "student.json").read_text(encoding="utf-8"))
    models = [onnx.load(folder / name) for name in ("student.onnx", "student.int8.onnx")]
    for model in models:
        found = {entry.key: entry.value for entry in model.metadata_props}
        assert json.loads(found["labels"]) == list(NAMES) == note["labels"]
        assert found["kind"] == note["kind"] == type(trained).__name__
        assert found["text_rules"] == note["text_rules"] == "distill_utils text rules 1"
        assert json.loads(found.get("words", "null")) == (trained.vocabulary.words if model is models[0] else None)
    assert note["words"] == trained.vocabulary.words
    assert {path.name for path in folder.glob("*.*")} == {*note["files"], "student.json"}
    assert (folder / "demo.html").exists() == (kind != "bilstm")


def test_the_rules_are_written_down_by_the_name_that_exports_give_them():
    written = Path(__file__).parents[2] / "docs" / "text_rules.md"
    assert f'"{RULES["name"]}"' in written.read_text(encoding="utf-8")


def gated_80k(vocabulary_of, names: tuple[str, ...]) -> GatedCNN:
    """A gated CNN of at most 80,400 parameters, of the shape that the notebooks train."""
    return GatedCNN(vocabulary_of(GatedCNN.most_words(80_400, len(names), **CONV)), names, **CONV).eval()


def numbered(n: int) -> Vocabulary:
    return Vocabulary([f"word{number:x}" for number in range(n)])


@pytest.mark.parametrize(
    "make", [lambda: MLP(numbered(5000), tuple("abcdef")), lambda: gated_80k(numbered, tuple("abcdef"))]
)
def test_80k_parameters_take_less_than_100_kb(tmp_path, make):
    made = make()
    assert 80_000 < made.count_parameters()[0] <= 80_400
    export(made, tmp_path)
    for name in ("student.int8.onnx", "student.int8.npz"):
        assert (tmp_path / name).stat().st_size <= 100_000


ALONE = r"""
import pathlib, re, runpy, sys
for name in ("torch", "transformers", "scipy", "safetensors", "onnx", "distill_utils", *sys.argv[2:3]):
    sys.modules[name] = None  # importing it fails
sys.argv = [sys.argv[1], "so great", "xyzzy"]
runpy.run_path(sys.argv[0], run_name="__main__")
status = pathlib.Path("/proc/self/status")  # a child's ru_maxrss begins at its parent's
print(int(re.search(r"VmHWM:\s*(\d+) kB", status.read_text())[1]) / 1024 if status.exists() else 0)
"""


@pytest.mark.parametrize(("kind", "without"), [("pairs", ["onnxruntime"]), ("gated", ["onnxruntime"]), ("bilstm", [])])
def test_it_runs_without_the_library_from_the_command_line(exported, kind, without, tmp_path):
    trained, folder = exported[kind]
    call = [sys.executable, "-c", ALONE, folder / "predictor.py", *without]
    *lines, megabytes = subprocess.run(
        call, capture_output=True, encoding="utf-8", cwd=tmp_path, check=True
    ).stdout.split("\n")[:-1]
    for line, logits in zip(lines, trained.predict_logits(["so great", "xyzzy"]), strict=True):
        shares = np.exp(logits) / np.exp(logits).sum()
        order = np.argsort(-shares)
        assert line == "  ".join(f"{NAMES[number]} {shares[number]:.1%}" for number in order)
    assert float(megabytes) <= (250 if kind == "bilstm" else 80)


def test_texts_come_from_standard_input_too_and_a_damaged_folder_ends_in_one_line(tmp_path):
    export(student("mean"), tmp_path)
    call = [sys.executable, tmp_path / "predictor.py", "--int8"]
    run = subprocess.run(call, input="so great\nxyzzy\n", capture_output=True, encoding="utf-8", check=True)
    assert len(run.stdout.splitlines()) == 2 + run.stdout.count("\u2028")
    (tmp_path / "student.int8.npz").write_bytes(b"")
    run = subprocess.run(call, input="", capture_output=True, encoding="utf-8")
    assert run.returncode == 1 and run.stdout == ""
    assert run.stderr == f"student.int8.npz in {tmp_path} is damaged: copy it anew, or export again\n"


@pytest.mark.parametrize("given", ["a text", [None], ["a", 1.0], [b"a"]])
def test_what_is_no_list_of_texts_is_refused(exported, given):
    with pytest.raises(ValueError, match=r"^give a list of strings, such as .*$"):
        Predictor(exported["mean"][1]).logits(given)


@pytest.mark.parametrize("name", ["student.json", "words.py", "student.npz"])
@pytest.mark.parametrize("damage", ["cut", "removed"])
def test_a_damaged_export_is_refused(tmp_path, name, damage):
    export(student("mean"), tmp_path)
    path = tmp_path / name
    if damage == "removed":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(ValueError, match=rf"^(no )?{name} .*(damaged|missing|exported to).*$"):
        Predictor(tmp_path)


def test_a_kind_that_no_predictor_reads_is_refused(tmp_path):
    export(student("gated"), tmp_path)
    note = (tmp_path / "student.json").read_text(encoding="utf-8")
    (tmp_path / "student.json").write_text(note.replace('"GatedCNN"', '"GatedRNN"'), encoding="utf-8")
    with pytest.raises(ValueError, match="^student.json in .* is damaged, or no export's: export the student again$"):
        Predictor(tmp_path)


def test_a_predictor_and_from_pretrained_refuse_each_other_s_folders(tmp_path):
    student("mean").save_pretrained(tmp_path / "saved")
    export(student("mean"), tmp_path / "exported")
    with pytest.raises(ValueError, match="^student.json in .* no export's: export the student again$"):
        Predictor(tmp_path / "saved")
    with pytest.raises(ValueError, match="holds an export, for its predictor.py: give a folder that"):
        Student.from_pretrained(tmp_path / "exported")
    with pytest.raises(ValueError, match="holds a student that save_pretrained wrote.*: give another folder$"):
        export(student("mean"), tmp_path / "saved")
    assert Student.from_pretrained(tmp_path / "saved").labels == NAMES


class Other(MLP):
    """A student of one's own."""


def broken() -> MLP:
    found = student("mean")
    with torch.no_grad():
        found.hidden.bias[0] = float("nan")
    return found


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (lambda: Ensemble([student("mean")]), "of the kind Ensemble cannot be exported: export each of its students"),
        (
            lambda: Other(Vocabulary(["a"]), NAMES),
            "kind Other cannot be exported: give an MLP, a GatedCNN or a BiLSTM",
        ),
        (lambda: "student", "of the kind str cannot be exported"),
        (lambda: MLP(Vocabulary([]), NAMES), "knows no words"),
        (broken, r"not finite \(hidden.bias\)"),
        (lambda: Switch(student("mean"), None, "margin"), "a switch is exported calibrated"),
        (lambda: calibrated(lambda texts, logits: margin(logits)), "a switch is exported calibrated"),
    ],
)
def test_what_cannot_be_exported_is_refused_in_one_line(tmp_path, given, line):
    with pytest.raises(ValueError, match=line) as caught:
        export(given(), tmp_path / "out")
    assert "\n" not in str(caught.value) and not (tmp_path / "out").exists()


def calibrated(router, kind: str = "pairs") -> Switch:
    some = texts()
    found = Switch(student(kind), None, router)
    return found.calibrate(some, np.zeros(len(some), np.int64), budget=0.3)


def test_a_folder_that_cannot_be_written_is_refused_in_one_line(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError, match=r"^cannot write to .*file.out \(.*\): give a folder that can be written$"):
        export(student("mean"), tmp_path / "file" / "out")


def test_without_onnx_a_line_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    monkeypatch.delitem(sys.modules, "distill_utils.export.graphs", raising=False)
    with pytest.raises(ImportError, match=r"^an export needs onnx: pip install 'distill_utils\[export\]'$"):
        export(student("mean"), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_without_onnxruntime_a_bilstm_says_what_to_install(exported, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ImportError, match="^this student needs onnxruntime: pip install onnxruntime$"):
        Predictor(exported["bilstm"][1])


def test_an_export_that_fails_leaves_the_earlier_one(tmp_path, monkeypatch):
    export(student("mean"), tmp_path)
    wanted = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def fail(*args):
        raise OSError(5, "the cable was pulled")

    monkeypatch.setattr(folder_module, "page", fail)
    with pytest.raises(OSError, match="cable"):
        export(student("pairs"), tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == wanted


def test_another_kind_s_files_do_not_stay(tmp_path):
    (tmp_path / "mine.txt").write_text("kept")
    export(student("mean"), tmp_path)
    export(student("bilstm"), tmp_path)
    assert not (tmp_path / "demo.html").exists() and (tmp_path / "mine.txt").exists()
    assert Predictor(tmp_path).kind == "BiLSTM"


HARNESS = r"""<pre id="found"></pre><script>
const found = TEXTS.map((text) => {
  const answer = classify(text);
  return { words: answer.words, logits: Array.from(answer.logits), effects: effects(answer),
           asks: student.switch ? asksTeacher(answer) : null };
});
byId("text").value = "so great xyzzy";
show();
const shown = document.querySelector("main").innerText;
const json = JSON.stringify({ found, shown, labels: student.labels });
const escaped = (char) => "\\u" + char.charCodeAt(0).toString(16).padStart(4, "0");
byId("found").textContent = json.replace(/[^ -~]/g, escaped);
</script></body>"""


def in_browser(page: str, folder: Path) -> dict:
    """What a page writes to its element `found` as JSON, in headless Chromium."""
    copy = folder / "page.html"
    copy.write_text(page, encoding="utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}"]
    call = [conftest.chromium(), *options, "--virtual-time-budget=5000", "--dump-dom", copy.as_uri()]
    dom = subprocess.run(call, capture_output=True, encoding="utf-8", timeout=120, check=True).stdout
    return json.loads(html.unescape(re.search(r'<pre id="found">(.*?)</pre>', dom, re.DOTALL)[1]))


@pytest.mark.browser
@pytest.mark.parametrize("kind", ["mean", "pairs", *CONVOLUTIONS])
def test_the_page_answers_as_the_predictor(tmp_path, kind):
    switch = calibrated(Doubt("margin" if kind == "mean" else "confidence", 1.7), kind)
    export(switch, tmp_path / "out")
    harness = HARNESS.replace("TEXTS", json.dumps(texts()).replace("<", "\\u003c"))
    page = (tmp_path / "out" / "demo.html").read_text(encoding="utf-8")
    found = in_browser(page.replace("</body>", harness), tmp_path)
    assert found["labels"] == list(NAMES)
    assert [answer["words"] for answer in found["found"][: len(VECTORS)]] == [vector["words"] for vector in VECTORS]
    assert [answer["words"] for answer in found["found"]] == [words_of(text) for text in texts()]
    predictor = Predictor(tmp_path / "out", int8=True)
    wanted = predictor.logits(texts())
    np.testing.assert_allclose([answer["logits"] for answer in found["found"]], wanted, rtol=0, atol=1e-4)
    asks = switch.router(texts(), wanted) >= switch.threshold
    assert [answer["asks"] for answer in found["found"]] == asks.tolist() and 0 < asks.sum() < len(asks)
    longer = max((answer for answer in found["found"] if len(answer["words"]) <= 40), key=lambda a: len(a["words"]))
    assert len(longer["words"]) > 30
    for answer in [*found["found"][:40], longer]:
        assert_effects(predictor, answer["words"], answer["effects"])
    unknown = "xyzzy\nunknown" if kind in ("mean", "pairs") else "and is read by its ending"
    assert "so\n" in found["shown"] and unknown in found["shown"] and "The switch" in found["shown"]
    assert NAMES[predictor.logits(["so great xyzzy"]).argmax()] in found["shown"]


# A page in a frame says what it shows to the notebook around it, which keeps it; the frame may do nothing else.
SAYS = r"""<script>
let reach = "all of it";
try { parent.document.title; } catch { reach = "nothing"; }
parent.postMessage({ shown: byId("summary").innerText, typed: byId("text").value, reach }, "*");
</script></body>"""
HEARD = r"""<pre id="found"></pre><script>
addEventListener("message", (event) => { document.getElementById("found").textContent = JSON.stringify(event.data); });
</script>"""


@pytest.mark.browser
@pytest.mark.parametrize("kind", ["pairs", "gated"])
def test_a_notebook_shows_the_page_in_a_frame(tmp_path, kind):
    export(student(kind), tmp_path / "out")
    text = """so great, it's "<b>&amp;</textarea>" xyzzy"""
    frame = show(tmp_path / "out", text)._repr_html_()
    found = in_browser(HEARD + frame.replace("</body>", SAYS), tmp_path)
    shares = Predictor(tmp_path / "out", int8=True).probabilities([text])[0]
    assert found["shown"] == f"{NAMES[shares.argmax()]}, {shares.max():.1%}"
    assert found["typed"] == text and found["reach"] == "nothing"


def test_a_frame_holds_the_page_as_it_is_and_may_only_run_it(tmp_path):
    class Frame(HTMLParser):
        found = None

        def handle_starttag(self, tag, attrs):
            assert tag == "iframe" and self.found is None
            self.found = dict(attrs)

    export(student("mean"), tmp_path)
    frame = Frame()
    frame.feed(show(tmp_path, height=300)._repr_html_())
    assert frame.found["srcdoc"] == (tmp_path / "demo.html").read_text(encoding="utf-8")
    assert frame.found["sandbox"] == "allow-scripts" and frame.found["title"]
    assert (frame.found["width"], frame.found["height"]) == ("100%", "300")


def test_a_folder_without_a_page_is_refused(exported):
    with pytest.raises(ValueError, match=r"^no demo.html in .*: export an MLP or a gated CNN there .*no page\)$"):
        show(exported["bilstm"][1])


def assert_effects(predictor: Predictor, words: list[str], effects: list):
    """Each known word's effect is what the winner's log-probability loses without it."""
    whole = np.log(predictor.probabilities([" ".join(words)])[0])
    for place, effect in enumerate(effects):
        if predictor.kind == "MLP" and words[place] not in predictor.vocabulary.words:
            assert effect is None
        else:
            without = np.log(predictor.probabilities([" ".join(words[:place] + words[place + 1 :])])[0])
            assert effect == pytest.approx((whole - without)[whole.argmax()], abs=1e-4)


def assert_equal_in_float_and_near_in_int8(trained: Student, folder: Path, test: list[str], labels: np.ndarray):
    """By numpy and by ONNX: float within 1e-4 of torch; int8 within 0.3 points and 100 KB. Gives torch's accuracy."""
    export(trained, folder)
    rows, counts = trained.encode(test)
    with torch.inference_mode():
        wanted = trained(torch.from_numpy(rows), torch.from_numpy(counts)).numpy()
    predictor, small = Predictor(folder), Predictor(folder, int8=True)
    assert np.abs(predictor.logits(test) - wanted).max() <= 1e-4
    assert np.abs(graph_logits(folder / "student.onnx", predictor.rows(test)) - wanted).max() <= 1e-4
    accuracy = (wanted.argmax(axis=1) == labels).mean()
    for found in (small.logits(test), graph_logits(folder / "student.int8.onnx", small.rows(test))):
        assert accuracy - (found.argmax(axis=1) == labels).mean() <= 0.003
    for name in ("student.int8.onnx", "student.int8.npz"):
        assert (folder / name).stat().st_size <= 100_000
    return accuracy


def test_on_generated_texts_a_gated_cnn_is_equal_in_float_and_near_in_int8(tmp_path):
    data = generate("sst2", train=800, validation=0, test=2000, unlabelled=0)
    (train, labels), (test, answers) = data["train"], data["test"]
    words = Vocabulary.fit(train, 12_000)
    assert len(words) > 300  # so that most are rare
    trained = GatedCNN(words, ("negative", "positive"), **CONV | {"frequent": 100})
    fit(trained, train, one_hot(labels, 2), seed=0, epochs=6, batch_size=32)
    assert assert_equal_in_float_and_near_in_int8(trained, tmp_path, test, np.asarray(answers)) > 0.65


@pytest.mark.real_data
@pytest.mark.parametrize("task", ["emotion", "sst2"])
@pytest.mark.parametrize("kind", ["mean", "pairs", "gated"])
def test_on_real_texts_float_is_equal_and_int8_costs_at_most_0_3_points(tmp_path, task, kind):
    data = load_task(task)
    train, names = data.texts("train"), data.task.labels
    if kind == "gated":
        trained = gated_80k(lambda size: Vocabulary.fit(train, size), names)
    else:
        trained = MLP(Vocabulary.fit(train, size=5000), names, pooling=kind)
    fit(trained, train, one_hot(data.labels("train"), len(names)), seed=0, epochs=6)
    test, labels = data.texts("test"), np.asarray(data.labels("test"))
    assert_equal_in_float_and_near_in_int8(trained, tmp_path, test, labels)
