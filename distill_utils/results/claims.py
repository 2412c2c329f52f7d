"""What the blog reports and says, and what became of it here."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from distill_utils.results.tables import Table, about, table

# What the blog reports, as printed, by part and model. Its teacher is RoBERTa; for CoLA it names none above BERT.
BLOG = {
    "part1": {
        "TF-IDF + logistic regression": 86.1,
        "MLP, hard labels": 86.0,
        "BERT": 92.4,
        "RoBERTa": 93.0,
        "T5-base": 93.5,
        "DistilBERT": 91.5,
        "DistilRoBERTa": 92.3,
        "MLP-D": 91.8,
    },
    "part2_sst2": {
        "RoBERTa": 93.0,
        "BERT": 91.4,
        "DistilBERT": 90.4,
        "MLP, hard labels": 79.0,
        "MLP-D": 86.0,
        "Bi-LSTM-D": 90.0,
    },
    "part2_cola": {"BERT": 52.8, "DistilBERT": 51.3, "MLP-D": 10.0, "Bi-LSTM-D": 24.0},
    "part3_imdb": {
        "BERT": 88.6,
        "DistilBERT": 87.7,
        "RoBERTa": 91.6,
        "MLP, hard labels": 80.0,
        "MLP-D, bag of words": 90.0,
        "Bi-LSTM-D": 91.0,
    },
    "part3_wos": {"emotion": 0.14, "sst2": 0.34, "cola": 0.99, "imdb": 0.28},
    "part3_switch": {  # on SST-2: speed-up and accuracy
        "teacher": (1, 93.54),
        "BERT": (1, 91.4),
        "DistilBERT": (2, 90.4),
        "Bi-LSTM, hard labels": (40, 81.0),
        "Bi-LSTM-D": (40, 90.0),
        "switch, 5% hard": (20, 91.4),
        "switch, 20% hard": (5, 92.5),
    },
}
# Texts of SST-2 that the blog prints, simple ones and hard ones.
EXAMPLES = {
    "simple": (
        "extremely confusing",
        "the rock is aptly named",
        "sturdy entertaining period drama both caine and fraser have their moments",
        "moving and invigorating film",
        "an intelligent",
        "good movie",
    ),
    "hard": (
        "the issue of faith is not explored very deeply",
        "works because , for the most part , it avoids the stupid cliches and formulaic potholes that befall its "
        "brethren",
        "what it lacks in originality it makes up for in intelligence and b grade stylishness",
        "succeeds in providing a disquiet world the long dreaded completion of the police academy series",
        "but the characters tend to be cliches whose lives are never fully explored",
        "the story and characters are nowhere near gripping enough",
    ),
}


def reported(part: str, source: str) -> dict:
    """What the blog reports in a part of `BLOG`; nothing beside generated texts, which must not be compared with it."""
    return {} if source == "miniature" else BLOG[part]


@dataclass(frozen=True)
class Claim:
    """A statement of the blog, what was measured, and whether it held (None: not run)."""

    statement: str
    measured: str
    held: bool | None

    @property
    def verdict(self) -> str:
        """One of: held, did not hold, not run."""
        return "not run" if self.held is None else "held" if self.held else "did not hold"


def claims_table(claims: list[Claim], *, teacher: str, source: str) -> Table:
    """Claims as a table that says which teacher they were judged with; on generated texts nothing is judged."""
    if source == "miniature":
        loud = "GENERATED TEXTS: THEY JUDGE NOTHING. Run the profile laptop for the verdicts. A statement to test:"
        return table([(c.statement, c.measured) for c in claims], [loud, "measured on generated texts"])
    columns = ["the blog says", f"measured, teacher {teacher}", "verdict"]
    return table([(c.statement, c.measured, c.verdict) for c in claims], columns)


def sensitivity_table(frame: pd.DataFrame, source: str) -> Table:
    """Word-order sensitivities as `word_order.frame` has them, with the blog's values beside them on real data."""
    blog, titles = reported("part3_wos", source), {"n_texts": "texts", "accuracy": "p", "flips": "flips %"}
    shown = frame.drop(columns="n_classes").rename(columns=titles | {"wos_blog": "WOS (/50)", "wos": "WOS (K)"})
    if blog:
        shown["blog"] = [blog.get(task) if n == 1 else None for task, n in zip(frame["task"], frame["n"], strict=True)]
    return table(shown, digits=2, formats=dict.fromkeys(("p", "flips %"), "{:.1f}".format))


