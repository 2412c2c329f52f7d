"""The maker of recordings, on a one-layer BERT and miniature corpora: what it writes, and that it can be stopped."""

import hashlib
import json
from dataclasses import replace

import pytest
import record
from tiny_checkpoints import tiny_bert

from distill_utils.cache import sha256_of
from distill_utils.profiles import PROFILES
from distill_utils.results.scoreboard import score
from distill_utils.teachers import CheckpointError, Recipe, Teacher, fine_tune, fine_tuning, recordings
from distill_utils.texts.tasks import load_task

RECIPE = Recipe(epochs=0.1, adapter_rank=1)
RECIPES = dict.fromkeys(record.TASKS, RECIPE)


@pytest.fixture
def made(tmp_path, monkeypatch):
    monkeypatch.setenv("DISTILL_QUIET", "1")
    monkeypatch.setenv("DISTILL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(recordings, "FOLDER", tmp_path / "recordings")
    checkpoint = tiny_bert(tmp_path / "bert")
    profile = replace(PROFILES["smoke"], teachers=(checkpoint,), recipes=RECIPES, half_recipe=RECIPE)
    monkeypatch.setattr(record, "PROFILE", profile)
    return recordings.FOLDER


def teacher_of(data):
    checkpoint = record.PROFILE.teachers[0]
    return fine_tune(checkpoint, data.texts("train"), data.labels("train"), data.task.labels, RECIPE)


def test_a_task_is_recorded_with_all_that_made_it(made, capsys):
    assert record.main(["cola", "--elsewhere", "a far machine"]) == 0
    told = capsys.readouterr().out.splitlines()[-2]
    assert [folder.name for folder in sorted(made.iterdir())] == ["cola-bert", "cola-bert-1-layers-d"]
    manifest = json.loads((made / "cola-bert" / "manifest.json").read_text())
    data = load_task("cola", source="miniature")
    assert manifest["recipe"]["adapter_rank"] == 1 and manifest["classes"] == list(data.task.labels)
    assert manifest["data"]["test"]["texts"] == len(data["test"]) and len(manifest["data"]["train"]["sha256"]) == 64
    files = next(iter(manifest["checkpoint"].values()))
    assert files["model.safetensors"] == sha256_of(f"{record.PROFILE.teachers[0]}/model.safetensors")
    assert set(manifest["versions"]) == {"python", *record.PACKAGES} and len(manifest["commit"].rstrip("+")) == 40
    assert manifest["earlier_runs_on"] == "a far machine"
    teacher = teacher_of(data)
    predictions = teacher.predict(data.texts("test"))
    expected = score("matthews_correlation", data.labels("test"), predictions)
    assert manifest["scores"]["test"] == pytest.approx(expected, abs=0.006)
    texts = {text for split in ("validation", "test") for text in data.texts(split)}
    assert manifest["answers"] == len(texts) and "computed now" in told
    assert teacher.answers() == f"{len(set(data.texts('test')))} recorded, 0 computed now"


def test_it_goes_on_where_it_was_stopped_and_other_tasks_are_left_alone(made, monkeypatch):
    assert record.main(["cola"]) == 0
    kept = {path: path.read_bytes() for path in made.rglob("*.*")}
    plain, asked = Teacher.logits, []

    def interrupted(self, texts, **options):
        if asked:
            raise KeyboardInterrupt
        asked.append(len(texts))
        return plain(self, texts, **options)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Teacher, "logits", interrupted)
        patch.setattr("distill_utils.teachers.labeller.Labeller.chunk", 50)
        record.main(["sst2"])
    assert {path: path.read_bytes() for path in made.rglob("*.*")} == kept
    train, trained = fine_tuning.train, []
    monkeypatch.setattr(fine_tuning, "train", lambda *a, **k: trained.append(a) or train(*a, **k))
    assert record.main(["sst2"]) == 0
    assert len(trained) == 1  # the first half; its teacher was done
    manifest = json.loads((made / "sst2-bert" / "manifest.json").read_text())
    assert "50 kept from earlier" in manifest["answers_in_this_run"]


def test_what_notebooks_asked_is_recorded_too(made):
    for _ in range(2):  # the second time with what the first half was taught
        assert record.main(["cola"]) == 0
    before = json.loads((made / "cola-bert" / "manifest.json").read_text())["answers"]
    data = load_task("cola", source="miniature")
    teacher_of(data).predict(["a text of a transfer set", "and another"])
    assert record.main(["cola"]) == 0
    assert json.loads((made / "cola-bert" / "manifest.json").read_text())["answers"] == before + 2


def test_a_task_that_cannot_be_recorded_does_not_stop_the_others(made, monkeypatch, capsys):
    experiments = record.experiments

    def gone(names, *arguments, **options):
        if names == ["cola"]:
            raise CheckpointError("no weights here")
        return experiments(names, *arguments, **options)

    monkeypatch.setattr(record, "experiments", gone)
    assert record.main(["cola", "sst2"]) == 1
    assert "cola: not recorded: no weights here" in capsys.readouterr().err
    assert {folder.name.partition("-")[0] for folder in made.iterdir()} == {"sst2"}


def test_an_unknown_task_is_one_line(capsys):
    with pytest.raises(SystemExit):
        record.main(["sst"])
    assert "unknown task sst: use cola, sst2, emotion, imdb" in capsys.readouterr().err


def test_a_hash_of_the_data_knows_texts_and_labels():
    data = load_task("cola", source="miniature")
    first = record.data_hashes(data)
    assert first == record.data_hashes(data) and len(set(first.values())) == 3
    texts, labels = data.texts("test"), data.labels("test")
    payload = json.dumps([texts, [int(label) for label in labels]])
    assert first["test"] == hashlib.sha256(payload.encode()).hexdigest()
