"""The convolutional student against torch's own convolution, one text at a time, and against arithmetic by hand."""

from copy import deepcopy
from itertools import product
from zlib import crc32

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from distill_utils.students import MLP, GatedCNN, Student, fit, one_hot
from distill_utils.texts.words import Vocabulary, words_of

VOCABULARY = Vocabulary(["so", "not", "good", "bad", "film"])
TEXTS = ["so good", "not so bad!", "", "a film", "unwatchable film, so bad so bad", "not", "?!", "good\x1ebad"]
CLASSES = ("no", "yes", "maybe")
SHAPES = [
    {"channels": 6, "layers": 2, "width": 1},  # blind to order
    {"channels": 6, "layers": 1},  # a layer that adds its input
    {"channels": 4, "layers": 2, "frequent": 2, "rare_size": 2},  # one that cannot, then one that can
    {"channels": 4, "layers": 3, "width": 5, "frequent": 0, "rare_size": 6, "endings": 1},
]


def student(vocabulary=VOCABULARY, **config) -> GatedCNN:
    torch.manual_seed(0)
    given = GatedCNN(vocabulary, CLASSES, **{"embedding_size": 6, "endings": 4, "dropout": 0.5, **config})
    with torch.no_grad():  # as large as after training, so that a fault shows
        for weight in given.parameters():
            weight.normal_(std=0.7)
    return given.eval()


def reference(model: GatedCNN, text: str) -> torch.Tensor:
    """Logits of one text, read by itself: torch.nn.functional.conv1d with padding, glu, max, mean."""
    config, words, known = model.config, words_of(text), model.vocabulary.words
    state, rare = model.state_dict(), model.state_dict()["rare.weight"]
    n_frequent = len(known) if config["frequent"] is None else min(config["frequent"], len(known))

    def vector(word):
        if word in known[:n_frequent]:
            return state["embedding.weight"][1 + known.index(word)]
        if word in known:
            row = known.index(word) - n_frequent
        else:
            row = len(known) - n_frequent + crc32(word.encode()[-3:]) % config["endings"]
        return F.pad(rare[row], (0, config["embedding_size"] - config["rare_size"]))

    most = mean = torch.zeros(config["channels"])
    if words:
        half = config["width"] // 2
        inner = slice(half, -half or None)
        ends = [state["embedding.weight"][0]] * half
        states = torch.stack([*ends, *map(vector, words), *ends]).T[None]  # (1, embedding_size, n_words + 2 half)
        for number in range(config["layers"]):
            weight, bias = (state[f"convolutions.{number}.{name}"] for name in ("weight", "bias"))
            gated = F.glu(F.conv1d(states, weight, bias, padding=half if number else 0), dim=1)
            before = states if number else states[:, :, inner]
            states = gated + before if gated.shape == before.shape else gated
        most, mean = states[0].amax(dim=1).clamp(min=0), states[0].mean(dim=1)
    return state["output.weight"] @ torch.cat([most, mean]) + state["output.bias"]


@pytest.mark.parametrize("shape", SHAPES)
def test_each_text_of_a_batch_is_read_as_if_it_were_alone(shape):
    model = student(**shape)
    rows, counts = model.encode(TEXTS)
    expected = torch.stack([reference(model, text) for text in TEXTS])
    found = model(torch.from_numpy(rows), torch.from_numpy(counts)).detach()
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    assert expected.std(dim=0).min() > 0.1  # the texts differ


