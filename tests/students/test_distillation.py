"""The loss against torch's own, and the training loop against what it promises."""

import os
from copy import deepcopy

import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from sklearn.utils.class_weight import compute_class_weight

from distill_utils import dtypes
from distill_utils.cache import CacheError
from distill_utils.results.scoreboard import score
from distill_utils.students import MLP, BiLSTM, GatedCNN, distillation
from distill_utils.students.distillation import (
    balanced_weights,
    fit,
    fit_all,
    fit_each,
    kl_to_soft_labels,
    mse_to_logits,
    one_hot,
)
from distill_utils.texts.words import Vocabulary

LOGITS = torch.tensor([[2.0, 0.5, -1.0], [0.0, 1.0, 0.0]])
SOFT = torch.tensor([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8]])
TEXTS = ["red red apple", "green apple", "red apple pie", "green pie green"] * 8


def student() -> MLP:
    return MLP(Vocabulary(["red", "green", "apple", "pie"]), ("r", "g"), embedding_size=8, hidden=16)


def test_kl_equals_torchs_own():
    expected = F.kl_div(F.log_softmax(LOGITS, -1), SOFT, reduction="batchmean")
    torch.testing.assert_close(kl_to_soft_labels(LOGITS, SOFT), expected)


def test_kl_runs_from_teacher_to_student():
    # By hand, for one text: 0.75 ln(0.75/0.5) + 0.25 ln(0.25/0.5), with a student at one half each.
    loss = kl_to_soft_labels(torch.zeros(1, 2), torch.tensor([[0.75, 0.25]]))
    assert loss.item() == pytest.approx(0.75 * np.log(1.5) + 0.25 * np.log(0.5))
    reverse = 0.5 * np.log(0.5 / 0.75) + 0.5 * np.log(0.5 / 0.25)
    assert loss.item() != pytest.approx(reverse, abs=1e-3)


def test_kl_to_a_one_hot_row_is_cross_entropy():
    labels = torch.tensor([2, 1])
    soft = torch.from_numpy(one_hot(labels.numpy(), 3))
    torch.testing.assert_close(kl_to_soft_labels(LOGITS, soft), F.cross_entropy(LOGITS, labels))


def test_kl_to_a_one_hot_row_has_finite_gradients():
    logits = LOGITS.clone().requires_grad_()
    kl_to_soft_labels(logits, torch.eye(3)[:2]).backward()
    assert torch.isfinite(logits.grad).all()


def test_temperature_is_that_of_softened_logits_times_its_square():
    teacher_logits, temperature = torch.tensor([[3.0, 0.0, -1.0], [0.2, 0.1, 2.0]]), 4.0
    expected = temperature**2 * F.kl_div(
        F.log_softmax(LOGITS / temperature, -1), torch.softmax(teacher_logits / temperature, -1), reduction="batchmean"
    )
    loss = kl_to_soft_labels(LOGITS, torch.softmax(teacher_logits, -1), temperature)
    torch.testing.assert_close(loss, expected)


def test_mse_compares_centred_logits():
    teacher_logits = torch.tensor([[1.0, 0.0, -1.0], [2.0, -1.0, -1.0]])  # rows sum to zero already
    centred = LOGITS - LOGITS.mean(-1, keepdim=True)
    loss = mse_to_logits(LOGITS + 7.0, torch.softmax(teacher_logits, -1))  # a constant a row changes nothing
    torch.testing.assert_close(loss, F.mse_loss(centred, teacher_logits))


def test_fit_learns_the_soft_labels_it_is_given():
    soft = np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3], [0.4, 0.6]] * 8, np.float32)
    model = fit(student(), TEXTS, soft, seed=0, epochs=150, batch_size=8)
    probabilities = torch.softmax(torch.from_numpy(model.predict_logits(TEXTS[:4])), -1).numpy()
    np.testing.assert_allclose(probabilities, soft[:4], atol=0.02)


def test_fit_follows_its_seed_and_the_labels():
    hard = one_hot(np.array([0, 1, 0, 1] * 8), 2)
    logits = lambda seed, labels: fit(student(), TEXTS, labels, seed=seed, epochs=2).predict_logits(TEXTS)  # noqa: E731
    np.testing.assert_array_equal(logits(1, hard), logits(1, hard))
    assert np.abs(logits(1, hard) - logits(2, hard)).max() > 1e-3
    assert np.abs(logits(1, hard) - logits(1, 1 - hard)).max() > 1e-3


