"""Names in figures: letters from a font that has them, else a number and one line that says what it stands for."""

import warnings

import matplotlib.pyplot as plt
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib.font_manager import fontManager
from matplotlib.text import Text

from distill_utils.results import lettering
from distill_utils.results.lettering import shortened
from distill_utils.results.tables import text_width


@pytest.fixture(autouse=True)
def machine(monkeypatch):
    """A function that says which font files this machine has: none at first."""

    def has(*paths):
        for cached in (lettering._installed, lettering._fonts_with, lettering._letters):
            cached.cache_clear()
        monkeypatch.setattr(lettering, "findSystemFonts", lambda: list(map(str, paths)))

    monkeypatch.setattr(lettering, "_numbers", {})
    monkeypatch.setattr(fontManager, "ttflist", list(fontManager.ttflist))
    has()
    yield has
    has()
    plt.close("all")


def font(path, letters):
    """A font of boxes for these letters."""
    build, pen = FontBuilder(1000), TTGlyphPen(None)
    pen.moveTo((0, 0))
    for corner in ((0, 700), (600, 700), (600, 0)):
        pen.lineTo(corner)
    pen.closePath()
    names = [".notdef", *(f"uni{ord(letter):04X}" for letter in letters)]
    build.setupGlyphOrder(names)
    build.setupCharacterMap({ord(letter): name for letter, name in zip(letters, names[1:], strict=True)})
    build.setupGlyf(dict.fromkeys(names, pen.glyph()))
    build.setupHorizontalMetrics(dict.fromkeys(names, (700, 0)))
    build.setupHorizontalHeader(ascent=800, descent=-200)
    build.setupNameTable({"familyName": path.stem, "styleName": "Regular"})
    build.setupOS2(sTypoAscender=800, usWinAscent=800, usWinDescent=200)
    build.setupPost()
    build.save(path)
    return path


def ink(text, **look):
    """Draw a text; an error if a letter is missing."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = plt.figure()
        figure.text(0.5, 0.5, text, **look)
        figure.canvas.draw()


@pytest.mark.parametrize("name", ["$0-$50", "_a", r"\frac{1}{2}", "a<b & 5%", "ÉCOLE", "مرحبا", "😀", "two\nlines", ""])
def test_what_the_style_has_is_drawn_as_written(name):
    assert lettering.lettering([name]) == ([name], {"parse_math": False})
    ink(name, parse_math=False)


def test_other_letters_come_from_the_fonts_that_have_them(machine, tmp_path, caplog):
    machine(font(tmp_path / "TestHan.ttf", "积极"), font(tmp_path / "TestThai.ttf", "กขค"), tmp_path / "damaged.ttf")
    (tmp_path / "damaged.ttf").write_bytes(b"no font")
    names, look = lettering.lettering(["积极 กข", "plain"], weight="bold")
    assert names == ["积极 กข", "plain"] and look["fontfamily"][-2:] == ["TestHan", "TestThai"]
    ink(names[0], **{"fontweight": "bold"} | look)
    assert not caplog.records  # no log line about a weight that the font has not


def test_fonts_of_pictures_and_of_boxes_are_passed_over(machine, tmp_path):
    machine(font(tmp_path / "NotoColorEmoji.ttf", "积"), font(tmp_path / "LastResort.otf", "积"))
    with pytest.warns(UserWarning, match="积"):
        assert lettering.lettering(["积"])[0] == ["[1]"]


def test_letters_that_no_font_has_become_numbers_that_one_line_explains():
    with pytest.warns(UserWarning) as found:
        names, look = lettering.lettering(["积极 good", "消极", "bad"])
    assert names == ["[1] good", "[2]", "bad"]
    (message,) = [str(warning.message) for warning in found]
    assert "[1] 积极, [2] 消极" in message and "Noto Sans CJK" in message and "\n" not in message
    ink(names[0], **look)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # said once; the same numbers in the next figure
        assert lettering.lettering(["消极", "积极"])[0] == ["[2]", "[1]"]


def test_letters_without_ink_need_no_font():
    names, look = lettering.lettering(["a\tb", "x\x00\U000e0020y", "a\r\nb", "\ud83d"])
    assert names == ["a b", "xy", "a\nb", "?"]
    ink(names[0] + names[1], **look)


def test_a_long_name_loses_its_middle_and_keeps_both_ends():
    long = "a" + 100 * "b" + "c"
    assert shortened(long) == "a" + 25 * "b" + "…" + 11 * "b" + "c"
    assert shortened(long) != shortened(long + "d")
    assert text_width(shortened(100 * "积")) <= 40
    assert shortened("a name\nas it is") == "a name\nas it is"
    assert shortened("1\n2\n3\n4") == "1 2 3 4" and shortened(7) == "7"


def test_the_look_is_that_of_the_text():
    figure = plt.figure()
    text = figure.text(0, 0, "$x$", **lettering.lettering(["$x$"])[1])
    assert isinstance(text, Text) and text.get_parse_math() is False
