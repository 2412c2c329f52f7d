"""New versions of a text by rule: EDA (Wei and Zou, 2019) and the rules of Tang et al. (2019).

Words are moved as they are written, so apostrophes and hyphens survive. The rules need to know words: synonyms from
WordNet or from an embedding table, parts of speech from NLTK's tagger or from a word's ending. All of it is looked up
once for each distinct word; a text then costs microseconds.
"""

import math
import random
from collections import Counter, defaultdict
from contextlib import contextmanager
from string import punctuation

import numpy as np

from distill_utils.checks import as_texts
from distill_utils.texts.lexicon import WORDNET, at_hand, bare_word, pos_tags, wordnet_synonyms
from distill_utils.texts.words import words_of, write, written_words


def eda(
    texts: list[str], n: int, *, seed: int, neighbours: dict[str, list[str]] | None = None, alpha: float = 0.1
) -> list[str]:
    """`n` versions of each text, each by one EDA operation at `alpha` of its words (rounded up).

    Replace words by synonyms, insert synonyms of its words, swap neighbouring words, or delete words; which one is
    drawn evenly. nlpaug swaps and deletes; its SynonymAug asks WordNet and a tagger for every word of every text, a
    third of the speed we want, so synonyms come from a table of distinct words. Stop words have none.

    neighbours: {word: like words}, lower-case, or words of a vocabulary; read where WordNet is not `at_hand`. Raises
    ValueError without either.
    Source: Wei and Zou (2019), section 2; they make 4 versions with alpha 0.1 for 5,000 texts and more.
    """
    import nlpaug.augmenter.word as naw

    texts = as_texts(texts)
    sources, table = [text for text in texts for _ in range(n)], _synonyms(texts, neighbours)
    rows, versions = defaultdict(list), {}
    with _seeded(seed):  # nlpaug draws from Python's own generator
        for row, operation in enumerate(random.choices(["replace", "insert", "swap", "delete"], k=len(sources))):
            rows[operation].append(row)
        for operation in ("swap", "delete"):
            augmenter = naw.RandomWordAug(
                action=operation, aug_p=alpha, aug_max=None, tokenizer=written_words, reverse_tokenizer=write
            )
            made = augmenter.augment([sources[row] for row in rows[operation]])
            versions.update(zip(rows[operation], made, strict=True))
        for operation, rewrite in (("replace", _replace), ("insert", _insert)):
            for row in rows[operation]:
                words = written_words(sources[row])
                versions[row] = write(rewrite(words, table, math.ceil(alpha * len(words))))
    # nlpaug starts a text that it swaps with a capital, and writes "I".
    return [versions[row].lower() if source.islower() else versions[row] for row, source in enumerate(sources)]


def _replace(words: list[str], table: dict[str, list[str]], count: int) -> list[str]:
    known = [place for place, word in enumerate(words) if word in table]
    for place in random.sample(known, min(count, len(known))):
        words[place] = random.choice(table[words[place]])
    return words


def _insert(words: list[str], table: dict[str, list[str]], count: int) -> list[str]:
    known = [word for word in words if word in table]
    for _ in range(count if known else 0):
        synonym = random.choice(table[random.choice(known)]).strip(punctuation)
        words.insert(random.randint(0, len(words)), synonym)
    return words


def _synonyms(texts: list[str], neighbours: dict[str, list[str]] | None) -> dict[str, list[str]]:
    """Synonyms of the words as the texts write them: "Movie," gives "Film,"."""
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    bare = {word: bare_word(word) for text in texts for word in written_words(text)}
    wanted = {word.lower() for word in bare.values() if len(word) > 1} - ENGLISH_STOP_WORDS
    if at_hand(WORDNET):
        neighbours = wordnet_synonyms(sorted(wanted))
    elif neighbours is None:
        raise ValueError("no synonyms: point $NLTK_DATA at a folder with corpora/wordnet.zip, or give neighbours=")
    else:  # a vocabulary has "dont" for "don't"
        neighbours = {word: neighbours.get(word) or neighbours.get("".join(words_of(word))) for word in wanted}
    return {
        word: [word.replace(core, other.capitalize() if core[0].isupper() else other) for other in others]
        for word, core in bare.items()
        if core.lower() in wanted and (others := neighbours.get(core.lower()))
    }


@contextmanager
def _seeded(seed: int):
    """Python's own random generator seeded, and after that as it was."""
    state = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(state)


def tang(
    texts: list[str],
    n: int,
    *,
    seed: int,
    p_mask: float = 0.1,
    p_pos: float = 0.1,
    p_ngram: float = 0.25,
    mask: str = "_",
) -> list[str]:
    """`n` versions of each text by Tang et al.'s rules.

    A word turns into `mask` with chance `p_mask`, or with chance `p_pos` into a word of its part of speech, drawn by
    its frequency in `texts`; then, with chance `p_ngram`, only 1 to 5 neighbouring words stay.

    mask: the student must skip it and the teacher must read nothing into it. Our encoder drops "_", which every
    teacher's tokenizer knows; "[MASK]" would be the word "mask" to the student and to most teachers.
    Source: Tang et al. (2019), section 3.4, with their chances; they make 20 versions of a text.
    """
    texts = as_texts(texts)
    generator, tags = np.random.default_rng(seed), pos_tags(texts)
    written = [written_words(text) for text in texts]
    counts = Counter(word for words in written for word in words)
    lexicon = sorted(counts, key=lambda word: (tags[word], word))  # words of one tag stand together
    names = np.array([*lexicon, mask], dtype=object)
    ends = np.cumsum([0] + [counts[word] for word in lexicon])  # word i holds the tickets ends[i] to ends[i + 1]
    tag_of = np.array([tags[word] for word in lexicon], dtype=object)
    first, last = (ends[np.searchsorted(tag_of, tag_of, side)] for side in ("left", "right"))

    row_of = {word: row for row, word in enumerate(lexicon)}
    rows = np.array([row_of[word] for words in written for word in words], dtype=int)
    lengths = np.array([len(words) for words in written], dtype=int)
    starts = np.cumsum(lengths) - lengths

    def version() -> list[str]:
        draw = generator.random(len(rows))
        like = np.searchsorted(ends, generator.integers(first[rows], last[rows]), side="right") - 1
        new = np.where(draw < p_mask, len(lexicon), np.where(draw < p_mask + p_pos, like, rows))
        size = np.minimum(generator.integers(1, 6, size=len(texts)), lengths)
        skipped = generator.integers(0, lengths - size + 1)
        cut = generator.random(len(texts)) < p_ngram
        begin = starts + np.where(cut, skipped, 0)
        end = np.where(cut, begin + size, starts + lengths)
        words = names[new].tolist()
        return [write(words[a:b]) for a, b in zip(begin.tolist(), end.tolist(), strict=True)]

    versions = [version() for _ in range(n)]
    return [text for same in zip(*versions, strict=True) for text in same]
