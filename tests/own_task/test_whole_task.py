"""From a teacher to the hand-over on a tiny task: what is chosen, compared, switched, written, and loaded elsewhere."""

import json
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from distill_utils.experiment import Experiment
from distill_utils.own_task import comparison, cost, handover, ladder, switching, teaching
from distill_utils.profiles import PROFILES
from distill_utils.switch import Switch
from distill_utils.switch.routers import Doubt
from distill_utils.teachers import CheckpointError, Labeller
from distill_utils.texts.tasks import load_task

WORDS = ("apple", "pie", "plum")


class Rule(Labeller):
    """It knows which word stands for which class, and is a little in doubt."""

    name, class_names, fingerprint = "rule", WORDS, "rule" * 8

    def __init__(self, known=None):
        self.known = known

    @property
    def any_text(self):
        return self.known is None

    def answerable(self, texts):
        return [text for text in texts if self.known is None or text in self.known]

    def logits(self, texts):
        return np.array([[3.0 * (word in text.split()) for word in WORDS] for text in texts], np.float32)


def table(path, n, metric="accuracy"):
    random = np.random.default_rng(0)
    rows = []
    for i in range(n):
        word = WORDS[0 if i % 4 < 2 else i % 4 - 1]  # half of them are apples
        rows.append((f"the {word} {i} is {random.choice(['red', 'good', 'here'])}", word))
    pd.DataFrame(rows, columns=["text", "label"]).to_csv(path, index=False)
    return load_task(str(path), metric=metric)


@pytest.fixture(scope="module")
def task(tmp_path_factory):
    bilstm = {"embedding_size": 4, "hidden": 4, "dense": 4}
    profile = replace(PROFILES["smoke"], bilstm=bilstm, ladder={"mlp": (600, 2400), "bilstm": (200, 400)})
    data = table(tmp_path_factory.mktemp("data") / "fruit.csv", 240, metric="macro_f1")
    found = Experiment(data, profile, seeds=2, words=100, more=["a plum of mine", "a pie of mine"])
    found.baselines()
    found.teach(teacher=Rule())
    return found


@pytest.fixture(scope="module")
def rungs(task):
    return ladder.rungs(task, ladder.BAG, task.texts["train"], task.teacher.soft_labels(task.texts["train"]))


def test_the_transfer_sets_hold_no_held_out_text(task):
    kinds, _ = ladder.transfer_kinds(task, ["given"])
    assert kinds["unlabelled"] == task.pool and "word probes" in kinds
    held = set(task.held_out)
    assert not held & {text for texts in kinds.values() for text in texts}
    sets = ladder.choices(kinds)
    assert list(sets)[0] == "training texts" and sets["training texts"] == task.texts["train"]
    assert sets["+ unlabelled"] == task.texts["train"] + task.pool
    assert len(sets["all kinds"]) == sum(map(len, kinds.values()))


def test_a_table_gives_only_the_texts_that_it_answers(task):
    other = Experiment(task.data, task.profile, seeds=1, words=100, more=["a plum of mine", "a pie of mine"])
    other.teach(teacher=Rule(known={*task.texts["train"][:50], "a plum of mine"}))
    kinds, _ = ladder.transfer_kinds(other, ["given"])
    assert kinds == {"train": task.texts["train"][:50], "unlabelled": ["a plum of mine"]}
    assert not teaching.answers(other, "test") and teaching.answers(task, "test")
    frame, why = teaching.sensitivity(other)
    assert "cannot be asked about shuffled texts" in why and len(frame) == 3


def test_the_set_is_chosen_on_validation(task):
    sets = {"training texts": task.texts["train"], "noise": ["so it is"] * 50}
    best, scores = ladder.choose_transfer_set(task, sets)
    assert best == "training texts" and scores["noise"] < scores["training texts"]


def test_each_rung_learns_from_its_own_labels(task, rungs):
    assert list(rungs) == [ladder.SOFT, ladder.PSEUDO, ladder.HARD, ladder.WEIGHTED]  # macro-F1 asks for weights
    for rung in rungs.values():
        assert len(rung.models) == 2 and rung.validation == task.validation(rung.models)
    said = torch.softmax(torch.from_numpy(rungs[ladder.SOFT].models[0].predict_logits(["the pie is"])), -1)[0]
    hard = torch.softmax(torch.from_numpy(rungs[ladder.PSEUDO].models[0].predict_logits(["the pie is"])), -1)[0]
    assert said.argmax() == hard.argmax() == 1
    assert said.max() < hard.max()  # the teacher is in doubt, and its student with it
    row = ladder.record(task, rungs[ladder.HARD])
    assert row["labels"] == ladder.HARD and task.board[rungs[ladder.HARD].name].teacher is None
    assert row["test %"][0] == task.board[rungs[ladder.HARD].name].score


