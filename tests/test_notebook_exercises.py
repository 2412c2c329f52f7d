"""The exercises in the notebooks: a starter is no answer, its folded solution passes, and nothing else is missing."""

import ast
import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from distill_utils import exercises

NOTEBOOKS = {
    path.name[0]: path for path in (Path(__file__).resolve().parent.parent / "notebooks").glob("[123]_*.ipynb")
}
HEADING = re.compile(r"^### Exercise (\d\.\d) (★{1,3}) .+ \((\d+) minutes\)$", re.MULTILINE)
SOLUTION = re.compile(r"<details><summary>Solution</summary>\n\n```python\n(.+?)\n```\n.*</details>", re.DOTALL)


def cells_of(part: str) -> list[tuple[str, str]]:
    notebook = json.loads(NOTEBOOKS[part].read_text(encoding="utf-8"))
    return [(cell["cell_type"], "".join(cell["source"])) for cell in notebook["cells"]]


def tasks_of(part: str) -> dict[str, tuple[str, str]]:
    """Exercise -> its prose and the starter below it."""
    cells = cells_of(part)
    return {
        found[1]: (text, cells[row + 1][1])
        for row, (kind, text) in enumerate(cells)
        if kind == "markdown" and (found := HEADING.search(text))
    }


def imports_of(part: str) -> str:
    return next(text for kind, text in cells_of(part) if kind == "code" and re.search(r"import exercises\b", text))


def last_value(source: str, namespace: dict):
    tree = ast.parse(source)
    last = ast.Expression(tree.body.pop().value)
    exec(compile(tree, "cell", "exec"), namespace)
    return eval(compile(last, "cell", "eval"), namespace)


@pytest.mark.parametrize("part", "123")
def test_five_to_seven_a_part_with_minutes_and_level(part):
    tasks = tasks_of(part)
    assert list(tasks) == [number for number in exercises.CHECKS if number[0] == part] and 5 <= len(tasks) <= 7
    for text, _ in tasks.values():
        assert 2 <= int(HEADING.search(text)[3]) <= 20


@pytest.mark.parametrize("number", exercises.CHECKS)
def test_a_starter_is_skipped_and_its_solution_passes(number):
    text, starter = tasks_of(number[0])[number]
    for source, right in ((starter, None), (SOLUTION.search(text)[1], True)):
        namespace = {"np": np, "torch": torch}  # what every part imports
        exec(imports_of(number[0]), namespace)
        verdict = last_value(source, namespace)
        assert verdict.right is right, verdict.line
        assert verdict.line.startswith(f"Exercise {number}: ")


@pytest.mark.parametrize("part", "123")
def test_each_part_asks_its_questions(part):
    asked = [text for kind, text in cells_of(part) if kind == "code" and "questions.ask(" in text]
    assert asked == [f"questions.ask({part})"]


@pytest.mark.parametrize("part", "123")
def test_the_first_code_cell_installs_the_library_where_it_is_missing(part):
    notebook = json.loads(NOTEBOOKS[part].read_text(encoding="utf-8"))
    first = next(cell for cell in notebook["cells"] if cell["cell_type"] == "code")
    assert first["metadata"]["tags"] == ["install"] and first["outputs"] == []
