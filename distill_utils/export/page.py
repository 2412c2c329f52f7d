"""A student as one web page, which asks no server: template, weights and rules in one file."""

import base64
import json
from pathlib import Path

import numpy as np

from distill_utils.texts.words import RULES

TEMPLATE = Path(__file__).with_name("demo.html")
HERE = "/* the student */"


def page(note: dict, weights: dict[str, np.ndarray]) -> str:
    """The page of an MLP: the template with the note and the weights in it, int8 with their scales in base64."""
    arrays = {name: [str(value.dtype), base64.b64encode(value.tobytes()).decode()] for name, value in weights.items()}
    student = json.dumps(note | {"rules": RULES, "weights": arrays}, default=np.generic.item)
    # Within a script no text may look like its end, or like a comment's start.
    return TEMPLATE.read_text(encoding="utf-8").replace(HERE, student.replace("<", "\\u003c"), 1)
