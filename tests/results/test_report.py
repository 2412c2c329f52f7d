"""The report: one page, everything in it in order, whatever users wrote."""

import base64
import re
from html.parser import HTMLParser

import matplotlib.pyplot as plt
import pytest

from distill_utils.results.report import Report
from distill_utils.results.tables import table


class Reader(HTMLParser):
    def __init__(self, page: str):
        super().__init__()
        self.texts, self.tags, self.links = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data):
        self.texts += [data.strip()] if data.strip() else []


@pytest.fixture
def page() -> str:
    report = Report("Report: <mine> & {yours}")
    report.section("1 · <Data>")
    assert report.keep("first line\n\nsecond <b>line</b>") == "first line\n\nsecond <b>line</b>"
    shown = table([("<script>alert(1)</script>", 1.5)], ["class", "F1"])
    assert report.keep(shown) is shown
    figure, axes = plt.subplots(figsize=(1, 1))
    axes.set_title('a "title"')
    assert report.keep(figure) is figure
    assert report.alert("careful") == "careful"
    assert report.summary("Take <this> one.") == "Take <this> one."
    plt.close(figure)
    return report.html()


def test_everything_is_there_in_order(page):
    texts = Reader(page).texts
    expected = ["1 · <Data>", "first line", "second <b>line</b>", "class", "F1", "<script>alert(1)</script>", "1.5"]
    assert [text for text in texts if text in [*expected, "careful"]] == [*expected, "careful"]
    first = [text for text in texts if not text.startswith("body {")]
    assert first[0] == first[1] == "Report: <mine> & {yours}" and first[2] == "Take <this> one."
    assert "script" not in Reader(page).tags


def test_it_needs_nothing_else(page):
    links = Reader(page).links
    assert len(links) == 1 and links[0].startswith("data:image/png;base64,")
    assert base64.b64decode(links[0].partition(",")[2]).startswith(b"\x89PNG")
    assert re.search(r'alt="a &quot;title&quot;"', page)


def test_a_long_sentence_is_shown_in_lines_and_kept_whole():
    report, line = Report("r"), "expect a bag of words to keep 98.5% of the teacher; " * 4
    for shown in (report.keep(line), report.alert(line), report.summary(line)):
        assert " ".join(shown.split("\n")) == line.strip() and max(map(len, shown.splitlines())) <= 100
    assert report.html().count(line) == 3


def test_other_things_have_no_place():
    with pytest.raises(ValueError, match="a dict has no place"):
        Report("r").keep({})
