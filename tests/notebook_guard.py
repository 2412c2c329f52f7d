"""What a committed notebook must not be: each check takes a notebook (as a dict) and lists its complaints."""

import ast
import re
from pathlib import Path
from statistics import median

MACHINE_PATH = re.compile(r"(?<![\w.~-])/(?:root|home|work|tmp|Users|content)/|\bC:\\")
PROGRESS = re.compile(r"\r|(?:it/s|s/it)\]|\d%\|")
ADDRESS = re.compile(r"\bat 0x[0-9a-fA-F]{6,}")
IMAGE = re.compile(r"!\[[^\]]*\]\(([^)\s]+)[^)]*\)|<img[^>]*\bsrc=[\"']([^\"']+)")
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)[^)]*\)|<a[^>]*\bhref=[\"']([^\"']+)")
CODE_IN_PROSE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
ELSEWHERE = ("http://", "https://", "mailto:", "#", "data:", "attachment:")


def source(cell: dict) -> str:
    """Text of a cell, which nbformat stores as one string or as lines."""
    return "".join(cell["source"])


def code_cells(notebook: dict) -> list[dict]:
    """Code cells that hold code."""
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code" and source(cell).strip()]


def prose(notebook: dict) -> str:
    """All markdown, without the code in it."""
    cells = (source(cell) for cell in notebook["cells"] if cell["cell_type"] == "markdown")
    return CODE_IN_PROSE.sub("", "\n\n".join(cells))


def code(notebook: dict) -> str:
    """All code."""
    return "\n".join(source(cell) for cell in code_cells(notebook))


def output_texts(cell: dict) -> list[str]:
    """Every text of a cell's outputs; pictures are left out."""
    texts = []
    for output in cell["outputs"]:
        texts += ["".join(output.get("text", "")), *output.get("traceback", [])]
        for kind, value in output.get("data", {}).items():
            if not kind.startswith("image/"):
                texts.append(value if isinstance(value, str) else "".join(map(str, value)))
    return texts


def tags(cell: dict) -> list[str]:
    """Tags of a cell."""
    return cell.get("metadata", {}).get("tags", [])


def name(cell: dict) -> str:
    """How a complaint names a cell: its first line."""
    first_line = source(cell).strip().partition("\n")[0]
    return f"cell `{first_line[:60]}`"


def missing_outputs(notebook: dict, folder: Path) -> list[str]:
    """nbval passes a notebook that was stripped: somebody has to look."""
    cells = code_cells(notebook)
    compared = [c for c in cells if "NBVAL_CHECK_OUTPUT" in source(c) or "nbval-check-output" in tags(c)]
    complaints = [f"{name(cell)} is compared but has no output" for cell in compared if not cell["outputs"]]
    if not any(cell["outputs"] for cell in cells):
        complaints.append("no cell has an output")
    return complaints


def execution_counts(notebook: dict, folder: Path) -> list[str]:
    """Run once, from top to bottom."""
    counts = [cell["execution_count"] for cell in code_cells(notebook)]
    return [] if counts == list(range(1, len(counts) + 1)) else [f"execution counts are {counts}, not 1..n"]


def stderr(notebook: dict, folder: Path) -> list[str]:
    """Warnings are for whoever runs it, not for the reader."""
    return [
        f"{name(cell)} wrote to stderr"
        for cell in code_cells(notebook)
        if any(output.get("name") == "stderr" for output in cell["outputs"])
    ]


def errors(notebook: dict, folder: Path) -> list[str]:
    """No cell failed."""
    return [
        f"{name(cell)} failed"
        for cell in code_cells(notebook)
        if any(output["output_type"] == "error" for output in cell["outputs"])
    ]


def machine_paths(notebook: dict, folder: Path) -> list[str]:
    """Nothing that exists on one machine only."""
    complaints = [
        f"{name(cell)} names a path of one machine" for cell in notebook["cells"] if MACHINE_PATH.search(source(cell))
    ]
    for cell in code_cells(notebook):
        if any(MACHINE_PATH.search(text) for text in output_texts(cell)):
            complaints.append(f"{name(cell)} shows a path of one machine")
    return complaints


