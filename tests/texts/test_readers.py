"""A folder's files and the hub's data sets by split: usual names, every file used or named, one line when not."""

import os
import time
import warnings

import datasets
import huggingface_hub
import pytest

from distill_utils.texts import readers
from distill_utils.texts.readers import data_folder, hub_in_reach, read_folder, read_hub
from distill_utils.texts.tables import DataError

CSV = "text,label\nNA,007\nb,7\n"


def write(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(CSV.replace("b,", f"{name},").replace(",", "\t" if "tsv" in name else ","))
    return folder


def refusal(function, *arguments):
    with pytest.raises(DataError) as error:
        function(*arguments)
    assert "\n" not in str(error.value)
    return str(error.value)


def texts_of(tables):
    return {split: table.frame["text"].tolist() for split, table in tables.items()}


@pytest.mark.parametrize(
    "split, name",
    [
        ("validation", "dev.csv"),
        ("validation", "valid.csv"),
        ("validation", "val.tsv"),
        ("validation", "eval.CSV"),
        ("validation", "Evaluation.csv"),
        ("test", "TEST.Csv"),
        ("test", "testing.csv"),
        ("unsupervised", "unlabelled.csv"),
        ("unsupervised", "unlabeled.tsv"),
        ("unsupervised", "pool.csv"),
    ],
)
def test_splits_by_their_usual_names(tmp_path, split, name):
    write(tmp_path, "training.csv", name, ".~lock.test.csv", "._test.csv", "README.md")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert texts_of(read_folder(tmp_path)) == {"train": ["NA", "training.csv"], split: ["NA", name]}


def test_a_file_that_no_split_takes_is_named(tmp_path):
    write(tmp_path, "train.csv", "tset.csv", "notes.csv")
    with pytest.warns(UserWarning, match=r"not used in .*: notes.csv, tset.csv; what is used is named train") as said:
        assert list(read_folder(tmp_path)) == ["train"]
    assert len(said) == 1 and "\n" not in str(said[0].message)


def test_a_split_in_another_format_is_named(tmp_path):
    write(tmp_path, "train.csv", "notes.txt")
    for name in ("test.xlsx", "Dev.csv.zip", "test.txt"):
        (tmp_path / name).write_bytes(b"PK")
    (tmp_path / "unlabelled").mkdir()
    with pytest.warns(UserWarning) as said:
        assert list(read_folder(tmp_path)) == ["train"]
    assert [str(one.message) for one in said] == [
        f"not used in {tmp_path.name!r}: Dev.csv.zip, test.txt, test.xlsx, unlabelled; what is used ends in .parquet, "
        ".csv, .tsv, .jsonl, .ndjson, .json"
    ]


def test_a_folder_has_a_name_from_within(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert f"no train split in {tmp_path.name!r}" in refusal(read_folder, type(tmp_path)("."))


@pytest.mark.parametrize(
    "names, named",
    [
        (["train.csv", "train.jsonl"], ["train.csv", "train.jsonl"]),
        (["train.csv", "dev.csv", "valid.tsv"], ["dev.csv", "valid.tsv"]),
        (["train.csv", "TRAIN.csv"], ["train.csv", "TRAIN.csv"]),
        (["train.csv", "train-00000-of-00001.csv"], ["train.csv", "train-00000-of-00001.csv"]),
        (["train-00000-of-00002.csv", "training-00001-of-00002.csv"], ["train-00000", "training-00001"]),
        (["train-00000-of-00001.csv", "train-00000-of-00001.tsv"], ["keep one"]),
    ],
)
def test_two_files_for_one_split(tmp_path, names, named):
    line = refusal(read_folder, write(tmp_path, *names))
    assert all(name in line for name in [*named, "keep one"])


def test_shards_are_one_split_in_order(tmp_path):
    features = datasets.Features(text=datasets.Value("string"), label=datasets.ClassLabel(names=["ham", "spam"]))
    for number in range(3):
        rows = datasets.Dataset.from_dict({"text": [f"from {number}"], "label": [number % 2]}, features=features)
        rows.to_parquet(tmp_path / "data" / f"train-0000{number}-of-00003.parquet")
    (tmp_path / "dataset_infos.json").write_text("{}")
    table = read_folder(tmp_path)["train"]  # the hub's layout: files in a folder "data"
    assert table.frame.to_dict("list") == {"text": ["from 0", "from 1", "from 2"], "label": [0, 1, 0]}
    assert table.class_names == {"label": ("ham", "spam")} and "train-00000-of-00003.parquet" in table.where(2)
    assert list(table.frame.index) == [0, 1, 2]
    (tmp_path / "data" / "train-00001-of-00003.parquet").unlink()
    assert "but not number 1: fetch it" in refusal(read_folder, tmp_path)


def test_shards_with_other_columns(tmp_path):
    write(tmp_path, "train-00000-of-00002.csv")
    (tmp_path / "train-00001-of-00002.csv").write_text("text,star\na,1\n")
    assert "train-00000-of-00002.csv and train-00001-of-00002.csv are parts of one" in refusal(read_folder, tmp_path)


def test_no_train_file(tmp_path):
    assert "no train split in 'mine'" in refusal(read_folder, write(tmp_path / "mine", "reviews.csv", "test.csv"))
    assert "it holds reviews.csv, test.csv" in refusal(read_folder, tmp_path / "mine")
    (tmp_path / "empty").mkdir()
    assert "it is empty" in refusal(read_folder, tmp_path / "empty")
    write(tmp_path / "many", *(f"{number}.csv" for number in range(12)))
    assert "and 4 more" in refusal(read_folder, tmp_path / "many")
    assert "cannot open the folder 'none': No such file" in refusal(read_folder, tmp_path / "none")


def test_the_data_folder(tmp_path, monkeypatch):
    monkeypatch.delenv("DISTILL_DATA", raising=False)
    assert data_folder() is None
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "sets").mkdir()
    monkeypatch.setenv("DISTILL_DATA", "~/sets")
    assert data_folder() == tmp_path / "sets"
    assert data_folder("~") == data_folder(tmp_path) == tmp_path
    monkeypatch.setenv("DISTILL_DATA", "~/set")
    assert "$DISTILL_DATA is '~/set', but there is no such folder" in refusal(data_folder)
    assert "data_dir is '/nowhere', but there is no such folder" in refusal(data_folder, "/nowhere")


def test_the_hub_out_of_reach_is_said_in_seconds(hub_out_of_reach, tmp_path):
    start = time.monotonic()
    line = refusal(read_hub, "owner/name", None)
    assert time.monotonic() - start < 5  # the hub's client alone would try for 20 s and more
    assert line.startswith("cannot get 'owner/name' from the hub: it is out of reach: connect to it")
    assert not datasets.config.HF_HUB_OFFLINE  # as it was


def test_reach_is_tried_where_the_hub_or_its_proxy_is(monkeypatch):
    tried = []

    def connect(address, timeout):
        tried.append(address)
        raise TimeoutError("timed out")

    monkeypatch.setattr(readers.socket, "create_connection", connect)
    monkeypatch.setattr(readers, "getproxies", dict)
    assert not hub_in_reach()
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "http://mirror:8080")
    assert not hub_in_reach()
    monkeypatch.setattr(readers, "getproxies", lambda: {"https": "proxy.example:3128"})
    assert not hub_in_reach()
    assert tried == [("huggingface.co", 443), ("mirror", 8080), ("proxy.example", 3128)]
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    assert not hub_in_reach() and len(tried) == 3


