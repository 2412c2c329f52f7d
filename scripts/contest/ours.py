"""Our students: taught as the course does it, then run by the library, by torch, by numpy and by ONNX Runtime."""

from functools import partial
from pathlib import Path

import contest.contestant as base
from distill_utils import course
from distill_utils.experiment import Experiment
from distill_utils.export import export
from distill_utils.students import BiLSTM

LIBRARY = """
from distill_utils.students import Student
answer = Student.from_pretrained("trained").predict
"""
# The loop that training uses, in place of the student's own by numpy.
TORCH = """
from distill_utils.students import Student
student = Student.from_pretrained("trained")
def answer(texts):
    return Student.predict_logits(student, texts).argmax(axis=1)
"""
PREDICTOR = """
from predictor import Predictor
answer = Predictor(int8={int8}).predict
"""
# Texts are split by the predictor, which is numpy; its own numbers stay unused.
GRAPH = """
import os
import numpy, onnxruntime
from predictor import Predictor
predictor, options = Predictor(int8={int8}), onnxruntime.SessionOptions()
options.intra_op_num_threads = int(os.environ["THREADS"])
session = onnxruntime.InferenceSession("{graph}", options, providers=["CPUExecutionProvider"])
def answer(texts):
    parts = [texts[start : start + 256] for start in range(0, len(texts), 256)]
    logits = [session.run(None, {{"rows": predictor.rows(part)}})[0] for part in parts]
    return numpy.concatenate(logits).argmax(axis=1)
"""
OWN = {"library": LIBRARY, "torch": TORCH}  # the library runs all but the Bi-LSTM by numpy
NOTE, TRAINED = "student.json", ("trained/student.json", "trained/student.safetensors")


def students(task: Experiment, folder: Path) -> list[base.Contestant]:
    """The course's distilled students of one task, seed 0, each by every route it has."""
    return [one for kind in (course.PAIRS, course.CONV, course.BILSTM) for one in _routes(task, kind, folder / kind)]


def _routes(task: Experiment, kind: str, folder: Path) -> list[base.Contestant]:
    student = course.distil(task, kind)[kind][0]  # trained once: the cache keeps it, with the seconds it took
    student.save_pretrained(folder / "trained")
    made = partial(
        base.Contestant,
        kind,
        group="student",
        folder=folder,
        parameters=student.count_parameters()[0],
        train_seconds=student.train_seconds,
    )
    if isinstance(student, BiLSTM):
        found = [made(route="torch", program=LIBRARY, files=TRAINED)]
    else:
        found = [made(route=route, program=code, files=TRAINED) for route, code in OWN.items()]
    export(student, folder)
    numpy = (folder / "student.npz").exists()
    for int8, suffix in ((False, ""), (True, ".int8")):
        label, array, graph = " int8" if int8 else "", f"student{suffix}.npz", f"student{suffix}.onnx"
        if numpy:
            program = PREDICTOR.format(int8=int8)
            found.append(made(route=f"numpy{label}", program=program, files=(NOTE, array)))
            program = GRAPH.format(int8=int8, graph=graph)
        else:  # the predictor runs the graph
            program = PREDICTOR.format(int8=int8)
        found.append(made(route=f"ONNX{label}", program=program, files=(NOTE, graph)))
    return found