def test_one_step_of_fit_is_one_step_of_adam():
    soft = np.array([[0.9, 0.1], [0.2, 0.8]], np.float32)
    fitted = fit(student(), TEXTS[:2], soft, seed=3, epochs=1, batch_size=2, learning_rate=0.1)
    torch.manual_seed(3)
    plain = student()
    plain.reset_parameters()
    torch.manual_seed(3)
    plain.reset_parameters()
    before = plain.output.weight.detach().clone()
    rows, counts = plain.vocabulary.encode(TEXTS[:2])
    kl_to_soft_labels(plain(torch.from_numpy(rows), torch.from_numpy(counts)), torch.from_numpy(soft)).backward()
    # Adam's first step is the learning rate times the gradient's sign.
    expected = before - 0.1 * plain.output.weight.grad.sign()
    torch.testing.assert_close(fitted.output.weight.detach(), expected, atol=1e-4, rtol=0)


def test_of_a_sparse_table_only_the_rows_that_a_step_reads_move_and_as_adam_moves_them():
    soft, words = np.array([[0.9, 0.1], [0.2, 0.8]], np.float32), Vocabulary(["red", "green", "apple", "pie"])
    made = {"embedding_size": 8, "hidden": 4, "dense": 4, "dropout": 0.0}
    found = fit(BiLSTM(words, ("r", "g"), **made), ["red apple"] * 2, soft, seed=3, epochs=1, learning_rate=0.1)
    plain = BiLSTM(words, ("r", "g"), **made)
    torch.manual_seed(3)
    plain.reset_parameters()
    before = plain.embedding.weight.detach().clone()
    rows, counts = plain.encode(["red apple"] * 2)
    kl_to_soft_labels(plain(torch.from_numpy(rows), torch.from_numpy(counts)), torch.from_numpy(soft)).backward()
    expected = before - 0.1 * plain.embedding.weight.grad.to_dense().sign()  # Adam's first step, but for its epsilon
    after, unread = found.embedding.weight.detach(), [1, 3, 4]  # green, pie, an unknown word; the end is read
    torch.testing.assert_close(after, expected, atol=3e-3, rtol=0)
    assert torch.equal(after[unread], before[unread]) and not torch.isclose(after[[0, 2, 5]], before[[0, 2, 5]]).any()


def test_a_bilstm_learns_with_bfloat16_products_where_the_processor_has_units_for_them(tmp_path, monkeypatch):
    soft = np.tile(np.array([[0.9, 0.1], [0.2, 0.8]], np.float32), (len(TEXTS) // 2, 1))
    network = BiLSTM(student().vocabulary, ("r", "g"), embedding_size=8, hidden=8, dense=8)
    monkeypatch.setattr(dtypes, "CPUINFO", tmp_path / "cpuinfo")

    def trained(model, flags, folder):
        dtypes.CPUINFO.write_text(f"flags : {flags}\n")
        kept = fit(deepcopy(model), TEXTS, soft, seed=0, epochs=3, batch_size=8, folder=tmp_path / folder)
        return torch.cat([weight.flatten() for weight in kept.state_dict().values()])

    exact, rounded = trained(network, "avx2", "a"), trained(network, "avx2 avx512_bf16", "b")
    assert rounded.dtype == torch.float32 and not torch.equal(rounded, rounded.bfloat16().float())
    assert 0 < (rounded - exact).norm() < 0.02 * exact.norm()  # a product keeps 8 bits, 1 part in 256
    assert torch.equal(trained(network, "avx512_bf16", "a"), exact)  # kept under one key for both
    assert torch.equal(trained(student(), "avx2", "c"), trained(student(), "avx512_bf16", "d"))  # an MLP takes no part


def test_texts_and_soft_labels_must_match():
    with pytest.raises(ValueError, match="3 texts and 2 rows"):
        fit(student(), TEXTS[:3], np.ones((2, 2)), seed=0, epochs=1)


def test_the_same_fit_is_read_from_the_cache(tmp_path, monkeypatch):
    soft = np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3], [0.4, 0.6]] * 8, np.float32)
    first = fit(student(), TEXTS, soft, seed=0, epochs=2, folder=tmp_path)
    monkeypatch.setattr(distillation, "_train", lambda *_: pytest.fail("trained again"))
    again = fit(student(), TEXTS, soft, seed=0, epochs=2, folder=tmp_path)
    np.testing.assert_array_equal(again.predict_logits(TEXTS), first.predict_logits(TEXTS))
    assert again.train_seconds == pytest.approx(first.train_seconds)
    for change in ({"seed": 1}, {"epochs": 3}, {"learning_rate": 0.1}, {"batch_size": 4}, {"loss": mse_to_logits}):
        with pytest.raises(pytest.fail.Exception, match="trained again"):
            fit(student(), TEXTS, soft, **{"seed": 0, "epochs": 2, **change}, folder=tmp_path)
    with pytest.raises(pytest.fail.Exception, match="trained again"):
        fit(student(), TEXTS, 1 - soft, seed=0, epochs=2, folder=tmp_path)


