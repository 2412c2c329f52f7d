"""A switch saved and loaded: the same answers to any text, with its teacher or without."""

import json
import shutil

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from distill_utils.cache import written_together
from distill_utils.students import MLP, Ensemble
from distill_utils.switch import Switch
from distill_utils.switch.routers import DeferralHead, Doubt, margin
from distill_utils.texts.words import Vocabulary

WORDS = ["red", "green", "apple", "pie", "is", "the", "so"]
NAMES = ("no", "yes", "maybe")
TEXTS = ["red apple", "green green pie", "so is the pie", "unknown words", "", "the the red", "apple pie", "is so"]
LABELS = np.array([0, 1, 2, 0, 1, 2, 0, 1])


class Teacher:
    """It counts letters; a text's class is what is left of their number by 3."""

    name, class_names = "letters", NAMES

    def logits(self, texts):
        return np.eye(3, dtype=np.float32)[[len(text) % 3 for text in texts]]


def student() -> MLP:
    model = MLP(Vocabulary(WORDS), NAMES, embedding_size=6, hidden=8)
    with torch.no_grad():
        model.embedding.weight.mul_(40)  # so that it has opinions
    return model.eval()


def head(model) -> DeferralHead:
    logits, right = model.predict_logits(TEXTS), np.array([1, 0, 1, 0, 1, 0, 1, 0])
    return DeferralHead(Vocabulary(WORDS[:5])).fit(TEXTS, logits, right, np.ones(8, int))


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> dict[str, tuple]:
    torch.manual_seed(0)
    found = {}
    for name, model in {"an MLP": student(), "an ensemble": Ensemble([student(), student()])}.items():
        for router in ("confidence", "margin", Doubt("confidence", 0.3), head(model)):
            one = Switch(model, Teacher(), router).calibrate(TEXTS, LABELS, budget=0.5)
            folder = tmp_path_factory.mktemp("switch")
            one.save_pretrained(folder)
            found[f"{name}, {router if isinstance(router, str) else type(router).__name__}"] = one, folder
    return found


SWITCHES = [f"{name}, {router}" for name in ("an MLP", "an ensemble") for router in ("margin", "Doubt", "DeferralHead")]


@pytest.mark.parametrize("name", SWITCHES)
@settings(max_examples=10, deadline=None)
@given(texts=st.lists(st.text(max_size=20) | st.lists(st.sampled_from(WORDS), max_size=6).map(" ".join), max_size=4))
def test_a_saved_and_loaded_switch_gives_equal_answers_on_any_text(saved, name, texts):
    one, folder = saved[name]
    texts = [*texts, *TEXTS]
    loaded, alone = Switch.from_pretrained(folder, Teacher()), Switch.from_pretrained(folder)
    np.testing.assert_array_equal(loaded.predict(texts), one.predict(texts))
    np.testing.assert_array_equal(alone.predict(texts), one.student.predict(texts))
    assert loaded.threshold == one.threshold
    logits = one.student.predict_logits(texts)
    np.testing.assert_array_equal(loaded.router(texts, logits), one.router(texts, logits))


@pytest.mark.parametrize("name", SWITCHES)
def test_some_texts_were_deferred_and_others_not(saved, name):
    one, _ = saved[name]
    deferred = one.router(TEXTS, one.student.predict_logits(TEXTS)) >= one.threshold
    assert 0 < deferred.sum() <= 4


def test_a_switch_says_who_answers(saved):
    one, folder = saved["an MLP, margin"]
    assert one.describe().startswith(
        "the student (MLP) answers, and the teacher (letters) where the router (Doubt(rule="
    )
    alone = Switch.from_pretrained(folder)
    assert alone.teacher is None and alone.teacher_name == "letters"
    assert alone.describe() == "the student (MLP) answers every text: its teacher (letters) is not here"


@pytest.mark.parametrize(("budget", "threshold"), [(0, np.inf), (1, -np.inf)])
def test_the_ends_of_the_budget_are_kept(tmp_path, budget, threshold):
    one = Switch(student(), Teacher(), "confidence").calibrate(TEXTS, LABELS, budget=budget)
    one.save_pretrained(tmp_path)
    assert Switch.from_pretrained(tmp_path).threshold == threshold
    assert {path.suffix for path in tmp_path.rglob("*") if path.is_file()} == {".json", ".safetensors"}


def test_a_switch_without_threshold_stays_without(tmp_path):
    Switch(student(), Teacher(), "confidence").save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="call calibrate"):
        Switch.from_pretrained(tmp_path).predict(TEXTS)


def test_a_loaded_switch_checks_its_teacher(saved):
    teacher = Teacher()
    teacher.class_names = NAMES[::-1]
    with pytest.raises(ValueError, match="in another order"):
        Switch.from_pretrained(saved["an MLP, margin"][1], teacher)


def test_what_cannot_be_saved_is_named(tmp_path):
    for one in (Switch(student(), None, lambda texts, logits: margin(logits)), Switch(Teacher(), None, "margin")):
        with pytest.raises(ValueError, match="cannot save a switch of .* one of Doubt, DeferralHead") as error:
            one.save_pretrained(tmp_path / "switch")
        assert "\n" not in str(error.value) and not (tmp_path / "switch").exists()


def edit(**values):
    def change(folder):
        note = json.loads((folder / "switch.json").read_text())
        (folder / "switch.json").write_text(json.dumps(note | values))

    return change


def other_version(**values):
    """As a version with other routers would write it."""

    def change(folder):
        note = json.loads((folder / "switch.json").read_text())
        del note["sha256"]
        with written_together(folder / "other", "switch.json", note | values) as staged:
            for file in note["files"]:
                (staged / file).parent.mkdir(exist_ok=True)
                shutil.copy(folder / file, staged / file)
        shutil.copy(folder / "other" / "switch.json", folder)

    return change


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / "switch.json").unlink(), "no switch.json in .*: give a folder that"),
        (lambda folder: (folder / "switch.json").write_text(""), "switch.json in .* is damaged"),
        (lambda folder: (folder / "student" / "student.json").unlink(), "student/student.json is missing"),
        (lambda folder: student().save_pretrained(folder / "student"), "is not the one that switch.json was written"),
        (lambda folder: (folder / "router.safetensors").write_bytes(b""), "router.safetensors in .* is not the one"),
        (edit(threshold="0.5"), "switch.json in .* was changed by hand: load what was saved"),
        (other_version(kind="Oracle"), "switch.json in .* does not fit its files: save it again"),
        (other_version(threshold="high"), "does not fit its files"),
        (other_version(router={"rule": "entropy"}), "does not fit its files"),
    ],
)
def test_a_damaged_folder_is_named_in_one_line(tmp_path, damage, message):
    Switch(student(), Teacher(), "confidence").calibrate(TEXTS, LABELS, budget=0.5).save_pretrained(tmp_path)
    damage(tmp_path)
    with pytest.raises(ValueError, match=message) as error:
        Switch.from_pretrained(tmp_path)
    assert "\n" not in str(error.value)
