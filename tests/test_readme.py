"""README's results are generated: they equal results/laptop, and nothing else in the file is touched."""

import pytest
import readme

ROW = {
    "task": "emotion",
    "model": "MLP-D",
    "metric": "accuracy",
    "score": 90.0,
    "score_std": 0.25,
    "n_seeds": 3,
    "parameters": 80374,
    "parameters_without_embeddings": 374,
    "data_source": "folder",
    "teacher": "MiniLM-L6",
    "train_seconds": 1.5,
    "blog_score": 91.8,
}
SINGLE = {"score_std": None, "n_seeds": 1, "teacher": None}
TEACHER = {**ROW, **SINGLE, "model": "MiniLM-L6", "score": 92.0, "parameters": 22_715_910, "blog_score": None}
NOT_RUN = {**ROW, **SINGLE, "model": "BERT", "score": None, "parameters": 109_486_854, "data_source": "the blog"}
OLD = "# Title\n\n<!-- results:part1 -->\nstale\n<!-- /results -->\n\ntail <!-- a comment -->\n"


def test_the_readme_is_what_the_results_say():
    text = readme.README.read_text(encoding="utf-8")
    assert "<!-- results:part1 -->" in text
    results = readme.read_results()
    assert "part1" in results, "results/laptop/part1.json is missing: make notebooks writes it"
    assert text == readme.render(text, results), "README.md is older than results/laptop: run make readme"


def test_a_block_by_hand():
    assert readme.render(OLD, {"part1": [TEACHER, NOT_RUN, ROW]}) == (
        "# Title\n\n<!-- results:part1 -->\n"
        "On emotion, MLP-D keeps 97.8% of its teacher's accuracy (MiniLM-L6) with 283 times fewer parameters.\n\n"
        "| model | score | blog | parameters | teacher |\n"
        "|---|---:|---:|---:|---|\n"
        "| MiniLM-L6 | 92.0 |  | 22.7M |  |\n"
        "| **MLP-D** | 90.0 ± 0.2 | 91.8 | 80K | MiniLM-L6 |\n\n"
        "In the blog: BERT 91.8. These checkpoints come from the hub; the profile full runs them.\n\n"
        "Score: test accuracy in percent; ± is the standard deviation over 3 seeds. "
        "Data: the real data set, read from a folder. From `results/laptop/part1.json`.\n"
        "<!-- /results -->\n\ntail <!-- a comment -->\n"
    )


def test_names_are_shown_as_they_were_written():
    task, model = "a|b `c` <i>", "$0-$50 *x*_y_\nz\\-D"
    teacher = {**TEACHER, "task": task, "model": "M|1", "teacher": None}
    new = readme.render(OLD, {"part1": [teacher, {**ROW, "task": task, "model": model, "teacher": "M|1"}]})
    shown = r"<span>$</span>0-<span>$</span>50 \*x\*\_y\_ z\\-D"
    assert rf"On a\|b \`c\` &lt;i&gt;, {shown} keeps 97.8% of its teacher's accuracy (M\|1)" in new
    assert rf"| **{shown}** | 90.0 ± 0.2 | 91.8 | 80K | M\|1 |" in new


def test_rendering_twice_changes_nothing_and_a_changed_score_does():
    once = readme.render(OLD, {"part1": [ROW]})
    assert readme.render(once, {"part1": [ROW]}) == once
    assert readme.render(once, {"part1": [{**ROW, "score": 89.0}]}) != once


def test_parts_with_several_tasks_get_a_task_column_and_a_sentence_each():
    cola = [{**row, "task": "cola", "metric": "matthews_correlation", "score": 30.0} for row in (TEACHER, ROW)]
    text = OLD + "<!-- results:part2 -->\n<!-- /results -->\n"
    new = readme.render(text, {"part1": [ROW], "part2": [TEACHER, ROW, *cola]})
    assert "| task | model | score |" in new and "| cola | **MLP-D** | 30.0 ± 0.2 |" in new
    assert "On cola, MLP-D keeps 100.0% of its teacher's Matthews correlation" in new
    assert new.count(readme.END) == 2 and "In the blog" not in new


def test_what_only_the_blog_has_run_is_a_line_a_task_below_the_table():
    cola = {**NOT_RUN, "task": "cola", "metric": "matthews_correlation", "blog_score": 52.8}
    new = readme.render(OLD, {"part1": [TEACHER, ROW, NOT_RUN, cola]})
    assert "| BERT |" not in new and "not run" not in new
    assert "\n\nemotion: In the blog: BERT 91.8. These" in new and "\n\ncola: In the blog: BERT 52.8. These" in new


def test_no_sentence_without_the_teacher_s_score():
    assert "keeps" not in readme.render(OLD, {"part1": [ROW, {**TEACHER, "score": None}]})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (OLD.replace("part1", "part9"), r"marker results:part9.*there are: part1"),
        ("<!-- results:part1 -->\n", "results:part1 is not closed"),
        ("<!-- results:part1 -->\n" + OLD, "results:part1 is not closed"),
    ],
)
def test_a_marker_that_cannot_be_filled_is_refused_in_one_line(text, message):
    with pytest.raises(readme.Refused, match=message) as refusal:
        readme.render(text, {"part1": [ROW]})
    assert "\n" not in str(refusal.value)


def test_a_refused_readme_is_left_alone(tmp_path, monkeypatch, capsys):
    file = tmp_path / "README.md"
    file.write_text(OLD, encoding="utf-8")
    monkeypatch.setattr(readme, "README", file)
    monkeypatch.setattr(readme, "read_results", dict)
    assert readme.main() == 2
    assert file.read_text(encoding="utf-8") == OLD
    assert "there are: none" in capsys.readouterr().err
    monkeypatch.setattr(readme, "read_results", lambda: {"part1": [ROW]})
    assert readme.main() == 0 and "MLP-D" in file.read_text(encoding="utf-8")
