"""One task under one protocol: a teacher, a transfer set, students trained once a seed, and their board.

Part 1 writes these steps out; parts 2 and 3 repeat them for several tasks.
"""

from collections.abc import Callable, Iterable
from copy import copy
from dataclasses import replace
from functools import lru_cache

import numpy as np
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from distill_utils.profiles import Profile
from distill_utils.results import scoreboard
from distill_utils.results.scoreboard import Result, Scoreboard
from distill_utils.students import MLP, BiLSTM, GatedCNN, Student, match_shares
from distill_utils.students.distillation import fit_all, one_hot
from distill_utils.teachers import Labeller, Recipe, Teacher, fine_tune, teach, teach_by_committee, written_labels
from distill_utils.teachers.labeller import title_of
from distill_utils.texts import augmentation
from distill_utils.texts.lexicon import word_vectors
from distill_utils.texts.tasks import SPLITS, TaskData
from distill_utils.texts.words import Vocabulary

TABLE = 80_000  # numbers in the MLP's word table: 16 for each of 5,000 words, or 8 for each of 10,000
CONV = 80_400  # parameters of the gated CNN, at most: as many as the MLP has
# Transformers of the blog's tables: where they are, and their parameters without the rows of the last layer.
CHECKPOINTS = {
    "BERT": ("google-bert/bert-base-uncased", 109_482_240),
    "RoBERTa": ("FacebookAI/roberta-base", 124_645_632),
    "DistilBERT": ("distilbert/distilbert-base-uncased", 66_953_472),
    "DistilRoBERTa": ("distilbert/distilroberta-base", 82_118_400),
}
T5 = 222_903_552  # parameters of T5-base, which writes its label
CLASS_ROW = 769  # parameters a class adds to each of them: 768 weights and a bias


