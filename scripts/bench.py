"""Measure the library beside what a reader would use instead; every claim of speed is a ratio within one run.

python scripts/bench.py                    # all three parts, some minutes on two cores
python scripts/bench.py --quick            # the same with few texts and steps: does it run?
python scripts/bench.py --only students    # or: labelling, fine-tuning
python scripts/bench.py --full             # fine-tuning runs to the end, with test accuracy: half an hour and more

Contestants take turns, so that a busy machine slows all of them. Writes build/bench.json.
"""

import argparse
import copy
import importlib.util
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import transformers
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from threadpoolctl import threadpool_limits
from transformers import DataCollatorWithPadding, PrinterCallback, Trainer, TrainingArguments, pipeline, set_seed

from distill_utils import profiles, teachers
from distill_utils.cache import write_atomically
from distill_utils.progress import hush_libraries
from distill_utils.results.scoreboard import score
from distill_utils.students import MLP, count_parameters
from distill_utils.teachers.checkpoints import load_checkpoint
from distill_utils.teachers.dtypes import bf16_units, fast_dtype
from distill_utils.teachers.fine_tuning import train
from distill_utils.teachers.teacher import MAX_TOKENS
from distill_utils.texts.tasks import DataError, TaskData, load_task
from distill_utils.texts.words import Vocabulary

ROOT = Path(__file__).resolve().parent.parent
PARTS = ("students", "labelling", "fine-tuning")
SEED = 0
WORDS = 5000  # the student's vocabulary: with 16 numbers a word and 6 classes 80,374 parameters
OURS = "MLP (pairs)"
MIXED = f"{OURS}, mixed text"
RECIPE = profiles.PROFILES["laptop"].fine_tune
STOCK = {"per_device_train_batch_size": 32, "num_train_epochs": 3, "learning_rate": 5e-5}
PIPELINE_BATCH = 32


@dataclass(frozen=True)
class Sizes:
    """How much of everything is timed."""

    texts: int  # of the test split, for students
    repeats: int  # passes over them
    singles: int  # of them one at a time
    labelled: int  # training texts that teachers label
    label_repeats: int
    head_steps: int  # training before that, so that the teacher has opinions
    rounds: int  # of fine-tuning, each `steps` long, the first `warm_up` of them not counted
    steps: int
    warm_up: int = 3


DEFAULT = Sizes(2000, 20, 500, 1024, 3, 40, 3, 25)
QUICK = Sizes(500, 5, 50, 96, 2, 4, 1, 6, warm_up=2)


# Timing.


def interleaved(jobs: dict[str, Callable[[], object]], repeats: int) -> dict[str, list[float]]:
    """Wall seconds of each job, `repeats` times; the jobs take turns."""
    seconds = {name: [] for name in jobs}
    for _ in range(repeats):
        for name, job in jobs.items():
            start = time.perf_counter()
            job()
            seconds[name].append(time.perf_counter() - start)
    return seconds


def latencies(jobs: dict[str, Callable[[str], object]], texts: list[str], block: int = 25) -> dict[str, list[float]]:
    """Wall seconds of each job on each text alone; the jobs take turns, a block of texts at a time."""
    seconds = {name: [] for name in jobs}
    for start in range(0, len(texts), block):
        for name, job in jobs.items():
            for text in texts[start : start + block]:
                began = time.perf_counter()
                job(text)
                seconds[name].append(time.perf_counter() - began)
    return seconds


def seconds_a_step(starts: list[float], warm_up: int) -> float:
    """Mean seconds from the start of one step to the next; the first `warm_up` steps do not count."""
    counted = starts[warm_up:]
    if len(counted) < 2:
        raise ValueError(f"{len(starts)} steps, {warm_up} of them warm-up: at least two must be left")
    return (counted[-1] - counted[0]) / (len(counted) - 1)


