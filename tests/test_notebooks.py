"""The committed notebooks pass every guard, and every guard refuses a notebook made to break it."""

import json
from pathlib import Path

import notebook_guard as guard
import pytest
import yaml
from papermill import inspect_notebook
from run_notebooks import check_parameters

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PARTS, OWN = [path for path in NOTEBOOKS if path.name[0].isdigit()], ROOT / "notebooks" / "your_own_task.ipynb"


def test_there_are_notebooks():
    assert NOTEBOOKS, "no notebook in notebooks/: the guards below would pass on nothing"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_committed_notebook(path):
    assert guard.complaints(json.loads(path.read_text(encoding="utf-8")), path.parent) == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_each_figure_has_an_alternative_text(path):
    cells = guard.code_cells(json.loads(path.read_text(encoding="utf-8")))
    figures = [cell for cell in cells if "save_figure(" in guard.source(cell)]
    assert figures and [guard.name(cell) for cell in figures if not cell["metadata"].get("alt", "").endswith(".")] == []


@pytest.mark.parametrize("params", sorted((ROOT / "params").glob("*.yml")), ids=lambda path: path.name)
def test_ready_made_parameters_fit_their_notebooks(params):
    values = yaml.safe_load(params.read_text(encoding="utf-8"))
    fits = [OWN] if params.name == "own_data.yml" else PARTS
    assert fits and all(check_parameters(path, values, {}) == values for path in fits)


def test_own_data_names_every_parameter_of_its_notebook():
    values = yaml.safe_load((ROOT / "params" / "own_data.yml").read_text(encoding="utf-8"))
    assert set(values) == set(inspect_notebook(str(OWN)))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_every_notebook_takes_a_profile_and_a_teacher(path):
    parameters = inspect_notebook(str(path))
    assert parameters["profile"]["default"] == '"auto"'
    assert parameters["teacher"]["default"] == ('"minilm"' if path == OWN else '"auto"')


def code_cell(count, source, *outputs, tags=()):
    return {
        "cell_type": "code",
        "execution_count": count,
        "metadata": {"tags": list(tags)},
        "outputs": list(outputs),
        "source": source,
    }


def markdown(source):
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def stream(text, name="stdout"):
    return {"output_type": "stream", "name": name, "text": text}


def data(kind, value):
    return {"output_type": "display_data", "metadata": {}, "data": {kind: value}}


def good():
    """A notebook nobody complains about."""
    return {
        "cells": [
            markdown("# Title\n\n![the result](../images/result.png) and [the read me](../README.md#top)"),
            code_cell(1, 'profile: str = "auto"  # how much to run', tags=["parameters"]),
            markdown("Prose with `[code](nowhere)` and https://example.org/home/page, 98% | 2%."),
            code_cell(2, 'print("hello")  # NBVAL_CHECK_OUTPUT', stream("hello\n")),
            code_cell(3, 'save_figure(plot(1), "result")', data("image/png", "iVBORw0KGgo/tmp/")),
        ],
        "metadata": {},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


@pytest.fixture
def folder(tmp_path):
    for name in ("images/result.png", "images/orphan.png", "README.md", "notebooks/.here"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path / "notebooks"


def test_good_notebook_passes(folder):
    assert guard.complaints(good(), folder) == []


def test_a_picture_may_be_made_by_a_script(folder):
    notebook = good()
    notebook["cells"].append(markdown("![the page](../images/orphan.png)"))
    assert len(guard.complaints(notebook, folder)) == 1
    (folder.parent / "scripts").mkdir()
    (folder.parent / "scripts" / "picture.py").write_text('PICTURE = "images/orphan.png"')
    assert guard.complaints(notebook, folder) == []


def add_output(output):
    return lambda notebook: notebook["cells"][3]["outputs"].append(output)


def add_cell(cell, at=None):
    def mutate(notebook):
        notebook["cells"].insert(len(notebook["cells"]) if at is None else at, cell)

    return mutate


def set_source(index, source):
    return lambda notebook: notebook["cells"][index].update(source=source)


def strip_all_outputs(notebook):
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"] = []


BROKEN = [
    ("missing_outputs", "compared but has no output", lambda nb: nb["cells"][3]["outputs"].clear()),
    ("missing_outputs", "no cell has an output", strip_all_outputs),
    ("execution_counts", "not 1..n", lambda nb: nb["cells"][4].update(execution_count=7)),
    ("execution_counts", "not 1..n", lambda nb: nb["cells"][4].update(execution_count=None)),
    ("stderr", "stderr", add_output(stream("careful\n", "stderr"))),
    (
        "errors",
        "failed",
        add_output({"output_type": "error", "ename": "E", "evalue": "", "traceback": ["E"]}),
    ),
    ("machine_paths", "names a path", set_source(4, 'save_figure("/home/me/x", "result")')),
    ("machine_paths", "names a path", set_source(2, "Put it in C:\\data.")),
    ("machine_paths", "shows a path", add_output(stream("wrote /tmp/x.png\n"))),
    ("machine_paths", "shows a path", add_output(data("text/html", ["<b>", "/Users/me/x</b>"]))),
    ("machine_paths", "shows a path", add_output(data("text/plain", "PosixPath('/root/x')"))),
    ("machine_paths", "shows a path", add_output(stream("cached in /work/cache\n"))),
    ("progress_bars", "progress bar", add_output(stream("1/3\r2/3\n"))),
    ("progress_bars", "progress bar", add_output(stream("done [00:01<00:00, 3.1it/s]\n"))),
    ("progress_bars", "progress bar", add_output(stream("50%|#####     |\n"))),
    (
        "progress_bars",
        "progress bar",
        add_output(data("application/vnd.jupyter.widget-view+json", {"model_id": "1"})),
    ),
    ("memory_addresses", "memory address", add_output(data("text/plain", "<Axes at 0x7f10aabbccdd>"))),
    ("images", "does not exist", add_cell(markdown("![x](../images/gone.png)"))),
    ("images", "made by no cell", add_cell(markdown('<img src="../images/orphan.png">'))),
    ("images", "not a file of this project", add_cell(markdown("![x](https://example.org/x.png)"))),
    ("links", "leads nowhere", add_cell(markdown("[next](2_next.ipynb)"))),
    ("cell_lengths", "over 12", set_source(4, 'save_figure(1, "result")\n' + "x = 1\n" * 12)),
    ("cell_lengths", "median", lambda nb: [set_source(i, "x = 1\n" * 6)(nb) for i in (3, 4)]),
    ("code_in_a_row", "third code cell", add_cell(code_cell(4, "2"))),
    ("parameters", "injected", lambda nb: nb["cells"][3]["metadata"].update(tags=["injected-parameters"])),
    ("parameters", "not one", lambda nb: nb["cells"][1]["metadata"].update(tags=[])),
    ("parameters", "name: type", set_source(1, "n = 3  # how many")),
    ("parameters", "name: type", set_source(1, "n: int | None = 3  # how many")),
    ("parameters", "no comment", set_source(1, "n: int = 3")),
]


@pytest.mark.parametrize(("check", "complaint", "mutate"), BROKEN, ids=[check for check, _, _ in BROKEN])
def test_broken_notebook_is_refused(check, complaint, mutate, folder):
    notebook = good()
    mutate(notebook)
    assert complaint in " ".join(getattr(guard, check)(notebook, folder))
    assert complaint in " ".join(guard.complaints(notebook, folder))


def test_every_check_has_a_notebook_that_it_refuses():
    assert {check.__name__ for check in guard.CHECKS} == {check for check, _, _ in BROKEN}
