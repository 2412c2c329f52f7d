"""A class gets the notebooks with or without outputs, and the pictures and parameter files that they name."""

import json
import zipfile

import handout
import pytest


@pytest.mark.parametrize("outputs", [False, True])
def test_every_notebook_is_packed(outputs, tmp_path, monkeypatch, capsys):
    for folder in ("notebooks", "images", "params"):
        (tmp_path / folder).symlink_to(handout.ROOT / folder)
    assert handout.main(["--outputs"] if outputs else [], root=tmp_path) == 0
    name = "handout-read.zip" if outputs else "handout.zip"
    assert (
        capsys.readouterr().out
        == f"build/{name}: 4 notebooks {'with their outputs' if outputs else 'without outputs'}\n"
    )
    with zipfile.ZipFile(tmp_path / "build" / name) as archive:
        assert {"images/part1_size.png", "params/own_data.yml"} <= set(archive.namelist())
        for path in sorted((handout.ROOT / "notebooks").glob("*.ipynb")):
            packed, committed = json.loads(archive.read(f"notebooks/{path.name}")), json.loads(path.read_text("utf-8"))
            code = [cell for cell in packed["cells"] if cell["cell_type"] == "code"]
            assert any(cell["outputs"] for cell in code) is outputs
            assert {cell["execution_count"] is None for cell in code} == {not outputs}
            assert [cell["source"] for cell in packed["cells"]] == [cell["source"] for cell in committed["cells"]]
