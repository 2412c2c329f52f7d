"""The four tasks of the course as its parts take them: how many labels, which words, which texts beside their own."""

import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache, partial

import numpy as np
from datasets import Dataset

from distill_utils import word_order
from distill_utils.cache import kept_texts
from distill_utils.experiment import Experiment
from distill_utils.profiles import PROFILES, Profile
from distill_utils.results.claims import reported
from distill_utils.students import Student
from distill_utils.students.bilstm import MAX_WORDS
from distill_utils.texts import augmentation, corruption, miniature, words
from distill_utils.texts.corruption import edited, other_words, with_twins
from distill_utils.texts.tasks import TASKS, TaskData, few_labels, load_task

PARTS = {"emotion": "part1", "sst2": "part2_sst2", "cola": "part2_cola", "imdb": "part3_imdb"}
# IMDB's labelled training reviews and test reviews, by profile; and the reviews of which its students read a piece.
LABELLED = {"smoke": (160, 200), "laptop": (1000, 5000), "full": (1000, 25_000)}
# What all students and the smaller transformers learn from hangs on this draw, and so do recorded answers and teachers.
READ = {"smoke": 500, "laptop": 9000, "full": 50_000}
BAG, PAIRS, BILSTM = "MLP-D, bag of words", "MLP-D", "Bi-LSTM-D"  # the distilled students of part 3
CONV = "Gated CNN-D"  # and one of the MLP's size that reads in order
# Further texts, for students only: draws of their own, so that the pools stay as they are. IMDB's are pieces of
# reviews; SST-2's are fragments of sentences of reviews, and its own texts spliced; CoLA's are its own, rewritten.
PIECES = {"smoke": 0, "laptop": 250_000, "full": 0}
FRAGMENTS = {"smoke": 0, "laptop": 200_000, "full": 0}
REWRITTEN = {"smoke": False, "laptop": True, "full": False}
MANY = 500_000  # texts from which on gated CNNs and Bi-LSTMs learn in fewer and larger steps
SPLICED = 6  # times that each of SST-2's training sentences goes on as another one
NOT_TAUGHT = ("I pushed that the table.", "John the ball.")  # answered, but not when the recorded one learned
REVIEWS = 30_000  # sentences of film reviews that CoLA's students read, each with its broken twins
TWINNED = 5  # times that each of CoLA's own acceptable sentences is broken, in other ways


def experiments(names: Iterable[str], profile: Profile, *, seeds: int, recorded: bool = True) -> dict[str, Experiment]:
    """An `Experiment` for each task named: "emotion", "sst2", "cola", "imdb".

    On real data SST-2's pool is its own phrases and sentences of film reviews, lower-cased like its texts; its students
    read fragments of such sentences, too, and its own texts spliced. CoLA's pool is its own training sentences and
    short ones of reviews, each with its broken twins; its students read its own sentences rewritten, too. IMDB has few
    labels; its pool is one piece of each of many reviews, and its students read further pieces.
    """
    reviews = cache(lambda: load_task("imdb", source=profile.source))  # read where they are needed
    made = {}
    for name in names:
        data = _few(reviews(), profile) if name == "imdb" else load_task(name, source=profile.source)
        more = _more(name, data, reviews) if data.source != "miniature" else []
        size, known = {"sst2": (10_000, 40_000), "cola": (5000, 20_000)}.get(name, (5000, 5000))  # by validation
        shared = {"seeds": seeds, "words": size, "known": known, "recorded": recorded}
        made[name] = Experiment(data, profile, blog=reported(PARTS[name], data.source), more=more, **shared)
        if name == "sst2" and FRAGMENTS[profile.name]:
            make = partial(_spliced_and_cut, data, more, FRAGMENTS[profile.name])
            made[name].further = _unread(made[name], "spliced and cut", make, more, data.texts("unsupervised"))
        if name == "cola" and REWRITTEN[profile.name]:
            rewritten = cache(partial(_rewritten, data.texts("train")))
            made[name].further = _unread(made[name], "rewritten", partial(_first, 2, rewritten))
            taught = _unread(made[name], "rewritten, taught", partial(_first, 1, rewritten))
            made[name].further_taught = [text for text in taught if text not in NOT_TAUGHT]
    if "imdb" in made:
        imdb = made["imdb"]
        whole = imdb.texts["train"] + augmentation.sample(imdb.pool, READ[profile.name], seed=1)  # the pool is sorted
        imdb.pool = _a_piece_each(whole, seed=0)
        if PIECES[profile.name]:
            make = partial(_more_pieces, imdb, PIECES[profile.name])
            imdb.further = _unread(imdb, "pieces", make, imdb.data.texts("unsupervised"))
    return made


