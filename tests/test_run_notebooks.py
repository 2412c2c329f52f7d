"""The headless runner: parameters checked first, failures in one line, in-place runs stable."""

import json
import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
import run_notebooks
from nbformat.v4 import new_code_cell, new_notebook, new_output

SCRIPT = Path(run_notebooks.__file__)
PARAMETERS = """\
n: int = 3  # how many
rate: float = 0.5  # how fast
fast: bool = False  # skip the slow part
name: str = "x"  # what
sizes: list[int] = [1]  # how big
untyped = True"""
METADATA = {"tags": ["parameters"], "alt": "What a figure shows."}


@pytest.fixture
def make(tmp_path):
    """Write a small notebook: make(source, ...) -> path."""

    def write(*sources):
        cells = [new_code_cell(PARAMETERS, metadata=METADATA | {"scrolled": True}), *map(new_code_cell, sources)]
        kernel = {"name": "python3", "language": "python", "display_name": "mine"}
        path = tmp_path / "1_small.ipynb"
        nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)
        return path

    return write


def start(path, *arguments, **options):
    """The script as a user starts it, in its own session so that Ctrl-C can be played."""
    command = [sys.executable, SCRIPT, path, "--out", path.parent / "out", *arguments]
    env = {key: value for key, value in os.environ.items() if key != "DISTILL_OUTPUT"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    # A shell starts background jobs deaf to Ctrl-C, and children inherit it: these tests may run in one.
    hear = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)}
    return subprocess.Popen(command, env=env, start_new_session=True, **hear, **pipes)


def script(path, *arguments):
    process = start(path, *arguments)
    out, err = process.communicate(timeout=240)
    return process.returncode, out, err


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["-p", "fst", "True"], "no parameter fst; it knows: n, rate, fast, name, sizes, untyped"),
        (["-p", "n", "many"], "parameter n is int: 'many' is not"),
        (["-p", "n", "2.5"], "parameter n is int: '2.5' is not"),
        (["-p", "rate", "quick"], "parameter rate is float: 'quick' is not"),
        (["-p", "fast", "maybe"], "parameter fast is bool: 'maybe' is not"),
        (["-p", "untyped", "maybe"], "parameter untyped is bool: 'maybe' is not"),
        (["-f", "missing.yml"], "missing.yml: No such file"),
        (["--out", "/dev/null/run"], "--out /dev/null/run: Not a directory"),
        (["-p", "n", "1", "--inplace"], "--inplace takes no parameters"),
    ],
)
def test_impossible_requests_are_refused_in_one_line(make, capsys, monkeypatch, arguments, line):
    monkeypatch.setattr(run_notebooks, "run", lambda *_: pytest.fail("ran anyway"))
    assert run_notebooks.main([str(make("1")), *arguments]) == 2
    message = capsys.readouterr().err
    assert line in message and message.count("\n") == 1


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("n: many", "parameter n is int: 'many' is not"),
        ("n: true", "parameter n is int: True is not"),
        ("n: 2.5", "parameter n is int: 2.5 is not"),
        ("name: 5", "parameter name is str: 5 is not (quote it)"),
        ("fast: 1", "parameter fast is bool: 1 is not"),
        ("just words", "no `name: value` lines"),
        ("n: [1", "is not YAML"),
        ("n: .inf", "parameter n is int: inf is not"),
        (b"\xff\xfen", "is not YAML"),
    ],
)
def test_impossible_parameter_files_are_refused_in_one_line(make, capsys, tmp_path, content, line):
    (tmp_path / "params.yml").write_bytes(content if isinstance(content, bytes) else content.encode())
    assert run_notebooks.main([str(make("1")), "-f", str(tmp_path / "params.yml")]) == 2
    message = capsys.readouterr().err
    assert line in message and message.count("\n") == 1


def test_a_file_that_is_no_notebook_is_refused_in_one_line(capsys, tmp_path):
    (tmp_path / "1.ipynb").write_text("{not json")
    assert run_notebooks.main([str(tmp_path / "1.ipynb"), "-p", "n", "1"]) == 2
    message = capsys.readouterr().err
    assert message.startswith("1.ipynb is no notebook: ") and message.count("\n") == 1


