"""Students and their vocabulary against arithmetic by hand and against torch."""

import numpy as np
import pytest
import torch

from distill_utils.encoding import Vocabulary, words_of
from distill_utils.students import MLP, count_parameters

TEXTS = ["Don't stop, I am HAPPY!", "so so sad", "unknown words only", "", "happy\x1esad", "i\tfeel\nsad"]
VOCABULARY = Vocabulary(["i", "am", "happy", "sad", "so", "dont"])


@pytest.fixture(params=["mean", "pairs"])
def mlp(request) -> MLP:
    torch.manual_seed(0)
    return MLP(VOCABULARY, ("no", "yes", "maybe"), pooling=request.param, embedding_size=6, hidden=4).eval()


def test_words_are_lower_cased_and_freed_of_punctuation():
    assert words_of("Don't stop--I'm HAPPY (really)! Café") == ["dont", "stop", "im", "happy", "really", "café"]


def test_vocabulary_keeps_the_most_frequent_words():
    assert Vocabulary.fit(["b a", "a c", "a b"], size=2).words == ["a", "b"]


def test_vocabulary_refuses_a_word_twice():
    with pytest.raises(ValueError, match="once"):
        Vocabulary(["a", "a"])


def test_encode_agrees_with_a_plain_loop():
    rows, counts = VOCABULARY.encode(TEXTS)
    expected = [[VOCABULARY.words.index(w) for w in words_of(t) if w in VOCABULARY.words] for t in TEXTS]
    assert counts.tolist() == [len(row) for row in expected] == [4, 3, 0, 0, 2, 2]
    assert rows.tolist() == [number for row in expected for number in row]


def test_encode_of_nothing():
    rows, counts = VOCABULARY.encode([])
    assert len(rows) == len(counts) == 0


def test_the_blogs_mlp_has_80374_parameters():
    model = MLP(Vocabulary(map(str, range(5000))), tuple("abcdef"))
    assert count_parameters(model) == (5000 * 16 + (16 * 16 + 16) + (16 * 6 + 6), 374) == (80374, 374)


def test_forward_by_hand(mlp):
    rows, counts = VOCABULARY.encode(TEXTS)
    logits = mlp(torch.from_numpy(rows), torch.from_numpy(counts))
    so, sad = mlp.embedding.weight[4], mlp.embedding.weight[3]
    if mlp.config["pooling"] == "mean":
        pooled = (2 * so + sad) / 3  # "so so sad"
    else:  # rotation by half of six: dimensions 3, 4, 5 come first
        turned = torch.cat([so[3:], so[:3]])
        pooled = torch.stack([so, so + turned, sad + turned, torch.zeros(6)]).amax(dim=0)
    torch.testing.assert_close(logits[1], mlp.output(torch.relu(mlp.hidden(pooled))))
    torch.testing.assert_close(logits[2], mlp.output(torch.relu(mlp.hidden(torch.zeros(6)))))


def test_predict_without_torch_agrees_with_forward(mlp):
    rows, counts = VOCABULARY.encode(TEXTS)
    logits = mlp(torch.from_numpy(rows), torch.from_numpy(counts)).detach().numpy()
    np.testing.assert_allclose(mlp.predict_logits(TEXTS), logits, atol=1e-6)
    for text, row in zip(TEXTS, logits, strict=True):  # the path for a single text
        np.testing.assert_allclose(mlp.predict_logits([text]), row[None], atol=1e-6)
    np.testing.assert_array_equal(mlp.predict(TEXTS), logits.argmax(1))


def test_training_again_changes_predictions(mlp):
    before = mlp.predict_logits(TEXTS)
    mlp.train()
    with torch.no_grad():
        mlp.output.bias += 1
    np.testing.assert_allclose(mlp.eval().predict_logits(TEXTS), before + 1, atol=1e-6)


def test_only_pairs_see_word_order(mlp):
    difference = np.abs(mlp.predict_logits(["so sad i am"]) - mlp.predict_logits(["am i sad so"])).max()
    assert (difference > 1e-4) == (mlp.config["pooling"] == "pairs")


def test_unknown_pooling():
    with pytest.raises(ValueError, match="use 'mean' or 'pairs'"):
        MLP(VOCABULARY, ("no", "yes"), pooling="attention")


def test_save_and_load(mlp, tmp_path):
    mlp.save_pretrained(tmp_path / "student")
    loaded = MLP.from_pretrained(tmp_path / "student")
    np.testing.assert_array_equal(loaded.predict_logits(TEXTS), mlp.predict_logits(TEXTS))
    assert loaded.labels == mlp.labels
    assert not list((tmp_path / "student").glob("*.bin"))