def settings(task: Experiment, kind: str, texts: list[str]) -> dict[str, float]:
    """How a kind of student is trained on these texts: arguments of `Experiment.train`.

    What CoLA's students read beyond its own texts is mostly broken, on purpose: their answers are moved to its mix.
    """
    broken = task.data.task.name == "cola" and len(texts) > len(task.texts["train"])
    return _steps(task, kind, texts) | {"match": broken}


def _steps(task: Experiment, kind: str, texts: list[str]) -> dict[str, float]:
    sizes, name, n_texts, many = task.profile, task.data.task.name, len(texts), len(texts) >= MANY
    if kind.startswith("Bi-LSTM"):
        n_words = sum(len(text.split()) for text in texts)
        least = 1 if sizes.bilstm_of(name).get("dropout") == 0 else 2
        passes = min(max(round(sizes.bilstm_words / max(1, n_words)), least), sizes.bilstm_epochs)
        epochs = passes if kind == BILSTM else sizes.bilstm_hard_epochs
        few = min(task.seeds, sizes.bilstm_seeds)
        larger, rate = (2, 5e-3) if many and least == 1 else (1, 2e-3)  # two passes want the small steps
        return {"epochs": epochs, "batch_size": larger * sizes.bilstm_batch, "learning_rate": rate, "only": few}
    passes = sizes.passes(2 * n_texts if name == "imdb" else n_texts)  # its pieces are long
    if kind.startswith("Gated CNN"):
        larger, rate = (2, 1.4e-2) if many else (1, 1e-2)
        epochs = min(sizes.conv_epochs, passes)
        return {"epochs": epochs, "batch_size": larger * sizes.conv_batch, "learning_rate": rate}
    rate = 3e-3 if name in ("sst2", "cola") else 1e-2
    epochs = sizes.distil_epochs if name == "emotion" else passes
    return {"epochs": epochs, "batch_size": sizes.student_batch, "learning_rate": rate}


def student(task: Experiment, kind: str, *, taught: bool = True) -> Student:
    """A new student of a kind: BAG, PAIRS, CONV or BILSTM."""
    make = {BAG: partial(task.mlp, pooling="mean"), PAIRS: task.mlp, CONV: task.conv, BILSTM: task.bilstm}[kind]
    return make(taught=taught)


def lesson(task: Experiment) -> tuple[list[str], np.ndarray]:
    """The texts that students learn from, and the teacher's soft labels, (n_texts, n_classes)."""
    if task.data.task.name == "imdb":  # pieces only: its pool has one of each review with a label, too
        texts = task.pool + task.teacher.at_hand(task.further)
        return texts, task.teacher.soft_labels(texts)
    return task.transfer()


def distil(task: Experiment, *kinds: str) -> dict[str, list[Student]]:
    """Students of each kind (BAG, PAIRS, CONV, BILSTM), on the board: the teacher taught them on its transfer set."""
    texts, soft = lesson(task)
    given = {"texts": texts, "soft_labels": soft}
    lessons = {kind: {"make": partial(student, task, kind), **given, **settings(task, kind, texts)} for kind in kinds}
    found = task.train_all(lessons)
    for kind, models in found.items():
        task.record(kind, models, teacher=task.teacher_name)
    return found


def sensitivity(
    task: Experiment, n: int = 1, *, within_sentences: bool = False, most: int | None = None
) -> word_order.Sensitivity:
    """The word-order sensitivity of the task's teacher, on validation texts; most: texts shuffled, None: the profile's.

    IMDB's texts are documents: half as many, four shuffles instead of ten.
    """
    documents, most = task.data.task.name == "imdb", most or task.profile.shuffled
    texts, labels = (column["validation"][: 4 * most] for column in (task.texts, task.labels))
    return word_order.wos(
        task.teacher.predict,
        texts,
        labels,
        len(task.names),
        n=n,
        seeds=4 if documents else 10,
        documents=documents,
        within_sentences=within_sentences,
        max_texts=most // (2 if documents else 1),
    )


def point(task: Experiment, label: str, wos: float, *, kind: str = "real") -> dict[str, object]:
    """What the bag of words on the board keeps, as a row for `figures.retention_by_sensitivity`, in percent.

    "retention" is its share of the teacher's score, "of the lead" its share of the teacher's lead over the majority
    class.
    """
    labels = task.labels["test"]
    guess = task.score(np.full(len(labels), np.bincount(labels).argmax()))
    student, teacher = task.board[BAG].score, task.board[task.teacher_name].score
    kept, spread = task.retention(BAG)
    row = {"label": label, "task": task.data.task.name, "kind": kind, "wos": wos, "teacher": teacher}
    lead = 100 * (student - guess) / (teacher - guess)
    return row | {"student": student, "retention": kept, "std": spread, "of the lead": lead}


