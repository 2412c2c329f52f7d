"""A fine-tuned transformer on disk, by transformers.pipeline, the course's Teacher, ONNX Runtime and OpenVINO."""

import importlib.util
import logging
import warnings
from pathlib import Path

import torch

import contest.contestant as base
from distill_utils.teachers import Teacher

PIPELINE_BATCH = 32
PIPELINE, TEACHER, INT8, OPENVINO = "transformers.pipeline", "Teacher", "ONNX int8", "OpenVINO"

STOCK = f"""
import os
import torch
from transformers import pipeline
torch.set_num_threads(int(os.environ["THREADS"]))
label = pipeline("text-classification", model=".", batch_size={PIPELINE_BATCH}, device="cpu", dtype=torch.float32)
def answer(texts):
    return [found["label"] for found in label(texts, truncation=True, max_length={{longest}})]
"""
OURS = """
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer
from distill_utils.teachers import Teacher
model = AutoModelForSequenceClassification.from_pretrained(".", dtype=torch.float32)
teacher = Teacher(model, AutoTokenizer.from_pretrained("."), name=".", max_tokens={longest})
def answer(texts):
    return teacher.logits(texts).argmax(axis=1)
"""
# Both runtimes get what Teacher gives: texts sorted by length, in batches of 32, without torch or transformers.
RUNTIME = f"""
import os
import numpy
from tokenizers import Tokenizer
threads, tokenizer = int(os.environ["THREADS"]), Tokenizer.from_file("tokenizer.json")
tokenizer.enable_truncation({{longest}})
tokenizer.no_padding()
{{load}}
def answer(texts):
    found = [one.ids for one in tokenizer.encode_batch(texts)]
    order, answers = sorted(range(len(found)), key=lambda row: len(found[row])), numpy.zeros(len(found), int)
    for start in range(0, len(order), {PIPELINE_BATCH}):
        rows = order[start : start + {PIPELINE_BATCH}]
        ids = numpy.full((len(rows), len(found[rows[-1]])), {{padding}})
        mask = numpy.zeros_like(ids)
        for place, row in enumerate(rows):
            ids[place, : len(found[row])], mask[place, : len(found[row])] = found[row], 1
        given = {{{{"input_ids": ids, "attention_mask": mask, "token_type_ids": numpy.zeros_like(ids)}}}}
        answers[rows] = run({{{{name: given[name] for name in names}}}}).argmax(axis=1)
    return answers
"""
ONNX = """
import onnxruntime
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = threads
session = onnxruntime.InferenceSession("{graph}", options, providers=["CPUExecutionProvider"])
names = [one.name for one in session.get_inputs()]
run = lambda given: session.run(None, given)[0]
"""
COMPILED = """
import openvino
settings = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY"}
compiled = openvino.Core().compile_model("model.onnx", "CPU", settings)
names = [one.get_any_name() for one in compiled.inputs]
run = lambda given: compiled(given)[0]
"""


def checkpoint(teacher: Teacher, test: list[str], folder: Path) -> list[base.Contestant]:
    """A teacher's weights by every runtime that is installed; answers in float32 to `test` are the recorded ones.

    The pipeline's texts come as they are given, in batches of 32; the others sort them by length.
    """
    model, tokenizer = teacher.model.float().cpu(), teacher.tokenizer
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    write_graphs(model, tokenizer, folder)
    known, tokens = teacher.predict(test), ("tokenizer.json", "config.json")
    # ONNX Runtime in float32 is only a step on the way: OpenVINO, as well kept, is faster.
    runtime = {"longest": teacher.max_tokens, "padding": tokenizer.pad_token_id}
    found = [
        (PIPELINE, STOCK.format(longest=teacher.max_tokens), "model.safetensors", known),
        (TEACHER, OURS.format(longest=teacher.max_tokens), "model.safetensors", known),
        ("ONNX", RUNTIME.format(load=ONNX.format(graph="model.onnx"), **runtime), "model.onnx", known),
        (INT8, RUNTIME.format(load=ONNX.format(graph="model.int8.onnx"), **runtime), "model.int8.onnx", None),
    ]
    if importlib.util.find_spec("openvino"):
        found.append((OPENVINO, RUNTIME.format(load=COMPILED, **runtime), "model.onnx", known))
    size = teacher.count_parameters()[0]
    return [
        base.Contestant(
            teacher.title, route, "transformer", folder, program, size, files=(*tokens, file), known=answers
        )
        for route, program, file, answers in found
    ]


def write_graphs(model, tokenizer, folder: Path) -> None:
    """`model.onnx`, float32, and `model.int8.onnx`, its products in int8 (dynamic quantisation of ONNX Runtime)."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    inputs = tokenizer(["a text", "and another, longer text"], padding=True, return_tensors="pt")
    names = list(inputs)

    class Logits(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, *given: torch.Tensor) -> torch.Tensor:
            return self.model(**dict(zip(names, given, strict=True))).logits

    model.set_attn_implementation("eager")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the tracer: what it takes for fixed does not depend on the texts
        torch.onnx.export(
            Logits().eval(),
            tuple(inputs[name] for name in names),
            str(folder / "model.onnx"),
            input_names=names,
            output_names=["logits"],
            dynamic_axes={name: {0: "text", 1: "token"} for name in names},
            opset_version=17,
            dynamo=False,
        )
    logging.getLogger().setLevel(logging.ERROR)  # advice on images
    # Without VNNI's instructions sums of 8-bit products would overflow: weights get seven bits.
    quantize_dynamic(
        folder / "model.onnx",
        folder / "model.int8.onnx",
        weight_type=QuantType.QInt8,
        per_channel=True,
        reduce_range=True,
    )
