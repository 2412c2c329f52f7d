"""What the rules of `rewriting` know of words: synonyms, neighbours in an embedding table, parts of speech.

All of it is looked up once for each distinct word, on this machine; nothing is downloaded.
"""

import math
from collections import Counter, defaultdict
from string import punctuation

import numpy as np
import torch

from distill_utils.texts.words import word_spans, written_words

WORDNET = "corpora/wordnet"
TAGGER = "taggers/averaged_perceptron_tagger_eng"
TAGGED_TEXTS = 1000  # tagged in full; on Emotion their words make up nine tenths of all running words


def at_hand(resource: str) -> bool:
    """Whether NLTK finds `WORDNET` or `TAGGER` on this machine (`$NLTK_DATA`); nothing is downloaded."""
    import nltk

    for name in (resource, f"{resource}.zip"):
        try:
            return bool(nltk.data.find(name))
        except LookupError:
            continue
    return False


def bare_word(word: str) -> str:
    """A written word without the punctuation around it; "" where nothing is left."""
    spans = list(word_spans(word))
    return word[spans[0][0] : spans[-1][1]].strip(punctuation) if spans else ""


def wordnet_synonyms(words: list[str]) -> dict[str, list[str]]:
    """The other words of all of a word's WordNet synsets, whatever the sense; words without any are left out."""
    from nltk.corpus import wordnet

    names = {word: {name for synset in wordnet.synsets(word) for name in synset.lemma_names()} for word in words}
    found = {word: sorted({name.replace("_", " ").lower() for name in names[word]} - {word}) for word in names}
    return {word: others for word, others in found.items() if others}


def word_vectors(table: np.ndarray, tokenizer, words: list[str]) -> np.ndarray:
    """Each word's vector in a transformer's own table of tokens, the mean over its pieces: float32 (n_words, d)."""
    # The space is for tokenizers that tell a word within a text from a text's first word (GPT-2's, RoBERTa's).
    pieces = tokenizer([f" {word}" for word in words], add_special_tokens=False)["input_ids"] if words else []
    vectors = np.zeros((len(words), table.shape[1]), np.float32)
    for row, ids in enumerate(pieces):
        if ids:
            vectors[row] = table[ids].mean(axis=0)
    return vectors


def neighbours(words: list[str], vectors: np.ndarray, k: int = 5, batch_size: int = 1024) -> dict[str, list[str]]:
    """Each word's `k` nearest others by cosine, the nearest first; `vectors` is (n_words, d), words are distinct."""
    unit = torch.nn.functional.normalize(torch.from_numpy(vectors), dim=1)
    k, table = min(k, len(words) - 1), {}
    for start in range(0, len(words) if k > 0 else 0, batch_size):
        cosines = unit[start : start + batch_size] @ unit.T  # (batch, n_words)
        cosines.diagonal(start).fill_(-torch.inf)  # nobody is their own neighbour
        for word, nearest in zip(words[start:], cosines.topk(k).indices.tolist(), strict=False):
            table[word] = [words[other] for other in nearest]
    return table


def pos_tags(texts: list[str]) -> dict[str, str]:
    """One part of speech for each distinct word of `texts`: {word: tag}.

    With NLTK's tagger `at_hand`, the commonest tag in a sample of the texts; words outside the sample are tagged on
    their own, so for speed a word has one tag wherever it stands. Without it a word's ending, or its being a stop
    word, is its class.
    """
    import nltk
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    def bare(word: str) -> str:
        # The tagger takes a small "i" for a noun.
        return "I" if word == "i" else bare_word(word) or word

    words = list(dict.fromkeys(word for text in texts for word in written_words(text)))
    if not at_hand(TAGGER):
        endings = ("ing", "ed", "ly", "s", "")
        stop = {word for word in words if bare(word).lower() in ENGLISH_STOP_WORDS}
        return {w: "stop" if w in stop else next(end for end in endings if bare(w).endswith(end)) for w in words}
    sample = [written_words(text) for text in texts[:: max(1, math.ceil(len(texts) / TAGGED_TEXTS))]]
    seen = {word for sentence in sample for word in sentence}
    sample += [[word] for word in words if word not in seen]
    votes = defaultdict(Counter)
    for sentence, tagged in zip(sample, nltk.pos_tag_sents([[*map(bare, s)] for s in sample]), strict=True):
        for word, (_, tag) in zip(sentence, tagged, strict=True):
            votes[word][tag] += 1
    return {word: tags.most_common(1)[0][0] for word, tags in votes.items()}
