"""A student as one web page, which asks no server: template, weights and rules in one file."""

import base64
import html
import json
from pathlib import Path

import numpy as np

from distill_utils.texts.words import RULES

TEMPLATE = Path(__file__).with_name("demo.html")
HERE, TYPED = "/* the student */", "</textarea>"


def page(note: dict, weights: dict[str, np.ndarray]) -> str:
    """The page of an MLP or a gated CNN: the template with the note and the weights in it, int8, scales beside them."""
    arrays = {name: [str(value.dtype), base64.b64encode(value.tobytes()).decode()] for name, value in weights.items()}
    student = note | {"rules": RULES, "weights": arrays, "words": " ".join(note["words"])}
    text = json.dumps(student, default=np.generic.item)
    # Within a script no text may look like its end, or like a comment's start.
    return TEMPLATE.read_text(encoding="utf-8").replace(HERE, text.replace("<", "\\u003c"), 1)


def show(folder: str | Path, text: str = "", *, height: int = 880):
    """An exported student's page in a notebook, with a text typed in: an `IPython.display.IFrame`, height in pixels.

    The frame holds the page itself, so it is kept with the notebook's outputs; it may run its script and nothing else.
    Raises ValueError for a folder that has no page.
    """
    from IPython.display import IFrame

    path = Path(folder) / TEMPLATE.name
    if not path.is_file():
        raise ValueError(f"no {TEMPLATE.name} in {folder}: export an MLP or a gated CNN there (a Bi-LSTM has no page)")
    found = path.read_text(encoding="utf-8").replace(TYPED, html.escape(text) + TYPED, 1)
    # In single quotes, since the page is full of double ones.
    found = found.replace("&", "&amp;").replace("'", "&#x27;")
    extras = ['title="The student, to try out"', 'sandbox="allow-scripts"', f"srcdoc='{found}'"]
    return IFrame("about:blank", "100%", height, extras=extras)
