"""README and docs/results.md are generated: they equal results/laptop, and nothing else in them is touched."""

import json

import ablation
import matplotlib.pyplot as plt
import pytest
import readme
from PIL import Image

from distill_utils.results.scoreboard import Scoreboard

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


def everything():
    """Results with all that README names: each task's teacher, the blog's, word counts and the chosen rows."""
    rows = []
    for score, (task, (blogs, *models)) in enumerate(readme.CHOSEN.items(), start=80):
        rows += [{**TEACHER, "task": task}, {**NOT_RUN, "task": task, "model": blogs}]
        rows.append({**ROW, **SINGLE, "task": task, "model": readme.COUNTS, "score": 46.0})
        rows += [{**ROW, "task": task, "model": model, "score": float(score)} for model in models]
    return {"part1": rows}


@pytest.mark.parametrize("page", readme.PAGES, ids=str)
def test_the_pages_are_what_the_results_say(page):
    text = (readme.ROOT / page).read_text(encoding="utf-8")
    results = readme.read_results()
    assert set(results) == {"part1", "part2", "part3", "ablation"}, (
        "results/laptop is not complete: make notebooks writes it"
    )
    assert text == readme.render(text, results, readme.read_claims()), f"{page} is older than the run: run make readme"


def test_every_part_stands_on_the_page_of_results_and_no_table_of_all_models_in_readme():
    blocks = {
        str(page): readme.START.findall((readme.ROOT / page).read_text(encoding="utf-8")) for page in readme.PAGES
    }
    assert blocks == {"README.md": ["tasks", "claims"], "docs/results.md": ["part1", "part2", "part3", "ablation"]}


def test_the_picture_was_drawn_from_these_results():
    shown = Image.open(readme.ROOT / readme.PICTURE).text["Description"]
    assert shown == readme.points(readme.read_results()), "the picture is older than the results: run make readme"


def test_the_chosen_rows_task_by_task_beside_the_blog():
    found = readme.render("<!-- results:tasks -->\n<!-- /results -->\n", everything()).splitlines()
    assert found[1] == "| task | model | parameters | score | of its teacher | the blog |"
    assert "| Emotion | MiniLM-L6 (the teacher) | 22.7M | 92.0 |  | RoBERTa 91.8 |" in found
    assert "| IMDB | MLP-D, bag of words | 80K | 81.0 ± 0.2 | 88% | 91.8 |" in found
    assert (
        "| SST-2 | Switch, 20% deferred | 80K | 82.0 ± 0.2 | 89% | 92.5 |" in found
    )  # 82 / 92; the blog's table of speeds
    assert "| CoLA | MiniLM-L6 (the teacher) | 22.7M | 92.0 |  | BERT 91.8 |" in found
    assert found[-2].endswith("reach: Emotion 46.0, IMDB 46.0, SST-2 46.0, CoLA 46.0.") and len(found) == 20


def test_a_chosen_row_without_results_is_refused():
    results = everything()
    results["part1"] = [row for row in results["part1"] if row["model"] != readme.TINY]
    with pytest.raises(readme.Refused, match=f"names {readme.TINY} on emotion, and no results have it"):
        readme.overview(results)


def test_the_picture_shows_what_is_kept_of_the_teacher():
    figure = readme.headline(everything())
    marks = [mark.get_offsets()[0].tolist() for mark in figure.axes[0].collections]
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    plt.close(figure)
    assert names == ["CoLA", "SST-2", "IMDB", "Emotion"]
    assert marks[0] == [50.0, 0] and marks[1] == [pytest.approx(100 * 83 / 92), 0]  # word counts, then the student
    assert marks[7] == [pytest.approx(100 * 80 / 92), 3]
    assert readme.points(everything()).startswith("emotion 50.0, 87.0; imdb 50.0, 88.0; ")


