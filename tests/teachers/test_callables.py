"""A function as a teacher: each form of reply, asked in batches, kept, and every unusable reply in one line."""

import numpy as np
import pytest
import torch

from distill_utils.teachers import from_callable
from distill_utils.teachers.columns import FLOOR

CLASSES = ("good", "bad", "mixed")


def answering(reply, **options):
    """A teacher that gives the first answers of `reply`, whatever the texts."""
    return from_callable(lambda texts: reply[: len(texts)], CLASSES, name="api", **options)


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ([[0.5, 0.25, 0.25], [0, 0, 1]], [[0.5, 0.25, 0.25], [0, 0, 1]]),
        (np.array([[0.5, 0.25, 0.25], [0, 1, 0]], np.float32), [[0.5, 0.25, 0.25], [0, 1, 0]]),
        (torch.tensor([[0.5, 0.25, 0.25], [0, 1, 0]]), [[0.5, 0.25, 0.25], [0, 1, 0]]),
        ([torch.tensor([0.5, 0.25, 0.25]), torch.tensor([0.0, 1.0, 0.0])], [[0.5, 0.25, 0.25], [0, 1, 0]]),
        ([[0.5, 0.2, 0.295], [1, 0, 0]], [[0.5 / 0.995, 0.2 / 0.995, 0.295 / 0.995], [1, 0, 0]]),
        (["bad", " good "], [[0, 1, 0], [1, 0, 0]]),
        ([2, 0], [[0, 0, 1], [1, 0, 0]]),
        (np.array([2, 0]), [[0, 0, 1], [1, 0, 0]]),
        ([{"good": np.log(0.6), "bad": np.log(0.3)}, {"mixed": np.log(0.5)}], [[0.6, 0.3, 0.1], [0.25, 0.25, 0.5]]),
        ([{"good": 0.0}, {"good": np.log(0.5), "bad": np.log(0.5), "mixed": -np.inf}], [[1, 0, 0], [0.5, 0.5, 0]]),
    ],
)
def test_every_form_of_reply(reply, expected, tmp_path):
    teacher = answering(reply)
    logits = teacher.logits(["a", "b"])
    assert logits.dtype == np.float32
    np.testing.assert_allclose(logits, np.log(np.maximum(expected, FLOOR)), atol=1e-5)
    soft = teacher.soft_labels(["a", "b"], tmp_path)
    np.testing.assert_allclose(soft, expected, atol=1e-3)  # kept at float16 precision
    assert soft.dtype == np.float32 and (soft[np.array(expected) == 0] == 0).all()
    np.testing.assert_allclose(soft.sum(axis=1), 1, atol=1e-6)


def test_what_a_function_is_and_is_not():
    teacher = answering(["good"])
    assert (teacher.title, teacher.class_names, teacher.n_classes) == ("api", CLASSES, 3)
    assert not teacher.has_weights and teacher.any_text and teacher.answerable(["a", "b"]) == ["a", "b"]
    assert teacher.count_parameters() == (None, None) and teacher.logits([]).shape == (0, 3)


class Api:
    """Says "good" of texts with a g; counts what it is asked; may fail at its n-th call."""

    def __init__(self, fails_at=None):
        self.calls, self.fails_at = [], fails_at

    def __call__(self, texts):
        if len(self.calls) == self.fails_at:
            raise ConnectionError("try again later")
        self.calls.append(texts)
        return ["good" if "g" in text else "bad" for text in texts]


def test_asked_in_batches_and_once_a_text(tmp_path):
    api = Api()
    teacher = from_callable(api, CLASSES, name="api", batch_size=2)
    texts = ["g1", "b2", "g3", "b2", "b\u00a05"]
    np.testing.assert_array_equal(teacher.cached_logits(texts, tmp_path).argmax(axis=1), [0, 1, 0, 1, 1])
    assert list(map(len, api.calls)) == [2, 2] and sum(api.calls, []) == ["g1", "b2", "g3", "b 5"]
    teacher.soft_labels(["g3", "b 5"], tmp_path)
    assert len(api.calls) == 2


def test_what_was_answered_is_kept_when_the_function_fails(tmp_path):
    texts = [f"g{number}" for number in range(6)]
    with pytest.raises(ConnectionError, match="try again later"):
        from_callable(Api(fails_at=2), CLASSES, name="api", batch_size=2).cached_logits(texts, tmp_path)
    again = Api()
    from_callable(again, CLASSES, name="api", batch_size=2).cached_logits(texts, tmp_path)
    assert again.calls == [["g4", "g5"]]


def test_another_name_or_other_classes_are_another_teacher(tmp_path):
    def asked(name, classes):
        api = Api()
        from_callable(api, classes, name=name).soft_labels(["g"], tmp_path)
        return len(api.calls)

    assert asked("api", CLASSES) == 1 and asked("api", CLASSES) == 0
    assert asked("api-2", CLASSES) == 1 and asked("api", CLASSES[::-1]) == 1


UNUSABLE = [
    (["good"], "api on 'a': the reply has 1 answers to 2 texts: give 2 labels, 2 dicts, or probabilities (2, 3)"),
    ("good, bad", "the reply is a str"),
    ({"a": "good", "b": "bad"}, "the reply is a dict"),
    (None, "the reply is a NoneType"),
    ([[0.5, 0.5], [0.5, 0.5]], "the reply is of shape (2, 2)"),
    ([[0.5, 0.5], [1, 0, 0]], "the reply cannot be read"),
    ([[1, 0, 0], "bad"], "the reply cannot be read"),
    ([[1, 0, 0], None], "the reply cannot be read"),
    ([[1, 0, 0], [0.7, 0.7, 0.0]], "api on 'b': the probabilities 0.7, 0.7, 0 sum to 1.4, not to 1"),
    ([[1, 0, 0], [1.5, -0.5, 0.0]], "are not all 0 or more"),
    ([[1, 0, 0], [np.nan, 0.5, 0.5]], "are not all numbers"),
    (["good", "great"], "api on 'b': 'great' is an unknown class: the classes are good, bad, mixed"),
    ([0, 3], "labels hold 3 (text 1), but the 3 classes are numbered 0 to 2"),
    ([0.0, 1.0], "class numbers, not of type float64"),
    ([{"good": 0.0}, {"great": 0.0}], "api on 'b': 'great' is an unknown class"),
    ([{"good": 0.0}, {}], "api on 'b': no class is named"),
    ([{"good": 0.0}, {"bad": "high"}], "'bad' has 'high' for a log-probability: give a number"),
    ([{"good": 0.0}, {"bad": None}], "'bad' has None for a log-probability"),
    ([{"good": 0.0}, {"bad": 0.7, "good": 0.2}], "sum to 3.235, which is more than 1"),
    ([{"good": 0.0}, {"bad": np.nan}], "'bad' has nan for a log-probability"),
    ([{"good": 0.0}, dict.fromkeys(CLASSES, np.log(0.3))], "the probabilities 0.3, 0.3, 0.3 sum to 0.9, not to 1"),
]


@pytest.mark.parametrize(("reply", "line"), UNUSABLE, ids=[line for _, line in UNUSABLE])
def test_an_unusable_reply_is_one_line(reply, line):
    with pytest.raises(ValueError) as error:
        from_callable(lambda _: reply, CLASSES, name="api").logits(["a", "b"])
    assert line in str(error.value) and "\n" not in str(error.value)


def test_arguments_that_cannot_be():
    with pytest.raises(ValueError, match="batch_size=0"):
        answering([], batch_size=0)
    with pytest.raises(ValueError, match="give two or more"):
        from_callable(len, ("good",), name="api")
