"""A teacher that labels on many machines, and students that learn from what it wrote."""

import importlib.util
import re
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from distill_utils.cache import CacheError
from distill_utils.scale import label_files
from distill_utils.students import MLP, BiLSTM, GatedCNN, distillation, fit, fit_each
from distill_utils.students.distillation import balanced_weights, one_hot
from distill_utils.teachers import from_callable
from distill_utils.texts.labelled import PREFIX
from distill_utils.texts.tables import DataError
from distill_utils.texts.words import Vocabulary

NAMES = ("joy", "fear")
TEXTS = ["red red apple", "green apple", "red apple pie", "green pie green", "unheard of", ""] * 8
SOFT = np.random.default_rng(0).dirichlet((1, 1), len(TEXTS)).astype(np.float32)
needs_ray = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="ray is not installed: pip install 'distill_utils[scale]'"
)


def answer(texts: list[str]) -> np.ndarray:
    """A teacher whose answer is the length of the text, modulo 10."""
    joy = np.array([len(text) % 10 / 10 for text in texts])
    return np.stack([joy, 1 - joy], axis=1)


def teacher(function=answer, names=NAMES, name="length", batch_size=4):
    return from_callable(function, names, name=name, batch_size=batch_size)


def write(path: Path, texts: list, column: str = "text", **columns) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"id": pa.array(range(len(texts)), pa.int16()), column: texts, **columns}), path)
    return path


def labelled(folder: Path, texts=TEXTS, soft=SOFT, names=NAMES, files: int = 3, **columns) -> Path:
    """A folder as `label_files` leaves it, without its notes."""
    for number, part in enumerate(np.array_split(np.arange(len(texts)), files)):
        shares = {PREFIX + name: pa.array(soft[part, column]) for column, name in enumerate(names)}
        write(folder / f"{number}.parquet", [texts[row] for row in part], **shares)
    return folder


def one_line(error) -> str:
    assert "\n" not in str(error.value)
    return str(error.value)


# Labelling


@pytest.fixture
def travelling() -> None:
    """Functions of this file travel whole: a worker does not find it."""
    import ray

    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])


class Cluster:
    """Ray on this machine, as two machines of one core each."""

    def __enter__(self):
        import ray
        from ray.cluster_utils import Cluster

        ray.shutdown()
        self.cluster = Cluster()
        try:
            self.cluster.add_node(include_dashboard=False, **self._node())
            self.second = self.cluster.add_node(**self._node())
        except Exception as error:  # Ray raises no narrower one
            if "timed out during startup" not in str(error):
                raise
            self.cluster.shutdown()
            pytest.skip("this machine is too busy: Ray did not start within its 30 seconds")
        ray.init(address=self.cluster.address, log_to_driver=False, logging_level="error")
        return self

    def __exit__(self, *error):
        import ray

        ray.shutdown()
        self.cluster.shutdown()

    @staticmethod
    def _node() -> dict:
        ports = ("metrics_agent_port", "metrics_export_port", "dashboard_agent_listen_port", "runtime_env_agent_port")
        with ExitStack() as stack:
            sockets = [stack.enter_context(socket.socket()) for _ in ports]
            for found in sockets:
                found.bind(("127.0.0.1", 0))
            numbers = [found.getsockname()[1] for found in sockets]
        return {"num_cpus": 1, "object_store_memory": 80_000_000, **dict(zip(ports, numbers, strict=True))}

    def kill_second(self) -> None:
        self.cluster.remove_node(self.second, allow_graceful=False)


