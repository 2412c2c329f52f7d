"""The notebook's parameters: each wrong one is said in one line, before anything is loaded."""

from pathlib import Path

import pytest

from distill_utils.own_task import parameters
from distill_utils.profiles import ProfileError

GOOD = {
    "profile": "smoke",
    "dataset": "",
    "text_column": "text",
    "label_column": "label",
    "unlabelled": "",
    "teacher": "minilm",
    "metric": "accuracy",
    "seeds": 3,
    "budget": -1.0,
    "max_loss": -1.0,
    "output": "",
}


@pytest.fixture(autouse=True)
def here(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DISTILL_OUTPUT", str(tmp_path / "out"))
    monkeypatch.delenv("DISTILL_PROFILE", raising=False)
    return tmp_path


def test_without_a_data_set_the_example_is_written_and_said_so_loudly(here):
    found = parameters.read(GOOD | {"profile": "auto"})
    assert found.generated and found.run.profile.name == "smoke"  # whatever this machine has
    assert Path(found.dataset).is_file() and found.unlabelled.is_file()
    assert found.folder == here / "out" / "your_own_task"
    assert "NOT your data" in str(found) and str(here) not in str(found)


def test_your_own_data_is_taken_as_it_is(here):
    (here / "mine.csv").write_text("text,label\n")
    found = parameters.read(GOOD | {"dataset": "mine.csv", "output": "there", "teacher": "me/model"})
    assert (found.dataset, found.unlabelled, found.folder, found.generated) == ("mine.csv", None, Path("there"), False)
    assert found.run.profile.teachers[0] == "me/model"
    assert (
        str(found).endswith("The hand-over goes to there/.") and "NOT" not in str(found) and not (here / "out").exists()
    )


@pytest.mark.parametrize(
    "asked, limits",
    [
        ({}, {"budget": 0.1}),
        ({"budget": 0.25}, {"budget": 0.25}),
        ({"budget": 0}, {"budget": 0.0}),
        ({"max_loss": 1}, {"max_loss": 1.0}),
    ],
)
def test_the_switchs_limits(asked, limits):
    assert parameters.read(GOOD | asked).limits == limits


@pytest.mark.parametrize(
    "wrong, message",
    [
        ({"metric": "f1"}, "metric is 'f1': give one of accuracy, macro_f1, matthews_correlation"),
        ({"budget": 0.1, "max_loss": 0.5}, "exclude each other"),
        ({"budget": 10.0}, "a share of the texts, from 0 to 1"),
        ({"budget": "0.1"}, "budget is '0.1', a str: give a float"),
        ({"budget": True}, "give a float"),
        ({"seeds": 0}, "from 1 on"),
        ({"dataset": "gone.csv"}, "dataset is 'gone.csv': no such file"),
        ({"unlabelled": "gone.txt"}, "unlabelled is 'gone.txt': no such file"),
        ({"teacher": "./gone"}, "teacher is './gone': no such file or folder"),
        ({"teacher": "answers.parquet"}, "no such file"),
        ({"teacher": ""}, "teacher is empty"),
        ({"profile": "lptop"}, "unknown profile"),
        ({"In": ["# Parameters\nbudgett = 1\n"]}, "unknown parameter 'budgett'"),
    ],
)
def test_a_value_that_cannot_be_used_is_said_in_one_line(wrong, message):
    with pytest.raises(ProfileError, match=f"^[^\n]*{message}[^\n]*$"):
        parameters.read(GOOD | wrong)
