"""How much of everything a run uses: the one place where smoke, laptop and full are defined."""

import ast
import os
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch

from distill_utils.teachers import Committee, Recipe
from distill_utils.teachers.labeller import title_of
from distill_utils.texts.readers import data_folder, hub_in_reach
from distill_utils.texts.tasks import TASKS

# Results and figures of an open notebook: in a checkout, and of a notebook on its own, as Colab opens it.
CHECKOUT, ALONE = Path("../build/notebooks"), Path("distill_results")


class ProfileError(ValueError):
    """A parameter that cannot be used; the message is one line: what is wrong, and what to do."""


@dataclass(frozen=True)
class Profile:
    """Sizes and sources of a run.

    fine_tune is the recipe of teachers, except where `recipes` names the task.
    """

    name: str
    source: str | None  # None: a folder or the hub, whichever has the data
    teachers: tuple[str, ...]  # checkpoints; the first one is distilled
    fine_tune: Recipe
    transfer: dict[str, int]  # new texts for each training text, by kind: arguments of augmentation.transfer_set
    student_epochs: int  # on hard labels; over a transfer set `distil_epochs`
    distil_epochs: int
    student_batch: int
    text_to_text: str | None  # a checkpoint that writes its label, run as it comes
    summary: str
    pool: int  # unlabelled texts a student may learn from, at most
    budget: int  # texts that part 2's comparison of kinds adds to the training texts
    sizes: tuple[int, ...]  # transfer sets along part 2's curve, in texts
    texts_seen: int  # by part 2's MLP over all passes, whatever the size of the set
    conv: dict[str, float]  # arguments of students.GatedCNN
    convs: dict[str, dict[str, float]]  # the same for a task
    conv_epochs: int  # at most; fewer where they come to more than `texts_seen`
    conv_batch: int
    bilstm: dict[str, float]  # arguments of students.BiLSTM
    bilstms: dict[str, dict[str, float]]  # the same for a task
    bilstm_epochs: int  # at most
    bilstm_words: int  # that it reads over all passes; twice through the set at least, once without dropout
    bilstm_hard_epochs: int  # on the labels alone
    bilstm_batch: int
    bilstm_seeds: int  # trained of it, at most
    small: str | None  # a small pre-trained transformer beside the teacher; None where the teacher is one
    lesson: dict[str, int]  # by task: texts of the pool from which transformers learn the teacher's answers
    shuffled: int  # texts whose words part 3 shuffles, for each task and n
    dial: Recipe  # of the teachers along part 3's dial, on 400 generated texts
    teacher_seen: int  # texts that the teacher of your own task sees, if that is more than the recipe's epochs
    ladder: dict[str, tuple[int, int]]  # texts that a student of it sees: two amounts to choose from
    recipes: dict[str, Recipe] = field(default_factory=dict)
    committees: dict[str, Committee] = field(default_factory=dict)  # by task: several such teachers teach one
    half_recipe: Recipe = Recipe()  # of the teacher's first half, where `half_recipes` does not name the task
    half_recipes: dict[str, Recipe] = field(default_factory=dict)
    small_recipes: dict[str, Recipe] = field(default_factory=dict)  # by task: of the small one on the labels
    taught_recipes: dict[str, Recipe] = field(default_factory=dict)  # and on the teacher's answers
    own_teacher: str | None = None  # of a task of your own, where `teachers` would take too long

    def own_recipe(self, n_texts: int) -> Recipe:
        """How the teacher of a task of your own is fine-tuned: small sets are read up to five times."""
        epochs = max(self.fine_tune.epochs, min(5, round(self.teacher_seen / n_texts, 1)))
        return replace(self.fine_tune, epochs=epochs)

    def recipe(self, task: str) -> Recipe:
        """How this task's teacher is fine-tuned."""
        return self.recipes.get(task, self.fine_tune)

    def recipe_of_half(self, task: str) -> Recipe:
        """How the first half of this task's teacher is taught by the whole."""
        return self.half_recipes.get(task, self.half_recipe)

    def conv_of(self, task: str) -> dict[str, float]:
        """Arguments of this task's gated CNN."""
        return self.convs.get(task, self.conv)

    def bilstm_of(self, task: str) -> dict[str, float]:
        """Arguments of this task's Bi-LSTM."""
        return self.bilstms.get(task, self.bilstm)

    def passes(self, n_texts: int) -> int:
        """Passes over a set of texts that come to `texts_seen` in all; 2 at least, 20 at most."""
        return min(max(round(self.texts_seen / n_texts), 2), 20)


