"""The one definition of a word (docs/text_rules.md), the student's vocabulary, and where a text may be cut.

ASCII text goes to row numbers as bytes, without a Python loop. Only runs of other characters are looked at closely, and
what a short run turns into is remembered.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import pairwise, repeat
from unicodedata import category, normalize
from zlib import crc32

import numpy as np

_END = b"\x1e"  # ASCII's own record separator, between texts
_SPACES = bytes(range(0x1E)) + b'\x1f\x7f!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~'
_TABLE = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ" + _SPACES, b"abcdefghijklmnopqrstuvwxyz" + b" " * len(_SPACES))
_BEYOND_ASCII = re.compile(rb"([\x80-\xff]+)")
_SHORT = 48  # bytes; the prose of a script without spaces comes in long runs, each met once

_APOSTROPHES = re.compile(
    "[\u00b4\u02b9\u02bb-\u02bf\u02c8\u055a\u05f3\u07f4\u07f5\u1fbd\u1fbf\u1ffd\u1ffe\u2018-\u201b\u2032\u2035"
    "\u275b\u275c\u275f\ua78b\ua78c]"
)
_QUOTES = re.compile(
    "[\u00ab\u00bb\u02ba\u05f4\u201c-\u201f\u2033\u2036\u2039\u203a\u275d\u275e\u276e\u276f\u2e42\u301d-\u301f]"
)
# Drawn as nothing but wide; or not a character at all, such as the mark of a decoding fault.
_BLANKS = re.compile("[\u115f\u1160\u200b\u2800\ufdd0-\ufdef\ufffc-\uffff]")
# Drawn as nothing, or (the Arabic and N'Ko lines) as a longer letter.
_UNSEEN = re.compile(
    "[\u034f\u0640\u07fa\u17b4\u17b5\u180b-\u180f\u2065\ufe00-\ufe0f\ufff0-\ufff8\U000e0000-\U000e0fff]"
)
_APART = re.compile("[\u00bc-\u00be\u2122\u2120\u2150-\u215f\u2189]")  # 1½ is not 11/2, and Acme™ is Acme

# Letters of scripts that put no spaces between words: Thai to Tai Viet; kana, bopomofo and Han.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u1950-\u19ff\u1a20-\u1aaf\ua9e0-\ua9ff\uaa60-\uaadf"
    "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3038-\u303c\u3041-\u3096\u309d-\u309f\u30a1-\u30fa"
    "\u30fc-\u30ff\u3105-\u312f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U0001aff0-\U0001b16f\U00020000-\U0003ffff"
)
# The rules' name, and the characters that Unicode's categories do not tell, for those who follow them elsewhere.
RULES = {
    "name": "distill_utils text rules 1",
    "apostrophes": _APOSTROPHES.pattern,
    "quotes": _QUOTES.pattern,
    "blanks": _BLANKS.pattern,
    "unseen": _UNSEEN.pattern,
    "apart": _APART.pattern,
    "unspaced": f"[{_UNSPACED}]",
}
UNSPACED = rf"(?=[^\W\d])[{_UNSPACED}]"  # one such letter, as a pattern: no mark, no digit
_UNSPACED_LETTER = re.compile(UNSPACED)
_UNIT = re.compile(rf"[^\w\s]*{UNSPACED}[^\w\s]*|(?:(?!{UNSPACED})\S)+")
_BETWEEN_UNSPACED = re.compile(rf"({UNSPACED}[^\w\s]*) (?={UNSPACED})")
_BLOCK = re.compile(r"[A-Za-z0-9'\x80-\U0010ffff]+")  # of plain text: what ASCII does not separate
_ASCII_WORD = re.compile(r"'*[A-Za-z0-9][A-Za-z0-9']*")


class _Remembered(dict):
    """What a function says of a key, asked once."""

    def __init__(self, function):
        self.function = function

    def __missing__(self, key):
        self[key] = found = self.function(key)
        return found


def _plain_character(char: str) -> str:
    kind = category(char)
    if _APOSTROPHES.match(char):
        return "'"
    if _QUOTES.match(char):
        return '"'
    if kind in ("Cc", "Cs", "Zs", "Zl", "Zp") or _BLANKS.match(char):
        return " "
    if kind == "Cf" or _UNSEEN.match(char):
        return ""
    if char == "\u2044":  # the stroke in ½
        return "/"
    # Greek writes an iota below small letters, and beside capitals.
    found = normalize("NFKC", normalize("NFD", char).replace("\u0345", "ι"))
    if found != char:
        found = "".join(map(_plain_character, found))
    return f" {found}" if _APART.match(char) else found


_PLAIN = _Remembered(lambda code: _plain_character(chr(code)))


def plain(text: str) -> str:
    """The text as teachers and students read it: one form for what looks the same; case and punctuation stay.

    Compatibility forms are replaced (NFKC), curly quotes straight, all white space and control characters plain spaces,
    invisible characters gone. Printable ASCII comes back as it is.
    """
    if text.isascii():
        return text if text.isprintable() else text.translate(_PLAIN)
    return normalize("NFKC", text.translate(_PLAIN))


def normalise(text: str) -> str:
    """The form in which two texts count as the same: plain, in one case, with single spaces."""
    return " ".join(_fold(plain(text)).split())


def words_of(text: str) -> list[str]:
    """The words of a text: in one case, split at white space, punctuation and symbols, apostrophes dropped.

    An emoji is a word, and so is each letter of a script without spaces between words.
    """
    return [word.decode() for word in _split(text.replace("\x1e", " "))]


def _split(text: str) -> list[bytes]:
    data = text.encode() if text.isascii() else _standard(text.encode("utf-8", "surrogatepass"))
    return data.translate(_TABLE, b"'").split()


def _standard(data: bytes) -> bytes:
    """UTF-8 with all that is not ASCII in one case, and spaces where it separates words."""
    parts = _BEYOND_ASCII.split(data)
    found = [_spell(run) if len(run) <= _SHORT else _spell.__wrapped__(run) for run in parts[1::2]]
    if None in found:  # a run's mark belongs to the letter before it
        for place in (place for place, spelled in enumerate(found) if spelled is None):
            before = parts[2 * place]
            found[place] = _spell.__wrapped__((before[-1:] or b" ") + parts[2 * place + 1])
            parts[2 * place] = before[:-1]
    parts[1::2] = found
    return b"".join(parts)


@lru_cache(1 << 16)
def _spell(run: bytes) -> bytes | None:
    """What `_standard` writes for a run, whatever stands around it; None for one that begins with a loose mark."""
    text = plain(run.decode("utf-8", "surrogatepass"))
    if _KINDS[text[:1]] == _MARK:
        return None
    return "".join(_separated(_fold(text))).encode()


def _fold(text: str) -> str:
    """Plain text in one case: that of its capitals, made small again: ß is ss, ς is σ, ı is i."""
    if text.isascii():
        return text.lower()
    capitals = normalize("NFC", text.upper()).replace("ẞ", "SS").replace("\u0130", "I")  # the Turkish capital of i
    return normalize("NFKC", capitals.lower().replace("ς", "σ"))


_LETTER, _MARK, _OWN, _REGION, _SPACE, _NOTHING = range(6)


def _kind(char: str) -> int:
    """What a character of plain text is to the words around it."""
    if char in ("", "'"):
        return _NOTHING
    found = category(char)
    if found == "Me":
        return _NOTHING
    if "\U0001f1e6" <= char <= "\U0001f1ff":
        return _REGION
    if found[0] == "M":
        return _MARK
    if found in ("So", "Co", "Cn") or _UNSPACED_LETTER.match(char):
        return _OWN
    return _LETTER if found[0] in "LN" else _SPACE


_KINDS = _Remembered(_kind)


def _separated(text: str) -> Iterator[str]:
    """What to write for each character of plain text, so that white space separates the words; then a last space."""
    before = _SPACE  # what a mark would belong to
    closed = flag = False  # after a word of its own; after the first half of a flag
    for char in text:
        kind = _KINDS[char]
        if kind == _LETTER:
            yield f" {char}" if closed else char
        elif kind == _MARK:
            yield "" if before in (_SPACE, _NOTHING) else char
        elif kind in (_OWN, _REGION):
            yield char if flag and kind == _REGION else f" {char}"
        else:
            yield " " if kind == _SPACE else ""
        if kind in (_OWN, _REGION):
            closed = True
        elif kind in (_LETTER, _SPACE):
            closed = False
        flag = kind == _REGION and not flag
        if kind != _MARK:
            before = kind
    yield " " if closed else ""


def word_spans(text: str) -> Iterator[tuple[int, int]]:
    """Where each word of a plain text starts and ends in it; an apostrophe at a word's side may belong to it."""
    if text.isascii():
        yield from map(re.Match.span, _ASCII_WORD.finditer(text))
        return
    for block in _BLOCK.finditer(text):
        if block[0].isascii():
            if block[0].strip("'"):
                yield block.span()
            continue
        start = end = None
        for place, written in enumerate(_separated(block[0]), block.start()):
            if written[:1] == " " and start is not None:
                yield start, end
                start = None
            if written.strip():
                start, end = place if start is None else start, place + 1
        if start is not None:
            yield start, end


