"""Word-order sensitivity (WOS): what a classifier loses when words are shuffled (Pham et al., Findings of ACL 2021)."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from scipy.special import softmax

from distill_utils.checks import as_labels, as_texts, at_least_one
from distill_utils.results.scoreboard import Scoreboard, paired_bootstrap
from distill_utils.results.tables import Table, table
from distill_utils.texts.words import UNSPACED, plain, write, written_words

# Of plain text, but for the second, which leaves line ends between sentences as they are.
_TAIL = re.compile(r"[\s.,;:!?'\"`)\]}。、؟۔।॥」』】》-]*\Z")
_SENTENCE_GAP = re.compile(rf"((?<=[.!?؟۔।॥])\s+|(?<=[。！？!?])(?={UNSPACED}))")
_BREAK = re.compile(  # captures the word before the mark
    rf"""(\w*)\s*(?:[.!?؟۔।॥][\s.!?'"`)\]}}]*\s(?=\S*\w)|[。!?][」』"')]*(?=[「『(]?{UNSPACED}))"""
)
_TITLES = {"mr", "mrs", "ms", "dr", "st"}


def shuffle(text: str, n: int = 1, *, random: np.random.Generator, within_sentences: bool = False) -> str:
    """The plain text with its n-grams in another order; punctuation at its end stays, words are joined by one space.

    Words are what white space separates (letters in scripts without), cut into chunks of `n` from the first on (the
    last may be shorter). The order is redrawn until it differs; a text that has no other order comes back as it is.
    `within_sentences` shuffles each sentence of a document (up to . ! or ? and white space) on its own.

    Pass one generator for all texts: seeding it anew would give all texts of one length the same permutation.
    Raises ValueError when n is below 1, or the text is no string.
    """
    if not isinstance(text, str):
        raise ValueError(f"a {type(text).__name__} is not a text: shuffle one string at a time")
    at_least_one(n=n)
    if within_sentences:  # the white space between sentences has no words: it passes through unchanged
        return "".join(shuffle(part, n, random=random) for part in _SENTENCE_GAP.split(text))
    words, tail = _words_and_tail(text)
    chunks = [words[start : start + n] for start in range(0, len(words), n)]
    if all(a + b == b + a for a, b in pairwise(chunks)):  # then so do all pairs, and every order reads the same
        return text
    shuffled = words
    while shuffled == words:
        shuffled = [word for chunk in random.permutation(len(chunks)) for word in chunks[chunk]]
    return write(shuffled) + tail


def eligible(
    texts: list[str],
    labels: np.ndarray,
    predictions: np.ndarray,
    random: np.random.Generator,
    single_sentences: bool = True,
    max_texts: int | None = None,
) -> np.ndarray:
    """Row numbers, sorted, of dev-r: texts of more than 3 words, in one sentence, classified correctly.

    labels, predictions: (n_texts,) class numbers. Every class of `labels` is sampled down to the rarest, and to an
    equal part of `max_texts`. Two sentences are a . ! or ? and then a word, unless a title (mr, mrs, ms, dr, st)
    stands before the mark, as in SST-2's "mr . smith"; "at 4 p.m. he left" is thus lost, as few texts are.

    Raises ValueError when lengths differ, for what is no class number, or when a class is left without a text.
    """
    texts = as_texts(texts)
    labels, predictions = as_labels(labels), as_labels(predictions, what="predictions")
    if max_texts is not None:
        at_least_one(max_texts=max_texts)
    if not len(texts) == len(labels) == len(predictions):
        raise ValueError(
            f"{len(texts)} texts, {len(labels)} labels, {len(predictions)} predictions: give one label and one "
            "prediction a text"
        )
    fits = _longer_than_three(texts) & (labels == predictions)
    if single_sentences:
        fits &= np.array([all(word.lower() in _TITLES for word in _BREAK.findall(plain(text))) for text in texts], bool)
    by_class = [np.flatnonzero(fits & (labels == number)) for number in np.unique(labels)]
    each = min(map(len, by_class), default=0)
    if max_texts is not None:
        each = min(each, max_texts // max(1, len(by_class)))
    if not each:
        raise ValueError(
            "no eligible text in some class: each needs one of more than 3 words that is classified correctly (a "
            "single sentence, unless documents=True); give more texts, a better classifier or a larger max_texts"
        )
    return np.sort(np.concatenate([random.choice(rows, each, replace=False) for rows in by_class]))


@dataclass(frozen=True)
class Sensitivity:
    """A classifier's word-order sensitivity on one task, for shuffled n-grams; numbers are means over seeds.

    accuracy: percent on dev-s (dev-r shuffled), p in the formulas; on dev-r itself it is 100.
    flips: percent of predictions that change, over all texts of more than 3 words, right or wrong, not balanced.
    wos_blog: (100 - p) / 50, as printed in the paper and the blog: 1 is chance if there are two classes.
    wos: (100 - p) / (100 - 100 / n_classes): 1 is chance for any number of classes; low, high: its 95% interval.
    """

    n: int
    n_texts: int
    n_classes: int
    accuracy: float
    flips: float
    wos_blog: float
    wos: float
    low: float
    high: float


def wos(
    predict: Callable[[list[str]], np.ndarray],
    texts: list[str],
    labels: np.ndarray,
    n_classes: int,
    *,
    n: int = 1,
    seeds: int = 10,
    within_sentences: bool = False,
    documents: bool = False,
    max_texts: int | None = None,
) -> Sensitivity:
    """Measure word-order sensitivity: predict the texts, shuffle each `seeds` times, predict again.

    predict: texts -> (n_texts,) class numbers; called twice, on `texts` and on all shuffled texts in one list, where
    duplicates occur. `documents` lets texts of several sentences in. `max_texts` caps dev-r, and the texts that
    `flips` counts. n is 1 to 3 in the paper; more leaves four-word texts as they are. The interval redraws texts.

    Raises ValueError when n or seeds is below 1, labels do not match or are not class numbers, or a class has no
    eligible text.
    """
    if min(n, seeds) < 1:
        raise ValueError(f"n={n}, seeds={seeds}: give 1 or more of each")
    texts, labels = as_texts(texts), as_labels(labels, n_classes)
    if len(np.unique(labels)) != n_classes:
        raise ValueError(f"labels hold {len(np.unique(labels))} classes, not {n_classes}: give texts of every class")
    random = np.random.default_rng(0)
    before = as_labels(predict(list(texts)), what="predictions")
    dev_r = eligible(texts, labels, before, random, not documents, max_texts)
    counted = np.flatnonzero(_longer_than_three(texts))
    if max_texts is not None and max_texts < len(counted):
        counted = random.choice(counted, max_texts, replace=False)
    rows = np.union1d(dev_r, counted)
    shuffled = [
        shuffle(texts[row], n, random=random, within_sentences=within_sentences) for _ in range(seeds) for row in rows
    ]
    after = as_labels(predict(shuffled), n_texts=len(shuffled), what="predictions")
    changed = after.reshape(seeds, len(rows)) != before[rows]  # (seeds, n_rows)
    # All of dev-r is right before shuffling, so what changes there is what turns wrong: 100 - p.
    lost, low, high = paired_bootstrap(changed[:, np.isin(rows, dev_r)], np.zeros(len(dev_r)))
    flips = 100 * float(changed[:, np.isin(rows, counted)].mean())
    scale = 100 - 100 / n_classes
    return Sensitivity(n, len(dev_r), n_classes, 100 - lost, flips, lost / 50, lost / scale, low / scale, high / scale)


def answers(
    sentence: str,
    models: dict[str, Callable[[list[str]], np.ndarray]],
    names: tuple[str, ...],
    *,
    seed: int = 0,
) -> Table:
    """A sentence, cut into pieces of one, two and three words in another order, and what each model says to that.

    models: name -> a function from texts to logits, (n_texts, n_classes); names: of the classes.
    """
    random = np.random.default_rng(seed)
    orders = {"as it is": sentence} | {f"pieces of {n}": shuffle(sentence, n, random=random) for n in (1, 2, 3)}
    said = [softmax(logits(list(orders.values())), axis=1) for logits in models.values()]
    named = [[f"{names[row.argmax()]}, {row.max():.0%}" for row in rows] for rows in said]
    return table(zip(orders, orders.values(), *named, strict=True), ["", "text", *models])


def frame(measured: dict[tuple[str, int], Sensitivity]) -> pd.DataFrame:
    """Sensitivities as rows: `task`, and all that is in a `Sensitivity`. measured: (task, n) -> what was found."""
    return pd.DataFrame([{"task": name} | vars(found) for (name, _), found in measured.items()])


def by_teacher(found: dict[str, dict[str, Sensitivity]]) -> Table:
    """Sensitivities with their intervals, a row a task, a column a teacher. found: teacher -> task -> sensitivity."""
    written = {
        teacher: {task: f"{one.wos:.2f} ({one.low:.2f} .. {one.high:.2f})" for task, one in of.items()}
        for teacher, of in found.items()
    }
    tasks = next(iter(found.values()))
    return table([{"task": task} | {teacher: of[task] for teacher, of in written.items()} for task in tasks])


def boards(task: str, source: str, teachers: dict[str, list[Sensitivity]], blog: float | None) -> list[Scoreboard]:
    """A task's sensitivities as two boards, one a formula: rows for n = 1, 2, 3, and for a second teacher.

    teachers: name -> what was found, the first teacher's rows without its name. blog: its value for n = 1, in its own
    formula.
    """
    made = []
    first = next(iter(teachers))
    for metric, kind in (("WOS, K classes", "wos"), ("WOS, (100 - p) / 50", "wos_blog")):
        made.append(Scoreboard(task, metric, source))
        for teacher, found in teachers.items():
            for one in found:
                row = f"{kind}, n = {one.n}" + ("" if teacher == first else f", {teacher}")
                printed = blog if (teacher, one.n, kind) == (first, 1, "wos_blog") else None
                made[-1].add(row, getattr(one, kind), blog=printed)
    return made


def ranking(found: dict[str, Sensitivity]) -> str:
    """Tasks from the least sensitive to the most, "a < b < (they overlap) c": neighbours whose intervals overlap."""
    order = sorted(found, key=lambda name: found[name].wos)
    signs = ["<" if found[a].high < found[b].low else "< (they overlap)" for a, b in pairwise(order)]
    return " ".join([order[0], *(f"{sign} {name}" for sign, name in zip(signs, order[1:], strict=True))])


SERIES = {"IMDB": 0.23, "SST-2": 0.27, "CoLA": 0.98}  # sensitivities of the series' tasks, as part 3 finds them


def expectation(found: Sensitivity) -> str:
    """What a sensitivity leads us to expect of small students, by the nearest task of SERIES, in one sentence."""
    known = np.array(list(SERIES.values()))
    near = [int(np.abs(known - value).argmin()) for value in (found.low, found.wos, found.high)]
    expected = (
        "close to IMDB, where the words say nearly all: expect a bag of words to keep nearly all of the teacher",
        "close to SST-2, where order matters somewhat: expect students that see neighbouring words to do better than a "
        "bag of words, and the switch to pay",
        "close to CoLA, where the order is all: expect small students to fail, and keep the teacher",
    )[near[1]]
    unsure = "" if near[0] == near[2] else "; its interval reaches into a neighbouring range, so take this as a guess"
    return f"WOS {found.wos:.2f} ({found.low:.2f} .. {found.high:.2f}) is {expected}{unsure}."


def _words_and_tail(text: str) -> tuple[list[str], str]:
    text = plain(text)
    end = _TAIL.search(text).start()
    return written_words(text[:end]), text[end:]


def _longer_than_three(texts: list[str]) -> np.ndarray:
    return np.array([len(_words_and_tail(text)[0]) > 3 for text in texts], bool)