@pytest.mark.parametrize("shape", SHAPES)
def test_predict_without_torch_agrees_with_the_reference(shape):
    model = student(**shape)
    expected = torch.stack([reference(model, text) for text in TEXTS]).numpy()
    np.testing.assert_allclose(model.predict_logits(TEXTS), expected, rtol=1e-4, atol=1e-5)
    for text, row in zip(TEXTS, expected, strict=True):  # a single text
        np.testing.assert_allclose(model.predict_logits([text]), row[None], rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(model.predict(TEXTS), expected.argmax(axis=1))
    assert model.predict([]).shape == (0,) and model.predict_logits([]).shape == (0, 3)
    with pytest.raises(ValueError, match="one string is not a list of texts"):
        model.predict("good")


@pytest.mark.parametrize("shape", SHAPES)
def test_what_a_filter_lets_pass_is_a_gated_convolution_of_torch(shape):
    model = student(**shape)
    text = "not so bad, unwatchable film"
    rows, _ = model.encode([text])
    marks = max(1, shape.get("width", 3) // 2)
    rows = torch.from_numpy(np.concatenate(([0] * marks, rows))).long()
    table = torch.cat([model.embedding.weight, F.pad(model.rare.weight, (0, 6 - model.rare.weight.shape[1]))])
    first = model.convolutions[0]
    with torch.no_grad():
        states = F.conv1d(table[rows].T[None], first.weight, first.bias, padding=first.padding[0])[0].T
        expected = F.glu(states)[marks:-marks]
    np.testing.assert_allclose(model.filters(text), expected, atol=1e-5)
    assert len(expected) == len(words_of(text)) == 5


def test_the_words_on_which_a_filter_fires_most():
    model = student(channels=2, layers=1)
    first = model.convolutions[0]
    with torch.no_grad():  # the gates are open; filter 0 adds up its three words' first number, filter 1 half of it
        first.weight.zero_()
        first.bias.copy_(torch.tensor([0.0, 0.0, 50.0, 50.0]))
        first.weight[0, 0], first.weight[1, 0] = 1, 0.5
        model.embedding.weight.zero_()
        model.rare.weight.zero_()
        for word, value in {"so": 1.0, "not": 4.0, "good": 2.0, "bad": -9.0}.items():
            model.embedding.weight[1 + VOCABULARY.words.index(word), 0] = value
    texts = ["so good", "film not good", "bad", "so good"]
    assert model.fires_on(texts, most=2) == {0: ["film not good", "not good"], 1: ["film not good", "not good"]}
    assert model.fires_on(texts, most=9)[0] == ["film not good", "not good", "film not", "so good", "bad"]
    with pytest.raises(ValueError, match="^no word in these texts"):
        model.fires_on(["", "?!"])


def test_many_texts_and_long_ones_are_read_whole():
    model = student(frequent=2, rare_size=2)
    texts = ["not good " * 3000, *TEXTS * 400, "so bad " * 700]
    found, expected = model.predict_logits(texts), [reference(model, text) for text in (texts[0], *TEXTS, texts[-1])]
    assert len(found) == 3202
    np.testing.assert_allclose(found[[0, *range(3193, 3202)]], torch.stack(expected), rtol=1e-3, atol=1e-4)


def test_forward_by_hand():
    """One number a word, one filter that multiplies the word before by -1 and adds the word itself, open by half."""
    model = GatedCNN(
        Vocabulary(["not", "good"]), ("no", "yes"), embedding_size=1, rare_size=1, endings=1, channels=1, layers=1
    ).eval()
    with torch.no_grad():
        model.embedding.weight.copy_(torch.tensor([[0.5], [2.0], [3.0]]))  # the end, not, good
        model.convolutions[0].weight.copy_(torch.tensor([[[-1.0, 1.0, 0.0]], [[0.0, 0.0, 0.0]]]))  # filter, gate
        model.convolutions[0].bias.zero_()
        model.output.weight.copy_(torch.tensor([[1.0, 0.0], [0.0, 1.0]]))  # the maximum; the mean
        model.output.bias.copy_(torch.tensor([0.0, 10.0]))
    # not: (2 - 0.5) / 2 + 2 = 2.75; good: (3 - 2) / 2 + 3 = 3.5. The other way round, good: 4.25; not: 1.5.
    expected = [[3.5, 10 + (2.75 + 3.5) / 2], [4.25, 10 + (4.25 + 1.5) / 2], [0.0, 10.0]]
    np.testing.assert_allclose(model.predict_logits(["not good", "Good... not", ""]), expected, rtol=1e-6)


@pytest.mark.filterwarnings("error")
def test_a_gate_that_is_quite_shut_lets_nothing_through():
    model = student(channels=6, layers=1)
    with torch.no_grad():
        model.convolutions[0].bias[6:] = -1000.0
    expected = torch.stack([reference(model, text) for text in TEXTS])
    np.testing.assert_allclose(model.predict_logits(TEXTS), expected, rtol=1e-4, atol=1e-5)


def test_rows_of_known_rare_and_unknown_words_and_of_ends():
    vocabulary, endings = Vocabulary(["red", "apple"]), 1000
    for width, ends in ((1, [0]), (3, [0]), (5, [0, 0])):
        model = GatedCNN(vocabulary, CLASSES, endings=endings, width=width)
        rows, counts = model.encode(["Red apples", "", "pineapples apple"])
        unknown = 3 + crc32(b"les") % endings  # both unknown words end alike
        assert rows.tolist() == [1, unknown, *ends, *ends, unknown, 2, *ends]
        assert counts.tolist() == [2 + len(ends), len(ends), 2 + len(ends)]
        assert rows.dtype == np.int32 and counts.dtype == np.int64


@pytest.mark.parametrize("n_classes", [2, 6])
@pytest.mark.parametrize(
    "config",
    [{}, {"frequent": 1000, "channels": 32}, {"frequent": 10**6}, {"embedding_size": 24, "width": 5, "layers": 3}],
)
def test_it_fits_the_blogs_80_thousand_parameters(n_classes, config):
    budget, labels = 80_400, tuple("abcdef"[:n_classes])
    size = GatedCNN.most_words(budget, n_classes, **config)
    total, outside = GatedCNN(Vocabulary(map(str, range(size))), labels, **config).count_parameters()
    assert budget - config.get("embedding_size", 16) < total <= budget
    more = GatedCNN(Vocabulary(map(str, range(size + 1))), labels, **config)
    assert more.count_parameters()[0] > budget and size > 2000


def test_parameters_by_arithmetic():
    model = GatedCNN(Vocabulary(map(str, range(3000))), ("n", "p"), frequent=1000, channels=24)
    table = (1 + 1000) * 16 + (2000 + 64) * 4
    layers = (16 * 3 * 48 + 48) + (24 * 3 * 48 + 48)
    assert model.count_parameters() == (table + layers + 48 * 2 + 2, layers + 98)


def test_too_small_a_budget_and_odd_shapes_are_named_in_one_line():
    with pytest.raises(ValueError, match="1000 parameters hold no word: give 3490 or more"):
        GatedCNN.most_words(1000, 2)
    assert GatedCNN.most_words(3490, 2) == 1
    for config, message in (
        ({"width": 4}, "width=4, rare_size=4: give an odd width"),
        ({"rare_size": 17}, "at most embedding_size=16"),
        ({"layers": 0}, "layers=0"),
        ({"frequent": -1}, "frequent=-1"),
    ):
        with pytest.raises(ValueError, match=message) as error:
            GatedCNN(VOCABULARY, CLASSES, **config)
        assert "\n" not in str(error.value)


def test_it_learns_an_order_that_a_bag_of_words_cannot(tmp_path):
    texts = [f"{x} not {y}" for x, y in product(("good", "fine", "nice"), ("bad", "poor", "dull"))]
    texts, labels = texts + [" ".join(reversed(text.split())) for text in texts], [1] * 9 + [0] * 9
    vocabulary = Vocabulary.fit(texts, 100)
    for kind, share in ((GatedCNN, 1.0), (MLP, 0.5)):
        model = kind(vocabulary, ("n", "p"))
        fit(model, texts * 10, one_hot(labels * 10, 2), seed=0, epochs=20, batch_size=20, folder=tmp_path)
        assert (model.predict(texts) == labels).mean() == share  # a bag says the same of a text and its reverse


def test_words_are_left_out_in_training_only():
    model = student(dropout=0.0, word_dropout=0.5)
    rows, counts = (torch.from_numpy(array) for array in model.encode(["so good so bad film"] * 300))
    assert len(model(rows, counts).unique(dim=0)) == 1
    found = model.train()(rows, counts).detach().round(decimals=2).unique(dim=0)
    assert 16 < len(found) <= 32  # one answer for each choice of five words; the marks of the ends stay
    undropped = student(dropout=0.0, word_dropout=0.0).train()
    torch.testing.assert_close(undropped(rows, counts), model.eval()(rows, counts))


def test_it_starts_from_what_the_teacher_says_of_each_word():
    logits, vectors = np.eye(5, 3, dtype=np.float32), np.arange(20, dtype=np.float32).reshape(5, 4)
    config = {"embedding_size": 6, "frequent": 2, "rare_size": 4, "endings": 2}
    plain, started = [], []
    for found, start in ((plain, {}), (started, {"word_logits": logits, "word_vectors": vectors})):
        torch.manual_seed(0)
        model = GatedCNN(VOCABULARY, CLASSES, **config, **start)
        found += [model.embedding.weight.detach().numpy(), model.rare.weight.detach().numpy()]
    centred = logits - logits.mean(axis=1, keepdims=True)
    centred -= np.median(centred, axis=0)
    added = 0.3 * np.hstack([centred / centred.std(), vectors[:, :3] / vectors[:, :3].std()])
    np.testing.assert_allclose(started[0] - plain[0], [np.zeros(6), *added[:2]], atol=1e-6)
    np.testing.assert_allclose(started[1] - plain[1], np.vstack([added[2:, :4], np.zeros((2, 4))]), atol=1e-6)
    with pytest.raises(ValueError, match="word_logits of shape"):
        GatedCNN(VOCABULARY, CLASSES, word_logits=logits[:2])


def test_save_and_load(tmp_path):
    model = student(frequent=2, rare_size=2, width=5, word_dropout=0.1)
    model.save_pretrained(tmp_path)
    loaded = Student.from_pretrained(tmp_path)
    assert type(loaded) is GatedCNN and loaded.config == model.config and loaded.labels == CLASSES
    np.testing.assert_array_equal(loaded.predict_logits(TEXTS), model.predict_logits(TEXTS))
    assert {path.suffix for path in tmp_path.iterdir()} == {".json", ".safetensors"}


def test_changed_and_copied_weights_answer_at_once():
    model = student()
    before = model.predict_logits(TEXTS)
    copied = deepcopy(model)
    with torch.no_grad():
        model.output.bias += 1
    np.testing.assert_allclose(model.predict_logits(TEXTS), before + 1, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(copied.predict_logits(TEXTS), before)
    model.convolutions[0] = deepcopy(model.convolutions[0])
    with torch.no_grad():
        model.convolutions[0].weight += 1
    expected = torch.stack([reference(model, text) for text in TEXTS])
    np.testing.assert_allclose(model.predict_logits(TEXTS), expected, rtol=1e-4, atol=1e-5)
    assert np.abs(expected.numpy() - before - 1).max() > 0.1
    np.testing.assert_allclose(model.double().predict_logits(TEXTS), expected, rtol=1e-4, atol=1e-5)