def pieces(text: str, longest: int) -> list[str]:
    """A text cut before words into pieces of like length, of at most `longest` words; a short one as it is."""
    if type(longest) is not int or longest < 1:
        _checks().at_least_one(longest=longest)
    if len(_split(text.replace("\x1e", " "))) <= longest:
        return [text]
    text = plain(text)
    starts = [start for start, _ in word_spans(text)]
    cuts = np.linspace(0, len(starts), -(-len(starts) // longest) + 1).round().astype(int)
    places = [0, *(starts[cut] for cut in cuts[1:-1]), len(text)]
    return [text[start:end].strip() for start, end in pairwise(places)]


def written_words(text: str) -> list[str]:
    """A plain text as it is written, for making new texts: what white space separates, apostrophes and all.

    Of scripts without spaces, single letters with the marks around them.
    """
    text = plain(text)
    return text.split() if text.isascii() else _UNIT.findall(text)


def write(words: Iterable[str]) -> str:
    """A text out of `written_words`: with single spaces, and none within scripts without spaces."""
    text = " ".join(words)
    return text if text.isascii() else _BETWEEN_UNSPACED.sub(r"\1", text)


def _checks():
    """The checks of arguments; imported here only, since an exported student takes this module along by itself."""
    from distill_utils import checks

    return checks


class Vocabulary:
    """The words a student knows, in row order. Other words are skipped."""

    def __init__(self, words: Iterable[str]):
        known = type(words) is list and set(map(type, words)) <= {str}
        self.words = list(words if known else _checks().as_texts(words))
        # Keys are bytes: a batch is lower-cased and split as one bytes object, without decoding it again.
        self._rows = {word.encode(): row for row, word in enumerate(self.words)}
        if len(self._rows) != len(self.words):
            raise ValueError("a vocabulary lists each word once")
        self._rows[_END] = -2

    def __len__(self) -> int:
        return len(self.words)

    def __deepcopy__(self, memo: dict) -> "Vocabulary":  # it never changes: copies of a student share it
        return self

    @classmethod
    def fit(cls, texts: Iterable[str], size: int) -> "Vocabulary":
        """The `size` most frequent words of `texts`; ties go to the one seen first. Raises ValueError as `as_texts`."""
        _checks().at_least_one(size=size)
        counts = Counter()
        for text in _checks().as_texts(texts):
            counts.update(words_of(text))
        return cls(word for word, _ in counts.most_common(size))

    def encode(self, texts: list[str], keep_unknown: bool = False, endings: int = 1) -> tuple[np.ndarray, np.ndarray]:
        """Row numbers of all known words, flat int32 (n_words,), and how many each text has, int64 (n_texts,).

        keep_unknown: unknown words come as rows from len(self) on, one for each of `endings` groups of words whose
        last three letters have a hash in common; each text ends in the row after those.
        """
        texts = texts if type(texts) is list else _checks().as_texts(texts)
        try:
            joined = " \x1e ".join(texts)
        except TypeError:  # looked at closely only now: a look costs as much as a short text
            _checks().as_texts(texts)
            raise
        if joined.count("\x1e") != len(texts) - 1:  # a text holds the separator itself
            joined = " \x1e ".join([text.replace("\x1e", " ") for text in texts])
        words = _split(joined)
        if keep_unknown and texts:
            words.append(_END)
            rows = np.fromiter(map(self._rows.get, words, repeat(len(self))), np.int32, len(words))
            ends = np.flatnonzero(rows == -2)
            if endings > 1:
                for place in np.flatnonzero(rows == len(self)).tolist():
                    rows[place] += crc32(words[place][-3:]) % endings
            rows[ends] = len(self) + endings
            counts = ends + 1
            counts[1:] -= counts[:-1].copy()
            return rows, counts
        rows = np.fromiter(map(self._rows.get, words, repeat(-1)), np.int32, len(words))
        ends = np.flatnonzero(rows == -2)
        known = rows >= 0
        counts = np.diff(np.concatenate(([0], np.cumsum(known)[ends], [known.sum()]))) if len(texts) else np.empty(0)
        return rows[known], counts.astype(np.int64)