def test_calibration_shows_a_teacher_that_doubts_too_much(task):
    found = teaching.calibration(task).set_index("teacher")
    assert found.loc["as it is", "accuracy %"] == 100
    as_it_is = 100 * np.exp(3) / (np.exp(3) + 2)
    assert found.loc["as it is", "confidence %"] == pytest.approx(as_it_is, abs=0.1)
    assert found.loc["as it is", "calibration error"] == pytest.approx(100 - as_it_is, abs=0.1)
    assert found.loc["at the temperature of validation", "calibration error"] < 5  # 24 texts say no more


def test_a_rule_of_words_does_not_mind_their_order(task):
    frame, line = teaching.sensitivity(task)
    assert frame["task"].tolist() == ["yours", "IMDB", "SST-2", "CoLA"] and frame["WOS"][0] == 0
    assert "close to IMDB" in line


def test_the_decision_table(task, rungs):
    models = rungs[ladder.SOFT].models
    found = comparison.compare(task, {"TF-IDF": [task.linear], "bag": models}).set_index("model")
    assert found.index.tolist() == ["rule", "TF-IDF", "bag"]
    assert found.loc["rule", "macro-F1 %"] == 100 and found.loc["bag", "macro-F1 %"][0] == pytest.approx(
        np.mean([task.score(model.predict(task.texts["test"])) for model in models])
    )
    times = r"(\d[\d.]*) \((\d[\d,.]*)x\)"
    singles = found["ms a text"].str.fullmatch(times), found["ms a text"].str.extract(times).astype(float)
    assert singles[0].all() and found["texts a second"].str.fullmatch(r"\d[\d,.]* \(\d[\d,.e+]*x\)").all()
    assert singles[1].loc["rule", 1] == 1 and found.loc["rule", "texts a second"].endswith(" (1x)")
    latency, ratio = singles[1][0], singles[1][1]
    assert ratio["bag"] == pytest.approx(latency["rule"] / latency["bag"], rel=0.1)
    assert (found["on disk"] != "").all()
    points, low, high = re.fullmatch(r"(\S+) \((\S+) \.\. (\S+)\)", found.loc["bag", comparison.AGAINST]).groups()
    assert float(low) <= float(points) <= float(high) <= 0 + 300 / len(task.texts["test"])


def test_a_table_is_not_timed_and_not_compared_where_it_has_no_answer(task, rungs):
    other = Experiment(task.data, task.profile, seeds=1, words=100)
    other.teach(teacher=Rule(known=set(task.texts["train"])))
    found = comparison.compare(other, {"bag": rungs[ladder.SOFT].models}).set_index("model")
    assert found.loc["rule", "macro-F1 %"] is None and pd.isna(found.loc["rule", "ms a text"])
    assert found.loc["bag", comparison.AGAINST] is None and "x)" not in found.loc["bag", "ms a text"]


def test_the_switch_keeps_to_its_budget_on_validation(task, rungs):
    student = ladder.best_model(task, rungs[ladder.SOFT])
    switch = switching.calibrated(task, student, budget=0.25)
    texts = task.texts["validation"]
    assert (switch.router(texts, student.predict_logits(texts)) >= switch.threshold).mean() <= 0.25
    used = switching.in_use(task, switch)
    assert used["teacher"] == 100 and used["switch"] >= used["student"] and used["speed-up"] > 0
    drawn, points = switching.trade(task, switch, used["speed-up"])
    assert drawn["confidence"][1][-1] == points["teacher"][1] == 100
    speed, chance = drawn["random"]
    ends = points["student"][1], points["teacher"][1]
    assert chance == pytest.approx(np.linspace(*ends, len(chance))) and (np.diff(speed) < 0).all()
    assert points["student"][1] == pytest.approx(
        100 * (student.predict(task.texts["test"]) == task.labels["test"]).mean()
    )


def test_a_loss_needs_the_teachers_answers(task, rungs):
    other = Experiment(task.data, task.profile, seeds=1, words=100)
    other.teach(teacher=Rule(known=set(task.texts["train"])))
    with pytest.raises(ValueError, match="does not answer the validation texts: set a budget"):
        switching.calibrated(other, rungs[ladder.SOFT].models[0], max_loss=1.0)
    switch = switching.calibrated(other, rungs[ladder.SOFT].models[0], budget=0.1)
    assert set(switching.in_use(other, switch)) == {"deferred %", "their words %"}


