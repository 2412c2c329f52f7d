"""Questions to answer before one looks: each choice has its reason, shown when it is chosen."""

import html
import importlib.util
from dataclasses import dataclass

from distill_utils.progress import is_quiet

WIDGET = "application/vnd.jupyter.widget-view+json"


@dataclass(frozen=True)
class Choice:
    """One of the answers to choose from, whether it is the right one, and why."""

    text: str
    right: bool
    reason: str

    @property
    def verdict(self) -> str:
        """What is shown when it is chosen."""
        return f"{'Right' if self.right else 'No'}. {self.reason}"


@dataclass(frozen=True)
class Question:
    """A question and its choices."""

    text: str
    choices: tuple[Choice, ...]

    def folded(self) -> str:
        """In HTML that needs neither script nor style: a click on a choice shows its reason."""
        lines = [
            f"<details><summary>{html.escape(choice.text)}</summary><p>{html.escape(choice.verdict)}</p></details>"
            for choice in self.choices
        ]
        return "\n".join([f"<p><b>{html.escape(self.text)}</b></p>", *lines])

    def buttons(self):
        """As a widget: its title, radio buttons, and the reason of what is chosen."""
        import ipywidgets

        layout = ipywidgets.Layout(width="auto")
        options = [(choice.text, number) for number, choice in enumerate(self.choices)]
        radio = ipywidgets.RadioButtons(options=options, value=None, layout=layout)
        reason = ipywidgets.HTML()
        radio.observe(lambda change: setattr(reason, "value", self._reason(change["new"])), "value")
        return ipywidgets.VBox([ipywidgets.HTML(f"<b>{html.escape(self.text)}</b>"), radio, reason])

    def _reason(self, number: int) -> str:
        return f"<p>{html.escape(self.choices[number].verdict)}</p>"


@dataclass(frozen=True, repr=False)
class Quiz:
    """Questions: radio buttons in a live notebook with ipywidgets, folded text wherever there are none."""

    questions: tuple[Question, ...]

    def __repr__(self) -> str:
        return "\n".join(line for one in self.questions for line in (one.text, *(f"- {c.text}" for c in one.choices)))

    def _repr_mimebundle_(self, **_) -> dict:
        bundle = {"text/plain": repr(self), "text/html": "\n".join(one.folded() for one in self.questions)}
        if not is_quiet() and importlib.util.find_spec("ipywidgets"):
            import ipywidgets

            bundle[WIDGET] = ipywidgets.VBox([one.buttons() for one in self.questions])._repr_mimebundle_()[WIDGET]
        return bundle


def ask(part: int) -> Quiz:
    """The questions of a part, 1 to 3. Raises ValueError for another one."""
    found = tuple(question for number, question in QUESTIONS.items() if number[0] == str(part))
    if not found:
        raise ValueError(f"there are no questions of part {part!r}: give 1, 2 or 3")
    return Quiz(found)


def _question(text: str, *choices: tuple[str, bool, str]) -> Question:
    return Question(text, tuple(Choice(*choice) for choice in choices))