def _each(fragments: int, replaced: int, spliced: int) -> dict[str, int]:
    return {"fragments_each": fragments, "replaced_each": replaced, "spliced_each": spliced}


# How MiniLM becomes a teacher on the real data: whole for a task of your own, as an adapter for those of the course.
MINILM_RECIPE = Recipe(epochs=1.5, learning_rate=2e-4, dropout=0.0)
MINILM_RECIPES = {
    "emotion": Recipe(epochs=4, learning_rate=1e-3, batch_size=64, dropout=0.0, adapter_rank=16),
    "sst2": Recipe(epochs=4, learning_rate=5e-4, adapter_rank=16),
    "cola": Recipe(epochs=10, learning_rate=5e-4, adapter_rank=16),
    "imdb": Recipe(epochs=6, learning_rate=5e-4, batch_size=16, max_tokens=256, seed=1, adapter_rank=16),
}
# The same, taught by MPNet.
TAUGHT_RECIPES = {
    "sst2": Recipe(epochs=3, learning_rate=2e-3, batch_size=256, dropout=0.0, adapter_rank=32),
    "cola": Recipe(epochs=3, learning_rate=2e-3, batch_size=256, dropout=0.0, adapter_rank=32),
    "imdb": Recipe(epochs=5, learning_rate=1e-3, batch_size=64, max_tokens=256, dropout=0.0, adapter_rank=16),
}
# How MPNet becomes each task's teacher: chosen on validation among two to five recipes and one to three seeds a task.
MPNET_RECIPES = {
    "emotion": Recipe(epochs=3, learning_rate=6e-4, batch_size=64, seed=1, adapter_rank=16),
    "sst2": Recipe(epochs=5, learning_rate=2e-4, adapter_rank=16),
    "cola": Recipe(epochs=5, learning_rate=4e-4, adapter_rank=32),
    "imdb": Recipe(epochs=4, learning_rate=2e-4, batch_size=16, max_tokens=256, adapter_rank=16),
}
# CoLA's teachers differ more by their seeds than by their recipes: five of that recipe vote, and one learns from them.
COMMITTEES = {
    "cola": Committee(
        members=5,
        texts=60_000,
        recipe=Recipe(epochs=2, learning_rate=5e-4, batch_size=128, dropout=0.0, adapter_rank=32),
    )
}
# And MPNet's first half, taught by the whole; the rank is the whole's.
HALF_RECIPES = {
    "emotion": Recipe(epochs=6, learning_rate=5e-4, batch_size=256, dropout=0.0),
    "cola": Recipe(epochs=1, learning_rate=5e-4, batch_size=128, dropout=0.0),
    "imdb": Recipe(epochs=4, learning_rate=5e-4, batch_size=64, max_tokens=256, dropout=0.0),
}

# The gated CNN of 80,400 parameters: chosen on validation texts, most of the choices on SST-2's.
CONV = {"frequent": 2000, "channels": 24, "word_dropout": 0.1}
# SST-2's knows more words, with less of each.
CONVS = {"sst2": CONV | {"frequent": 1000, "rare_size": 2}}
# The Bi-LSTM, a third of the blog's outside its table. Chosen on validation, by task: one that drops no numbers out in
# training learns as much in one pass over many different texts. On SST-2 validation does not tell the two apart.
# CoLA's learns more with twice the state.
BILSTM = {"embedding_size": 100, "hidden": 64, "dense": 100}
BILSTMS = {
    "emotion": BILSTM | {"dropout": 0.0},
    "cola": BILSTM | {"dropout": 0.0, "embedding_size": 64, "hidden": 128},
    "imdb": BILSTM | {"dropout": 0.0},
}

