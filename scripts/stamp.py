"""Write the repository's address into notebooks and README: pyproject.toml is the one place that holds it.

python scripts/stamp.py                                  # as [project.urls] in pyproject.toml says
python scripts/stamp.py https://github.com/owner/name    # put this address there first: what a fork does

Each notebook's cell tagged `install` installs the library from that address where it is missing. On GitHub, a line of
badges opens a notebook in Colab or Kaggle. Without an address there are no badges, and the cell says what to set.
"""

import re
import sys
import tomllib
from pathlib import Path

import nbformat

from distill_utils.cache import write_atomically

ROOT = Path(__file__).resolve().parent.parent
TABLE = "[project.urls]\n"
ADDRESS = re.compile(r"https://[\w.-]+(?:/[\w.~-]+)+")
INSTALL = """import importlib.util

repository = "{address}"  # where this project lives, such as https://github.com/owner/name
if importlib.util.find_spec("distill_utils") is None:  # in Colab, say; elsewhere this cell does nothing
    if not repository:
        raise ModuleNotFoundError("distill_utils is not here: set `repository` above to where it lives")
    %pip install -q "distill_utils[{extras}] @ git+{{repository}}"
    print(f"distill_utils was not here. It has been installed from {{repository}}")"""
EXTRAS = {"3_word_order_and_switch.ipynb": "offline,export"}  # what a notebook needs, where not `offline` alone
BADGES = {
    "Open in Colab": (
        "https://colab.research.google.com/assets/colab-badge.svg",
        "https://colab.research.google.com/github/{slug}/blob/main/notebooks/{name}",
    ),
    "Open in Kaggle": (
        "https://kaggle.com/static/images/open-in-kaggle.svg",
        "https://kaggle.com/kernels/welcome?src=https://github.com/{slug}/blob/main/notebooks/{name}",
    ),
}
START, END = "<!-- repository -->\n", "<!-- /repository -->"
UNKNOWN = """The address of this repository is not known yet. `make stamp REPOSITORY=https://github.com/owner/name`
writes it here and into the notebooks, whose first cell then installs the library where it is missing.
"""


class Refused(ValueError):
    """An address that cannot be stamped, or a place for it that is missing, said in one line."""


def address_in(pyproject: str) -> str:
    """The repository's address in pyproject.toml's text; "" while there is none."""
    return tomllib.loads(pyproject)["project"].get("urls", {}).get("Repository", "")


def with_address(pyproject: str, address: str) -> str:
    """The text of pyproject.toml with this address. Raises Refused for what is no address of a repository."""
    address = address.removesuffix("/").removesuffix(".git")
    if not ADDRESS.fullmatch(address):
        raise Refused(f"{address!r} is no address of a repository: give one like https://github.com/owner/name")
    if TABLE not in pyproject:
        raise Refused("pyproject.toml has no [project.urls]: add that line, the address goes below it")
    before, _, after = pyproject.partition(TABLE)
    after = re.sub(r'\ARepository = ".*"\n', "", after)
    return f'{before}{TABLE}Repository = "{address}"\n{after}'


def badges(address: str, name: str) -> str:
    """The line that opens a notebook in Colab or Kaggle, which read from GitHub; "" for any other address."""
    slug = address.removeprefix("https://github.com/")
    if not address or slug == address:
        return ""
    linked = ((title, image, link.format(slug=slug, name=name)) for title, (image, link) in BADGES.items())
    return " ".join(f"[![{title}]({image})]({link})" for title, image, link in linked)


def stamp_notebook(notebook: nbformat.NotebookNode, address: str, name: str) -> nbformat.NotebookNode:
    """Fill the install cell and the line of badges below the title, in place."""
    for cell in notebook.cells:
        if "install" in cell.metadata.get("tags", []):
            cell.source = INSTALL.format(address=address, extras=EXTRAS.get(name, "offline"))
    title, _, rest = notebook.cells[0].source.partition("\n")
    rest = re.sub(r"\A\n*(?:\[!\[Open in .*\n*)?", "", rest)
    line = badges(address, name)
    notebook.cells[0].source = "\n\n".join(filter(None, (title, line, rest)))
    return notebook


def stamp_readme(text: str, address: str, names: list[str]) -> str:
    """README with the block between its markers written anew. Raises Refused when there is none."""
    if text.count(START) != 1 or text.count(END) != 1:
        raise Refused(f"README.md needs {START.strip()} and {END} once: what stands between them is stamped")
    before, _, rest = text.partition(START)
    after = rest.partition(END)[2]
    block = UNKNOWN
    if address:
        lines = [f"- {name.removesuffix('.ipynb')}: {line}" for name in names if (line := badges(address, name))]
        lines = [*lines, ""] if lines else []
        block = "\n".join(
            [
                *lines,
                "The first cell of each notebook installs the library where it is missing. On your own machine:",
                "",
                "```",
                f"git clone {address}",
                "```",
                "",
            ]
        )
    return f"{before}{START}{block}{END}{after}"


def stamped(root: Path, address: str | None = None) -> dict[Path, str]:
    """Each file of a repository that holds the address, and its text with it. address: None takes pyproject's."""
    pyproject = (root / "pyproject.toml").read_text(encoding="utf-8")
    if address is not None:
        pyproject = with_address(pyproject, address)
    address = address_in(pyproject)
    paths = sorted((root / "notebooks").glob("*.ipynb"))
    files = {root / "pyproject.toml": pyproject}
    for path in paths:
        notebook = stamp_notebook(nbformat.read(path, as_version=4), address, path.name)
        files[path] = nbformat.writes(notebook) + "\n"
    readme = root / "README.md"
    files[readme] = stamp_readme(readme.read_text(encoding="utf-8"), address, [path.name for path in paths])
    return files


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Stamp all files, or none; 0 done, 2 refused."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        files = stamped(root, *given[:1])
    except Refused as refusal:
        print(refusal, file=sys.stderr)
        return 2
    changed = [path for path, text in files.items() if path.read_text(encoding="utf-8") != text]
    for path in changed:
        write_atomically(path, files[path].encode())
    print("stamped:", ", ".join(str(path.relative_to(root)) for path in changed) or "nothing to change")
    return 0


if __name__ == "__main__":
    sys.exit(main())
