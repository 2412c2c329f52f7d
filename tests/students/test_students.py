"""Students and their vocabulary against arithmetic by hand and against torch."""

import warnings
from copy import deepcopy

import numpy as np
import pandas as pd
import pytest
import torch

from distill_utils.students import MLP, BiLSTM, Ensemble, GatedCNN, count_parameters
from distill_utils.students.bilstm import MAX_WORDS
from distill_utils.students.student import length_batches
from distill_utils.texts.words import Vocabulary, pieces, words_of

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
    assert mlp.predict([]).shape == (0,)


def test_training_again_changes_predictions(mlp):
    before = mlp.predict_logits(TEXTS)
    mlp.train()
    with torch.no_grad():
        mlp.output.bias += 1
    np.testing.assert_allclose(mlp.eval().predict_logits(TEXTS), before + 1, atol=1e-6)


@pytest.mark.parametrize("pooling", ["mean", "pairs"])
@pytest.mark.parametrize("opinion", [0.0, 0.3])
def test_opinions_that_are_all_alike_are_no_start(pooling, opinion):  # case 01
    alike = np.tile(np.float32([opinion, 1.7, -0.1]), (len(VOCABULARY), 1))
    model = MLP(VOCABULARY, ("no", "yes", "maybe"), pooling=pooling, word_logits=alike)
    assert all(weight.isfinite().all() for weight in model.parameters())
    assert 0.05 < model.embedding.weight.std() < 0.15


def test_a_text_in_capitals_or_curly_quotes_gets_the_same_answer(mlp):
    ways = [
        "i am happy don't 😍",
        "I AM HAPPY DON’T 😍",
        "“I” am\u00a0Happy, Don‘t😍\ufe0f",
        "ｉ ａｍ\u3000ｈａｐｐｙ…don't",
    ]
    answers = mlp.predict_logits(ways)
    np.testing.assert_array_equal(answers, np.tile(answers[:1], (4, 1)))
    assert np.abs(answers[0] - mlp.predict_logits(["i am happy"])[0]).max() > 1e-4


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


@pytest.fixture
def bilstm() -> BiLSTM:
    torch.manual_seed(0)
    return BiLSTM(VOCABULARY, ("no", "yes", "maybe"), embedding_size=6, hidden=4, dense=5).eval()


def test_encode_keeps_unknown_words_and_closes_each_text(bilstm):
    rows, counts = bilstm.encode(TEXTS)
    known = {word: i for i, word in enumerate(VOCABULARY.words)}
    expected = [[known.get(w, 6) for w in words_of(t)] + [7] for t in TEXTS]
    assert counts.tolist() == [len(row) for row in expected]
    assert rows.tolist() == [number for row in expected for number in row]
    assert len(bilstm.encode([])[0]) == len(bilstm.encode([])[1]) == 0


def test_a_bilstm_learns_from_the_first_words_of_a_long_text(bilstm):
    rows, counts = bilstm.encode(["happy " * 300, "sad", "so " * (MAX_WORDS - 1)])
    assert counts.tolist() == [MAX_WORDS, 2, MAX_WORDS]
    assert rows.tolist() == [2] * MAX_WORDS + [3, 7] + [4] * (MAX_WORDS - 1) + [7]


def test_pieces_are_of_like_length_and_lose_no_word():
    text = " ".join(map(str, range(130)))
    found = pieces(text, 60)
    assert [len(piece.split()) for piece in found] == [43, 44, 43] and " ".join(found) == text
    assert pieces("a  b ", 2) == ["a  b "] and pieces("", 60) == [""]


def test_a_bilstm_reads_a_long_text_in_pieces(bilstm):
    long = " ".join(["happy"] * 45 + ["sad"] * 45)
    first, second = bilstm.predict_logits([" ".join(["happy"] * 45), " ".join(["sad"] * 45)])
    found = bilstm.predict_logits(["so sad", long, ""])
    np.testing.assert_allclose(found[1], (first + second) / 2, rtol=1e-5)
    np.testing.assert_allclose(found[[0, 2]], bilstm.predict_logits(["so sad", ""]), rtol=1e-5)
    assert bilstm.predict_logits([]).shape == (0, 3)


