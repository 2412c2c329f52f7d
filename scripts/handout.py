"""Pack the notebooks and their pictures for a class into one zip.

python scripts/handout.py              # without outputs: build/handout.zip
python scripts/handout.py --outputs    # as they are committed: build/handout-read.zip
"""

import sys
import zipfile
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parent.parent


def without_outputs(text: str) -> str:
    """A notebook's text with neither outputs nor execution counts."""
    notebook = nbformat.reads(text, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return nbformat.writes(notebook) + "\n"


def pack(root: Path, target: Path, outputs: bool) -> list[str]:
    """Write notebooks/, images/ and params/ to a zip, laid out so that links between them hold; the names in it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    files = [path for folder in ("notebooks", "images", "params") for path in sorted((root / folder).glob("*.*"))]
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in files:
            data = path.read_bytes()
            if path.suffix == ".ipynb" and not outputs:
                data = without_outputs(data.decode("utf-8")).encode()
            archive.writestr(path.relative_to(root).as_posix(), data)
    return [path.relative_to(root).as_posix() for path in files]


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Run the command line; 0 done."""
    outputs = "--outputs" in (sys.argv[1:] if arguments is None else arguments)
    target = root / "build" / f"handout{'-read' if outputs else ''}.zip"
    names = pack(root, target, outputs)
    print(f"{target.relative_to(root)}: {sum(name.endswith('.ipynb') for name in names)} notebooks", end=" ")
    print("with their outputs" if outputs else "without outputs")
    return 0


if __name__ == "__main__":
    sys.exit(main())