class Experiment:
    """A task's texts and labels, its teacher, the unlabelled texts, and the board.

    words: how many the MLP knows; known: and the Bi-LSTM, whose table no budget counts. blog: the scores there, by
    model. more: unlabelled texts from elsewhere; with them the task's own fill at most half of the profile's pool.
    `leaks` counts what was removed from the pool because validation or test has it. recorded: whether teachers and
    answers that came with the library may be read.
    """

    def __init__(
        self,
        data: TaskData,
        profile: Profile,
        *,
        seeds: int,
        blog: dict[str, float] | None = None,
        words: int = 5000,
        known: int = 40_000,
        more: list[str] = (),
        recorded: bool = True,
    ):
        self.recorded = recorded
        self.data, self.profile, self.seeds, self.blog = data, profile, seeds, blog or {}
        self.names, self.words, self.known = data.task.labels, words, known
        self.texts = {split: data.texts(split) for split in SPLITS}
        self.labels = {split: data.labels(split) for split in SPLITS}
        self.held_out = self.texts["validation"] + self.texts["test"]
        self.pool, self.leaks = augmentation.pool_without(self._unlabelled(more), self.held_out)
        self.further: list[str] = []  # more unlabelled texts, for students only, as far as answers are at hand
        self.further_taught: list[str] = []  # those of them that the small pre-trained transformer reads, too
        self.vocabulary = self._frequent(words)
        self.board = Scoreboard(data.task.name, data.task.metric, data.source)

    def _unlabelled(self, more: list[str]) -> list[str]:
        if "unsupervised" in self.data:
            own = self.data.texts("unsupervised")
        elif more:
            own = []
        else:  # none that is surely free of the test set: pieces of the training texts
            own = augmentation.fragments(self.texts["train"], self.profile.transfer["fragments_each"], seed=0)
        size = self.profile.pool
        own_size = size // 2 if more else size
        return augmentation.sample(own, own_size, seed=0) + augmentation.sample(more, size - own_size, seed=0)

    def teach(self, *, teacher: Labeller | None = None) -> Labeller:
        """Fine-tune the profile's teacher, or take a ready one, and put it on the board.

        Where the profile has a committee for the task, the teacher is the one that learns from it.
        A ready teacher that does not answer all test texts gets a row without a score.

        Raises ValueError for a ready teacher of other classes, or in another order.
        """
        if teacher is None:
            teacher = self._own_teacher()
        elif teacher.class_names != self.names:
            raise ValueError(f"the classes are {self.names}, the teacher's {teacher.class_names}: give it these names")
        self.teacher, self.teacher_name = teacher, teacher.title
        if len(teacher.answerable(self.texts["test"])) < len(self.texts["test"]):
            self.board.add(self.teacher_name, None)
        else:
            self.record(self.teacher_name, [teacher])
        return teacher

    def _own_teacher(self) -> Teacher:
        checkpoint, task = self.profile.teachers[0], self.data.task.name
        recipe, committee = self.profile.recipe(task), self.profile.committees.get(task)
        if committee is None:
            return self.fine_tuned(checkpoint, recipe)
        texts, labels = self.texts["train"], self.labels["train"]
        more = {"unlabelled": self.pool, "recorded": self.recorded}
        return teach_by_committee(checkpoint, texts, labels, self.names, recipe, committee, **more)

    def fine_tuned(self, checkpoint: str, recipe: Recipe) -> Teacher:
        """A checkpoint fine-tuned on the task's training labels."""
        return fine_tune(
            checkpoint, self.texts["train"], self.labels["train"], self.names, recipe, recorded=self.recorded
        )

    def lesson(self) -> list[str]:
        """What smaller transformers learn the teacher's answers from: the training texts, and a sample of the pool."""
        size = self.profile.lesson.get(self.data.task.name, 0)
        return self.texts["train"] + augmentation.sample(self.pool, size, seed=0)

    def smaller(self) -> dict[str, Teacher]:
        """The smaller transformers beside a fine-tuned teacher, put on the board.

        The profile's small one, on the labels and taught by the teacher, and the first half of the teacher's layers. Of
        the two taught ones only what the profile has a recipe for; without a small one, always the half.
        """
        task, found = self.data.task.name, {}
        if self.profile.small:
            small = title_of(self.profile.small)
            found[small] = self.fine_tuned(self.profile.small, self.profile.small_recipes[task])
            if task in self.profile.taught_recipes:
                further = self.teacher.at_hand(self.further_taught)
                found[f"{small}-D"] = self.taught(self.profile.small, self.profile.taught_recipes[task], further)
        if not self.profile.small or task in self.profile.half_recipes:
            layers, adapter = max(1, self.teacher.n_layers // 2), self.teacher.adapter
            rank = adapter.rank if adapter else 0
            recipe = replace(self.profile.recipe_of_half(task), layers=layers, adapter_rank=rank)
            found[f"{self.teacher_name}, {layers} layers-D"] = self.taught(self.teacher, recipe)
        for name, model in found.items():
            self.record(name, [model], self.teacher_name if name.endswith("-D") else None)
        return found

    def taught(self, start: str | Teacher, recipe: Recipe, further: Iterable[str] = ()) -> Teacher:
        """A smaller transformer that learnt the teacher's answers to `lesson`, and to further texts."""
        return teach(start, [*self.lesson(), *further], self.teacher, recipe, recorded=self.recorded)

    def beside(self) -> "Experiment":
        """The same task, texts, words and seeds with a smaller teacher, and a board of its own.

        That is the profile's small transformer, fine-tuned on the labels; where the teacher is one, its first half.
        """
        other = copy(self)
        other.board = Scoreboard(self.board.task, self.board.metric, self.board.data_source)
        if self.profile.small:
            recipe = self.profile.small_recipes[self.data.task.name]
            other.teach(teacher=self.fine_tuned(self.profile.small, recipe))
            return other
        name, teacher = self.smaller().popitem()
        other.teacher, other.teacher_name = teacher, name
        other.record(name, [teacher])
        return other

    def others(self) -> None:
        """The blog's other transformers: run under the profile that has them; else only the blog's score is noted."""
        for model, (checkpoint, size) in CHECKPOINTS.items():
            if model == self.teacher_name or model not in self.blog:
                continue
            if checkpoint in self.profile.teachers:
                self.record(model, [self.fine_tuned(checkpoint, self.profile.recipe(self.data.task.name))])
            else:
                size += CLASS_ROW * len(self.names)
                self.board.add(model, None, parameters=(size, None), blog=self.blog[model])
        if "T5-base" in self.blog:
            written, size = None, T5
            if self.profile.text_to_text:
                written, size = written_labels(self.profile.text_to_text, self.texts["test"], self.names)
                written = self.score(written)
            self.board.add("T5-base", written, parameters=(size, None), blog=self.blog["T5-base"])

    @property
    def hard(self) -> np.ndarray:
        """The training labels as one-hot rows, (n_texts, n_classes)."""
        return one_hot(self.labels["train"], len(self.names))

    def transfer(self) -> tuple[list[str], np.ndarray]:
        """All texts that students read, as far as the teacher answers them; its soft labels, (n_texts, n_classes)."""
        texts = self.teacher.answerable(self.texts["train"] + self.pool) + self.teacher.at_hand(self.further)
        return texts, self.teacher.soft_labels(texts)

    def _frequent(self, size: int) -> Vocabulary:
        """The most frequent words of training texts and pool."""
        return _vocabulary(tuple(self.texts["train"] + self.pool), size)

    def mlp(self, *, taught: bool = False, pooling: str = "pairs", probes: bool | None = None) -> MLP:
        """A new MLP; a taught one starts from the teacher's opinion of each word, and its word vectors if it has any.

        The vectors go to a bag of words only: "pairs" rotates them, which would undo that. probes: whether to ask the
        teacher about thousands of words; None asks one with weights, which costs nothing but time.
        """
        size, start = TABLE // self.words, {}
        if taught and (self.teacher.has_weights if probes is None else probes):
            start["word_logits"] = self._word_logits(self.vocabulary)
            if pooling == "mean" and size > len(self.names) and self.teacher.has_weights:
                start["word_vectors"] = self.word_vectors(self.vocabulary, size - len(self.names))
        return MLP(self.vocabulary, self.names, pooling=pooling, embedding_size=size, **start)

    def bilstm(self, *, taught: bool = False) -> BiLSTM:
        """A new Bi-LSTM of the profile's size; a taught one starts from the teacher's own word vectors, if any."""
        words, config = self._frequent(self.known), self.profile.bilstm_of(self.data.task.name)
        given = taught and self.teacher.has_weights
        vectors = self.word_vectors(words, config["embedding_size"]) if given else None
        return BiLSTM(words, self.names, word_vectors=vectors, **config)

    def conv(self, *, taught: bool = False) -> GatedCNN:
        """A new gated CNN with the MLP's number of parameters, and with as many words as they allow.

        A taught one starts from the opinion of a teacher with weights on each word.
        """
        config = self.profile.conv_of(self.data.task.name)
        words = self._frequent(GatedCNN.most_words(CONV, len(self.names), **config))
        start = self._word_logits(words) if taught and self.teacher.has_weights else None
        return GatedCNN(words, self.names, word_logits=start, **config)

    def word_vectors(self, vocabulary: Vocabulary, size: int | None = None) -> np.ndarray:
        """The teacher's own vectors of a vocabulary's words, (n_words, d); or their `size` principal components."""
        if not self.teacher.has_weights:
            raise self.teacher.lacks("a word vector")
        table = word_vectors(self.teacher.word_table, self.teacher.tokenizer, vocabulary.words)
        return PCA(size, random_state=0).fit_transform(table) if size else table

    def _word_logits(self, vocabulary: Vocabulary) -> np.ndarray:
        probes = _probes(tuple(self.texts["train"] + self.pool))
        known = {word: probes[word] for word in vocabulary.words if word in probes}
        opinions = dict(zip(known, self.teacher.cached_logits(list(known.values())), strict=True))
        neutral = np.zeros(len(self.names), np.float32)
        return np.stack([opinions.get(word, neutral) for word in vocabulary.words])

    def train(
        self,
        make: Callable[[], Student],
        texts: list[str],
        soft_labels: np.ndarray,
        *,
        only: int | None = None,
        match: bool = False,
        **options,
    ) -> list[Student]:
        """One student a seed, or for the first `only` seeds; `options` go to `fit`.

        match: move each student's answers to the shares of the classes in the training labels (`match_shares`), for
        texts that hold another mix.
        """
        lesson = {"make": make, "texts": texts, "soft_labels": soft_labels, "only": only, "match": match} | options
        return self.train_all({"the only one": lesson})["the only one"]

    def train_all(self, lessons: dict[str, dict]) -> dict[str, list[Student]]:
        """What `train` gives for each lesson, a dictionary of its arguments. Together they keep all cores busy."""
        given, matched = [], []
        for lesson in lessons.values():
            options = dict(lesson)
            seeds = range(options.pop("only", None) or self.seeds)
            matched.append(options.pop("match", False))
            given.append({"student": options.pop("make")(), "seeds": seeds} | options)
        found = fit_all(given)
        for students in (students for students, match in zip(found, matched, strict=True) if match):
            for student in students:
                match_shares(student, self.texts["train"], self.hard.mean(axis=0))
        return dict(zip(lessons, found, strict=True))

    def score(self, predictions: np.ndarray, split: str = "test") -> float:
        """The task's metric in percent."""
        return scoreboard.score(self.data.task.metric, self.labels[split], predictions)

    def record(self, model: str, models: list, teacher: str | None = None) -> Result:
        """Put the test scores of `models` (one kind of student once a seed, or one teacher) on the board."""
        scores = [self.score(one.predict(self.texts["test"])) for one in models]
        first = models[0]
        return self.board.add(
            model,
            scores if len(scores) > 1 else scores[0],
            parameters=first.count_parameters(),
            teacher=teacher,
            train_seconds=first.train_seconds,
            blog=self.blog.get(model),
        )

    def baselines(self) -> None:
        """Put the majority class and tuned TF-IDF + logistic regression on the board."""
        majority = np.full(len(self.labels["test"]), np.bincount(self.labels["train"]).argmax())
        self.board.add("majority class", self.score(majority))
        self.linear = linear = tuned_tfidf(self)
        self.board.add(
            "TF-IDF + logistic regression",
            self.score(linear.predict(self.texts["test"])),
            parameters=(linear[-1].coef_.size + linear[-1].intercept_.size,) * 2,
        )

    def correct(self, models: list) -> np.ndarray:
        """Which test texts each model gets right, (n_models, n_texts) of booleans."""
        return np.stack([model.predict(self.texts["test"]) == self.labels["test"] for model in models])

    def retention(self, model: str) -> tuple[float, float]:
        """How much of the teacher's score a model on the board keeps, in percent, and the spread over seeds."""
        result, whole = self.board[model], self.board[self.teacher_name].score
        return 100 * result.score / whole, 100 * (result.score_std or 0.0) / whole

    def validation(self, models: list) -> tuple[float, float]:
        """Mean and spread of the validation scores of one kind of model."""
        scores = [self.score(model.predict(self.texts["validation"]), "validation") for model in models]
        return float(np.mean(scores)), float(np.std(scores, ddof=1)) if len(scores) > 1 else 0.0


@lru_cache(maxsize=12)  # the course's tasks, with three kinds of students: each new one asks
def _vocabulary(texts: tuple[str, ...], size: int) -> Vocabulary:
    return Vocabulary.fit(texts, size)


@lru_cache(maxsize=4)  # the course's tasks: each taught student asks for them
def _probes(texts: tuple[str, ...]) -> dict[str, str]:
    return augmentation.word_probes(list(texts))


def tuned_tfidf(experiment: Experiment):
    """TF-IDF + logistic regression on the training split, its regularisation chosen on validation."""
    texts, labels = experiment.texts["train"], experiment.labels["train"]
    vectors = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), min_df=2).fit(texts)
    train, held_out = vectors.transform(texts), vectors.transform(experiment.texts["validation"])
    fitted = [LogisticRegression(C=C, max_iter=1000).fit(train, labels) for C in (1, 3, 10, 30)]
    best = max(fitted, key=lambda model: experiment.score(model.predict(held_out), "validation"))
    return make_pipeline(vectors, best)