def test_the_verdicts_of_the_notebooks_are_counted(tmp_path):
    cell = {"source": ["claims_table(", "claims)"], "outputs": [{"data": {"text/html": [
        "<td><div>held</div></td><td><div>they held it</div></td>", "<td><div>did not hold</div></td><td>held</td>",
    ]}}]}  # fmt: skip
    other = {"source": "table(rows)", "outputs": [{"data": {"text/html": "<td>held</td>"}}]}
    (tmp_path / "notebooks").mkdir()
    for name in ("1_a.ipynb", "2_b.ipynb", "own.ipynb"):
        (tmp_path / "notebooks" / name).write_text(json.dumps({"cells": [cell, other]}))
    claims = readme.read_claims(tmp_path)
    assert sorted(claims) == ["did not hold"] * 2 + ["held"] * 4
    assert readme.counted(claims) == (
        "Of 6 statements of the blog **4 held**, **2 did not hold** and **0 were not run**."
    )


def test_a_score_reads_the_same_in_a_notebook_and_on_the_pages():
    for values in ([88.85], [88.8, 88.9], [100 * 0.8885], [88.84996], [92.95], [94.05], [5.05, 5.25, 5.15]):
        board = Scoreboard("emotion", "accuracy", "folder")
        row = vars(board.add("x", values))
        assert board.table().rows[0][1] == readme.score(row)
        assert readme.written(sum(values) / len(values)) == readme.score(row).partition(" ")[0]
    assert readme.written(88.85) == readme.written(88.85000000000001) == readme.written(88.84999999999999)


def test_a_block_by_hand():
    assert readme.render(OLD, {"part1": [TEACHER, NOT_RUN, ROW]}) == (
        "# Title\n\n<!-- results:part1 -->\n"
        "- On emotion, MLP-D keeps 97.8% of its teacher's accuracy (MiniLM-L6) with 283 times fewer parameters.\n\n"
        "| model | score | blog | parameters | teacher |\n"
        "|---|---:|---:|---:|---|\n"
        "| MiniLM-L6 | 92.0 |  | 22.7M |  |\n"
        "| **MLP-D** | 90.0 ± 0.2 | 91.8 | 80K | MiniLM-L6 |\n\n"
        "In the blog: BERT 91.8. These checkpoints come from the hub; the profile full runs them.\n\n"
        "Score: test accuracy in percent; ± is the standard deviation over 3 seeds. "
        "Data: the real data set, read from a folder. From `results/laptop/part1.json`.\n"
        "<!-- /results -->\n\ntail <!-- a comment -->\n"
    )


def test_lessons_go_down_and_students_across():
    row = {"task": "cola", "student": ablation.course.BAG, "lesson": ablation.ALL, "score": 6.84, "score_std": 0.55}
    rows = [row | {"n_seeds": 3}, row | {"n_seeds": 3, "student": ablation.course.CONV, "lesson": ablation.LABELS}]
    shown = readme.block("ablation", {"ablation": rows}, [], "page").splitlines()
    assert shown[0] == "| CoLA | MLP, bag of words | MLP, pairs | gated CNN | Bi-LSTM |"
    assert (
        "| its own texts, labels |  |  | 6.8 ± 0.6 |  |" in shown
        and "| all texts, soft labels | 6.8 ± 0.6 |  |  |  |" in shown
    )
    assert "over 3 seeds" in shown[-1]


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


def test_a_refused_page_is_left_alone(tmp_path, capsys):
    tasks = "<!-- results:tasks -->\nold\n<!-- /results -->\n"
    for name, text in (("README.md", tasks), ("docs/results.md", OLD), ("images/x", ""), ("results/laptop/x", "")):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert readme.main(tmp_path) == 2 and "no results have it" in capsys.readouterr().err
    (tmp_path / "results/laptop/part2.json").write_text(json.dumps(everything()["part1"]))
    assert readme.main(tmp_path) == 2 and "results.md has a marker results:part1" in capsys.readouterr().err
    assert (tmp_path / "README.md").read_text(encoding="utf-8") == tasks
    assert not (tmp_path / readme.PICTURE).exists()
    (tmp_path / "results/laptop/part1.json").write_text(json.dumps([ROW]))
    assert readme.main(tmp_path) == 0 and "MLP-D" in (tmp_path / "README.md").read_text(encoding="utf-8")
    assert (tmp_path / readme.PICTURE).is_file()