def test_a_truncated_student_is_trained_again(tmp_path):
    soft = np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3], [0.4, 0.6]] * 8, np.float32)
    first = fit(student(), TEXTS, soft, seed=0, epochs=2, folder=tmp_path)
    kept = next(tmp_path.rglob("*.safetensors"))
    kept.write_bytes(kept.read_bytes()[:100])
    with pytest.warns(UserWarning, match="damaged"):
        again = fit(student(), TEXTS, soft, seed=0, epochs=2, folder=tmp_path)
    np.testing.assert_array_equal(again.predict_logits(TEXTS), first.predict_logits(TEXTS))


@pytest.mark.parametrize("cores", [1, 2])
def test_one_student_a_seed_apart_or_in_turn_is_what_fit_makes_of_each(cores, tmp_path, monkeypatch):
    soft = np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3], [0.4, 0.6]] * 8, np.float32)
    alone = [fit(student(), TEXTS, soft, seed=seed, epochs=3, folder=tmp_path / "alone") for seed in (4, 7)]

    def noted(logits, labels, log=str(tmp_path / "log")):
        with open(log, "a") as file:
            file.write(f"{os.getpid()}\n")
        return kl_to_soft_labels(logits, labels)

    monkeypatch.setattr(distillation, "APART", 1)
    monkeypatch.setattr(distillation, "cpu_count", lambda: cores)
    start = student()
    start.hidden.weight.data.fill_(0.5)
    each = fit_each(start, TEXTS, soft, seeds=(4, 7), epochs=3, loss=noted, folder=tmp_path)
    for one, other in zip(each, alone, strict=True):
        assert one.state_dict().keys() == other.state_dict().keys() and not one.training and one.train_seconds > 0
        for name, weight in one.state_dict().items():
            torch.testing.assert_close(weight, other.state_dict()[name], atol=0, rtol=0)
    assert (start.hidden.weight == 0.5).all()  # copies learn
    trained_in = set((tmp_path / "log").read_text().split()) - {str(os.getpid())}
    assert len(trained_in) > 0 if cores == 2 else not trained_in
    monkeypatch.setattr(distillation, "_train", lambda *_: pytest.fail("trained again"))
    again = fit_each(start, TEXTS, soft, seeds=(7, 4), epochs=3, loss=noted, folder=tmp_path)
    np.testing.assert_array_equal(again[0].predict_logits(TEXTS), each[1].predict_logits(TEXTS))


def test_lessons_of_several_kinds_share_the_cores_and_change_nothing(tmp_path, monkeypatch):
    soft = np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3], [0.4, 0.6]] * 8, np.float32)
    words = Vocabulary(["red", "green", "apple", "pie"])
    kinds = {"mlp": student(), "lstm": BiLSTM(words, ("r", "g"), embedding_size=4, hidden=3, dense=5)}
    monkeypatch.setattr(distillation, "APART", 1)
    monkeypatch.setattr(distillation, "cpu_count", lambda: 2)
    seeds = {"mlp": (3,), "lstm": (0, 5)}
    lessons = [
        {"student": made, "texts": TEXTS, "soft_labels": soft, "seeds": seeds[kind], "epochs": 2, "folder": tmp_path}
        for kind, made in kinds.items()
    ]
    for (kind, made), found in zip(kinds.items(), fit_all(lessons), strict=True):
        for seed, one in zip(seeds[kind], found, strict=True):
            alone = fit(deepcopy(made), TEXTS, soft, seed=seed, epochs=2, folder=tmp_path / "alone")
            np.testing.assert_array_equal(one.predict_logits(TEXTS), alone.predict_logits(TEXTS))


