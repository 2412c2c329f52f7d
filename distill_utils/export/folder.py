"""What an exported student's folder holds, written whole or not at all."""

import io
import shutil
from pathlib import Path

import numpy as np

from distill_utils.cache import read_note, written_together
from distill_utils.export import predictor
from distill_utils.export.int8 import quantise
from distill_utils.export.page import page
from distill_utils.students import MLP, BiLSTM, GatedCNN, Student
from distill_utils.students.bilstm import MAX_WORDS
from distill_utils.switch import Switch
from distill_utils.switch.routers import Doubt
from distill_utils.texts import words

NOTE = predictor.NOTE


def export(student: Student | Switch, folder: str | Path) -> None:
    """Write a student to a folder that runs without this library: docs/export.md says what each file is.

    `student.onnx` and `student.int8.onnx`, `predictor.py` with `words.py` (what a word is) and `student.json` (class
    names, vocabulary, hashes); of an MLP or a gated CNN its weights for numpy and `demo.html`, too. Of a switch it is
    the student that is written, and its page says where the switch would ask the teacher.

    Raises ValueError for other kinds of students, a switch that is not calibrated or has another router than the
    student's own doubt, weights that are not finite, and a folder that `save_pretrained` wrote to; CacheError (an
    OSError) for one that cannot be written; ImportError without the extra `export`.
    """
    folder, switch = Path(folder), None
    if isinstance(student, Switch):
        student, switch = student.student, _rule(student)
    weights = _weights(student)
    earlier = _earlier(folder)
    try:
        from distill_utils.export.graphs import lstm_gates, model_bytes, scaled_axis
    except ImportError as error:
        raise ImportError("an export needs onnx: pip install 'distill_utils[export]'") from error
    note = {
        "export": 1,
        "kind": type(student).__name__,
        "config": student.config,
        "labels": student.labels,
        "text_rules": words.RULES["name"],
        "words": student.vocabulary.words,
    }
    if isinstance(student, GatedCNN):
        note["unknown_words"] = "row len(words) + CRC-32 of the word's last three bytes of UTF-8 % config.endings"
    if isinstance(student, BiLSTM):
        note["max_words"] = MAX_WORDS
        weights = {name: value for name, value in weights.items() if "lstm" not in name} | lstm_gates(weights)
    if switch is not None:
        note["switch"] = switch
    with written_together(folder, NOTE, note) as staged:
        for int8, name in enumerate(predictor.GRAPHS):
            (staged / name).write_bytes(model_bytes(note, weights, int8=bool(int8)))
        if not isinstance(student, BiLSTM):
            small = dict(weights)
            for name, value in weights.items():
                if (axis := scaled_axis(name)) is not None:
                    small[name], small[f"{name}.scale"] = quantise(value, axis)
            for name, arrays in zip(predictor.ARRAYS, (weights, small), strict=True):
                buffer = io.BytesIO()
                np.savez_compressed(buffer, **arrays)
                (staged / name).write_bytes(buffer.getvalue())
            (staged / "demo.html").write_text(page(note, small), encoding="utf-8", newline="\n")
        for module in (predictor, words):
            shutil.copyfile(module.__file__, staged / Path(module.__file__).name)
        staying = {path.name for path in staged.iterdir()}
    for name in earlier - staying:  # an export of another kind stood here
        (folder / name).unlink(missing_ok=True)


def _rule(switch: Switch) -> dict:
    """What tells where a switch asks its teacher; difficulties lie in 0 .. 1, so a threshold of 2 asks nowhere."""
    if switch.threshold is None or type(switch.router) is not Doubt:
        raise ValueError(
            "a switch is exported calibrated, with the router 'confidence' or 'margin': call calibrate, or give its "
            "student alone"
        )
    return switch.router.state()[0] | {"threshold": float(np.clip(switch.threshold, -1, 2))}


def _weights(student: Student) -> dict[str, np.ndarray]:
    """The student's weights, float32, each layer's weight under the layer's name."""
    if type(student) not in (MLP, GatedCNN, BiLSTM):
        kind = type(student).__name__
        remedy = "export each of its students" if kind == "Ensemble" else "give an MLP, a GatedCNN or a BiLSTM"
        raise ValueError(f"a student of the kind {kind} cannot be exported: {remedy}")
    if not len(student.vocabulary):
        raise ValueError("a student that knows no words cannot be exported: give its vocabulary some")
    weights = {
        name.removesuffix(".weight"): tensor.detach().float().cpu().numpy()
        for name, tensor in student.state_dict().items()
    }
    for name, values in weights.items():
        if not np.isfinite(values).all():
            raise ValueError(f"the student's weights are not finite ({name}): train it anew, at a lower learning rate")
    return weights


def _earlier(folder: Path) -> set[str]:
    """The files of an earlier export to this folder."""
    if not (folder / NOTE).exists():
        return set()
    try:
        note = read_note(folder, NOTE)
    except ValueError:  # an export that was interrupted, or changed by hand: it is written anew
        return set()
    if "export" not in note:
        raise ValueError(f"{folder} holds a student that save_pretrained wrote, by the same name: give another folder")
    return set(note["files"])