QUESTIONS = {
    "1a": _question(
        "The student learned from the teacher's probabilities and scores higher than its twin on hard labels. "
        "Which run tells how much of that is softness?",
        (
            "The same student on the training texts alone",
            False,
            "That changes the texts and keeps the labels soft: it tells what the extra texts are worth.",
        ),
        (
            "The same texts, with only the teacher's first choice as the label",
            True,
            "Texts, student and teacher stay; only the probabilities behind the first choice are gone.",
        ),
        (
            "The teacher itself",
            False,
            "It is the ceiling. It says how much is left to win, and not where the gain came from.",
        ),
    ),
    "1b": _question(
        "A test text also stands in the transfer set, without a label. The teacher labels it. Is that a leak?",
        (
            "No: no human label of it was used",
            False,
            "The student sees the text itself, with the teacher's answer to it, and is then tested on that very text.",
        ),
        (
            "Yes: remove it before the teacher labels",
            True,
            "The score would tell how well the student remembers the teacher, and not how it does on new texts.",
        ),
        (
            "Only if the teacher's answer is right",
            False,
            "A wrong answer is remembered just as well. The score is no longer one on new texts either way.",
        ),
    ),
    "1c": _question(
        "The vocabulary is halved. What happens to the size of the student?",
        (
            "Hardly anything: a network is its layers",
            False,
            "In this student the layers on top are tiny. Nearly all numbers stand in the word table.",
        ),
        (
            "It is nearly halved",
            True,
            "The word table has one row a word, and it is nearly the whole student.",
        ),
        (
            "It is exactly halved",
            False,
            "Nearly: the layers on top do not depend on the number of words. Exercise 1.1 counts them.",
        ),
    ),
    "2a": _question(
        "A bag-of-words student gets ever more texts that the teacher labelled. What does its score do on SST-2?",
        (
            "It rises until it reaches the teacher",
            False,
            "More texts teach it more words. What a 'not' belongs to is not in its input, whatever it reads.",
        ),
        (
            "It rises, by less each time, and stays below the teacher",
            True,
            "It learns what words can say. What only their order says it cannot see.",
        ),
        (
            "It does not change",
            False,
            "The training texts lack many words of the test texts. More text brings them.",
        ),
    ),
    "2b": _question(
        "'Acceptable' is said to every sentence of CoLA. What are accuracy and Matthews correlation (MCC)?",
        (
            "Both are near one half",
            False,
            "More than half of the sentences are acceptable, so the accuracy is higher than that.",
        ),
        (
            "The accuracy is high, and so is the MCC",
            False,
            "MCC asks whether the answers go with the labels. These answers never change.",
        ),
        (
            "The accuracy is the share of acceptable sentences, the MCC is 0",
            True,
            "This is why MCC is used: it gives nothing for knowing the commoner class.",
        ),
    ),
    "2c": _question(
        "Ten students are compared on validation. The best one is taken. Its test score is most likely ...",
        (
            "... higher than its validation score",
            False,
            "It may be, by luck. But being chosen favours those whose validation score was lucky.",
        ),
        (
            "... the same",
            False,
            "For one student that was fixed beforehand, yes on average. This one was picked as the best of ten.",
        ),
        (
            "... a little lower",
            True,
            "The best of ten is partly the luckiest of ten, and that luck does not carry over to other texts.",
        ),
    ),
    "3a": _question(
        "The words of every text are shuffled. How many answers of a bag of words change?",
        (
            "None",
            True,
            "It counts words, and shuffling keeps all of them.",
        ),
        (
            "About as many as the teacher's",
            False,
            "The teacher sees the order. A bag of words does not, so there is nothing to notice.",
        ),
        (
            "It depends on the task",
            False,
            "How many of its answers are right depends on the task. That they stay the same does not.",
        ),
    ),
    "3b": _question(
        "The student is 40 times as fast as the teacher, and a fifth of the texts go on to the teacher. "
        "How much faster than the teacher alone is the switch?",
        (
            "A little under 5 times",
            True,
            "A fifth of the teacher's time is left, and the student's own time comes on top, for every text.",
        ),
        (
            "Exactly 5 times",
            False,
            "The student is not free. It answers every text, the deferred ones too.",
        ),
        (
            "About 32 times: four fifths of 40",
            False,
            "Speeds are not averaged, times are: the few texts of the teacher take most of the time.",
        ),
    ),
    "3c": _question(
        "Can a switch be more accurate than its teacher?",
        (
            "No: at best it asks the teacher about everything",
            False,
            "There are texts where the student is right and the teacher is wrong. A switch may keep the student there.",
        ),
        (
            "Yes, where the two fail on different texts",
            True,
            "Where the student is sure and right, and the teacher wrong, not asking is better.",
        ),
        (
            "Yes, always",
            False,
            "It depends on the router. One that defers at random lies between the student and the teacher.",
        ),
    ),
}