def test_what_stops_one_of_several_is_said_as_by_fit(tmp_path, monkeypatch):
    monkeypatch.setattr(distillation, "APART", 1)
    monkeypatch.setattr(distillation, "cpu_count", lambda: 2)
    (tmp_path / "students").touch()  # a file where the folder should be
    with pytest.raises(CacheError, match="cannot write to"):
        fit_each(student(), TEXTS, np.full((32, 2), 0.5), seeds=(0, 1), epochs=1, folder=tmp_path)
    with pytest.raises(ValueError, match="seed=-1"):
        fit_each(student(), TEXTS, np.full((32, 2), 0.5), seeds=(0, -1), epochs=1, folder=tmp_path)


GOOD = np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]], np.float32)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"soft_labels": np.full((3, 2), np.nan)}, "not finite"),
        ({"soft_labels": np.array([[3.0, -1], [0, 2], [1, 1]])}, "look like logits, so give their softmax"),
        ({"soft_labels": np.log(GOOD)}, "look like log-probabilities, so give their exponential"),
        ({"soft_labels": np.array([[0], [1], [0]])}, r"shape \(3, 1\) look like class numbers: give one_hot"),
        ({"soft_labels": np.eye(3)}, r"shape \(3, 3\): the student has 2 classes"),
        ({"soft_labels": GOOD[:2]}, "3 texts and 2 rows"),
        ({"texts": [], "soft_labels": GOOD[:0]}, "0 texts: give some"),
        ({"texts": "pie"}, "one string is not a list of texts"),
        ({"texts": ["pie", None, "red"]}, "text 1 is None"),
        ({"epochs": 0}, "epochs=0: give a whole number, 1 or more"),
        ({"batch_size": 0}, "batch_size=0: give a whole number, 1 or more"),
        ({"learning_rate": 0}, "learning_rate=0: give a number above 0"),
        ({"learning_rate": float("nan")}, "learning_rate=nan: give"),
        ({"learning_rate": "1e-2"}, "learning_rate='1e-2': give a number above 0"),
        ({"seed": None}, "seed=None: give a whole number, 0 or more"),
        ({"seed": -1}, "seed=-1: give a whole number, 0 or more"),
        (
            {"loss": lambda logits, labels: (logits - labels) ** 2},
            r"the loss gave a Tensor of shape \(256, 2\):",
        ),
        ({"loss": lambda logits, labels: 1.0}, "the loss gave a float: it must give one number"),
    ],
)
def test_fit_names_what_it_cannot_train_on(change, message):
    call = {"texts": TEXTS[:3], "soft_labels": GOOD, "seed": 0, "epochs": 1} | change
    with pytest.raises(ValueError, match=message) as error:
        fit(student(), **call)
    assert "\n" not in str(error.value)


def test_fit_takes_columns_of_tables(tmp_path):
    frame = pd.DataFrame({"text": TEXTS[:3], "label": [0, 1, 0]}, index=[5, 6, 7])
    fitted = fit(student(), frame["text"], one_hot(frame["label"], 2), seed=0, epochs=1, folder=str(tmp_path))
    expected = fit(student(), TEXTS[:3], np.eye(2)[[0, 1, 0]], seed=0, epochs=1)
    np.testing.assert_array_equal(fitted.predict_logits(frame["text"]), expected.predict_logits(TEXTS[:3]))


def test_fit_takes_numpys_numbers():
    numbers = {"seed": np.arange(2)[0], "epochs": np.int64(1), "learning_rate": np.float32(0.25)}
    model = MLP(Vocabulary(["red", "pie"]), ("r", "g"), embedding_size=np.int64(4), hidden=np.int32(4))
    other = MLP(Vocabulary(["red", "pie"]), ("r", "g"), embedding_size=4, hidden=4)
    expected = fit(other, TEXTS[:3], GOOD, seed=0, epochs=1, learning_rate=0.25).predict_logits(TEXTS)
    np.testing.assert_array_equal(fit(model, TEXTS[:3], GOOD, **numbers).predict_logits(TEXTS), expected)


@pytest.mark.parametrize("labels", [[-1, 0], [0, 2], [0.0, 1.0], ["a", "b"], [True, False], [[0], [1]]])
def test_one_hot_takes_class_numbers_only(labels):
    with pytest.raises(ValueError, match="labels"):
        one_hot(np.array(labels), 2)
    assert one_hot([1, 0], 2).tolist() == [[0, 1], [1, 0]]