@pytest.fixture
def local_hub(monkeypatch, tmp_path):
    """`datasets` reads a folder as it reads a repository of the hub."""
    monkeypatch.setattr(readers, "hub_in_reach", lambda: True)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_hub_files_are_read_as_they_stand(local_hub):
    write(local_hub / "owner", "train.csv", "dev.csv")
    tables = read_hub("owner", None)
    assert texts_of(tables) == {"train": ["NA", "train.csv"], "validation": ["NA", "dev.csv"]}
    assert tables["train"].frame["label"].tolist() == ["007", "7"]


def test_hub_class_names_are_kept(local_hub):
    features = datasets.Features(text=datasets.Value("string"), label=datasets.ClassLabel(names=["ham", "spam"]))
    rows = datasets.Dataset.from_dict({"text": ["a", None], "label": [1, 0]}, features=features)
    rows.to_parquet(local_hub / "owner" / "train.parquet")
    table = read_hub("owner", None)["train"]
    assert table.class_names == {"label": ("ham", "spam")}
    assert table.frame.to_dict("list") == {"text": ["a", None], "label": [1, 0]}
    assert table.where(1) == "owner, train, row 1"


def test_several_configurations_are_named(local_hub):
    write(local_hub / "owner", "en.csv", "de.csv")
    (local_hub / "owner" / "README.md").write_text(
        "---\nconfigs:\n- config_name: en\n  data_files: en.csv\n- config_name: de\n  data_files: de.csv\n---\n"
    )
    line = "cannot get 'owner' from the hub: it has the configurations en, de: choose one, as in 'owner:en'"
    assert refusal(read_hub, "owner", None) == refusal(read_hub, "owner:fr", None) == line
    assert texts_of(read_hub("owner:de", None)) == texts_of(read_hub("owner", "de")) == {"train": ["NA", "de.csv"]}


@pytest.mark.parametrize(
    "error, message",
    [
        (datasets.exceptions.DatasetNotFoundError("Dataset 'o/n' doesn't exist\non the Hub"), "no public data set of"),
        (ConnectionError("Couldn't reach 'o/n' on the Hub"), "it is out of reach"),
        (RuntimeError("Dataset scripts\nare no longer supported"), "RuntimeError: Dataset scripts are no longer"),
        (KeyError("x" * 999), "KeyError: 'xxx"),
    ],
)
def test_what_the_hub_says_is_one_line(local_hub, monkeypatch, error, message):
    def fails(*_):
        raise error

    monkeypatch.setattr(datasets, "load_dataset_builder", fails)
    line = refusal(read_hub, "o/n", None)
    assert line.startswith("cannot get 'o/n' from the hub: ") and message in line and len(line) < 300


def test_other_split_names_of_the_hub(local_hub):
    (local_hub / "owner").mkdir()
    rows = datasets.Dataset.from_dict({"text": ["a"], "label": [1]})
    for name in ("train", "extra"):
        rows.to_parquet(local_hub / "owner" / f"{name}.parquet")
    (local_hub / "owner" / "README.md").write_text(
        "---\nconfigs:\n- config_name: default\n  data_files:\n  - split: train\n    path: train.parquet\n"
        "  - split: extra\n    path: extra.parquet\n---\n"
    )
    with pytest.warns(UserWarning, match="not used in 'owner': extra"):
        assert list(read_hub("owner", None)) == ["train"]


def test_no_home_folder(monkeypatch):
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)  # what it does where there is no home
    assert "$DISTILL_DATA is '~/set', but there is no such folder" in refusal(_with_data, monkeypatch, "~/set")


def _with_data(monkeypatch, folder):
    monkeypatch.setenv("DISTILL_DATA", folder)
    return data_folder()