def progress_bars(notebook: dict, folder: Path) -> list[str]:
    """No dead progress bars, neither as text nor as widgets."""
    complaints = []
    for cell in code_cells(notebook):
        kinds = [kind for output in cell["outputs"] for kind in output.get("data", {})]
        widget = any("jupyter.widget" in kind for kind in kinds)
        if widget or any(PROGRESS.search(text) for text in output_texts(cell)):
            complaints.append(f"{name(cell)} shows a progress bar")
    return complaints


def memory_addresses(notebook: dict, folder: Path) -> list[str]:
    """An object's address differs in every run."""
    return [
        f"{name(cell)} shows a memory address"
        for cell in code_cells(notebook)
        if any(ADDRESS.search(text) for text in output_texts(cell))
    ]


def images(notebook: dict, folder: Path) -> list[str]:
    """Every picture shown exists, and a cell of this notebook makes it, or else a script, from its outputs."""
    scripts = "\n".join(path.read_text(encoding="utf-8") for path in (folder.parent / "scripts").glob("*.py"))
    complaints = []
    for groups in IMAGE.findall(prose(notebook)):
        target = "".join(groups)
        if target.startswith(ELSEWHERE):
            complaints.append(f"image {target[:60]} is not a file of this project")
        elif not (folder / target).is_file():
            complaints.append(f"image {target} does not exist")
        elif (
            not re.search(rf"save_figure\(.*[\"']{re.escape(Path(target).stem)}[\"'.]", code(notebook))
            and f'"{target.removeprefix("../")}"' not in scripts
        ):
            complaints.append(f"image {target} is made by no cell")
    return complaints


def links(notebook: dict, folder: Path) -> list[str]:
    """Relative links lead somewhere."""
    targets = ["".join(groups) for groups in LINK.findall(prose(notebook))]
    return [
        f"link {target} leads nowhere"
        for target in targets
        if not target.startswith(ELSEWHERE) and not (folder / target.split("#")[0]).exists()
    ]


def cell_lengths(notebook: dict, folder: Path) -> list[str]:
    """Tiny cells: half of them at most 5 lines, none over 12."""
    lines = [sum(bool(line.strip()) for line in source(cell).splitlines()) for cell in code_cells(notebook)]
    complaints = [
        f"{name(cell)} has {length} lines, over 12"
        for cell, length in zip(code_cells(notebook), lines, strict=True)
        if length > 12
    ]
    if lines and median(lines) > 5:
        complaints.append(f"the median code cell has {median(lines):g} lines, over 5")
    return complaints


def code_in_a_row(notebook: dict, folder: Path) -> list[str]:
    """Never more than two code cells without a word between them."""
    run, complaints = 0, []
    for cell in notebook["cells"]:
        run = run + 1 if cell["cell_type"] == "code" else 0
        if run == 3:
            complaints.append(f"{name(cell)} is the third code cell in a row")
    return complaints


def parameters(notebook: dict, folder: Path) -> list[str]:
    """One parameters cell, each line typed and commented; none injected by an earlier run."""
    cells = [cell for cell in notebook["cells"] if "parameters" in tags(cell)]
    complaints = [
        "holds the parameters of an earlier run (injected-parameters)"
        for cell in notebook["cells"]
        if "injected-parameters" in tags(cell)
    ]
    if len(cells) != 1:
        return [*complaints, f"{len(cells)} cells are tagged `parameters`, not one"]
    lines = source(cells[0]).splitlines()
    for statement in ast.parse(source(cells[0])).body:
        line = lines[statement.lineno - 1]
        # papermill reads no `int | None`: such a parameter would be unknown to it
        if not isinstance(statement, ast.AnnAssign) or "|" in ast.unparse(statement.annotation):
            complaints.append(f"parameter line `{line}` is not of the form `name: type = value`")
        elif "  # " not in line:
            complaints.append(f"parameter line `{line}` has no comment")
    return complaints


CHECKS = [
    missing_outputs,
    execution_counts,
    stderr,
    errors,
    machine_paths,
    progress_bars,
    memory_addresses,
    images,
    links,
    cell_lengths,
    code_in_a_row,
    parameters,
]


def complaints(notebook: dict, folder: Path) -> list[str]:
    """All complaints about a notebook that lies in `folder`."""
    return [complaint for check in CHECKS for complaint in check(notebook, folder)]
