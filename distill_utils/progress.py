"""Progress bars and library chatter: there for a person, absent from committed outputs."""

import logging
import os
import warnings

from tqdm.auto import tqdm


def is_quiet() -> bool:
    """Whether `$DISTILL_QUIET` asks for a run without bars (headless runs set it)."""
    return os.environ.get("DISTILL_QUIET", "") not in ("", "0")


def bar(iterable=None, *, what: str, total: int | None = None, unit: str = "it"):
    """A progress bar over `iterable` (or a manual one of `total` steps) that a quiet run does not show."""
    return tqdm(iterable, desc=what, total=total, unit=unit, disable=is_quiet(), leave=False)


def hush_libraries() -> None:
    """Keep Hugging Face's load reports out of the notebook, and its bars too when the run is quiet."""
    import datasets
    import huggingface_hub.utils as hub
    import transformers

    transformers.logging.set_verbosity_error()
    for library in ("datasets", "huggingface_hub"):  # the hub's client tells of every try again
        logging.getLogger(library).setLevel(logging.ERROR)
    # Trainer asks for pinned memory, which a machine without a GPU answers with a warning on every loader.
    warnings.filterwarnings("ignore", message=".*pin_memory.*")
    # peft asks models by an old name whether they save memory.
    warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing.*")
    # Loading 22M weights takes half a second: a bar for it is noise even for a person.
    transformers.logging.disable_progress_bar()
    if is_quiet():
        datasets.disable_progress_bars()
        hub.disable_progress_bars()


def tell(line: str) -> None:
    """Write a line that a reader should see, above any bar."""
    tqdm.write(line)
