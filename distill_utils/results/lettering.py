"""How names are drawn in figures: as they were written, in fonts that have their letters."""

import re
import warnings
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from unicodedata import category

from matplotlib.font_manager import FontProperties, findfont, findSystemFonts, fontManager
from matplotlib.ft2font import FT2Font

from distill_utils.results.tables import text_width

LONGEST = 40  # columns of a name in a figure
# Asked first, since they hold the most letters; the parts of file names by which they come.
WIDE = ("NotoSansCJK", "SourceHanSans", "wqy", "ipag", "DroidSansFallback", "msyh", "YuGoth", "malgun", "Hiragino")
WIDE += ("PingFang", "Arial Unicode", "ARIALUNI", "NotoSans", "NotoEmoji", "Symbola")
_numbers: dict[str, int] = {}  # what no font could draw, in the order met: one number in all figures


def shortened(name: object) -> str:
    """A name of at most `LONGEST` columns and three lines; a longer one loses its middle."""
    lines = str(name).splitlines()
    name = (" " if len(lines) > 3 else "\n").join(lines)
    if text_width(name) <= LONGEST:
        return name
    room = LONGEST // (1 if text_width(name) == len(name) else 2)
    return f"{name[: 2 * room // 3]}…{name[1 - room // 3 :]}"


def lettering(texts: Iterable[str], *, weight: str = "normal") -> tuple[list[str], dict]:
    """Texts as they can be drawn, and the matplotlib text properties to draw them with.

    A $ is a dollar. Letters that the style's font lacks in this weight come from any installed font that has them, in
    normal weight. Where none has, they are drawn as a number, [1], and one warning says what it stands for.
    """
    texts = ["\n".join(str(text).encode("utf-8", "replace").decode().splitlines()) for text in texts]
    look, missing = {"parse_math": False}, set("".join(texts)) - _letters_of_style(weight) - {"\n"}
    if missing:
        silent = {letter for letter in missing if _is_silent(letter)}
        texts = [text.translate({ord(c): " " if c.isspace() else None for c in silent}) for text in texts]
        more, missing = _fonts_with(frozenset(missing - silent - _letters_of_style("normal")))
        look |= {"fontfamily": [*FontProperties().get_family(), *more], "fontweight": "normal"}
    return _numbered(texts, missing) if missing else texts, look


def _letters_of_style(weight: str) -> frozenset[str]:
    """The letters that the style's fonts have in this weight."""
    families = FontProperties().get_family()
    return frozenset().union(*(_letters(findfont(FontProperties(family=name, weight=weight))) for name in families))


def _is_silent(letter: str) -> bool:
    """Whether a letter leaves no ink: spaces, control and format marks, variation selectors."""
    return letter.isspace() or category(letter) in ("Cc", "Cf") or 0xFE00 <= ord(letter) <= 0xFE0F


@cache
def _fonts_with(letters: frozenset[str]) -> tuple[list[str], frozenset[str]]:
    """Families of installed fonts that have these letters, and the letters that none has."""
    families = []
    for path in _installed() if letters else ():
        if letters & _letters(path):
            family = FT2Font(path).family_name
            if family not in fontManager.get_font_names():  # installed since matplotlib last looked
                fontManager.addfont(path)
            here = _letters(findfont(FontProperties(family=family)))
            families += [family] * bool(letters & here)
            letters -= here
    return families, letters


@cache
def _installed() -> list[str]:
    """Files of all fonts, the widest first."""

    def rank(path: str) -> tuple:
        name = Path(path).stem
        return next((i for i, part in enumerate(WIDE) if part in name), len(WIDE)), "Regular" not in name, name

    return sorted(findSystemFonts(), key=rank)


@cache
def _letters(path: str) -> frozenset[str]:
    """The letters that a font can draw: none if it holds pictures, or boxes for everything."""
    if re.search("LastResort|Color ?Emoji|AdobeBlank", Path(path).stem):
        return frozenset()
    try:
        return frozenset(map(chr, FT2Font(path).get_charmap()))
    except (OSError, RuntimeError):  # a damaged file, or a format that matplotlib does not read
        return frozenset()


def _numbered(texts: list[str], missing: frozenset[str]) -> list[str]:
    """Texts with each run of `missing` letters as a number, and a warning for new ones."""
    known, run = len(_numbers), re.compile(f"[{re.escape(''.join(missing))}]+")
    numbered = [run.sub(lambda found: f"[{_numbers.setdefault(found[0], len(_numbers) + 1)}]", text) for text in texts]
    if new := list(_numbers)[known:]:
        listed = ", ".join(f"[{_numbers[letters]}] {letters}" for letters in new)
        warnings.warn(
            f"no font of this machine has the letters of {listed}, so figures show the numbers: install Noto Sans "
            "(Noto Sans CJK for Chinese, Japanese and Korean, Noto Emoji for emoji) and start Python again",
            stacklevel=2,
        )
    return numbered