PROFILES = {
    profile.name: profile
    for profile in (
        Profile(
            name="smoke",
            source="miniature",
            teachers=("minilm",),
            fine_tune=Recipe(epochs=2.5, learning_rate=3e-4, batch_size=16, dropout=0.0),
            transfer=_each(fragments=0, replaced=1, spliced=0),
            student_epochs=60,
            distil_epochs=10,
            student_batch=64,
            text_to_text=None,
            summary="miniature corpora that the library generates, MiniLM teacher",
            pool=1500,
            budget=200,
            sizes=(400, 800, 1600),
            texts_seen=10_000,
            conv={},
            convs={},
            conv_epochs=10,
            conv_batch=64,
            bilstm={"embedding_size": 50, "hidden": 64, "dense": 100},
            bilstms={},
            bilstm_epochs=10,
            bilstm_words=10**9,
            bilstm_hard_epochs=20,
            bilstm_batch=64,
            bilstm_seeds=3,
            small=None,
            lesson={"emotion": 200, "sst2": 200, "cola": 200, "imdb": 100},
            half_recipe=Recipe(epochs=1.5, learning_rate=5e-4, batch_size=16, dropout=0.0),
            shuffled=30,
            dial=Recipe(epochs=2.5, learning_rate=3e-4, batch_size=16, dropout=0.0),
            teacher_seen=1000,
            ladder={"mlp": (5000, 15_000), "bilstm": (8000, 16_000)},
        ),
        Profile(
            name="laptop",
            source=None,
            teachers=("mpnet",),
            fine_tune=MPNET_RECIPES["emotion"],
            transfer=_each(fragments=2, replaced=0, spliced=0),
            student_epochs=10,
            distil_epochs=10,
            student_batch=256,
            text_to_text=None,
            summary="real data, MPNet-base teacher",
            pool=700_000,
            budget=4000,
            sizes=(1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000),
            texts_seen=750_000,
            conv=CONV,
            convs=CONVS,
            conv_epochs=8,
            conv_batch=256,
            bilstm=BILSTM,
            bilstms=BILSTMS,
            bilstm_epochs=4,
            bilstm_words=12_000_000,
            bilstm_hard_epochs=8,
            bilstm_batch=128,
            bilstm_seeds=3,
            small="minilm",
            lesson={"emotion": 30_000, "sst2": 700_000, "cola": 700_000, "imdb": 10_000},
            shuffled=200,
            dial=Recipe(epochs=5, learning_rate=2e-4, batch_size=16, dropout=0.0),
            teacher_seen=10_000,
            ladder={"mlp": (50_000, 150_000), "bilstm": (15_000, 30_000)},
            recipes=MPNET_RECIPES,
            committees=COMMITTEES,
            half_recipe=HALF_RECIPES["emotion"],
            half_recipes=HALF_RECIPES,
            small_recipes=MINILM_RECIPES,
            taught_recipes=TAUGHT_RECIPES,
            own_teacher="minilm",
        ),
        Profile(
            name="full",
            source=None,
            teachers=(
                "FacebookAI/roberta-base",
                "google-bert/bert-base-uncased",
                "distilbert/distilbert-base-uncased",
                "distilbert/distilroberta-base",
            ),
            fine_tune=Recipe(epochs=3, learning_rate=3e-5),
            transfer=_each(fragments=4, replaced=10, spliced=10),
            student_epochs=10,
            distil_epochs=10,
            student_batch=256,
            text_to_text="mrm8488/t5-base-finetuned-emotion",
            summary="real data, the blog's teachers",
            pool=100_000,
            budget=100_000,
            sizes=(7000, 14_000, 35_000, 70_000, 140_000, 350_000),
            texts_seen=2_000_000,
            conv=CONV,
            convs=CONVS,
            conv_epochs=8,
            conv_batch=256,
            bilstm={"embedding_size": 300, "hidden": 300},
            bilstms={},
            bilstm_epochs=10,
            bilstm_words=10**9,
            bilstm_hard_epochs=20,
            bilstm_batch=128,
            bilstm_seeds=5,
            small=None,
            lesson={},
            shuffled=2000,
            dial=Recipe(epochs=5, learning_rate=2e-4, batch_size=16, dropout=0.0),
            teacher_seen=20_000,
            ladder={"mlp": (200_000, 1_000_000), "bilstm": (100_000, 500_000)},
            recipes={"imdb": Recipe(epochs=6, learning_rate=3e-5, max_tokens=256)},
        ),
    )
}


def taught_by(profile: Profile, teacher: str) -> Profile:
    """The profile with another checkpoint as its first teacher, fine-tuned as fits one of its size.

    MiniLM and MPNet have recipes for each task; others are taken for as large as those of the `full` profile. On the
    miniature corpora only the learning rate is lower. Beside MiniLM stands no smaller transformer.
    """
    if teacher == profile.teachers[0]:
        return profile
    full, small = PROFILES["full"], profile.small
    recipes = {"minilm": MINILM_RECIPES, "mpnet": MPNET_RECIPES}.get(teacher, full.recipes)
    fine_tune = {"minilm": MINILM_RECIPE, "mpnet": MPNET_RECIPES["emotion"]}.get(teacher, full.fine_tune)
    half_recipe, half_recipes = (HALF_RECIPES["emotion"], HALF_RECIPES) if teacher == "mpnet" else (Recipe(), {})
    committees = COMMITTEES if teacher == "mpnet" else {}
    if profile.source == "miniature":
        fine_tune, recipes, committees = replace(profile.fine_tune, learning_rate=5e-5), {}, {}
    return replace(
        profile,
        teachers=(teacher, *(name for name in profile.teachers[1:] if name != teacher)),
        fine_tune=fine_tune,
        recipes=recipes,
        committees=committees,
        half_recipe=half_recipe,
        half_recipes=half_recipes,
        small=None if small == teacher else small,
        summary=f"{profile.summary.partition(', ')[0]}, {title_of(teacher)} teacher",
    )