def line_through_the_blog(wos: float) -> float:
    """What a bag of words keeps of its teacher, in percent, by straight lines between the blog's first three tasks.

    wos: a sensitivity by the blog's formula; beyond the blog's own the line is level.
    """
    large = {"part1": "RoBERTa", "part2_sst2": "RoBERTa", "part2_cola": "BERT"}  # the teachers of its tables
    keeps = [100 * BLOG[part]["MLP-D"] / BLOG[part][teacher] for part, teacher in large.items()]
    return float(np.interp(wos, [BLOG["part3_wos"][task] for task in ("emotion", "sst2", "cola")], keeps))


def on_word_order(
    found: dict[str, object], *, bag: float, pairs: float, bilstm: float, suffices: bool, beats_bert: bool | None
) -> list[Claim]:
    """Part 3's claims on word order.

    found: task -> its teacher's `word_order.Sensitivity` for single words. bag, pairs, bilstm: what the students of
    IMDB keep of their teacher, in percent. suffices: whether the rule expects that IMDB's bag of words does.
    beats_bert: whether IMDB's Bi-LSTM is above BERT; None where BERT was not run.
    """
    ranked = [found[name].wos for name in ("emotion", "sst2", "cola")]
    imdb = found["imdb"].wos_blog
    return [
        Claim(
            "Sensitivity ranks Emotion, SST-2, CoLA",
            ", ".join(f"{wos:.2f}" for wos in ranked),
            ranked == sorted(ranked),
        ),
        Claim("CoLA is nearly all hard: WOS about 1", f"{ranked[2]:.2f}", ranked[2] > 0.8),
        Claim(
            "75% to 90% of correct predictions survive shuffling (Pham et al., other tasks)",
            ", ".join(f"{name} {one.accuracy:.0f}%" for name, one in found.items()),
            all(75 <= one.accuracy <= 90 for one in found.values()),
        ),
        Claim("IMDB's WOS is below 0.3", f"{imdb:.2f}", imdb < 0.3),
        Claim(
            "On IMDB an MLP absorbs its teacher (the blog's keeps 98.2%)",
            f"keeps {bag:.1f}% as a bag of words, {pairs:.1f}% with pairs",
            max(bag, pairs) >= 98.2,
        ),
        Claim(
            "On IMDB a Bi-LSTM does, almost entirely (the blog's keeps 99.3%)", f"keeps {bilstm:.1f}%", bilstm >= 99.3
        ),
        Claim(
            "Below 0.3 an MLP suffices (a rule read off three tasks)",
            f"IMDB: {suffices} expected, {bag >= 98} found",
            suffices == (bag >= 98),
        ),
        Claim("The distilled students outperform BERT on IMDB", "BERT runs under the profile full", beats_bert),
    ]


def on_the_switch(
    *, student: float, alone: float, switches: dict[int, tuple[float, float]], detector: float
) -> list[Claim]:
    """Part 3's claims on the switch of SST-2.

    student: the Bi-LSTM's speed-up over its teacher. alone: the accuracy of the switch's student without a teacher.
    switches: percent of texts deferred, 5 and 20 -> speed-up and accuracy. detector: the fastest that a switch with the
    blog's detector can be.
    """
    (fast, little), (slow, more) = switches[5], switches[20]
    return [
        # 35 is what one digit shows as 40.
        Claim("The Bi-LSTM is 40 times as fast as the teacher", f"about {about(student)}", student >= 35),
        Claim("5% hard: 20 times as fast", f"about {about(fast)}", fast >= 20),
        Claim("20% hard: 5 times as fast", f"about {about(slow)}", slow >= 5),
        Claim(
            "5% hard lifts the student by 1.4 points, 20% by 2.5",
            f"{little - alone:+.1f} and {more - alone:+.1f}",
            little - alone >= 1.4 and more - alone >= 2.5,
        ),
        Claim("The detector's cost may be neglected", f"with it {about(detector)} at most", detector > 1),
    ]


def switch_table(here: dict[str, tuple[float, float]], source: str) -> Table:
    """Models and switches of SST-2, name -> speed-up and accuracy, with the blog's own beside them on real data."""
    blog = reported("part3_switch", source)
    rows = [{"model": name, "speed-up": about(speed), "accuracy": score} for name, (speed, score) in here.items()]
    if blog:
        beside = [blog.get(name, (None, None)) for name in here]
        rows = [
            row | {"blog: speed-up": "" if speed is None else f"{speed}x", "blog: accuracy": score}
            for row, (speed, score) in zip(rows, beside, strict=True)
        ]
    others = [f"{name} {score:.1f} at {speed}x" for name, (speed, score) in blog.items() if name not in here]
    return table(rows, note=f"In the blog: {', '.join(others)}." if others else "")