@needs_ray
def test_a_machine_is_lost_half_way_and_no_row_of_the_output_tells(tmp_path, monkeypatch, travelling):
    monkeypatch.setenv("RAY_DISABLE_IMPORT_WARNING", "1")
    rows = {"a/0": 100, "a/1": 0, "b/0": 60}
    texts = {name: [f"{name} {'x' * (row % 13)}" for row in range(count)] for name, count in rows.items()}
    for name, some in texts.items():
        write(tmp_path / "in" / f"{name}.parquet", pa.array(some, pa.string()))
    seen, out = tmp_path / "seen", tmp_path / "out"
    seen.mkdir()

    def slow(batch):
        import ray

        (seen / ray.get_runtime_context().get_node_id()).touch()
        until = time.monotonic() + 60
        while len(list(seen.iterdir())) < 2 and time.monotonic() < until:  # the other machine starts in its own time
            time.sleep(0.05)
        time.sleep(0.1)
        return answer(batch)

    with Cluster() as cluster:

        def kill():
            while not (seen / cluster.second.node_id).exists():
                time.sleep(0.02)
            cluster.kill_second()
            killed.set()

        killed = threading.Event()
        threading.Thread(target=kill, daemon=True).start()
        assert label_files(teacher(slow), f"{tmp_path}/in/**/*.parquet", out) == out
        assert killed.is_set() and len(list(seen.iterdir())) == 2

        assert sorted(str(path.relative_to(out)) for path in out.rglob("*")) == [
            "a", "a/0.parquet", "a/1.parquet", "b", "b/0.parquet"
        ]  # fmt: skip
        for name, some in texts.items():
            found = pq.read_table(out / f"{name}.parquet")
            assert found["text"].to_pylist() == some
            assert found["id"].to_pylist() == list(range(len(some))) and found.schema.field("id").type == pa.int16()
            soft = np.stack([found[PREFIX + joy].to_numpy() for joy in NAMES], axis=1)
            np.testing.assert_array_equal(soft, teacher().soft_labels(some, tmp_path / "cache"))

        # Stopped and begun again: what is whole is not asked for again.
        def refuse(batch):
            raise ValueError(f"asked for {batch[0][:3]}\nand more")

        times = {path: path.stat().st_mtime_ns for path in out.rglob("*.parquet")}
        label_files(teacher(refuse), f"{tmp_path}/in/**/*.parquet", out)
        (out / "b/0.parquet").unlink()
        with pytest.raises(ValueError, match="asked for b/0"):
            label_files(teacher(refuse), f"{tmp_path}/in/**/*.parquet", out)
        del times[out / "b/0.parquet"]
        assert {path: path.stat().st_mtime_ns for path in out.rglob("*.parquet")} == times
        assert not list(out.glob(".*"))


def work_that_must_not_begin(batch):
    raise AssertionError("the teacher was asked")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (
            lambda path: write(path, ["a"], column="body"),
            r"1.parquet has no column 'text' of texts: it has 'id', 'body'",
        ),
        (lambda path: write(path, [1]), r"1.parquet: the column 'text' holds int64, not texts"),
        (lambda path: write(path, ["a"], soft_label_joy=[0.5]), r"1.parquet has a column 'soft_label_joy' already"),
        (lambda path: path.write_bytes(path.read_bytes()[:-9]), r"1.parquet is damaged, or no parquet file"),
        (lambda path: path.write_text("text\na\n"), r"1.parquet is damaged, or no parquet file"),
    ],
)
def test_a_file_that_cannot_be_labelled_is_one_line_before_any_work(tmp_path, spoil, said):
    for number in range(2):
        write(tmp_path / f"in/{number}.parquet", ["red"])
    spoil(tmp_path / "in/1.parquet")
    with pytest.raises(DataError, match=said) as error:
        label_files(teacher(work_that_must_not_begin), f"{tmp_path}/in/*.parquet", tmp_path / "out")
    one_line(error)
    assert not (tmp_path / "out").exists()


def test_files_and_folders_that_do_not_fit_are_one_line(tmp_path):
    write(tmp_path / "in/0.parquet", ["red"])
    asked = teacher(work_that_must_not_begin)
    with pytest.raises(DataError, match="no file matches '.*csv'") as error:
        label_files(asked, f"{tmp_path}/in/*.csv", tmp_path / "out")
    one_line(error)
    with pytest.raises(DataError, match="lies in .*, where the labels would go") as error:
        label_files(asked, f"{tmp_path}/in/*.parquet", tmp_path / "in")
    one_line(error)
    (tmp_path / "file").write_text("")
    for folder in ("file", "file/below"):
        with pytest.raises(CacheError, match="cannot write to .*: give a folder that can be written") as error:
            label_files(asked, f"{tmp_path}/in/*.parquet", tmp_path / folder)
        one_line(error)