@pytest.mark.parametrize("loss", [kl_to_soft_labels, mse_to_logits])
def test_a_loss_compares_rows_of_one_shape(loss):
    for other in (SOFT[:1], SOFT[:, :1], SOFT[0]):  # torch would stretch them
        with pytest.raises(ValueError, match="logits of shape .2, 3. and soft labels of shape"):
            loss(LOGITS, other)
    with pytest.raises(ValueError, match="temperature=0: give a number above 0"):
        kl_to_soft_labels(LOGITS, SOFT, 0)
    with pytest.raises(ValueError, match="temperature=inf: give a number above 0"):
        kl_to_soft_labels(LOGITS, SOFT, float("inf"))


def sure_only(least):
    def loss(logits, soft_labels):
        sure = (soft_labels.amax(dim=-1) > least).float()
        return -(sure * (soft_labels * logits.log_softmax(-1)).sum(-1)).mean()

    return loss


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (lambda a, b: F.kl_div(a.log_softmax(-1), b, reduction="sum"), kl_to_soft_labels),
        (sure_only(0.97), sure_only(0.99)),
    ],
)
def test_losses_that_agree_on_a_single_text_are_told_apart(one, other, tmp_path):
    rows = np.array([[0.5, 0.5], [0.98, 0.02], [0.005, 0.995], [0.3, 0.7]] * 2, np.float32)
    texts = ["red", "green", "apple", "pie"] * 2
    options = {"seed": 0, "epochs": 2, "batch_size": 4, "learning_rate": 0.1}
    alone = fit(student(), texts, rows, loss=other, folder=tmp_path / "alone", **options).predict_logits(texts)
    fit(student(), texts, rows, loss=one, folder=tmp_path, **options)
    np.testing.assert_array_equal(
        fit(student(), texts, rows, loss=other, folder=tmp_path, **options).predict_logits(texts), alone
    )
    assert len(list((tmp_path / "students").iterdir())) == 2


def test_the_cache_knows_class_names_and_what_a_student_reads(tmp_path, monkeypatch):
    options = {"seed": 0, "epochs": 1, "folder": tmp_path}
    fit(student(), TEXTS[:3], GOOD, **options)
    monkeypatch.setattr(distillation, "_train", lambda *_: pytest.fail("trained again"))
    fit(student(), TEXTS[:3], GOOD, **options)
    fit(student(), [text + " unknown" for text in TEXTS[:3]], GOOD, **options)  # it reads the same
    words, sizes = Vocabulary(["red", "green", "apple", "pie"]), {"embedding_size": 8, "hidden": 16}
    for other in (
        MLP(words, ("r", "green"), **sizes),
        MLP(words, ("g", "r"), **sizes),
        MLP(words, ("r", "g"), pooling="pairs", **sizes),
        MLP(Vocabulary(["green", "red", "apple", "pie"]), ("r", "g"), **sizes),
        MLP(words, ("r", "g"), word_vectors=np.arange(4.0)[:, None], **sizes),
    ):
        with pytest.raises(pytest.fail.Exception, match="trained again"):
            fit(other, TEXTS[:3], GOOD, **options)


def test_fit_leaves_the_random_stream_as_it_was(tmp_path):
    torch.manual_seed(5)
    expected = torch.rand(3)
    for _ in ("trained", "from the cache"):
        model = student()
        torch.manual_seed(5)
        fit(model, TEXTS[:3], GOOD, seed=0, epochs=1, folder=tmp_path)
        torch.testing.assert_close(torch.rand(3), expected)


def test_balanced_weights_let_each_class_count_alike():
    labels = np.array([0] * 6 + [2] * 2)
    np.testing.assert_allclose(balanced_weights(labels, 3), [8 / 18, 0, 8 / 6])  # n / (n_classes * count)
    both = np.array([0] * 99 + [1])
    np.testing.assert_allclose(
        balanced_weights(both, 2), compute_class_weight("balanced", classes=np.array([0, 1]), y=both)
    )
    np.testing.assert_allclose(balanced_weights(both, 2)[both].mean(), 1)
    with pytest.raises(ValueError, match="labels hold 2"):
        balanced_weights([0, 2], 2)


def test_a_weight_multiplies_each_text_s_loss():
    logits, labels, weights = (
        torch.randn(5, 3, generator=torch.Generator().manual_seed(0)),
        [0, 2, 2, 0, 2],
        [3, 9, 0.5],
    )
    rows = torch.from_numpy(one_hot(np.array(labels), 3))
    each = F.cross_entropy(logits, torch.tensor(labels), reduction="none")
    expected = (torch.tensor(weights)[labels] * each).mean()
    torch.testing.assert_close(distillation._weighted(kl_to_soft_labels, weights, logits, rows), expected)


