"""Take the picture of part 3's page, the student in a frame, which a code host removes: images/part3_demo.png.

python scripts/picture.py    # the page is read from the committed notebook's outputs; needs Chromium
"""

import shutil
import subprocess
import sys
import tempfile
from html.parser import HTMLParser
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOK, PICTURE = "notebooks/3_word_order_and_switch.ipynb", "images/part3_demo.png"
SIZE, SCALE = "760,880", 2  # of the window, in pixels of the page; pixels of the picture for each of them
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


class Refused(ValueError):
    """A picture that cannot be taken, said in one line."""


class Frames(HTMLParser):
    """The pages that frames hold."""

    def __init__(self):
        super().__init__()
        self.pages = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep a frame's page."""
        if tag == "iframe" and dict(attrs).get("srcdoc"):
            self.pages.append(dict(attrs)["srcdoc"])


def framed(notebook: nbformat.NotebookNode) -> str:
    """The page in a notebook's outputs. Raises Refused unless there is one."""
    frames = Frames()
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            frames.feed(output.get("data", {}).get("text/html", ""))
    if len(frames.pages) != 1:
        raise Refused(f"the notebook's outputs hold {len(frames.pages)} pages in frames, not one: run it first")
    return frames.pages[0]


def take(page: str, target: Path) -> None:
    """Write a picture of a page, in headless Chromium. Raises Refused where there is none, or it fails."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        raise Refused("no browser at hand: install Chromium, such as Debian's package chromium")
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "page.html"
        source.write_text(page, encoding="utf-8")
        look = ["--hide-scrollbars", f"--window-size={SIZE}", f"--force-device-scale-factor={SCALE}"]
        options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}/profile", *look]
        call = [browser, *options, f"--screenshot={target}", source.as_uri()]
        done = subprocess.run(call, capture_output=True, encoding="utf-8", timeout=120)
    if done.returncode:
        raise Refused(f"{browser} stopped: {' '.join(done.stderr.split())[-300:]}")


def main(root: Path = ROOT) -> int:
    """Take it; 0 done, 2 refused."""
    try:
        take(framed(nbformat.read(root / NOTEBOOK, as_version=4)), root / PICTURE)
    except Refused as refusal:
        print(refusal, file=sys.stderr)
        return 2
    print(f"written: {PICTURE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