def test_a_folder_of_another_teacher_is_refused(tmp_path):
    write(tmp_path / "in/0.parquet", ["red"])
    out, files = tmp_path / "out", f"{tmp_path}/in/*.parquet"
    labelled(out, files=1)
    with pytest.raises(DataError, match="was labelled by something else, not by this length: give another folder"):
        label_files(teacher(work_that_must_not_begin), files, out)
    with pytest.raises(ValueError, match=r"know 3 and 2 classes, not the same \(one ends\)") as error:
        label_files(teacher(names=(*NAMES, "hope")), files, out)
    one_line(error)


def test_without_ray_one_line_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.setitem(sys.modules, "ray.data", None)
    write(tmp_path / "in/0.parquet", ["red"])
    with pytest.raises(ImportError, match=r"many machines need ray: pip install 'distill_utils\[scale\]'"):
        label_files(teacher(), f"{tmp_path}/in/*.parquet", tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


# Learning


def student(kind=MLP, names=NAMES, **config):
    return kind(Vocabulary(["red", "green", "apple", "pie"]), names, **config)


def weights(model) -> list[np.ndarray]:
    return [value.numpy() for value in model.state_dict().values()]


@pytest.mark.parametrize("kind", [MLP, GatedCNN, BiLSTM])
def test_a_folder_teaches_what_its_texts_teach_as_a_list(tmp_path, monkeypatch, kind):
    monkeypatch.setattr("distill_utils.texts.labelled.BATCH", 5)
    options = {"seed": 3, "epochs": 2, "batch_size": 8}
    folder = labelled(tmp_path / "out")
    from_folder = fit(student(kind), folder, folder=tmp_path / "first", **options)
    from_lists = fit(student(kind), TEXTS, SOFT, folder=tmp_path / "second", **options)
    for ours, theirs in zip(weights(from_folder), weights(from_lists), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    # And the cache knows either by the other: nothing but the students lies in it.
    names = [[path.name.split("-")[0] for path in (tmp_path / at / "students").iterdir()] for at in ("first", "second")]
    assert names[0] == names[1] and len(names[0]) == 1
    again = fit(student(kind), str(folder), folder=tmp_path / "second", **options)
    assert again.train_seconds == pytest.approx(from_lists.train_seconds, rel=1e-6)  # kept as float32


def test_columns_are_found_by_the_names_of_the_student_s_classes(tmp_path):
    folder = labelled(tmp_path / "out", soft=SOFT[:, ::-1], names=NAMES[::-1])
    options = {"seed": 0, "epochs": 1, "folder": tmp_path}
    for ours, theirs in zip(
        weights(fit(student(), folder, **options)), weights(fit(student(), TEXTS, SOFT, **options)), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)


def test_class_weights_are_for_folders_too(tmp_path):
    labels = np.arange(len(TEXTS)) % 3 // 2
    hard, options = one_hot(labels, 2), {"seed": 0, "epochs": 1, "class_weights": balanced_weights(labels, 2)}
    ours = fit(student(), labelled(tmp_path / "hard", soft=hard), folder=tmp_path / "a", **options)
    theirs = fit(student(), TEXTS, hard, folder=tmp_path / "b", **options)
    np.testing.assert_array_equal(weights(ours)[0], weights(theirs)[0])
    with pytest.raises(ValueError, match="class weights are for hard labels"):
        fit(student(), labelled(tmp_path / "soft"), folder=tmp_path, **options)


def test_texts_without_a_known_word_train_too(tmp_path):
    folder = labelled(tmp_path / "out", texts=["unheard of"] * len(TEXTS))
    assert np.isfinite(fit(student(), folder, seed=0, epochs=1, folder=tmp_path).predict_logits(["red"])).all()


def of_other_classes(out):
    labelled(out, names=("joy", "awe"), files=1)


def cut_short(out):
    (out / "1.parquet").write_bytes((out / "1.parquet").read_bytes()[:100])


def without_texts(out):
    for path in out.iterdir():
        write(path, pa.array([], pa.string()), **{PREFIX + name: pa.array([], pa.float32()) for name in NAMES})


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (of_other_classes, "0.parquet has soft labels of joy, awe, and the student's classes are joy, fear"),
        (lambda out: write(out / "1.parquet", ["a"]), "1.parquet has soft labels of no class"),
        (lambda out: write(out / "1.parquet", ["a"], column="body"), "1.parquet has no column 'text' of texts"),
        (cut_short, "1.parquet is damaged"),
        (lambda out: labelled(out, ["a", None], files=1), "0.parquet, row 1: there is no text"),
        (lambda out: labelled(out, soft=SOFT + 1), "0.parquet, rows from 0 on: soft labels are probabilities that"),
        (lambda out: [path.unlink() for path in out.iterdir()], "no parquet files in .*out: give the folder that"),
        (without_texts, "hold no texts"),
    ],
)
def test_a_folder_that_cannot_be_learned_from_is_one_line(tmp_path, spoil, said):
    spoil(labelled(tmp_path / "out"))
    with pytest.raises(DataError, match=said) as error:
        fit(student(), tmp_path / "out", seed=0, epochs=1, folder=tmp_path / "cache")
    one_line(error)
    assert not list((tmp_path / "cache/students").iterdir())


