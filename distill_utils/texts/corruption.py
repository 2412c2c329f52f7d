"""Sentences broken on purpose, for a teacher of grammar to label: good ones alone say little about bad ones."""

from collections import defaultdict
from functools import cache

import numpy as np

from distill_utils.checks import as_texts, at_least
from distill_utils.texts.words import plain, write, written_words

# Words that carry grammar rather than content, and forms that may not take each other's place.
FUNCTION_WORDS = frozenset(
    """a an the of to in on at by for from with and or but that which who is are was were be been has have had do does
    did will would can could he she it they we you i his her its their this these not as if than there""".split()
)
_PAIRS = """is are|was were|has have|does do|this these|that those|he him|she her|they them|i me|we us|a an|who which|
    many much|himself themselves"""
OTHER_FORM = {x: y for pair in _PAIRS.split("|") for x, y in (pair.split(), reversed(pair.split()))}
ENDINGS = ("ing", "ed", "s")
TWINS = 2  # corrupted versions of each sentence
TRIES = 10  # an operation may find nothing to work on, or leave a sentence as it was


def corrupt(words: list[str], random: np.random.Generator) -> list[str]:
    """The words of a sentence with one fault: a swap, a word moved, dropped or doubled, or broken agreement."""
    for _ in range(TRIES):
        operation = random.choice(_OPERATIONS, p=_CHANCES)
        broken = operation(list(words), random)
        if broken != list(words):
            return broken
    return list(words)


def with_twins(sentences: list[str], *, seed: int) -> list[str]:
    """Each sentence of three words or more, followed by its corrupted twins.

    The texts are plain, with one space between words. A closing mark stays where it is. A twin that came out like its
    original is left out.
    """
    random, texts = np.random.default_rng(seed), []
    for sentence in as_texts(sentences):
        sentence = plain(sentence)
        body = sentence.rstrip(".?! 。؟۔।॥")
        words, end = written_words(body), sentence[len(body) :].rstrip()
        if len(words) >= 3:
            versions = [words] + [found for _ in range(TWINS) if (found := corrupt(words, random)) != words]
            texts += [" ".join(version) + end for version in versions]
    return texts


def other_words(texts: list[str], n: int, *, seed: int, rate: float = 0.3) -> list[str]:
    """`n` versions of each text with other content words: each turns with chance `rate` into one of the same ending.

    The other word is drawn by its frequency in `texts`; a capital stays one. Words of a closed class ("the", "whom")
    stay, and so does much of the structure; whether the sentence still is one, the teacher has to say.
    """
    at_least(0, n=n)
    written, like = [written_words(text) for text in as_texts(texts)], defaultdict(list)
    for word in (word for words in written for word in words):
        if family := _family(word):
            like[family].append(_bare(word))
    random, versions = np.random.default_rng(seed), []
    for words in written:
        content = [(place, _bare(word), like[_family(word)]) for place, word in enumerate(words) if _family(word)]
        for _ in range(n):
            version, chances = list(words), random.random(len(words)).tolist()
            for place, bare, others in content:
                if chances[place] < rate:
                    version[place] = words[place].replace(bare, others[random.integers(len(others))])
            versions.append(write(version))
    return versions


def edited(texts: list[str], n: int, *, seed: int) -> list[str]:
    """`n` versions of each text with one small edit each, of a kind drawn evenly.

    A word goes, neighbours swap, a word of a closed class is put in or takes another's place, or a word moves, as it
    also does where the kind drawn finds nothing to work on.
    """
    at_least(0, n=n)
    written = [written_words(text) for text in as_texts(texts)]
    closed = [word for words in written for word in words if word in _closed()]
    random, versions = np.random.default_rng(seed), []
    for words in written:
        for _ in range(n if words else 0):
            versions.append(write(_edit(list(words), closed, random)))
    return versions


def _edit(words: list[str], closed: list[str], random: np.random.Generator) -> list[str]:
    kind, place = random.integers(5), random.integers(len(words))
    if kind == 0 and len(words) > 2:
        del words[place]
    elif kind == 1 and place + 1 < len(words):
        words[place], words[place + 1] = words[place + 1], words[place]
    elif kind == 2 and closed:
        words.insert(place, closed[random.integers(len(closed))])
    elif kind == 3 and (places := [at for at, word in enumerate(words) if word in _closed()]):
        words[places[random.integers(len(places))]] = closed[random.integers(len(closed))]
    else:
        word = words.pop(place)
        words.insert(random.integers(len(words) + 1), word)
    return words


@cache
def _closed() -> frozenset[str]:
    """Words of a closed class, lower-case: those of grammar, and scikit-learn's stop words."""
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    return ENGLISH_STOP_WORDS | FUNCTION_WORDS


def _bare(word: str) -> str:
    return word.strip(".,;:!?()\"'")


@cache
def _family(word: str) -> tuple[bool, str] | None:
    """Whether a written word is a name, and its ending; None for what has no content."""
    bare = _bare(word)
    if bare.lower() in _closed() or not bare.isalpha():
        return None
    return bare[0].isupper(), next(ending for ending in ("ing", "ed", "ly", "s", "") if bare.endswith(ending))


def _swap(words, random):
    i = random.integers(len(words) - 1)
    words[i], words[i + 1] = words[i + 1], words[i]
    return words


def _swap_far(words, random):
    i, j = random.choice(len(words), size=2, replace=False)
    words[i], words[j] = words[j], words[i]
    return words


def _move(words, random):
    word = words.pop(random.integers(len(words)))
    words.insert(random.integers(len(words) + 1), word)
    return words


def _drop(words, random):
    if grammar := _places(words, lambda word: word in FUNCTION_WORDS):
        del words[random.choice(grammar)]
    return words


def _double(words, random):
    if grammar := _places(words, lambda word: word in FUNCTION_WORDS):
        words.insert(random.integers(len(words)), words[random.choice(grammar)].lower())
    return words


def _other_form(words, random):
    if forms := _places(words, lambda word: word in OTHER_FORM):
        i = random.choice(forms)
        words[i] = OTHER_FORM[words[i].lower()]
    return words


def _other_ending(words, random):
    if content := _places(words, lambda word: len(word) > 3 and word.isalpha() and word not in FUNCTION_WORDS):
        i = random.choice(content)
        ending = next((e for e in ENDINGS if words[i].endswith(e)), None)
        words[i] = words[i].removesuffix(ending) if ending else words[i] + random.choice(ENDINGS)
    return words


def _places(words: list[str], wanted) -> list[int]:
    return [i for i, word in enumerate(words) if wanted(word.lower())]


_OPERATIONS = (_swap, _swap_far, _move, _drop, _double, _other_form, _other_ending)
_CHANCES = (0.25, 0.10, 0.10, 0.15, 0.10, 0.15, 0.15)
