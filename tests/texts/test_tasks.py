"""Loading tasks: every source, every kind of bad input, and no test text in training."""

import json

import numpy as np
import pandas as pd
import pytest

from distill_utils.texts.tasks import TASKS, DataError, drop_overlaps, few_labels, load_task

GOOD = pd.DataFrame({"text": [f"text number {i}" for i in range(20)], "label": [i % 2 for i in range(20)]})


def write_splits(folder, **splits):
    folder.mkdir(parents=True, exist_ok=True)
    for split, frame in splits.items():
        frame.to_parquet(folder / f"{split}.parquet")
    return folder


def test_a_named_task_from_a_folder(tmp_path):
    held = GOOD.assign(text="held out " + GOOD.text)
    write_splits(tmp_path / "sst2", train=GOOD, validation=held[:5], test=held[5:], unsupervised=GOOD[["text"]])
    data = load_task("sst2", data_dir=str(tmp_path))
    assert (data.source, data.task.name) == ("folder", "sst2")
    assert data["train"].features["label"].names == ["negative", "positive"]
    assert {split: len(data[split]) for split in data} == {"train": 20, "validation": 5, "test": 15, "unsupervised": 20}
    np.testing.assert_array_equal(data.labels("train"), GOOD.label)


def test_class_names_become_their_numbers(tmp_path):
    names = np.array(["negative", "positive"])
    write_splits(tmp_path / "sst2", train=GOOD.assign(label=names[GOOD.label]))
    data = load_task("sst2", data_dir=str(tmp_path))
    expected = dict(zip(GOOD.text, GOOD.label, strict=True))
    for split in ("train", "validation", "test"):
        assert data.labels(split).tolist() == [expected[text] for text in data.texts(split)]


def test_the_environment_names_the_folder(tmp_path, monkeypatch):
    write_splits(tmp_path / "imdb", train=GOOD)
    monkeypatch.setenv("DISTILL_DATA", str(tmp_path))
    assert load_task("imdb").source == "folder"


def test_colas_validation_split_is_its_test_split(tmp_path):
    held = GOOD.assign(text="held out " + GOOD.text)
    write_splits(tmp_path / "cola", train=GOOD, validation=held[:6])
    data = load_task("cola", data_dir=str(tmp_path))
    assert data.texts("test") == held.text[:6].tolist()
    assert len(data["validation"]) == 2 and len(data["train"]) == 18  # a tenth of train
    assert not set(data.texts("validation")) & set(data.texts("train"))


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_own_data_as_a_file(tmp_path, suffix):
    frame = pd.DataFrame({"review": GOOD.text, "stars": ["good" if i % 2 else "bad" for i in range(20)]})
    path = tmp_path / f"mine.{suffix}"
    {
        "csv": lambda: frame.to_csv(path, index=False),
        "parquet": lambda: frame.to_parquet(path),
        "jsonl": lambda: path.write_text("\n".join(json.dumps(row) for row in frame.to_dict("records"))),
    }[suffix]()
    data = load_task(str(path), text_column="review", label_column="stars")
    assert data.task.labels == ("bad", "good") and data.source == "file"
    assert sum(len(data[split]) for split in data) == 20
    for split in data:  # odd numbers were good, and good is class 1
        assert data.labels(split).tolist() == [int(text.split()[-1]) % 2 for text in data.texts(split)]


def test_own_data_with_numbers_that_do_not_start_at_zero(tmp_path):
    path = tmp_path / "stars.csv"
    GOOD.assign(label=[1, 5] * 10).to_csv(path, index=False)
    data = load_task(str(path))
    assert data.task.labels == ("1", "5")
    assert set(data.labels("train")) == {0, 1}


def test_overlaps_are_dropped_on_the_training_side():
    frame = lambda *texts: pd.DataFrame({"text": texts})  # noqa: E731
    kept, dropped = drop_overlaps(
        {
            "train": frame("a", "B  b", "c"),
            "validation": frame("b b", "d"),
            "test": frame("D", "e"),
            "unsupervised": frame("e", "c", "x"),
        }
    )
    assert {split: list(found.text) for split, found in kept.items()} == {
        "train": ["a", "c"],
        "validation": ["b b"],
        "test": ["D", "e"],
        "unsupervised": ["c", "x"],
    }
    assert dropped == {"train": 1, "validation": 1, "test": 0, "unsupervised": 1}