def test_a_bilstm_reads_all_of_180_words_joined_by_commas(bilstm):  # case 27
    words = ["happy", "sad"] * 30 + ["so"] * 60 + ["dont", "happy"] * 30
    thirds = [" ".join(words[start : start + 60]) for start in (0, 60, 120)]
    np.testing.assert_allclose(
        bilstm.predict_logits([",".join(words)])[0], bilstm.predict_logits(thirds).mean(axis=0), rtol=1e-5
    )


def test_length_batches_hold_every_row_once_and_one_length_each():
    lengths = np.array([3, 1, 3, 2, 3, 1, 3, 3])
    for random in (None, np.random.default_rng(0)):
        batches = length_batches(lengths, 2, random)
        assert sorted(np.concatenate(batches)) == list(range(8))
        assert all(len(set(lengths[batch])) == 1 and len(batch) <= 2 for batch in batches)
        assert len(batches) == 5  # two of length 1, one of 2, five of 3: 1 + 1 + 3
    first, second = (np.concatenate(length_batches(lengths, 2, np.random.default_rng(s))) for s in (0, 1))
    assert first.tolist() != second.tolist()


def test_the_blogs_bilstms_have_0_66m_and_1_7m_parameters_outside_the_embeddings():
    for hidden, expected in ((150, 663_602), (300, 1_686_002)):
        lstm = 2 * (4 * hidden * (300 + hidden) + 8 * hidden)  # two directions, four gates, two biases each
        dense, output = 2 * hidden * 400 + 400, 400 * 2 + 2
        model = BiLSTM(Vocabulary(["a", "b"]), ("n", "p"), hidden=hidden)
        assert count_parameters(model) == (expected + 4 * 300, lstm + dense + output) == (expected + 1200, expected)


