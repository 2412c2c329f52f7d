"""Profiles: which one is chosen and why, and parameters that cannot be used."""

from dataclasses import replace
from pathlib import Path

import pytest

from distill_utils import profiles
from distill_utils.profiles import (
    HALF_RECIPES,
    MINILM_RECIPES,
    MPNET_RECIPES,
    PROFILES,
    ProfileError,
    check_parameters,
    start,
)


@pytest.fixture(autouse=True)
def bare(monkeypatch):
    for name in ("DISTILL_PROFILE", "DISTILL_DATA", "DISTILL_OUTPUT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(Path(__file__).resolve().parent.parent / "notebooks")  # where notebooks run


def test_a_notebook_on_its_own_writes_below_where_it_is_and_says_so(monkeypatch, tmp_path):
    assert start("smoke", "emotion").output == Path("../build/notebooks")
    monkeypatch.chdir(tmp_path)
    alone = start("smoke", "mine.csv")
    assert alone.output == Path("distill_results")
    assert str(alone).endswith(" teacher. Results and figures go to distill_results/, beside this notebook.")
    monkeypatch.setenv("DISTILL_OUTPUT", str(tmp_path / "there"))
    assert start("smoke", "emotion").output == tmp_path / "there" and "go to" not in str(start("smoke", "emotion"))


def test_what_is_asked_for_wins(monkeypatch):
    monkeypatch.setenv("DISTILL_PROFILE", "laptop")
    assert start("smoke", "emotion").profile is PROFILES["smoke"]
    assert start("auto", "emotion").profile is PROFILES["laptop"]


def test_smoke_touches_no_network():
    assert start("smoke", "emotion").profile.source == "miniature"  # any connection would fail this test


def test_auto_without_data_and_hub_is_smoke_and_says_so(hub_out_of_reach):
    run = start("auto", "emotion")
    assert run.profile.name == "smoke"
    assert "\n" not in str(run) and "NOT the real data" in str(run) and "$DISTILL_DATA" in str(run)


@pytest.mark.parametrize("name", ["emotion.csv", "./cola", "me/imdb"])
def test_own_data_is_not_said_to_be_a_named_tasks(name):
    assert str(start("smoke", name)) == "Profile smoke (asked for): your own data, MiniLM teacher."
    assert str(start("laptop", "emotion")) == "Profile laptop (asked for): real data, MPNet-base teacher."


def test_auto_with_data_is_laptop(hub_out_of_reach, monkeypatch, tmp_path):
    (tmp_path / "emotion").mkdir()
    monkeypatch.setenv("DISTILL_DATA", str(tmp_path))
    assert start("auto", "emotion").profile.name == "laptop"
    assert start("auto", "sst2").profile.name == "smoke"


def test_a_data_folder_that_is_not_there_is_said(hub_out_of_reach, monkeypatch, tmp_path):
    monkeypatch.setenv("DISTILL_DATA", str(tmp_path / "sets"))
    with pytest.raises(ValueError, match=r"^\$DISTILL_DATA is '.*sets', but there is no such folder"):
        start("auto", "emotion")
    assert start("auto", "mine.csv").profile.name == "laptop"  # own data does not need it


def test_home_is_expanded(monkeypatch, tmp_path, hub_out_of_reach):
    (tmp_path / "sets" / "sst2").mkdir(parents=True)
    for name, value in {"HOME": str(tmp_path), "DISTILL_DATA": "~/sets", "DISTILL_OUTPUT": "~/out"}.items():
        monkeypatch.setenv(name, value)
    run = start("auto", "sst2")
    assert (run.profile.name, run.output) == ("laptop", tmp_path / "out")


def test_auto_with_a_gpu_and_the_hub_is_full(monkeypatch):
    monkeypatch.setattr(profiles, "hub_in_reach", lambda: True)
    assert start("auto", "emotion").profile.name == "laptop"
    monkeypatch.setattr(profiles.torch.cuda, "is_available", lambda: True)
    assert start("auto", "emotion").profile.name == "full"


def test_unknown_profile():
    with pytest.raises(ProfileError, match="unknown profile 'lptop': use smoke, laptop, full or auto"):
        start("lptop", "emotion")


def test_the_variable_is_named_where_it_is_wrong(monkeypatch):
    monkeypatch.setenv("DISTILL_PROFILE", "SMOKE")
    with pytest.raises(ProfileError, match=r"^unknown profile in \$DISTILL_PROFILE 'SMOKE': use smoke"):
        start("auto", "emotion")
    monkeypatch.setenv("DISTILL_OUTPUT", "~no such user/out")
    with pytest.raises(ProfileError, match=r"^\$DISTILL_OUTPUT is '~no such user/out', but there is no such home"):
        start("smoke", "emotion")


def test_own_data_is_not_said_to_lie_in_a_folder(hub_out_of_reach):
    assert str(start("auto", "me/reviews")).startswith(
        "Profile laptop (automatic: the data is your own): your own data,"
    )


@pytest.mark.parametrize("profile", PROFILES)
def test_the_teacher_of_the_profile_is_the_default(profile):
    first = PROFILES[profile].teachers[0]
    assert start(profile, "emotion", teacher=first).profile is start(profile, "emotion").profile is PROFILES[profile]


def test_another_teacher_takes_the_first_place_with_recipes_of_its_size(tmp_path):
    chosen = start("full", "cola", teacher="mpnet").profile
    assert chosen.teachers[0] == "mpnet" and chosen.recipe("cola") == MPNET_RECIPES["cola"]
    assert chosen.fine_tune == MPNET_RECIPES["emotion"] and chosen.recipe_of_half("cola") == HALF_RECIPES["cola"]
    minilm = start("laptop", "cola", teacher="minilm").profile
    assert minilm.recipe("cola") == MINILM_RECIPES["cola"] and minilm.small is None
    assert start("laptop", "mine.csv").profile.teachers[0] == "minilm" != PROFILES["laptop"].teachers[0]
    bert = start("full", "imdb", teacher="google-bert/bert-base-uncased").profile
    assert bert.teachers[0] == "google-bert/bert-base-uncased" and len(set(bert.teachers)) == len(bert.teachers) == 3
    assert bert.recipe("imdb") == PROFILES["full"].recipe("imdb")
    small = start("smoke", "emotion", teacher="mpnet").profile
    assert small.fine_tune == replace(PROFILES["smoke"].fine_tune, learning_rate=5e-5)
    assert (chosen.pool, small.source) == (PROFILES["full"].pool, "miniature")


def test_the_line_says_which_teacher(tmp_path):
    assert str(start("laptop", "emotion", teacher="mpnet")).endswith("real data, MPNet-base teacher.")
    assert "generates, me/bert teacher. These are NOT" in str(start("smoke", "emotion", teacher="me/bert"))
    line = str(start("laptop", "mine.csv", teacher=str(tmp_path / "checkpoint")))
    assert line.endswith("your own data, checkpoint teacher.")


@pytest.mark.parametrize(
    "value, kind, message",
    [
        ("many", int, "seeds is 'many', a str: give a int"),
        (0, int, "from 1 on"),
        (True, int, "a bool"),
        (3, str, "give a str"),
    ],
)
def test_impossible_parameters(value, kind, message):
    with pytest.raises(ProfileError, match=message):
        check_parameters({"seeds": value}, seeds=kind)


def test_unknown_parameters_are_those_papermill_injected():
    cells = ["", 'profile: str = "auto"', '# Parameters\nseedz = 3\nprofile = "smoke"\n', "import numpy as np"]
    with pytest.raises(ProfileError, match="unknown parameter 'seedz': this notebook takes profile, seeds"):
        check_parameters({"In": cells, "profile": "smoke", "seeds": 3, "seedz": 3}, profile=str, seeds=int)


def test_good_parameters_pass():
    check_parameters(
        {"In": ["# Parameters\nseeds = 3"], "seeds": 3, "profile": "auto", "np": 1}, seeds=int, profile=str
    )


def test_small_sets_are_seen_more_often_within_limits():
    profile = PROFILES["laptop"]
    assert [profile.passes(n) for n in (100, 40_000, 100_000, 10**6)] == [20, 19, 8, 2]


def test_a_task_may_have_students_of_its_own():
    laptop, smoke = PROFILES["laptop"], PROFILES["smoke"]
    assert laptop.conv_of("sst2")["rare_size"] == 2 and "rare_size" not in laptop.conv_of("cola") == laptop.conv
    assert smoke.conv_of("sst2") == smoke.conv
    assert laptop.bilstm_of("imdb") == laptop.bilstm | {"dropout": 0.0} and laptop.bilstm_of("mine") == laptop.bilstm
    assert laptop.bilstm_of("cola") == laptop.bilstm_of("imdb") | {"embedding_size": 64, "hidden": 128}


def test_the_teacher_of_a_small_data_set_reads_it_more_often_within_limits():
    laptop = profiles.taught_by(PROFILES["laptop"], "minilm")
    assert [laptop.own_recipe(n).epochs for n in (100, 4000, 100_000)] == [5, 2.5, laptop.fine_tune.epochs]
    assert laptop.own_recipe(100).learning_rate == laptop.fine_tune.learning_rate


def test_a_whole_number_is_a_float_too():
    check_parameters({"budget": 1}, budget=float)
    with pytest.raises(ProfileError, match="budget is True, a bool: give a float"):
        check_parameters({"budget": True}, budget=float)


def test_without_a_data_set_auto_is_smoke_whatever_this_machine_has(monkeypatch):
    monkeypatch.setattr(profiles, "hub_in_reach", lambda: True)
    assert start("auto", "").profile.name == "smoke"