def test_miniature_corpora_only_when_asked_for(hub_out_of_reach, monkeypatch, caplog):
    monkeypatch.delenv("DISTILL_DATA", raising=False)
    monkeypatch.setattr("time.sleep", lambda seconds: None)  # the hub's client waits between its tries
    data = load_task("emotion", source="miniature")
    assert data.source == "miniature" and data.task == TASKS["emotion"]
    assert len(load_task("cola", source="miniature")["test"]) == 600  # its labels are not private
    with pytest.raises(DataError, match=r"dair-ai/emotion.*connect.*DISTILL_DATA.*smoke"):
        load_task("emotion")
    assert not caplog.records  # one line, not one for each try


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda f: f.drop(columns="label"), "no column 'label' in train: it has 'text'"),
        (lambda f: f.drop(columns="text"), "no column 'text' in train"),
        (lambda f: f.assign(text=["", " ", *f.text[2:]]), r"2 empty text\(s\) in train, first in row 0"),
        (lambda f: f.assign(text=[None, *f.text[1:]]), r"1 empty text\(s\) in train"),
        (lambda f: f.assign(label=[0.0, np.nan, *f.label[2:]]), r"1 missing label\(s\) in train, first in row 1"),
        (lambda f: f.assign(label=[7, *f.label[1:]]), r"label '7' in train, row 0, is outside the class list"),
        (
            lambda f: f.assign(label=["maybe", *f.label[1:].map({0: "negative", 1: "positive"})]),
            "label 'maybe' in train",
        ),
    ],
)
def test_bad_data_gets_one_clear_line(tmp_path, change, message):
    held = GOOD.assign(text="held out " + GOOD.text)
    write_splits(tmp_path / "sst2", train=change(GOOD), validation=held[:5], test=held[5:])
    with pytest.raises(DataError, match=message) as error:
        load_task("sst2", data_dir=str(tmp_path))
    assert "\n" not in str(error.value)


def test_missing_split_and_damaged_file(tmp_path):
    write_splits(tmp_path / "sst2", test=GOOD)
    with pytest.raises(DataError, match="no train split"):
        load_task("sst2", data_dir=str(tmp_path))
    (tmp_path / "sst2" / "train.parquet").write_bytes(b"PAR1 cut short")
    with pytest.raises(DataError, match="train.parquet.*damaged"):
        load_task("sst2", data_dir=str(tmp_path))


@pytest.mark.parametrize(
    "name, message",
    [("emotoin", "unknown task 'emotoin': use one of emotion"), ("nowhere.csv", "no file 'nowhere.csv' here")],
)
def test_unknown_names(name, message):
    with pytest.raises(DataError, match=message):
        load_task(name)


def test_unknown_source():
    with pytest.raises(DataError, match="unknown data source 'disk'"):
        load_task("emotion", source="disk")


@pytest.mark.real_data
def test_emotion_as_published():
    data = load_task("emotion", source="folder")
    assert len(data["test"]) == 2000 and len(data["train"]) + data.dropped["train"] == 16_000
    assert not set(data.texts("train")) & set(data.texts("test"))
    assert data.task.labels[2] == "love"  # the blog says disgust


def test_few_labels_move_the_other_texts_to_the_pool(tmp_path):
    held = GOOD.assign(text="held out " + GOOD.text)
    write_splits(tmp_path / "imdb", train=GOOD, test=held, unsupervised=GOOD[["text"]].assign(text="pool " + GOOD.text))
    data = load_task("imdb", data_dir=str(tmp_path))
    few = few_labels(data, train=6, held_out=4)
    assert np.bincount(few.labels("train")).tolist() == [3, 3]
    assert len(few["test"]) == 4 and set(few.texts("test")) <= set(data.texts("test"))
    pool = few.texts("unsupervised")
    assert sorted(pool + few.texts("train")) == sorted(data.texts("train") + data.texts("unsupervised"))
    labels = dict(zip(data.texts("train"), data.labels("train"), strict=True))
    assert [labels[text] for text in few.texts("train")] == few.labels("train").tolist()


def test_imdbs_html_line_breaks_are_spaces(tmp_path):
    write_splits(tmp_path / "imdb", train=GOOD.assign(text="one<br /><br />two " + GOOD.text))
    assert load_task("imdb", data_dir=str(tmp_path)).texts("train")[0].startswith("one  two")
