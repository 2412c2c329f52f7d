"""Part 1 as Colab opens it: only its file, in an empty folder, with the library installed.

Real models answer, so `make test` runs this after nbval, whose cache holds their answers; pytest does not collect it by
itself.
"""

import os
import shutil
from pathlib import Path

import nbformat
from nbclient import NotebookClient

PART = Path(__file__).resolve().parent.parent / "notebooks" / "1_emotion.ipynb"


def test_part_1_runs_where_nothing_but_its_file_is_and_begins_again_in_the_same_kernel(tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith(("DISTILL_", "NLTK_")) and name != "DISTILL_CACHE"]:
        monkeypatch.delenv(name)
    if "SMOKE_CACHE" in os.environ:  # nbval's, in place of this session's empty one
        monkeypatch.setenv("DISTILL_CACHE", os.environ["SMOKE_CACHE"])
    monkeypatch.setenv("DISTILL_PROFILE", "smoke")
    monkeypatch.setenv("DISTILL_QUIET", "1")
    folder = tmp_path / "content"
    folder.mkdir()
    notebook = nbformat.read(shutil.copy(PART, folder), as_version=4)
    first = notebook.cells[:10]
    notebook.cells += [nbformat.from_dict(cell | {"id": f"{cell.id}-again"}) for cell in first]
    NotebookClient(notebook, kernel_name="python3", resources={"metadata": {"path": folder}}).execute()
    said = [output.text for cell in notebook.cells for output in cell.get("outputs", []) if "text" in output]
    assert any(line.endswith("Results and figures go to distill_results/, beside this notebook.\n") for line in said)
    scores = [text for text in said if text.startswith("alone: ")]  # of the two first cells, and of the same again
    assert len(scores) == 4 and scores[:2] == scores[2:]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["content"]
    assert sorted(path.name for path in folder.iterdir()) == ["1_emotion.ipynb", "distill_results"]
    assert (folder / "distill_results" / "results" / "smoke" / "part1.json").is_file()
    assert len(list((folder / "distill_results" / "images").glob("part1_*.png"))) == 5
