"""The rooms of the library: imports run one way, and the map in docs/reference.md names every module."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LIBRARY = ROOT / "distill_utils"
# From the ground up: a room may import from those before it, and from itself.
ORDER = (
    "checks",
    "cache",
    "progress",
    "dtypes",
    "texts",
    "teachers",
    "scale",
    "students",
    "results",
    "word_order",
    "switch",
    "export",
    "profiles",
    "experiment",
    "course",
    "own_task",
    "exercises",
    "questions",
)
MODULES = sorted(path for path in LIBRARY.rglob("*.py") if path != LIBRARY / "__init__.py")


def rooms_used(source: str) -> set[str]:
    """The rooms that a module imports from."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module == "distill_utils":
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("distill_utils."):
            found.add(node.module.split(".")[1])
    return found


def upward(room: str, source: str) -> set[str]:
    return {used for used in rooms_used(source) if ORDER.index(used) > ORDER.index(room)}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(LIBRARY)))
def test_a_room_imports_only_from_rooms_below_it(path):
    room = path.relative_to(LIBRARY).parts[0].removesuffix(".py")
    assert upward(room, path.read_text(encoding="utf-8")) == set()


def test_an_import_the_wrong_way_is_seen():
    assert upward("texts", "def f():\n    from distill_utils.students import MLP") == {"students"}
    assert upward("texts", "from distill_utils import cache, switch") == {"switch"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(LIBRARY)))
def test_the_map_names_the_module(path):
    if path.name != "__init__.py":
        assert re.search(rf"`{path.stem}`", (ROOT / "docs" / "reference.md").read_text(encoding="utf-8"))