@contextmanager
def step_starts() -> Iterator[list[float]]:
    """Record when each training step of any Trainer starts: the same clock for both contestants."""
    starts, original = [], Trainer.training_step

    def recorded(self, *args, **kwargs):
        starts.append(time.perf_counter())
        return original(self, *args, **kwargs)

    Trainer.training_step = recorded
    try:
        yield starts
    finally:
        Trainer.training_step = original


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread for torch, BLAS, OpenMP and the tokenizers library."""
    threads, parallel = torch.get_num_threads(), os.environ.get("TOKENIZERS_PARALLELISM")
    torch.set_num_threads(1)
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    try:
        with threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(threads)
        os.environ.pop("TOKENIZERS_PARALLELISM")
        if parallel is not None:
            os.environ["TOKENIZERS_PARALLELISM"] = parallel


# Telling.


def table(rows: list[dict[str, object]]) -> str:
    """Rows as aligned text, the first column to the left; numbers get three digits or thousands separators."""
    cells = [list(rows[0]), *([_shown(value) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = []
    for row in cells:
        first, *others = (
            f"{c:<{w}}" if i == 0 else f"{c:>{w}}" for i, (c, w) in enumerate(zip(row, widths, strict=True))
        )
        lines.append("  ".join([first, *others]).rstrip())
    return "\n".join(lines)


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else "" if value is None else str(value)


def machine() -> dict[str, object]:
    """What the numbers were measured on."""
    file = Path("/proc/cpuinfo")
    info = file.read_text() if file.is_file() else ""
    names = [line.partition(":")[2].strip() for line in info.splitlines() if line.startswith("model name")]
    return {
        "processor": names[0] if names else platform.processor() or platform.machine(),
        "bf16_units": ", ".join(bf16_units()) or "none listed",
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "threads": torch.get_num_threads(),
        "load_average": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "fast_dtype": str(fast_dtype()).removeprefix("torch."),
    }


# Texts.


def emotion() -> tuple[TaskData, str]:
    """Emotion from a folder or the hub, else the miniature corpus; and a line that says which."""
    run = profiles.start("auto", "emotion")
    try:
        data, why = load_task("emotion", source=run.profile.source), run.reason
    except DataError as error:
        data, why = load_task("emotion", source="miniature"), str(error)
    if data.source == "miniature":
        return data, f"Texts: the miniature Emotion corpus, generated, NOT the real data ({why})."
    return data, f"Texts: Emotion, the real data set, from {'a folder' if data.source == 'folder' else 'the hub'}."


# Students: raw text to label, on one thread.


def mixed(texts: list[str]) -> list[str]:
    """The texts, every third with a curly apostrophe, an accent or an emoji: what lies beyond ASCII costs more."""
    extra = (" i don’t", " café", " so 😍")
    return [text if row % 3 else text + extra[row // 3 % 3] for row, text in enumerate(texts)]


def our_students(data: TaskData) -> dict[str, MLP]:
    """Both poolings with random weights: speed does not depend on them."""
    vocabulary = Vocabulary.fit(data.texts("train"), size=WORDS)
    fillers = [f"filler{i}" for i in range(WORDS - len(vocabulary))]  # a small corpus: same size of table
    vocabulary = Vocabulary([*vocabulary.words, *fillers])
    torch.manual_seed(SEED)
    return {
        "MLP (mean)": MLP(vocabulary, data.task.labels, pooling="mean").eval(),
        OURS: MLP(vocabulary, data.task.labels, pooling="pairs").eval(),
    }


def fasttext_model(texts: list[str], labels: np.ndarray):
    """A fastText classifier of 50 numbers a word."""
    import fasttext

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "train.txt"
        lines = (f"__label__{label} {' '.join(text.split())}\n" for text, label in zip(texts, labels, strict=True))
        path.write_text("".join(lines), encoding="utf-8")
        # With fewer than ten threads part of fastText 0.9's matrix stays uninitialised.
        return fasttext.train_supervised(str(path), dim=50, epoch=5, lr=0.5, thread=12, verbose=0)


def model2vec_classifier(vocabulary: Vocabulary, n_classes: int) -> Callable[[list[str]], np.ndarray]:
    """Model2vec's look-up with 256 random numbers a word of our vocabulary, and a random linear layer on top."""
    from model2vec import StaticModel
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

    rows = {word: row for row, word in enumerate(["[UNK]", *vocabulary.words])}
    tokenizer = Tokenizer(models.WordLevel(rows, unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizers.Lowercase(), pre_tokenizers.BertPreTokenizer()
    random = np.random.default_rng(SEED)
    model = StaticModel(random.standard_normal((len(rows), 256), np.float32), tokenizer, normalize=True)
    head = random.standard_normal((256, n_classes), np.float32)
    return lambda texts: (model.encode(texts, use_multiprocessing=False) @ head).argmax(axis=1)


def bench_students(data: TaskData, sizes: Sizes) -> list[dict]:
    """Throughput in one call and latency of single texts, beside scikit-learn, fastText and model2vec."""
    texts = data.texts("test")[: sizes.texts]
    train, labels = data.texts("train"), data.labels("train")
    many, parameters, absent = {}, {}, []
    students = our_students(data)
    for name, student in students.items():
        many[name], parameters[name] = student.predict, count_parameters(student)[0]
    single = {name: (lambda text, predict=predict: predict([text])) for name, predict in many.items()}
    ours, mix = students[OURS].predict, dict(zip(texts, mixed(texts), strict=True))
    many[MIXED], single[MIXED] = lambda texts: ours([*map(mix.get, texts)]), lambda text: ours([f"{text} café"])
    parameters[MIXED] = parameters[OURS]

    name = "TF-IDF + logistic regression"
    tfidf = make_pipeline(TfidfVectorizer(sublinear_tf=True), LogisticRegression(C=10, max_iter=1000))
    many[name] = tfidf.fit(train, labels).predict
    parameters[name] = tfidf[-1].coef_.size + tfidf[-1].intercept_.size
    single[name] = lambda text: tfidf.predict([text])

    if importlib.util.find_spec("fasttext"):
        fast = fasttext_model(train, labels)
        many["fastText"] = lambda texts: fast.predict([" ".join(text.split()) for text in texts])
        # predict() of a single text fails under numpy 2; what it calls does not.
        single["fastText"] = lambda text: fast.f.predict(" ".join(text.split()) + "\n", 1, 0.0, "strict")
        parameters["fastText"] = fast.get_input_matrix().size + fast.get_output_matrix().size
    else:
        absent.append("fastText")
    if importlib.util.find_spec("model2vec"):
        vectors = model2vec_classifier(students[OURS].vocabulary, len(data.task.labels))
        many["model2vec"], single["model2vec"] = vectors, lambda text: vectors([text])
        parameters["model2vec"] = 256 * (WORDS + 1) + 256 * len(data.task.labels)
    else:
        absent.append("model2vec")

    with one_thread():
        jobs = {name: (lambda predict=predict: predict(texts)) for name, predict in many.items()}
        interleaved(jobs, 1)  # warm up
        latencies(single, texts[:10])
        best = {name: len(texts) / min(seconds) for name, seconds in interleaved(jobs, sizes.repeats).items()}
        middle = {name: 1e6 * statistics.median(s) for name, s in latencies(single, texts[: sizes.singles]).items()}
    rows = [
        {
            "model": name,
            "parameters": parameters[name],
            "sentences/s": best[name],
            "speed / ours": best[name] / best[OURS],
            "us a text": middle[name],
            "latency / ours": middle[name] / middle[OURS],
        }
        for name in many
    ]
    print(
        f"Raw text to label, one thread: best of {sizes.repeats} passes over {len(texts):,} test texts in one call, "
        f"and median of {len(texts[: sizes.singles]):,} single calls. Ours is {OURS}; our weights and model2vec's "
        "are random. Mixed: every third text, and each single one, has a character beyond ASCII."
    )
    print(table(rows))
    for name in absent:
        print(f"{name}: not installed: pip install {name.lower()}")
    return rows


# Teachers: labelling and fine-tuning, on all threads.


def minilm(data: TaskData, seed: int = SEED):
    """MiniLM with a new head, and its tokenizer."""
    set_seed(seed)
    return load_checkpoint(teachers.resolve_checkpoint("minilm"), data.task.labels)


def bench_labelling(data: TaskData, sizes: Sizes) -> dict:
    """Teacher.logits against transformers.pipeline on the same texts and weights."""
    model, tokenizer = minilm(data)
    chosen = np.random.default_rng(SEED).permutation(len(data["train"]))
    texts = [data["train"][int(row)]["text"] for row in chosen[: sizes.labelled]]
    with tempfile.TemporaryDirectory() as folder:
        short_fine_tuning(model, tokenizer, data, sizes.head_steps, SEED, Path(folder))
    stock = copy.deepcopy(model).float().eval()
    teacher = teachers.Teacher(model, tokenizer, name="minilm")
    label = pipeline(
        "text-classification", model=stock, tokenizer=tokenizer, batch_size=PIPELINE_BATCH, device=teacher.device
    )
    answers = {}

    def with_pipeline() -> None:
        found = label(texts, truncation=True, max_length=teacher.max_tokens)
        answers["pipeline"] = np.array([stock.config.label2id[one["label"]] for one in found])

    def with_teacher() -> None:
        answers["teacher"] = teacher.logits(texts).argmax(axis=1)

    label(texts[:PIPELINE_BATCH])  # warm up
    teacher.logits(texts[:PIPELINE_BATCH])
    seconds = interleaved({"transformers.pipeline": with_pipeline, "Teacher.logits": with_teacher}, sizes.label_repeats)
    speed = {name: len(texts) / min(times) for name, times in seconds.items()}
    here, agree = machine(), float((answers["pipeline"] == answers["teacher"]).mean())
    rows = [
        {
            "labelling": name,
            "dtype": dtype,
            "sentences/s": speed[name],
            "ratio": speed[name] / speed["transformers.pipeline"],
        }
        for name, dtype in zip(speed, ("float32", here["fast_dtype"]), strict=True)
    ]
    print(
        f"Teacher labels {len(texts):,} training texts, {here['threads']} threads, best of {sizes.label_repeats}; the "
        f"pipeline in batches of {PIPELINE_BATCH}. MiniLM-L6, fine-tuned for {sizes.head_steps} steps."
    )
    print(table(rows))
    print(f"Same prediction for {100 * agree:.2f}% of the texts. bf16 units of this processor: {here['bf16_units']}.")
    return {"rows": rows, "agreement": agree, "texts": len(texts)}


def short_fine_tuning(model, tokenizer, data: TaskData, steps: int, seed: int, folder: Path) -> list[float]:
    """`steps` steps of the laptop profile's recipe; returns when each started."""
    epochs = steps / -(-len(data["train"]) // RECIPE.batch_size)
    recipe = replace(RECIPE, epochs=epochs, seed=seed)
    with step_starts() as starts:
        train(model, tokenizer, data.texts("train"), data.labels("train"), recipe, partial=folder / "partial")
    return starts


def stock_trainer(model, tokenizer, data: TaskData, seed: int, folder: Path, **options) -> Trainer:
    """A Trainer as it comes, in fp32."""
    tokens = tokenizer(data.texts("train"), truncation=True, max_length=MAX_TOKENS)["input_ids"]
    rows = [{"input_ids": t, "labels": int(y)} for t, y in zip(tokens, data.labels("train"), strict=True)]
    arguments = TrainingArguments(
        output_dir=str(folder),
        seed=seed,
        use_cpu=not torch.cuda.is_available(),
        report_to="none",
        disable_tqdm=True,
        **STOCK,
        **options,
    )
    collator = DataCollatorWithPadding(tokenizer)
    trainer = Trainer(model, arguments, train_dataset=rows, data_collator=collator, processing_class=tokenizer)
    trainer.remove_callback(PrinterCallback)
    return trainer


def bench_fine_tuning(data: TaskData, sizes: Sizes) -> dict:
    """Seconds a step of a stock Trainer and of ours, extrapolated to the end of each recipe."""
    means = {"stock Trainer": [], "teachers.train": []}
    for seed in range(sizes.rounds):
        with tempfile.TemporaryDirectory() as folder:
            model, tokenizer = minilm(data, seed)
            trainer = stock_trainer(
                model, tokenizer, data, seed, Path(folder), max_steps=sizes.steps, save_strategy="no"
            )
            with step_starts() as starts:
                trainer.train()
            means["stock Trainer"].append(seconds_a_step(starts, sizes.warm_up))
            del trainer
            model, tokenizer = minilm(data, seed)
            starts = short_fine_tuning(model, tokenizer, data, sizes.steps, seed, Path(folder))
            means["teachers.train"].append(seconds_a_step(starts, sizes.warm_up))
    steps = dict(zip(means, full_steps(len(data["train"])), strict=True))
    total = {name: statistics.mean(each) * steps[name] for name, each in means.items()}
    rows = [
        {
            "fine-tuning": name,
            "recipe": recipe,
            "s a step": statistics.mean(means[name]),
            "steps": steps[name],
            "s in all (extrapolated)": total[name],
            "ratio": total[name] / total["stock Trainer"],
        }
        for name, recipe in zip(means, recipes(), strict=True)
    ]
    print(
        f"Fine-tuning MiniLM-L6: {sizes.rounds} x {sizes.steps} steps of each were timed, the first {sizes.warm_up} of "
        "them not counted; times in all are EXTRAPOLATED from those to the recipe's steps, without saving. --full runs "
        "them."
    )
    print(table(rows))
    return {"rows": rows, "extrapolated": True}


def bench_fine_tuning_to_the_end(data: TaskData) -> dict:
    """Both recipes to their last step, with test accuracy; the time includes saving."""
    test, labels = data.texts("test"), data.labels("test")
    rows = []
    for name, recipe, steps in zip(
        ("stock Trainer", "teachers.train"), recipes(), full_steps(len(data["train"])), strict=True
    ):
        with tempfile.TemporaryDirectory() as folder:
            model, tokenizer = minilm(data)
            if name == "stock Trainer":
                trainer = stock_trainer(model, tokenizer, data, SEED, Path(folder))
                start = time.perf_counter()
                trainer.train()
                seconds = time.perf_counter() - start
                tokens = tokenizer(test, truncation=True, max_length=MAX_TOKENS)["input_ids"]
                predictions = trainer.predict([{"input_ids": t} for t in tokens]).predictions.argmax(axis=1)
            else:
                seconds = train(
                    model,
                    tokenizer,
                    data.texts("train"),
                    data.labels("train"),
                    RECIPE,
                    partial=Path(folder) / "partial",
                )
                predictions = teachers.Teacher(model, tokenizer, name="minilm").logits(test).argmax(axis=1)
        rows.append(
            {
                "fine-tuning": name,
                "recipe": recipe,
                "steps": steps,
                "s in all": seconds,
                "ratio": seconds / rows[0]["s in all"] if rows else 1.0,
                "test accuracy %": round(score("accuracy", labels, predictions), 2),
            }
        )
    print(f"Fine-tuning MiniLM-L6 to the end, one after the other, {machine()['threads']} threads, seed {SEED}.")
    print(table(rows))
    return {"rows": rows, "extrapolated": False}


def recipes() -> tuple[str, str]:
    """The two recipes, said in a few words."""
    stock = f"fp32, batch {STOCK['per_device_train_batch_size']}, {STOCK['num_train_epochs']} epochs"
    ours = f"{machine()['fast_dtype']}, batch {RECIPE.batch_size}, {RECIPE.epochs:g} epoch(s)"
    return f"{stock}, lr {STOCK['learning_rate']:g}", f"{ours}, lr {RECIPE.learning_rate:g}"


def full_steps(n_texts: int) -> tuple[int, int]:
    """Steps of the stock recipe and of ours on `n_texts` training texts."""
    stock = STOCK["num_train_epochs"] * -(-n_texts // STOCK["per_device_train_batch_size"])
    return stock, max(1, round(RECIPE.epochs * -(-n_texts // RECIPE.batch_size)))


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Measure speed beside what a reader would use instead.")
    parser.add_argument("--quick", action="store_true", help="few texts and steps: to see that it runs")
    parser.add_argument("--full", action="store_true", help="run both fine-tunings to the end, with test accuracy")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "bench.json", help="default: build/bench.json")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; 0 done, 1 a part could not be measured."""
    options = parse(arguments)
    os.environ["DISTILL_QUIET"] = "1"
    hush_libraries()
    sizes = QUICK if options.quick else DEFAULT
    data, line = emotion()
    print(line)
    here = machine()
    print(
        f"Machine: {here['gpu'] or here['processor']}, {here['threads']} threads, bf16 units {here['bf16_units']}, "
        f"fast dtype {here['fast_dtype']}, torch {here['torch']}, load average {here['load_average']}.\n"
        "Speeds differ from machine to machine, and with what else it does; the ratios are what to read."
    )
    measure = {
        "students": lambda: bench_students(data, sizes),
        "labelling": lambda: bench_labelling(data, sizes),
        "fine-tuning": lambda: bench_fine_tuning_to_the_end(data) if options.full else bench_fine_tuning(data, sizes),
    }
    found = {"texts": data.source, "quick": options.quick, "seed": SEED, "machine": here}
    failed = False
    for part in options.only:
        print(flush=True)
        try:
            found[part] = measure[part]()
        except teachers.CheckpointError as error:
            print(f"{part}: not measured: {error}", file=sys.stderr)
            found[part], failed = None, True
    write_atomically(options.out, (json.dumps(found, indent=1) + "\n").encode())
    out = options.out.resolve()
    print(f"\nwritten: {out.relative_to(ROOT) if out.is_relative_to(ROOT) else out}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