def dialled(order: float, profile: Profile, *, seeds: int) -> Experiment:
    """The generated SST-2-like task with a share `order`, 0 to 1, of its labels in the word order alone.

    Its teacher is MiniLM by the profile's recipe `dial`, whatever the profile's own: it learns from 400 texts in half a
    minute.
    """
    dials = miniature.DIALS["sst2"].with_order(order)
    made = miniature.generate("sst2", dials=dials, test=300, unlabelled=800)
    columns = {
        split: {"text": texts, "label": labels} if labels else {"text": texts}
        for split, (texts, labels) in made.items()
    }
    data = TaskData(
        {split: Dataset.from_dict(column) for split, column in columns.items()}, TASKS["sst2"], "miniature", {}
    )
    return Experiment(data, replace(PROFILES["smoke"], fine_tune=profile.dial), seeds=seeds)


def _few(data: TaskData, profile: Profile) -> TaskData:
    train, held_out = LABELLED[profile.name]
    return few_labels(data, train=train, held_out=held_out)


def _more(name: str, data: TaskData, reviews: Callable[[], TaskData]) -> list[str]:
    if name == "sst2":
        found = reviews().texts("unsupervised")
        return _made("sentences", lambda: [text.lower() for text in augmentation.sentences(found)], found)
    if name == "cola":
        own, labels, found = data.texts("train"), data.labels("train"), reviews().texts("unsupervised")[:10_000]
        return _made("twins", partial(_twins, own, labels, found), own, map(str, labels), found)
    return []


def _twins(own: list[str], labels: list[int], reviews: list[str]) -> list[str]:
    """CoLA's own sentences and short ones of reviews, each with broken ones beside it."""
    good, bad = ([text for text, label in zip(own, labels, strict=True) if label == kind] for kind in (1, 0))
    short = augmentation.sentences(reviews, longest=16)
    twins = [text for seed in range(TWINNED) for text in with_twins(good, seed=seed)]
    twins += with_twins(bad, seed=0) + with_twins(augmentation.sample(short, REVIEWS, seed=0), seed=0)
    return list(dict.fromkeys(twins))


def _made(what: str, make: Callable[[], list[str]], *out_of: Iterable[str]) -> list[str]:
    """Texts made for the course, which takes long enough to keep them."""
    return kept_texts(what, make, out_of=out_of, by=(sys.modules[__name__], augmentation, corruption, words))


def _spliced_and_cut(data: TaskData, sentences: list[str], size: int) -> list[str]:
    """SST-2's texts, spliced, and fragments of other sentences: `size` of them."""
    spliced = augmentation.splice(data.texts("train"), SPLICED, seed=5)
    spliced += augmentation.splice(data.texts("unsupervised"), 1, seed=6)
    cut = augmentation.fragments(sentences, 1, seed=5, longest=12)
    return augmentation.sample(cut, size, seed=5) + spliced


def _rewritten(sentences: list[str]) -> tuple[list[str], list[str]]:
    """Sentences with other words, with small edits, and spliced; and more of the first two, and with both."""
    first = other_words(sentences, 16, seed=13) + edited(sentences, 16, seed=14)
    first += augmentation.splice(sentences, 12, seed=17)
    more = [text for seed in (23, 33) for text in other_words(sentences, 16, seed=seed)]
    more += [text for seed in (24, 34) for text in edited(sentences, 16, seed=seed)]
    for seed in (15, 25, 35):
        more += edited(other_words(sentences, 16, seed=seed), 1, seed=seed + 1)
    return first, more


def _first(n: int, parts: Callable[[], tuple[list[str], ...]]) -> list[str]:
    return [text for part in parts()[:n] for text in part]


def _more_pieces(imdb: Experiment, size: int) -> list[str]:
    """Pieces from all over the reviews."""
    reviews = dict.fromkeys(imdb.texts["train"] + imdb.data.texts("unsupervised"))
    cut = [piece for review in reviews for piece in words.pieces(review, MAX_WORDS)]
    return augmentation.sample(cut, size, seed=7)


def _unread(task: Experiment, what: str, make: Callable[[], list[str]], *out_of: Iterable[str]) -> list[str]:
    """The texts that are made, each once, that are neither held out nor read already."""
    known = task.texts["train"] + task.pool

    def unread() -> list[str]:
        found, read = augmentation.pool_without(make(), task.held_out)[0], {*known}
        return [text for text in dict.fromkeys(found) if text not in read]

    return _made(f"{what}, {task.profile.name}", unread, task.held_out, known, *out_of)


def _a_piece_each(reviews: list[str], *, seed: int) -> list[str]:
    random = np.random.default_rng(seed)
    return [found[random.integers(len(found))] for found in (words.pieces(review, MAX_WORDS) for review in reviews)]
