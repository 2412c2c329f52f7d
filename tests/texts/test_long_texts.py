"""The mean over pieces, by hand."""

import numpy as np

from distill_utils.texts.long_texts import mean_over_pieces


def count_and_vowel(texts):
    """Logits of a text: its number of words, and whether it begins with a vowel."""
    return np.array([[len(text.split()), text[0] in "aeiou"] for text in texts], np.float32).reshape(len(texts), 2)


def test_a_long_text_is_the_mean_of_its_pieces():
    seen = []

    def noted(texts):
        seen.extend(texts)
        return count_and_vowel(texts)

    found = mean_over_pieces(
        lambda texts: (seen.extend(texts), count_and_vowel(texts))[1], ["a b c d e", "b", "e f"], 2
    )
    assert seen == ["a b", "c", "d e", "b", "e f"]
    np.testing.assert_allclose(found, [[5 / 3, 1 / 3], [1, 0], [2, 1]])
    assert found.dtype == np.float32


def test_short_texts_are_read_as_they_are():
    texts = ["a  b!", "b"]
    np.testing.assert_array_equal(mean_over_pieces(count_and_vowel, texts, 2), count_and_vowel(texts))
    assert mean_over_pieces(count_and_vowel, [], 2).shape == (0, 2)
