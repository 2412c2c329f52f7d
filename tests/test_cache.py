"""What is kept on disk: whole or not at all, checked when read, one clear line when there is no room."""

import errno
import hashlib
import os

import numpy as np
import pytest
from safetensors.numpy import load, save

from distill_utils import cache, checks
from distill_utils.cache import (
    CacheError,
    LogitStore,
    cache_dir,
    keep,
    kept_texts,
    read_note,
    room_to_write,
    write_atomically,
    written_together,
)


def test_logits_come_back_by_text(tmp_path):
    store = LogitStore(tmp_path, 2)
    store.add(["a", "b"], np.array([[1, 2], [3, 4]]))
    again = LogitStore(tmp_path, 2)
    places = again.places(["b", "c", "a", "b"])
    assert (places < 0).tolist() == [False, True, False, False]
    np.testing.assert_array_equal(again.at(places[[0, 2, 3]]), [[3, 4], [1, 2], [3, 4]])
    assert again.at(again.places([])).shape == (0, 2)
    with pytest.raises(KeyError, match="1 of 4 texts have no logits here"):
        again.at(places)


def test_chunks_of_an_earlier_version_with_longer_keys_are_read(tmp_path):
    keys = b"".join(hashlib.blake2b(text.encode(), digest_size=16).digest() for text in ("a", "ß"))
    older = {"keys": np.frombuffer(keys, np.uint8).reshape(2, 16), "logits": np.array([[1, 2], [3, 4]], np.float16)}
    keep(tmp_path, "chunk", save(older))
    store = LogitStore(tmp_path, 2)
    assert store.places(["b"]) == [-1]
    np.testing.assert_array_equal(store.at(store.places(["ß", "a"])), [[3, 4], [1, 2]])
    assert load(store.as_chunk())["keys"].tobytes() == b"".join(sorted([keys[:8], keys[16:24]]))


def test_a_truncated_file_is_detected_and_forgotten(tmp_path):
    store = LogitStore(tmp_path, 2)
    store.add(["a"], np.ones((1, 2)))
    store.add(["b"], np.ones((1, 2)))
    victim = sorted(tmp_path.glob("*.safetensors"))[0]
    victim.write_bytes(victim.read_bytes()[:-3])
    with pytest.warns(UserWarning, match="damaged"):
        again = LogitStore(tmp_path, 2)
    assert (again.places(["a", "b"]) < 0).sum() == 1
    assert not victim.exists()


@pytest.fixture
def made(tmp_path, monkeypatch):
    monkeypatch.setenv("DISTILL_CACHE", str(tmp_path))
    calls = []

    def ask(texts=("plain", "", "ß and 🎬", "lone \ud800", "two\x1eparts"), what="some", out_of=("a",), by=checks):
        found = kept_texts(what, lambda: calls.append(what) or list(texts), out_of=[out_of], by=[by])
        return found, len(calls)

    return ask


def test_texts_are_made_once_and_come_back_as_they_were(made):
    first, again = made(), made()
    assert first == again == (["plain", "", "ß and 🎬", "lone \ud800", "two\x1eparts"], 1)
    assert made(texts=(), what="none") == ([], 2) == made(texts=(), what="none")


@pytest.mark.parametrize("change", [{"what": "other"}, {"out_of": ("a", "b")}, {"out_of": ("b",)}, {"by": cache}])
def test_texts_are_made_anew_from_other_texts_or_by_other_code(made, change):
    assert made()[1] == 1
    assert made(**change)[1] == 2


def test_damaged_texts_are_made_anew(made, tmp_path):
    assert made()[1] == 1
    (victim,) = (tmp_path / "texts").iterdir()
    victim.write_bytes(victim.read_bytes()[:-3])
    with pytest.warns(UserWarning, match="damaged"):
        assert made()[1] == 2


def test_no_space_left(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    write_atomically(tmp_path / "file", b"before")
    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(CacheError, match="no space left in .*DISTILL_CACHE"):
        write_atomically(tmp_path / "file", b"after")
    assert (tmp_path / "file").read_bytes() == b"before"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]  # no debris