def test_home_is_expanded(make, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("DISTILL_OUTPUT", raising=False)
    monkeypatch.setattr(run_notebooks, "run", lambda *_: ("stopped", 0, 0))
    assert run_notebooks.main([str(make("1")), "--out=~/mine"]) == 1
    assert (tmp_path / "mine").is_dir()
    monkeypatch.delenv("DISTILL_OUTPUT")  # which the run set


def test_values_get_their_declared_type(make):
    words = {"n": "7", "rate": "1", "fast": "true", "name": "true", "sizes": "[2, 3]", "untyped": "False"}
    checked = run_notebooks.check_parameters(make("1"), {"n": 5, "fast": True}, words)
    assert checked == {"n": 7, "rate": 1.0, "fast": True, "name": "true", "sizes": [2, 3], "untyped": False}
    assert isinstance(checked["rate"], float)


def test_a_run_uses_this_python_beside_the_notebook_and_lists_what_it_wrote(make):
    notebook = make(
        "import os, sys, pathlib",
        "print(sys.executable, os.getcwd(), fast, sep='\\n')",
        "folder = pathlib.Path(os.environ['DISTILL_OUTPUT'], 'results', 'smoke')",
        "folder.mkdir(parents=True)\n_ = (folder / 'part1.json').write_text('[]')",
    )
    returncode, out, err = script(notebook, "-p", "fast", "true")
    assert returncode == 0, err
    assert f"    {sys.executable}\n    {notebook.parent}\n    True\n" in out
    assert f"  {notebook.parent / 'out' / 'results' / 'smoke' / 'part1.json'}\n" in out
    assert "peak memory" in out


def test_what_the_kernel_s_client_logs_stays_out_of_the_error(make, capfd, monkeypatch, tmp_path):
    def chatter(*_, **__):
        logging.basicConfig(force=True)  # to standard error, as outside of pytest
        logging.getLogger("tornado.general").error("Uncaught exception in ZMQStream callback")
        raise OSError("no space left")

    monkeypatch.setattr(run_notebooks.papermill, "execute_notebook", chatter)
    error, _, _ = run_notebooks.run(make("1"), tmp_path / "out.ipynb", {})  # in a process of its own
    assert error == "OSError: no space left" and capfd.readouterr().err == ""


def test_a_failing_cell_stops_the_run_with_one_line(make):
    notebook = make("raise ValueError('first\\nsecond')", "print('not reached')")
    returncode, out, err = script(notebook)
    assert returncode == 1
    assert "cell 2 stopped with ValueError: first second" in err and err.count("\n") == 1
    executed = notebook.parent / "out" / notebook.name
    assert str(executed) in err
    assert json.loads(executed.read_text())["cells"][-1]["outputs"] == []


def test_in_place_keeps_outputs_drops_the_rest_and_is_stable(make):
    notebook = make("import sys\nprint(1)", "print(2, flush=True)\nprint(3)", "4")
    assert script(notebook, "--inplace")[0] == 0
    first = notebook.read_bytes()
    content = json.loads(first)
    volatile = ["papermill", "duration", "start_time", sys.version.split()[0]]
    assert not [word for word in volatile if word.encode() in first]
    assert [cell["execution_count"] for cell in content["cells"]] == [1, 2, 3, 4]
    assert content["cells"][2]["outputs"][0]["text"] == ["2\n", "3\n"]
    assert content["cells"][0]["metadata"] == METADATA
    assert content["metadata"]["kernelspec"] == run_notebooks.KERNELSPEC
    assert script(notebook, "--inplace")[0] == 0
    assert notebook.read_bytes() == first


def test_in_place_leaves_a_failing_notebook_as_it_was(make):
    notebook = make("raise ValueError")
    before = notebook.read_bytes()
    assert script(notebook, "--inplace")[0] == 1
    assert notebook.read_bytes() == before
    assert [path.name for path in notebook.parent.glob("*.ipynb*")] == [notebook.name]


def gone(pid: int, seconds: float) -> bool:
    """Whether a process ends in time; whoever adopted it may take a moment to clear it away."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False


def test_an_interrupt_is_one_line_and_leaves_no_kernel(make):
    tell_pid = "import os, pathlib\npathlib.Path('pid').write_text(str(os.getpid()))"
    notebook = make(tell_pid, "import time\ntime.sleep(300)")
    process = start(notebook)
    pid = notebook.with_name("pid")
    deadline = time.monotonic() + 240
    while not (pid.is_file() and pid.read_text()) and time.monotonic() < deadline:
        time.sleep(0.2)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.startswith("interrupted") and err.count("\n") == 1
    assert gone(int(pid.read_text()), seconds=20)


def test_stream_outputs_are_joined_only_with_neighbours_of_their_name():
    texts = [("stdout", "a"), ("stdout", "b"), ("stderr", "c"), ("stdout", "d")]
    outputs = [new_output("stream", name=name, text=text) for name, text in texts]
    joined = [(output.name, output.text) for output in run_notebooks.merge_streams(outputs)]
    assert joined == [("stdout", "ab"), ("stderr", "c"), ("stdout", "d")]
