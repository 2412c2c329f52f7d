"""Tables: what users wrote stays as it is, read back by a parser of HTML; marks and sides need no style."""

from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from distill_utils.results.claims import Claim, claims_table
from distill_utils.results.scoreboard import Scoreboard
from distill_utils.results.tables import Table, about, table

RAW = "<SCRIPT>alert(1)</SCRIPT> <SUBJECT> says &lt; \"x\" & 'y'"


class Reader(HTMLParser):
    """The cells of a table with their tags; a text ends at every tag, as it does for MathJax."""

    def __init__(self, shown: Table):
        super().__init__()
        self.tags, self.attributes, self.cells, self.texts = set(), set(), [], []
        self.feed(shown._repr_html_())

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.texts.append("")
        if tag in ("th", "td"):
            self.cells.append({"text": "", "bold": False})
        elif tag == "div":
            self.cells[-1]["side"] = dict(attrs)["align"]
        elif tag == "b":
            self.cells[-1]["bold"] = True
        elif tag == "br":
            self.cells[-1]["text"] += "\n"

    def handle_endtag(self, tag):
        self.texts.append("")

    def handle_data(self, data):
        self.texts[-1] += data
        if self.cells:
            self.cells[-1]["text"] += data.strip("\n")


def texts(shown):
    return [cell["text"] for cell in Reader(shown).cells]


@pytest.mark.parametrize("text", [RAW, "$0-$50", r"\(x\) $$y$$ \begin{a}", "a\nb", "积极", "مرحبا 😀", "_a_ | `b`", ""])
def test_a_text_is_read_back_as_it_was_written(text):
    assert texts(table([(text,)], [text])) == [text, text]
    assert texts(claims_table([Claim(text, text, True)], teacher="t", source="folder"))[3:] == [text, text, "held"]
    board = Scoreboard("own", "accuracy", "folder")
    board.add(text, 50.0, teacher=text or None, blog=1.0)
    cells = texts(board.table())
    assert (cells[7], cells[12]) == (text, text)


def test_nothing_in_a_text_is_a_tag_or_mathematics():
    reader = Reader(table([(RAW, r"from $0 to $50, \$1, \(x\), \[y\], $$z$$, \begin{a}b\end{a}")], ["text", "more"]))
    assert reader.tags == {"table", "thead", "tbody", "tr", "th", "td", "div", "span"}
    # Mathematics is sought within one text: a delimiter that stands alone opens nothing.
    assert all(text in ("$", "\\") for text in reader.texts if "$" in text or "\\" in text)


def test_the_marked_row_is_marked_in_the_text_and_no_table_acts_on_another():
    board = Scoreboard("own", "accuracy", "folder")
    for model in ("TF-IDF", "MLP", "MLP-D"):
        board.add(model, 80.0)
    shown = board.table(highlight="MLP")
    reader = Reader(shown)
    assert [cell["text"] for cell in reader.cells if cell["bold"] and cell["text"]] == ["→ MLP", "80.0", "folder"]
    assert "style" not in reader.tags and reader.attributes == {"align", "dir"}  # no id, no class, no style
    assert not any(cell["bold"] for cell in Reader(board.table()).cells)
    assert [line for line in repr(shown).splitlines() if line.startswith("→ ")] == [repr(shown).splitlines()[2]]


def test_a_mark_for_a_row_that_is_not_there_is_an_error():
    with pytest.raises(ValueError, match="no row is called 'BERT'; there are: MLP, 7"):
        table([("MLP", 1), (7, 2)], ["model", "score"], highlight="BERT")


def test_numbers_stand_at_the_right_and_texts_at_the_left():
    shown = table([("a", 1.0, None, "007"), ("b", None, (2.0, 0.5), "7")], ["t", "x", "y", "label"])
    sides = [cell["side"] for cell in Reader(shown).cells]
    assert sides == 3 * ["left", "right", "right", "left"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (6e-05, "0.0"),
        (-0.001, "0.0"),
        (81.25, "81.2"),
        (np.float32(81.26), "81.3"),
        (1e22, "10,000,000,000,000,000,000,000.0"),
        (80374, "80,374"),
        (np.int64(1821), "1,821"),
        ((81.64, 0.2), "81.6 ± 0.2"),
        ((81.64, None), "81.6"),
        (True, "True"),
        (None, ""),
        (np.nan, ""),
        (pd.NA, ""),
        ("None", "None"),
        ("half a pair: \ud83d", "half a pair: ?"),
    ],
)
def test_how_a_value_is_written(value, text):
    assert table([("a", value)], ["name", "value"]).rows == [["a", text]]


def test_digits_and_formats():
    shown = table([{"a": 0.125, "b": 1.5, "c": None}], digits=2, formats={"b": "{:+.1f}".format, "c": "{:+.1f}".format})
    assert shown.rows == [["0.12", "+1.5", ""]]


def test_a_frame_keeps_whole_numbers_beside_missing_ones_and_loses_its_index():
    frame = pd.DataFrame({"n": [1000, 2], "x": ["a", None], "y": [1.0, None]}, index=["left", "out"])
    assert table(frame).rows == [["1,000", "a", "1.0"], ["2", "", ""]]


def test_equal_names_stay_apart_and_no_rows_are_a_table_too():
    assert table([("a", "a"), ("a", "a")], ["x", "x"]).rows == [["a", "a"], ["a", "a"]]
    assert texts(table([], ["x", "y"])) == ["x", "y"]


def test_a_terminal_shows_columns():
    shown = table([("积极", 1), ("a\nb", 1000)], ["label", "texts"])
    assert repr(shown).splitlines() == ["label  texts", "积极       1", "a b    1,000"]


def test_a_note_stands_below_the_table_as_it_was_written():
    shown = table([("a", 1)], ["x", "y"], note="<b> $5")
    assert shown._repr_html_().endswith("</table>\n<p>&lt;b&gt; <span>$</span>5</p>")
    assert repr(shown).splitlines()[-1] == "<b> $5"
    assert table([("a", 1)], ["x", "y"])._repr_html_().endswith("</table>")


def test_one_digit_is_what_a_stopwatch_is_good_for():
    assert [about(value) for value in (23.4, 0.0234, 254.0, 9.7)] == ["20x", "0.02x", "300x", "10x"]
    assert [about(value) for value in (17.3, 1.04, 0.0123, 154.0, 19.7)] == ["17x", "1x", "0.012x", "150x", "20x"]
    assert about(0.00004, unit="") == "0.00004"
