"""A report in one file: what a notebook shows, collected on the way, as HTML that needs nothing else."""

import base64
import html
import io
import textwrap
from typing import TypeVar

from matplotlib.figure import Figure

from distill_utils.results.tables import Table

Shown = TypeVar("Shown", str, Table, Figure)

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ max-width: 76rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.5 system-ui, sans-serif; color: #222; }}
h2 {{ margin-top: 2.5rem; border-bottom: 1px solid #ddd; }}
.wide {{ overflow-x: auto; }}
table {{ border-collapse: collapse; font-size: 0.9rem; margin: 1rem 0; }}
th, td {{ padding: 0.3rem 0.7rem; border-bottom: 1px solid #e5e5e5; vertical-align: top; white-space: nowrap; }}
img {{ max-width: 100%; height: auto; }}
.summary {{ font-size: 1.15rem; border-left: 4px solid #4269d0; padding: 0.2rem 1rem; }}
.alert {{ background: #fff3d6; border-left: 4px solid #efb118; padding: 0.5rem 1rem; }}
</style>
<h1>{title}</h1>
{body}
</html>
"""


def wrapped(text: str) -> str:
    """A text for print: lines of at most 100 letters, since a notebook breaks longer ones within a word."""
    return "\n".join(textwrap.fill(line, 100, break_on_hyphens=False) for line in text.splitlines())


class Report:
    """Sections of sentences, tables and figures, in the order they came."""

    def __init__(self, title: str):
        self.title, self._first, self._parts = title, [], []

    def section(self, title: str) -> None:
        """Begin a section."""
        self._parts.append(f"<h2>{html.escape(title)}</h2>")

    def keep(self, shown: Shown) -> Shown:
        """Put a sentence, a table or a figure in the report, and give it back to be shown; a sentence `wrapped`.

        Raises ValueError for anything else.
        """
        if isinstance(shown, str):
            lines = [line for line in shown.splitlines() if line.strip()]
            self._parts += [f"<p>{html.escape(line)}</p>" for line in lines]
            return wrapped(shown)
        elif isinstance(shown, Table):
            self._parts.append(f'<div class="wide">{shown._repr_html_()}</div>')
        elif isinstance(shown, Figure):
            picture = io.BytesIO()
            shown.savefig(picture, format="png", metadata={"Software": None})
            title = html.escape(shown.axes[0].get_title(loc="left") or shown.axes[0].get_title(), quote=True)
            data = base64.b64encode(picture.getvalue()).decode()
            self._parts.append(f'<p><img alt="{title}" src="data:image/png;base64,{data}"></p>')
        else:
            raise ValueError(f"a {type(shown).__name__} has no place in a report: give a text, a table or a figure")
        return shown

    def summary(self, line: str) -> str:
        """Put a sentence at the head of the report, for whoever reads no further, and give it back to be shown."""
        self._first.append(f'<p class="summary">{html.escape(line)}</p>')
        return wrapped(line)

    def alert(self, line: str) -> str:
        """Put a warning in the report, and give it back to be shown."""
        self._parts.append(f'<p class="alert">{html.escape(line)}</p>')
        return wrapped(line)

    def html(self) -> str:
        """The report so far, one page."""
        return PAGE.format(title=html.escape(self.title), body="\n".join(self._first + self._parts))
