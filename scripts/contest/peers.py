"""What a reader would use instead: TF-IDF with logistic regression, fastText, model2vec. Each tuned on validation."""

import contextlib
import importlib.util
import itertools
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import joblib
import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

import contest.contestant as base
from distill_utils import teachers
from distill_utils.experiment import Experiment

TFIDF = """
import joblib
answer = joblib.load("model.joblib").predict
"""
FASTTEXT = """
import fasttext
model = fasttext.load_model("{file}")
def answer(texts):
    labels, _ = model.predict([" ".join(text.split()) for text in texts])
    return [found[0].removeprefix("__label__") for found in labels]
"""
MODEL2VEC = """
from model2vec.inference import StaticModelPipeline
model = StaticModelPipeline.from_pretrained(".")
def answer(texts):
    return model.predict(texts)
"""
# Learning rate and epochs; words a feature; letters of subwords. The other settings are fastText's own, but for its
# table of hashed features: two million rows of it hardly more than noise on data sets of this size.
RATES = ((0.1, 25), (0.5, 5), (0.5, 25))
NGRAMS, SUBWORDS, BUCKETS = (1, 2), ((0, 0), (2, 5)), 200_000
KEPT = (5000, 20_000)  # features that the quantised fastText keeps: both are tried
INSTALL = {"fasttext": "fasttext-community", "model2vec": "model2vec 'skeletoken<0.7'", "openvino": "openvino"}


def missing() -> dict[str, str]:
    """The packages that are not installed, each with the line that installs it."""
    return {name: f"pip install {packages}" for name, packages in INSTALL.items() if not importlib.util.find_spec(name)}


def peers(task: Experiment, folder: Path) -> Iterator[base.Contestant]:
    """Those that are installed, trained on the task's labels."""
    yield tfidf(task, folder / "tfidf")
    absent = missing()
    if "fasttext" not in absent:
        yield from fasttext(task, folder / "fasttext")
    if "model2vec" not in absent:
        yield model2vec(task, folder / "model2vec")


def tfidf(task: Experiment, folder: Path) -> base.Contestant:
    """Words, or words and pairs of words, and the strength of the regularisation: the best on validation."""
    train, best = (task.texts["train"], task.labels["train"]), -1.0
    for words, C in itertools.product(NGRAMS, (1, 3, 10, 30)):
        vectors = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, words), min_df=words)
        model, start = make_pipeline(vectors, LogisticRegression(C=C, max_iter=1000)), time.perf_counter()
        model.fit(*train)
        seconds = time.perf_counter() - start
        if (score := task.score(model.predict(task.texts["validation"]), "validation")) > best:
            best, chosen, chosen_seconds = score, model, seconds
    folder.mkdir(parents=True, exist_ok=True)
    joblib.dump(chosen, folder / "model.joblib")
    size = chosen[-1].coef_.size + chosen[-1].intercept_.size
    return base.Contestant("TF-IDF + logistic regression", "", "peer", folder, TFIDF, size, chosen_seconds)


def fasttext(task: Experiment, folder: Path) -> list[base.Contestant]:
    """The best of `RATES` x `NGRAMS` x `SUBWORDS` on validation, and the same quantised."""
    import fasttext

    folder.mkdir(parents=True, exist_ok=True)

    def validation(model) -> float:
        found, _ = model.predict([" ".join(text.split()) for text in task.texts["validation"]])
        return task.score(np.array([int(one[0].removeprefix("__label__")) for one in found]), "validation")

    with tempfile.TemporaryDirectory() as place:
        train = Path(place) / "train.txt"
        pairs = zip(task.texts["train"], task.labels["train"], strict=True)
        train.write_text("".join(f"__label__{label} {' '.join(text.split())}\n" for text, label in pairs), "utf-8")

        best = -1.0
        for (rate, epochs), words, (shortest, longest) in itertools.product(RATES, NGRAMS, SUBWORDS):
            options = {"lr": rate, "epoch": epochs, "wordNgrams": words, "minn": shortest, "maxn": longest, "dim": 50}
            options["bucket"] = BUCKETS if words > 1 or longest else 0
            start = time.perf_counter()
            model = fasttext.train_supervised(str(train), **options, thread=2, verbose=0)
            seconds, score = time.perf_counter() - start, validation(model)
            if score > best:
                best, chosen, whole_seconds = score, options, seconds
                model.save_model(str(folder / "model.bin"))
        whole = fasttext.load_model(str(folder / "model.bin"))
        size = int(whole.get_input_matrix().size + whole.get_output_matrix().size)

        best = -1.0
        for kept in KEPT:
            start, model = time.perf_counter(), fasttext.load_model(str(folder / "model.bin"))
            passes = {"epoch": chosen["epoch"], "lr": chosen["lr"]}
            model.quantize(str(train), cutoff=kept, retrain=True, **passes, thread=2, verbose=0)
            seconds, score = time.perf_counter() - start, validation(model)
            if score > best:
                best, small_seconds = score, seconds
                model.save_model(str(folder / "model.ftz"))
    return [
        base.Contestant("fastText", route, "peer", folder, FASTTEXT.format(file=file), count, took, (file,))
        for route, file, count, took in (
            ("", "model.bin", size, whole_seconds),
            ("quantised", "model.ftz", None, whole_seconds + small_seconds),
        )
    ]


def model2vec(task: Experiment, folder: Path) -> base.Contestant:
    """A static model distilled from MiniLM here, and model2vec's own classifier, stopped on validation."""
    from model2vec.distill import distill
    from model2vec.train import StaticModelForClassification

    start = time.perf_counter()
    train, held_out = ((task.texts[split], task.labels[split].tolist()) for split in ("train", "validation"))
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stderr(nowhere):  # its bars
        static = distill(teachers.resolve_checkpoint("minilm"), device="cpu")
        classifier = StaticModelForClassification.from_static_model(model=static)
        classifier.fit(*train, X_val=held_out[0], y_val=held_out[1], device="cpu")
    seconds = time.perf_counter() - start
    classifier.to_pipeline().save_pretrained(str(folder))
    size = sum(weight.numel() for weight in classifier.parameters())
    return base.Contestant("model2vec", "", "peer", folder, MODEL2VEC, size, seconds)
