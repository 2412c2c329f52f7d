"""The four tasks of the course as its parts take them: how many labels, which words, which texts beside their own."""

from collections.abc import Iterable

import numpy as np

from distill_utils.experiment import Experiment
from distill_utils.profiles import Profile
from distill_utils.results.claims import BLOG
from distill_utils.students.bilstm import MAX_WORDS
from distill_utils.texts import augmentation
from distill_utils.texts.corruption import with_twins
from distill_utils.texts.tasks import TaskData, few_labels, load_task
from distill_utils.texts.words import pieces

PARTS = {"emotion": "part1", "sst2": "part2_sst2", "cola": "part2_cola", "imdb": "part3_imdb"}
# IMDB's labelled training reviews and test reviews, by profile; and the reviews of which its students read a piece.
LABELLED = {"smoke": (160, 200), "laptop": (1000, 5000), "full": (1000, 25_000)}
READ = {"smoke": 500, "laptop": 9000, "full": 50_000}
REVIEWS = 30_000  # sentences of film reviews that CoLA's students read, each with its broken twins


def experiments(names: Iterable[str], profile: Profile, *, seeds: int, recorded: bool = True) -> dict[str, Experiment]:
    """An `Experiment` for each task named: "emotion", "sst2", "cola", "imdb".

    On real data SST-2's pool is its own phrases and sentences of film reviews, lower-cased like its texts; CoLA's is
    its own acceptable training sentences and short ones of reviews, each with its broken twins. IMDB has few labels;
    its pool is one piece of each of many reviews.
    """
    reviews = load_task("imdb", source=profile.source)
    made = {}
    for name in names:
        data = _few(reviews, profile) if name == "imdb" else load_task(name, source=profile.source)
        more = _more(name, data, reviews.texts("unsupervised")) if data.source != "miniature" else []
        words = 10_000 if name == "sst2" else 5000
        made[name] = Experiment(
            data, profile, seeds=seeds, blog=BLOG[PARTS[name]], words=words, more=more, recorded=recorded
        )
    if "imdb" in made:
        made["imdb"].pool = _a_piece_each(made["imdb"])
    return made


def _few(data: TaskData, profile: Profile) -> TaskData:
    train, held_out = LABELLED[profile.name]
    return few_labels(data, train=train, held_out=held_out)


def _more(name: str, data: TaskData, reviews: list[str]) -> list[str]:
    if name == "sst2":
        return [sentence.lower() for sentence in augmentation.sentences(reviews, shortest=10)]
    if name == "cola":
        good = [text for text, label in zip(data.texts("train"), data.labels("train"), strict=True) if label]
        short = augmentation.sentences(reviews[:10_000], longest=16)
        return with_twins(good + augmentation.sample(short, REVIEWS, seed=0), seed=0)
    return []


def _a_piece_each(imdb: Experiment) -> list[str]:
    count = READ[imdb.profile.name]
    whole = imdb.texts["train"] + augmentation.sample(imdb.pool, count, seed=1)  # the pool is sorted
    random = np.random.default_rng(0)
    return [found[random.integers(len(found))] for found in (pieces(text, MAX_WORDS) for text in whole)]