def test_bilstm_forward_by_hand(bilstm):
    """One direction at a time, gate by gate: input, forget, cell, output (the equations of torch's own docs)."""
    state = {name: value.detach() for name, value in bilstm.state_dict().items()}

    def run(words, suffix):
        weights = [state[f"lstm.{name}_l0{suffix}"] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
        hidden, cell, states = torch.zeros(4), torch.zeros(4), []
        for word in words:
            gates = weights[0] @ word + weights[2] + weights[1] @ hidden + weights[3]
            i, f, g, o = gates.split(4)
            cell = torch.sigmoid(f) * cell + torch.sigmoid(i) * torch.tanh(g)
            hidden = torch.sigmoid(o) * torch.tanh(cell)
            states.append(hidden)
        return torch.stack(states)

    words = state["embedding.weight"][[0, 1, 2, 7]]  # i am happy <end>
    states = torch.cat([run(words, ""), run(words.flip(0), "_reverse").flip(0)], dim=1)
    expected = bilstm.output(torch.relu(bilstm.dense(states.amax(dim=0))))
    rows, counts = bilstm.encode(["i am happy"])
    torch.testing.assert_close(bilstm(torch.from_numpy(rows), torch.from_numpy(counts))[0], expected)
    np.testing.assert_allclose(bilstm.predict_logits(TEXTS + ["i am happy"])[-1], expected.detach(), atol=1e-6)


def test_bilstm_predicts_each_text_as_it_would_alone(bilstm):
    together = bilstm.predict_logits(TEXTS)
    alone = np.concatenate([bilstm.predict_logits([text]) for text in TEXTS])
    np.testing.assert_allclose(together, alone, atol=1e-6)
    assert bilstm.predict([]).shape == (0,)


def test_bilstm_reads_in_order(bilstm):
    assert np.abs(bilstm.predict_logits(["so sad i am"]) - bilstm.predict_logits(["am i sad so"])).max() > 1e-4


def test_bilstm_starts_from_the_word_vectors_it_is_given():
    vectors = np.random.default_rng(0).normal(size=(6, 6)).astype(np.float32)
    weight = BiLSTM(VOCABULARY, ("n", "p"), embedding_size=6, word_vectors=vectors).embedding.weight.detach().numpy()
    assert np.corrcoef(weight[:6].ravel(), vectors.ravel())[0, 1] > 0.999 and weight.shape == (8, 6)


def test_bilstm_save_and_load(bilstm, tmp_path):
    bilstm.save_pretrained(tmp_path)
    loaded = BiLSTM.from_pretrained(tmp_path)
    np.testing.assert_array_equal(loaded.predict_logits(TEXTS), bilstm.predict_logits(TEXTS))
    assert loaded.config == bilstm.config


def test_an_ensemble_answers_with_the_mean_of_its_members():
    members = [MLP(VOCABULARY, ("no", "yes", "maybe")).eval() for _ in range(3)]
    first, second, third = (member.predict_logits(TEXTS) for member in members)
    together = Ensemble(members)
    np.testing.assert_allclose(together.predict_logits(TEXTS), (first + second + third) / 3, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(together.predict(TEXTS), (first + second + third).argmax(axis=1))


EVERY = [
    lambda: MLP(VOCABULARY, ("no", "yes"), embedding_size=6, hidden=4),
    lambda: MLP(VOCABULARY, ("no", "yes"), pooling="pairs", embedding_size=6, hidden=4),
    lambda: BiLSTM(VOCABULARY, ("no", "yes"), embedding_size=6, hidden=4, dense=5, dropout=0.5),
    lambda: GatedCNN(VOCABULARY, ("no", "yes"), embedding_size=6, frequent=3, dropout=0.5, word_dropout=0.5),
]


@pytest.mark.parametrize("make", EVERY)
def test_lists_of_texts_of_every_kind_get_the_same_answers(make):
    student = make()
    expected = student.predict_logits(TEXTS)
    for texts in (tuple(TEXTS), np.array(TEXTS), pd.Series(TEXTS, index=range(9, 3, -1))):
        np.testing.assert_array_equal(student.predict_logits(texts), expected)
        np.testing.assert_array_equal(student.predict(texts), expected.argmax(axis=1))
        assert student.encode(texts)[1].tolist() == student.encode(TEXTS)[1].tolist()
    for nothing in ([], np.array([]), pd.Series([], dtype=str)):
        assert student.predict(nothing).shape == (0,) and student.predict_logits(nothing).shape == (0, 2)
    for call in (student.predict, student.predict_logits, student.encode):
        with pytest.raises(ValueError, match="one string is not a list"):
            call("so sad")
        with pytest.raises(ValueError, match="text 1 is nan, of type float"):
            call(pd.Series(["so", None]))


@pytest.mark.parametrize("make", EVERY)
def test_an_untrained_student_answers_with_the_weights_it_has(make):
    student = make()
    assert student.training
    first = student.predict_logits(TEXTS)
    np.testing.assert_array_equal(student.predict_logits(TEXTS), first)  # nothing is dropped by chance
    assert student.training  # and it may go on training
    np.testing.assert_allclose(student.eval().predict_logits(TEXTS), first, atol=1e-6)


def change_in_place(student, weights):
    with torch.no_grad():
        for name, weight in student.named_parameters():
            weight.copy_(weights[name])


def replace_parameters(student, weights):
    for name in dict(student.named_parameters()):
        layer, _, own = name.rpartition(".")
        setattr(student.get_submodule(layer), own, torch.nn.Parameter(weights[name].clone()))


@pytest.mark.parametrize("make", EVERY)
@pytest.mark.parametrize(
    "change",
    [
        lambda student, weights: student.load_state_dict(weights),
        lambda student, weights: student.load_state_dict(weights, assign=True),
        change_in_place,
        lambda student, weights: [value.copy_(weights[name]) for name, value in student.state_dict().items()],
        lambda student, weights: [weight.data.copy_(weights[name]) for name, weight in student.named_parameters()],
        lambda student, weights: [setattr(p, "data", weights[name].clone()) for name, p in student.named_parameters()],
        replace_parameters,
    ],
)
def test_new_weights_answer_at_once(make, change):
    student, other = make().eval(), make().eval()
    before, expected = student.predict_logits(TEXTS), other.predict_logits(TEXTS)
    assert np.abs(before - expected).max() > 1e-3
    copied = deepcopy(student)
    change(student, other.state_dict())
    np.testing.assert_array_equal(student.predict_logits(TEXTS), expected)
    np.testing.assert_array_equal(copied.predict_logits(TEXTS), before)
    change(copied, other.state_dict())
    np.testing.assert_array_equal(copied.predict_logits(TEXTS), expected)


@pytest.mark.parametrize("times", range(1, 5))
def test_a_copy_answers_with_its_own_weights(mlp, times):
    mlp.predict_logits(TEXTS)
    copied = deepcopy(mlp)
    for _ in range(times):  # once it has changed just as often as the first one had
        with torch.no_grad():
            for weight in copied.parameters():
                weight += 0.1
    rows, counts = copied.encode(TEXTS)
    expected = copied(torch.from_numpy(rows), torch.from_numpy(counts)).detach().numpy()
    np.testing.assert_allclose(copied.predict_logits(TEXTS), expected, atol=1e-5)


def test_a_step_of_training_changes_answers_at_once(mlp):
    before = mlp.predict_logits(TEXTS)
    optimizer = torch.optim.SGD(mlp.parameters(), lr=1.0)
    rows, counts = mlp.encode(TEXTS)
    mlp(torch.from_numpy(rows), torch.from_numpy(counts))[:, 0].sum().backward()
    optimizer.step()  # without a call of train() or eval()
    expected = mlp(torch.from_numpy(rows), torch.from_numpy(counts)).detach().numpy()
    np.testing.assert_allclose(mlp.predict_logits(TEXTS), expected, atol=1e-5)
    assert np.abs(expected - before).max() > 0.1


def test_a_student_made_in_inference_mode_answers():
    with torch.inference_mode():
        student = EVERY[1]()
    assert student.predict(TEXTS).shape == (6,)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: MLP(VOCABULARY, "ny"), "one string is not a list of class names"),
        (lambda: MLP(VOCABULARY, ("no", "no")), "give two or more, each of them once"),
        (lambda: MLP(VOCABULARY, ("n", "y"), hidden=0), "hidden=0: give a whole number"),
        (
            lambda: MLP(VOCABULARY, ("n", "y"), word_logits=np.zeros((5, 2))),
            r"word_logits of shape \(5, 2\): .* 6 words",
        ),
        (lambda: MLP(VOCABULARY, ("n", "y"), word_vectors=np.full((6, 2), np.nan)), "word_vectors .* finite"),
        (lambda: BiLSTM(VOCABULARY, ("n", "y"), dense=0), "dense=0: give a whole number"),
        (lambda: BiLSTM(VOCABULARY, ("n", "y"), word_vectors=np.ones((5, 300))), r"word_vectors of shape \(5, 300\)"),
        (
            lambda: BiLSTM(VOCABULARY, ("n", "y"), word_vectors=np.ones((6, 4))),
            "4 numbers a word, embedding_size is 300",
        ),
    ],
)
def test_students_name_what_they_cannot_be_made_of(make, message):
    with pytest.raises(ValueError, match=message) as error:
        make()
    assert "\n" not in str(error.value)


def test_word_vectors_without_spread_are_no_start():
    flat = BiLSTM(Vocabulary(["happy", "sad"]), ("a", "b"), embedding_size=4, hidden=3, word_vectors=np.ones((2, 4)))
    assert torch.isfinite(flat.embedding.weight).all()


def test_word_vectors_that_cannot_be_written_to_are_taken_without_a_warning():
    vectors = np.eye(3, 4, dtype=np.float32)
    vectors.setflags(write=False)  # as in a process that trains one student of several
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = BiLSTM(Vocabulary(["a", "b", "c"]), ("n", "p"), embedding_size=4, hidden=2, word_vectors=vectors)
    table = made.embedding.weight[:3].detach().numpy()
    np.testing.assert_allclose(table, 0.1 * vectors / torch.tensor(vectors).std().item(), rtol=1e-6)
