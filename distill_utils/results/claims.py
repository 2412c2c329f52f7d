"""What the blog reports and says, and what became of it here."""

from dataclasses import dataclass

from distill_utils.results.tables import Table, table

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
        "MLP-D": 90.0,
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
