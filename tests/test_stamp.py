"""The repository's address stands in pyproject.toml, and whatever names it elsewhere is stamped from there."""

import json
import re
import subprocess
import sys

import pytest
import stamp

ADDRESS = "https://github.com/me/a-fork"
NOTEBOOK = {
    "cells": [
        {"cell_type": "markdown", "id": "a", "metadata": {}, "source": "# Title\n\nThe first line."},
        {
            "cell_type": "code",
            "id": "b",
            "metadata": {"tags": ["install"]},
            "execution_count": 1,
            "outputs": [],
            "source": "pass",
        },
    ],
    "metadata": {},
    "nbformat": 4,
    "nbformat_minor": 5,
}
README = f"# Title\n\n{stamp.START}old\n{stamp.END}\n\ntail\n"
PYPROJECT = '[project]\nname = "x"\n\n[project.urls]\n\n[tool.x]\n'


@pytest.fixture
def root(tmp_path):
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    (tmp_path / "README.md").write_text(README)
    for name in ("1_a.ipynb", "own.ipynb"):
        (tmp_path / "notebooks" / name).write_text(json.dumps(NOTEBOOK))
    return tmp_path


def sources(root, name="1_a.ipynb"):
    cells = json.loads((root / "notebooks" / name).read_text())["cells"]
    return ["".join(cell["source"]) for cell in cells]


def test_what_is_committed_is_stamped():
    wanted = stamp.stamped(stamp.ROOT)
    different = [path.name for path, text in wanted.items() if path.read_text(encoding="utf-8") != text]
    assert different == [], "run make stamp"


def test_a_notebook_installs_what_it_needs():
    extras = {}
    for path in (stamp.ROOT / "notebooks").glob("*.ipynb"):
        code = [cell["source"] for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]]
        code = ["".join(lines) for lines in code]
        (asked,) = {found for cell in code for found in re.findall(r"%pip install -q \"distill_utils\[(.*?)\]", cell)}
        extras[path.name] = asked
        assert ("export" in asked.split(",")) == any("from distill_utils.export import" in cell for cell in code)
    assert {"offline", "offline,export"} == {*extras.values()}


def test_while_the_address_is_unknown_none_is_made_up():
    address = stamp.address_in((stamp.ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    for path in stamp.stamped(stamp.ROOT):
        found = set(re.findall(r"colab\.research|kaggle\.com|git\+https?:[^\s\"{]+", path.read_text(encoding="utf-8")))
        assert address or not found, path.name


def test_one_command_stamps_a_fork(root, capsys):
    assert stamp.main([ADDRESS + ".git"], root) == 0
    assert capsys.readouterr().out == "stamped: pyproject.toml, notebooks/1_a.ipynb, notebooks/own.ipynb, README.md\n"
    assert stamp.address_in((root / "pyproject.toml").read_text()) == ADDRESS
    title, cell = sources(root, "own.ipynb")
    assert title.startswith("# Title\n\n[![Open in Colab](https://colab") and title.endswith(")\n\nThe first line.")
    assert "/github/me/a-fork/blob/main/notebooks/own.ipynb)" in title
    assert f'repository = "{ADDRESS}"  # ' in cell
    readme = (root / "README.md").read_text()
    assert f"git clone {ADDRESS}\n" in readme and readme.count("Open in Colab") == 2 and readme.endswith("\n\ntail\n")
    assert stamp.main([], root) == 0 and capsys.readouterr().out == "stamped: nothing to change\n"


def test_another_address_takes_the_place_of_the_first(root):
    stamp.main([ADDRESS], root)
    stamp.main(["https://codeberg.org/me/other"], root)
    for path in stamp.stamped(root):
        text = path.read_text()
        assert "a-fork" not in text and "Colab" not in text.replace("in Colab, say", "") and "me/other" in text
    assert sources(root)[0] == "# Title\n\nThe first line."
    assert (root / "pyproject.toml").read_text().count("Repository") == 1


@pytest.mark.parametrize(
    ("given", "spoil", "message"),
    [
        (["me/a-fork"], None, "'me/a-fork' is no address"),
        (['https://x.org/a"b'], None, "is no address"),
        ([ADDRESS], ("pyproject.toml", '[project]\nname = "x"\n'), "has no .project.urls."),
        ([], ("README.md", "# Title\n"), "README.md needs"),
    ],
)
def test_what_cannot_be_stamped_is_refused_in_one_line(given, spoil, message, root, capsys):
    if spoil:
        (root / spoil[0]).write_text(spoil[1])
    before = {path: path.read_text() for path in root.rglob("*.*")}
    assert stamp.main(given, root) == 2
    refusal = capsys.readouterr().err
    assert re.search(message, refusal) and refusal.count("\n") == 1
    assert {path: path.read_text() for path in root.rglob("*.*")} == before


def run_cell(tmp_path, address, library):
    """Run the install cell as a notebook would, in a fresh Python; pip only writes down what it was asked for."""
    source = stamp.INSTALL.format(address=address, extras="offline")
    program = f"""
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance(history_length=0)
shell.register_magic_function(lambda line: print("PIP", line), magic_name="pip")
for _ in range(2):
    shell.run_cell({source!r})
"""
    for name in ("distill_utils",) if library else ():
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").touch()
    elsewhere = f"""
import sys
sys.path = [{str(tmp_path)!r}, *(path for path in sys.path if path not in ("", {str(stamp.ROOT)!r}))]
sys.meta_path = [finder for finder in sys.meta_path if "editable" not in repr(finder).lower()]
"""
    done = subprocess.run(
        [sys.executable, "-I", "-c", elsewhere + program],
        cwd=tmp_path,
        env={"HOME": str(tmp_path), "IPYTHONDIR": str(tmp_path / "ipython")},
        capture_output=True,
        text=True,
    )
    return done.stdout + done.stderr


def test_the_install_cell_is_silent_where_the_library_is(tmp_path):
    assert run_cell(tmp_path, ADDRESS, library=True).strip() == ""


def test_the_install_cell_installs_and_says_so(tmp_path):
    said = run_cell(tmp_path, ADDRESS, library=False)
    assert f'PIP install -q "distill_utils[offline] @ git+{ADDRESS}"' in said
    assert f"distill_utils was not here. It has been installed from {ADDRESS}" in said


def test_without_an_address_the_install_cell_says_what_to_set(tmp_path):
    said = run_cell(tmp_path, "", library=False)
    assert "set `repository` above" in said and "PIP" not in said
