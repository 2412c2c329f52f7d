"""The picture of part 3's page is taken of what the notebook's outputs hold."""

import html

import nbformat
import picture
import pytest
from matplotlib.image import imread


def notebook(*outputs: str) -> nbformat.NotebookNode:
    v4 = nbformat.v4
    shown = [v4.new_output("display_data", {"text/html": text}) for text in ("<b>a table</b>", *outputs)]
    return v4.new_notebook(cells=[v4.new_markdown_cell("# Title"), v4.new_code_cell("show()", outputs=shown)])


def frame(page: str) -> str:
    return f"<iframe src='about:blank' srcdoc='{html.escape(page)}'></iframe>"


def test_the_page_is_read_as_it_was():
    page = "<!doctype html>\n<p title='it\"s'>a &amp; b &lt;"
    assert picture.framed(notebook(frame(page))) == page


@pytest.mark.parametrize("outputs", [[], ["<iframe src='https://example.org'></iframe>"], [frame("a"), frame("b")]])
def test_a_notebook_without_one_page_is_refused_in_one_line(outputs, tmp_path, capsys):
    for name in ("notebooks", "images"):
        (tmp_path / name).mkdir()
    nbformat.write(notebook(*outputs), tmp_path / picture.NOTEBOOK)
    assert picture.main(tmp_path) == 2
    refusal = capsys.readouterr().err
    assert refusal.endswith("not one: run it first\n") and refusal.count("\n") == 1
    assert list((tmp_path / "images").iterdir()) == []


def test_without_a_browser_a_line_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(picture.Refused, match="^no browser at hand: install Chromium"):
        picture.take("<p>a", tmp_path / "a.png")


@pytest.mark.browser
def test_a_picture_is_taken_at_twice_the_size(tmp_path):
    picture.take("<body style='margin: 0; background: #f00'>", tmp_path / "a.png")
    pixels = imread(tmp_path / "a.png")
    assert pixels.shape[:2] == (1760, 1520)
    assert (pixels[..., :3] == (1, 0, 0)).all()