@dataclass(frozen=True)
class Run:
    """A profile that was chosen, why, and the folder that results and figures go to; own: it reads the user's data."""

    profile: Profile
    reason: str
    output: Path
    own: bool = False

    def __str__(self) -> str:
        data, _, teacher = self.profile.summary.partition(", ")
        line = f"Profile {self.profile.name} ({self.reason}): {'your own data' if self.own else data}, {teacher}."
        if not self.own and self.profile.source == "miniature":
            line += (
                " These are NOT the real data sets: for those connect to the hub, or point $DISTILL_DATA at a "
                "folder with them."
            )
        if self.output == ALONE:
            line += f" Results and figures go to {ALONE}/, beside this notebook."
        return line


def start(profile: str, *datasets: str, teacher: str = "auto") -> Run:
    """Choose a profile for data sets; "auto" gives way to `$DISTILL_PROFILE`, then to what this machine has.

    teacher: "minilm", "mpnet", a hub id or a folder, in place of the profile's first teacher.

    Raises ProfileError for an unknown name or home folder, DataError when `$DISTILL_DATA` is needed and is no folder.
    """
    reason = "asked for"
    if profile == "auto":
        profile, reason = os.environ.get("DISTILL_PROFILE", ""), "asked for by $DISTILL_PROFILE"
    if profile in ("", "auto"):
        profile, reason = _automatic(datasets)
    if profile not in PROFILES:
        named = "profile in $DISTILL_PROFILE" if "$DISTILL_PROFILE" in reason else "profile"
        raise ProfileError(f"unknown {named} {profile!r}: use {', '.join(PROFILES)} or auto")
    default = CHECKOUT if Path("../distill_utils").is_dir() else ALONE
    output = os.path.expanduser(os.environ.get("DISTILL_OUTPUT") or default)
    if output.startswith("~"):  # not a folder of that name instead
        raise ProfileError(f"$DISTILL_OUTPUT is {output!r}, but there is no such home folder: give its full path")
    chosen, own = PROFILES[profile], bool(datasets) and not set(datasets) & set(TASKS)
    if teacher == "auto":
        teacher = (chosen.own_teacher if own else None) or chosen.teachers[0]
    return Run(taught_by(chosen, teacher), reason, Path(output), own)


def check_parameters(namespace: dict, **kinds: type) -> None:
    """Check a notebook's parameters, given its globals() and each one's type; whole numbers must be at least 1.

    papermill injects what it is given, with at most a warning: a misspelt name would change nothing, and
    `-p seeds many` arrives as a string. Raises ProfileError for the first that does not fit.
    """
    for name in _injected(namespace):
        if name not in kinds:
            raise ProfileError(f"unknown parameter {name!r}: this notebook takes {', '.join(kinds)}")
    for name, kind in kinds.items():
        value = namespace[name]
        kind = (int, float) if kind is float else kind  # 1 for 1.0
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise ProfileError(
                f"parameter {name} is {value!r}, a {type(value).__name__}: give a {kinds[name].__name__}"
            )
        if kind is int and value < 1:
            raise ProfileError(f"parameter {name} is {value}: give a whole number from 1 on")


def _injected(namespace: dict) -> list[str]:
    """Names that papermill's cell sets; IPython keeps the cells it ran in `In`."""
    cells = [cell for cell in namespace.get("In", []) if cell.startswith("# Parameters")]
    assignments = [node for cell in cells for node in ast.parse(cell).body if isinstance(node, ast.Assign)]
    return [target.id for node in assignments for target in node.targets]


def _automatic(datasets: tuple[str, ...]) -> tuple[str, str]:
    if datasets == ("",):
        return "smoke", "automatic: no data set is named"
    named = [name for name in datasets if name in TASKS]
    here = data_folder() if named else None
    local = all(here is not None and (here / name).is_dir() for name in named)
    if torch.cuda.is_available() and hub_in_reach():
        return "full", "automatic: a GPU, and the hub is in reach"
    if local:
        return "laptop", f"automatic: the data is {'in a folder here' if named else 'your own'}"
    if hub_in_reach():
        return "laptop", "automatic: the hub is in reach"
    return "smoke", "automatic: no data folder, and the hub is out of reach"