def test_weights_of_one_change_nothing_but_the_key(tmp_path):
    rows, options = one_hot(np.array([0, 1] * 16), 2), {"seed": 0, "epochs": 3, "folder": tmp_path}
    plain, ones, others = (
        fit(student(), TEXTS, rows, class_weights=weights, **options) for weights in (None, [1, 1], [1, 4])
    )
    np.testing.assert_allclose(plain.predict_logits(TEXTS), ones.predict_logits(TEXTS), atol=1e-4)
    assert not np.allclose(plain.predict_logits(TEXTS), others.predict_logits(TEXTS), atol=1e-2)
    assert len(list((tmp_path / "students").iterdir())) == 3


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1, 1, 1], r"class_weights of shape \(3,\): give 2 numbers of 0 or more, one a class"),
        (1.0, r"class_weights of shape \(\)"),
        ([1, -1], "numbers of 0 or more"),
        ([1, np.nan], "numbers of 0 or more"),
        (["a", "b"], "numbers of 0 or more"),
    ],
)
def test_class_weights_that_cannot_be(weights, message):
    with pytest.raises(ValueError, match=message):
        fit(student(), TEXTS, one_hot(np.array([0, 1] * 16), 2), class_weights=weights, seed=0, epochs=1)


def test_class_weights_are_for_hard_labels():
    rows = one_hot(np.array([0, 1] * 16), 2)
    rows[3] = [0.75, 0.25]
    with pytest.raises(ValueError, match="^class weights are for hard labels, and row 3 .*: leave class_weights out"):
        fit(student(), TEXTS, rows, class_weights=[1, 1], seed=0, epochs=1)


def rare(n: int, seed: int) -> tuple[list[str], np.ndarray]:
    """Texts of which one in a hundred is of class 1; it has a word that nine times as many others have, too."""
    random = np.random.default_rng(seed)
    labels = (np.arange(n) % 100 == 0).astype(np.int64)
    cue = (labels == 1) | (random.random(n) < 0.05)
    fillers = random.choice(["red", "green", "apple"], (n, 3))
    return [" ".join([*words, "pie"] if has else words) for words, has in zip(fillers, cue, strict=True)], labels


def test_one_in_a_hundred_is_found_with_weights_where_accuracy_alone_would_hide_it(tmp_path):
    (texts, labels), (test_texts, test_labels) = rare(2000, 0), rare(1000, 1)
    rows, options = one_hot(labels, 2), {"seed": 0, "epochs": 10, "folder": tmp_path}
    found = {
        name: fit(student(), texts, rows, class_weights=weights, **options).predict(test_texts)
        for name, weights in (("as they are", None), ("balanced", balanced_weights(labels, 2)))
    }
    recall = {name: (answers[test_labels == 1] == 1).mean() for name, answers in found.items()}
    assert score("accuracy", test_labels, found["as they are"]) == 99.0 and recall["as they are"] == 0
    assert score("accuracy", test_labels, found["balanced"]) < 97 and recall["balanced"] == 1
    assert score("macro_f1", test_labels, found["balanced"]) > score("macro_f1", test_labels, found["as they are"]) + 5


def test_students_that_read_texts_alike_read_them_once(monkeypatch):
    one, others, reading, encode = student(), list(TEXTS), [], Vocabulary.encode
    pairs = MLP(one.vocabulary, ("r", "g"), pooling="pairs")
    conv = [GatedCNN(one.vocabulary, ("r", "g"), embedding_size=4, frequent=2, endings=n) for n in (1, 1, 2)]
    monkeypatch.setattr(Vocabulary, "encode", lambda *given, **how: reading.append(given) or encode(*given, **how))
    lesson = {"texts": TEXTS, "soft_labels": one_hot([0, 1, 0, 1] * 8, 2), "seeds": range(2), "epochs": 1}
    fit_all([lesson | {"student": kind} for kind in (one, pairs)])
    assert len(reading) == 1
    fit_all([lesson | {"student": kind} for kind in conv])
    assert len(reading) == 3  # those with other endings read otherwise
    fit_all([lesson | {"student": one}, lesson | {"student": one, "texts": others}, lesson | {"student": student()}])
    assert len(reading) == 6  # other texts, and other words