def test_what_is_handed_over_answers_elsewhere_as_here(task, rungs, tmp_path):
    student = ladder.best_model(task, rungs[ladder.SOFT])
    switch = switching.calibrated(task, student, budget=0.3)
    folder = tmp_path / "hand over"
    for _ in range(2):  # a second run writes over the first
        handover.write(
            folder,
            student=student,
            switch=switch,
            results={"f1": np.float32(1), "rows": [{"x": float("nan")}, (np.int64(2),)]},
            card="c",
            report="<r>",
        )
    assert sorted(path.name for path in folder.iterdir()) == [
        "README.md", "report.html", "results.json", "student", "switch",
    ]  # fmt: skip
    found = json.loads((folder / "results.json").read_text(), parse_constant=pytest.fail)
    assert found == {"f1": 1.0, "rows": [{"x": None}, [2]]}
    assert handover.contents(folder)["file"].tolist()[:2] == ["student/", "switch/"]
    texts = [*task.texts["test"], "", "naïve \u2028 text"]
    assert handover.answers_elsewhere(folder, texts) == handover.answers(student, switch, texts)
    (folder / "student" / "student.safetensors").write_bytes(b"damaged")
    with pytest.raises(ValueError, match="^what was handed over cannot be loaded elsewhere: [^\n]*student"):
        handover.answers_elsewhere(folder, texts)


def test_the_model_card_holds_what_users_wrote_in_one_line_each():
    classes = pd.DataFrame({"class": ["a|b\nc"], "texts": [3], "F1": [66.66]})
    compared = pd.DataFrame({"model": ["bag"], "score": [(90.0, 1.26)], "speed": [None]})
    card = handover.model_card(
        task="x\ny", sentence="Take it.", data={"data set": "m|e"}, decision=compared, classes=classes, switch="Set.",
        limits=["Few texts."],
    )  # fmt: skip
    assert "# A small text classifier for x y\n" in card and "- data set: m\\|e" in card
    assert "| a\\|b c | 3 | 66.7 |" in card and "| bag | 90.0 ± 1.3 |  |" in card
    assert card.index("## Data") < card.index("## Size") < card.index("## Each class") < card.index("## Limits")


def test_sizes_are_those_of_the_files(rungs, tmp_path):
    student = rungs[ladder.SOFT].models[0]
    student.save_pretrained(tmp_path)
    assert cost.bytes_on_disk(student) == sum(path.stat().st_size for path in tmp_path.iterdir())


@pytest.mark.parametrize(
    "count, text", [(999, "999 B"), (999.6, "1 KB"), (330_000, "330 KB"), (90_900_000, "90.9 MB"), (2.5e9, "2.5 GB")]
)
def test_bytes_for_people(count, text):
    assert cost.human_bytes(count) == text


def test_what_is_kept_is_a_share_of_the_teachers_validation_score(task, rungs):
    rung = replace(rungs[ladder.SOFT], validation=(75.4, 1.0))
    assert ladder.kept(task, [rung]) == (
        "Of the validation score of rule the taught students keep: bag-of-words MLP 75%."
    )  # the rule itself scores 100
    other = Experiment(task.data, task.profile, seeds=1, words=100)
    other.teach(teacher=Rule(known=set(task.texts["train"])))
    assert "does not answer" in ladder.kept(other, [rung])


@pytest.mark.parametrize(
    "threshold, line",
    [
        (
            0.08184,
            "asks T where the student's doubt (1 - its largest probability, at temperature 1.23) is 0.0818 or more",
        ),
        (np.inf, "never asks T"),
        (-np.inf, "asks T about every text"),
    ],
)
def test_the_switch_says_when_it_asks(rungs, threshold, line):
    switch = Switch(rungs[ladder.SOFT].models[0], None, Doubt("confidence", 1.234))
    switch.threshold = threshold
    assert switching.describe(switch, "T") == f"The switch {line}."


def test_the_teacher_may_be_a_table_a_saved_one_or_a_checkpoint(task, tmp_path, monkeypatch):
    columns = {"text_column": "text", "label_column": "label"}
    rows = pd.DataFrame({"text": task.texts["train"], **dict.fromkeys(WORDS, 0.25)}).assign(plum=0.5)
    rows.to_csv(tmp_path / "answers.csv", index=False)
    found = teaching.teacher_of(task, str(tmp_path / "answers.csv"), **columns)
    assert found.soft_labels(task.texts["train"][:2]) == pytest.approx(np.array([[0.25, 0.25, 0.5]] * 2), abs=1e-3)
    assert found.class_names == WORDS and not found.any_text
    asked = []
    monkeypatch.setattr(teaching, "fine_tune", lambda *arguments: asked.append(arguments) or "tuned")
    assert teaching.teacher_of(task, "me/model", **columns) == "tuned"
    name, texts, labels, names, recipe = asked[0]
    assert (name, texts, names) == ("me/model", task.texts["train"], WORDS)
    assert labels.tolist() == task.labels["train"].tolist() and recipe == task.profile.own_recipe(len(texts))
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "teacher.json").write_text("{}")
    with pytest.raises(CheckpointError, match="damaged"):  # read as a saved teacher, not fine-tuned
        teaching.teacher_of(task, str(tmp_path / "saved"), **columns)