def test_a_folder_that_cannot_be_written(tmp_path, monkeypatch):
    def denied(*_):
        raise OSError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "replace", denied)
    with pytest.raises(CacheError, match="cannot write to .*DISTILL_CACHE"):
        write_atomically(tmp_path / "file", b"data")


def test_the_folder_of_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DISTILL_CACHE", "~/dc")
    assert cache_dir() == tmp_path / "dc"
    monkeypatch.delenv("DISTILL_CACHE")
    assert cache_dir() == tmp_path / ".cache" / "distill_utils"


def test_no_home_folder(monkeypatch):
    def nobody(number):
        raise KeyError(f"getpwuid(): uid not found: {number}")

    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr("pwd.getpwuid", nobody)
    monkeypatch.setenv("DISTILL_CACHE", "/data/dc")
    assert str(cache_dir()) == "/data/dc"
    monkeypatch.setenv("DISTILL_CACHE", "~/dc")
    with pytest.raises(CacheError, match=r"DISTILL_CACHE is '~/dc', but there is no home folder here"):
        cache_dir()
    monkeypatch.delenv("DISTILL_CACHE")
    with pytest.raises(CacheError, match=r"^there is no home folder here: point \$DISTILL_CACHE at a folder"):
        cache_dir()


def test_a_read_only_folder_is_said_before_the_work(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root, who may run the tests, may write everywhere
    worked = False
    with pytest.raises(CacheError, match=r"cannot write to .*cache \(Permission denied\): point \$DISTILL_CACHE"):
        with room_to_write(tmp_path / "cache"):
            worked = True
    assert not worked


def test_a_file_where_the_folder_should_be(tmp_path):
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "logits"):
        with pytest.raises(CacheError, match=r"cannot write to .*file.*DISTILL_CACHE"):
            write_atomically(folder / "chunk", b"data")


@pytest.mark.parametrize(
    ("texts", "logits", "message"),
    [
        (["a", "b"], np.ones((1, 2)), r"logits of shape \(1, 2\): .* \(2, 2\)"),
        (["a"], np.ones((1, 3)), r"logits of shape \(1, 3\): .* \(1, 2\)"),
        (["a"], np.array([[np.nan, 1]]), "logits are not finite"),
        ("ab", np.ones((2, 2)), "one string is not a list of texts"),
    ],
)
def test_logits_that_do_not_fit_are_not_kept(tmp_path, texts, logits, message):
    with pytest.raises(ValueError, match=message):
        LogitStore(tmp_path, 2).add(texts, logits)
    assert list(tmp_path.iterdir()) == []


def test_logits_of_other_classes_are_refused(tmp_path):
    LogitStore(tmp_path, 2).add(["a"], np.ones((1, 2)))
    with pytest.raises(ValueError, match=r"logits of shape \(1, 2\): .* \(1, 3\)"):
        LogitStore(tmp_path, 3)


def test_files_written_together_come_all_or_not_at_all(tmp_path):
    with written_together(tmp_path / "folder", "note.json", {"a": 1}) as staged:
        (staged / "inner").mkdir()
        (staged / "inner" / "file").write_bytes(b"one")
    assert read_note(tmp_path / "folder", "note.json")["a"] == 1
    with pytest.raises(RuntimeError), written_together(tmp_path / "folder", "note.json", {"a": 2}) as staged:
        (staged / "file").write_bytes(b"two")
        raise RuntimeError
    assert read_note(tmp_path / "folder", "note.json")["a"] == 1
    assert sorted(path.name for path in (tmp_path / "folder").iterdir()) == ["inner", "note.json"]
    (tmp_path / "folder" / "inner" / "file").write_bytes(b"two")
    with pytest.raises(ValueError, match="inner/file in .* is not the one that note.json was written with"):
        read_note(tmp_path / "folder", "note.json")