def test_several_learn_from_a_folder_too(tmp_path, monkeypatch):
    monkeypatch.setattr(distillation, "APART", 1)
    out = labelled(tmp_path / "out")
    each = fit_each(student(), out, None, seeds=(0, 1), epochs=1, folder=tmp_path)
    for seed, one in enumerate(each):
        alone = fit(student(), out, seed=seed, epochs=1, folder=tmp_path / "alone")
        for name, weight in one.state_dict().items():
            assert (weight == alone.state_dict()[name]).all()


def test_what_is_not_finished_is_not_read(tmp_path):
    out = labelled(tmp_path / "out")
    write(out / ".partial-1/file.parquet", ["half"])
    fit(student(), out, seed=0, epochs=1, folder=tmp_path)


MEMORY = """
import sys, resource
from pathlib import Path
from distill_utils.students import MLP, fit
from distill_utils.texts.words import Vocabulary
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
model, begin = MLP(Vocabulary(["red", "green", "apple", "pie"]), ("joy", "fear")), peak()
import distill_utils.texts.labelled
loaded = peak()
fit(model, Path(sys.argv[1]) / "out", seed=0, epochs=1, batch_size=4096, folder=Path(sys.argv[1]))
print(peak() - loaded)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="what a process holds is counted in kilobytes on Linux only")
def test_a_folder_needs_less_memory_than_its_texts(tmp_path):
    n_texts = 100_000
    texts = [f"red {row} " + "apple pie " * 40 for row in range(n_texts)]  # 41 MB, and 90 MB as Python's strings
    labelled(tmp_path / "out", texts, np.tile(np.float32([0.5, 0.5]), (n_texts, 1)), files=20)
    command = [sys.executable, "-c", MEMORY, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parent.parent)
    assert float(done.stdout) < 80


# What docs/scale.md says

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "scale.md").read_text(encoding="utf-8")


def table(name: str) -> list[list[str]]:
    lines = re.search(rf"<!-- {name} -->\n(.*?)\n<!-- /{name} -->", PAGE, re.DOTALL).group(1).splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_projection_is_the_arithmetic_of_the_figures():
    values = [row[1].replace(",", "") for row in table("figures")]
    core, gpu, student, _, _, core_price, gpu_price = values
    rows = [
        [f"{n_texts:,}"]
        + [
            "not measured yet"
            if rate == "not measured yet"
            else f"{(hours := n_texts / float(rate) / 3600):,.2f} h, ${hours * float(price):,.2f}"
            for rate, price in ((core, core_price), (gpu, gpu_price), (student, core_price))
        ]
        for n_texts in (10**6, 10**7, 10**9)
    ]
    assert table("projection") == rows


@needs_ray
def test_the_lines_of_the_page_run(tmp_path, monkeypatch, travelling):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "in/0.parquet", TEXTS)
    code = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL).group(1)
    space = {"teacher": teacher(), "texts": TEXTS}
    exec(code, space)
    as_lists = MLP(Vocabulary.fit(TEXTS, 5000), NAMES)
    fit(as_lists, TEXTS, teacher().soft_labels(TEXTS, tmp_path / "cache"), seed=0, epochs=2, folder=tmp_path / "cache")
    for name, weight in as_lists.state_dict().items():
        np.testing.assert_array_equal(space["student"].state_dict()[name].numpy(), weight.numpy())
