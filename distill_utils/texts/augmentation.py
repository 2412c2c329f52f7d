"""More texts for the teacher to label: four cheap ways to make a transfer set out of the training texts.

Every function takes texts and a seed and gives new texts, or raises ValueError for one string or a text that is none.
Words are moved as they are written (`written_words`), so apostrophes and hyphens survive. The label of a new text is
nobody's business here: the teacher decides it.
"""

import re
from collections import Counter, defaultdict

import numpy as np

from distill_utils.checks import as_texts, at_least
from distill_utils.texts.words import UNSPACED, normalise, word_spans, words_of, write, written_words

# White space after a full stop, but not after that of a title or an initial; scripts without spaces need none.
_SENTENCE_END = re.compile(
    r"""(?:(?<=[.!?…؟۔।॥])|(?<=[.!?…]["'”’»)]))(?<!\b[A-Z]\.)(?<!\bMr\.)(?<!\bMrs\.)(?<!\bMs\.)(?<!\bDr\.)(?<!\bSt\.)\s+"""
    rf"""|(?:(?<=[。！？!?])|(?<=[。！？!?][」』”’"')）]))(?=[「『“‘(（]?{UNSPACED})"""
)
_LINE_BREAK = re.compile(r"<br\s*/?>")


def word_probes(texts: list[str]) -> dict[str, str]:
    """A tiny text for each word of `texts` (`words_of`), the most frequent word first: {word: opening + word}.

    The opening is the commonest first two words of a text ("i feel" on Emotion), so the teacher reads the word in
    a place it knows, and as the texts most often write it: "dont" as "don't". A probe costs a fifth of a sentence to
    label.
    """
    written = [written_words(text) for text in as_texts(texts)]
    openings = Counter(tuple(words[:2]) for words in written)
    opening = openings.most_common(1)[0][0] if openings else ()
    forms = defaultdict(Counter)
    for chunk, count in Counter(chunk for words in written for chunk in words).items():
        for start, end in word_spans(chunk):
            form = chunk[start:end]
            forms[words_of(form)[0]][form] += count
    counts = Counter({word: found.total() for word, found in forms.items()})
    return {word: write([*opening, forms[word].most_common(1)[0][0]]) for word, _ in counts.most_common()}


def fragments(texts: list[str], n: int, *, seed: int, shortest: int = 3, longest: int = 8) -> list[str]:
    """Up to `n` pieces of `shortest` to `longest` neighbouring words from each text; texts no longer give none."""
    at_least(0, n=n)
    at_least(1, shortest=shortest)
    at_least(shortest, longest=longest)
    random, pieces = np.random.default_rng(seed), []
    for words in map(written_words, as_texts(texts)):
        for size in random.integers(shortest, longest + 1, size=n):
            start = random.integers(0, max(1, len(words) - size + 1))
            if size < len(words):
                pieces.append(write(words[start : start + size]))
    return pieces


def replace_words(texts: list[str], n: int, *, seed: int, rate: float = 0.3, drop: float = 0.1) -> list[str]:
    """`n` versions of each text: a word goes with chance `drop`, or turns into any other word with chance `rate`.

    Replacements are drawn evenly from all distinct words, so rare ones are seen in many contexts.
    """
    at_least(0, n=n)
    written = [written_words(text) for text in as_texts(texts)]
    lexicon = np.array(list(dict.fromkeys(word for words in written for word in words)), dtype=object)
    random, versions = np.random.default_rng(seed), []
    for words in written:
        for chance in random.random((n, len(words))):
            others = lexicon[random.integers(0, max(1, len(lexicon)), size=len(words))]
            kept = [
                other if draw < drop + rate else word
                for word, other, draw in zip(words, others, chance, strict=True)
                if draw >= drop
            ]
            versions.append(write(kept or words))
    return versions


def splice(texts: list[str], n: int, *, seed: int) -> list[str]:
    """`n` texts for each one that has words: its beginning, then the end of another, cut at random places."""
    at_least(0, n=n)
    random, spliced = np.random.default_rng(seed), []
    words = [found for found in map(written_words, as_texts(texts)) if found]
    for head in words:
        for other in random.integers(0, len(words), size=n):
            tail = words[other]
            spliced.append(write(head[: random.integers(1, len(head) + 1)] + tail[random.integers(0, len(tail)) :]))
    return spliced


def sentences(documents: list[str], shortest: int = 4, longest: int = 40) -> list[str]:
    """The distinct sentences of `shortest` to `longest` words in long texts, in order; a line's end ends one, too."""
    found = {}
    for document in as_texts(documents):
        lines = [line for part in _LINE_BREAK.split(document) for line in part.splitlines()]
        for sentence in (sentence for line in lines for sentence in _SENTENCE_END.split(line)):
            words = written_words(sentence)
            if shortest <= len(words) <= longest:
                found[write(words)] = None
    return list(found)


def sample(texts: list[str], size: int, *, seed: int) -> list[str]:
    """`size` of the texts drawn at random, in their order; all where there are no more."""
    at_least(0, size=size)
    texts = as_texts(texts)
    rows = np.random.default_rng(seed).permutation(len(texts))[:size]
    return [texts[row] for row in np.sort(rows)]


def pool_without(texts: list[str], held_out: list[str]) -> tuple[list[str], int]:
    """`texts` without any of `held_out`, compared as `words.normalise` writes them; and how many that removed.

    Whole texts are compared: for a pool of `sentences`, hold out the sentences of validation and test.
    """
    texts = as_texts(texts)
    rows = rows_without(texts, held_out)
    return [texts[row] for row in rows], len(texts) - len(rows)


def rows_without(texts: list[str], held_out: list[str]) -> list[int]:
    """The rows of `texts` that hold none of `held_out`; see `pool_without`."""
    held_out = {normalise(text) for text in as_texts(held_out)}
    return [row for row, text in enumerate(as_texts(texts)) if normalise(text) not in held_out]


def transfer_set(
    texts: list[str],
    *,
    fragments_each: int,
    replaced_each: int,
    spliced_each: int,
    seed: int,
    unlabelled: list[str] = (),
    held_out: list[str] = (),
) -> tuple[dict[str, list[str]], int]:
    """The texts a teacher is to label, by kind, without any of `held_out`; and how many texts that removed.

    Kinds: "train", "word probes", "fragments", "replaced words", "splices", "unlabelled".
    """
    texts, unlabelled = as_texts(texts), as_texts(unlabelled)
    kinds = {
        "train": texts,
        "word probes": list(word_probes([*texts, *unlabelled]).values()),
        "fragments": fragments(texts, fragments_each, seed=seed),
        "replaced words": replace_words(texts, replaced_each, seed=seed),
        "splices": splice(texts, spliced_each, seed=seed),
        "unlabelled": unlabelled,
    }
    guarded = {kind: pool_without(found, held_out) for kind, found in kinds.items()}
    removed = sum(count for _, count in guarded.values())
    return {kind: kept for kind, (kept, _) in guarded.items() if kept}, removed
