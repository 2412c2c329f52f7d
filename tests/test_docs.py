"""What the documents name is there: targets of make, exercises, questions, files."""

import re
from pathlib import Path

import pytest

from distill_utils.exercises import CHECKS
from distill_utils.questions import QUESTIONS

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_targets_and_links_exist(path):
    text = path.read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"(?:`|^)make ([a-z-]+)", text, re.MULTILINE)) <= targets
    links = [link for link in re.findall(r"\]\(([^)#\s]+)", text) if "://" not in link]
    assert [link for link in links if not (path.parent / link).exists()] == []


def test_the_plans_name_exercises_and_questions_that_exist():
    text = (ROOT / "docs" / "teaching.md").read_text(encoding="utf-8")
    numbers, questions = set(re.findall(r"\b[123]\.[1-9]\b", text)), set(re.findall(r"\b[123][abc]\b", text))
    assert numbers and numbers <= set(CHECKS) and questions and questions <= set(QUESTIONS)


def test_the_glossary_holds_a_dozen_words():
    entries = re.findall(
        r"^\*\*([^*]+)\.\*\*", (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert 12 <= len(entries) <= 24 and len(set(entries)) == len(entries)
