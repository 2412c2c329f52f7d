"""Students as ONNX graphs, written by hand: small, of old and common operators, with a dynamic batch.

A graph reads `rows`, int64 (n_texts, n_words): of each text the row numbers of its words, then -1 up to the longest
text's length, at least one column. It gives `logits`, float32 (n_texts, n_classes). Splitting texts into words stays
outside.
"""

import json

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from distill_utils.export.int8 import quantise

OPSET, IR_VERSION = 17, 8  # what runtimes have read since 2022
# Which axis has scales of its own in int8: of a word table its columns, of a layer its units, of an LSTM its gates.
AXES = {"embedding": 1, "rare": 1, "hidden": 0, "dense": 0, "convolutions.": 0, "output": 0}
AXES |= {"input_gates": 1, "state_gates": 1}


def scaled_axis(name: str) -> int | None:
    """The axis of a weight that has scales of its own in int8; None for what stays as it is."""
    return AXES.get(name.rstrip("0123456789"))


class _Graph:
    """Nodes and constants, as they are called for."""

    def __init__(self, weights: dict[str, np.ndarray], int8: bool):
        self.weights, self.int8 = weights, int8
        self.nodes, self.constants = [], {}

    def __call__(self, operator: str, *inputs: str, **attributes) -> str:
        """The name of an operator's first output."""
        name = f"{operator}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [name], **attributes))
        return name

    def constant(self, value, kind=np.int64) -> str:
        array = np.asarray(value, kind)
        name = f"{array.dtype}_{'_'.join(map(str, array.ravel()))}_{array.ndim}"
        self.constants[name] = array
        return name

    def weight(self, name: str) -> str:
        axis = scaled_axis(name)
        if not self.int8 or axis is None:
            self.constants[name] = self.weights[name]
            return name
        return self("DequantizeLinear", *self._quantised(name), axis=axis)

    def looked_up(self, rows: str, table: str = "embedding") -> str:
        """A table's numbers of rows, as a last axis; -1 finds the last row, to be masked."""
        if not self.int8:
            return self("Gather", self.weight(table), rows)
        table, scales = self._quantised(table)
        return self("DequantizeLinear", self("Gather", table, rows), scales, axis=2)

    def _quantised(self, name: str) -> tuple[str, str]:
        values, scales = quantise(self.weights[name], scaled_axis(name))
        self.constants |= {f"{name}.int8": values, f"{name}.scale": scales.ravel()}
        return f"{name}.int8", f"{name}.scale"

    def layer(self, values: str, name: str) -> str:
        return self("Gemm", values, self.weight(name), self.weight(f"{name}.bias"), transB=1)


def mlp(graph: _Graph, known: str, config: dict) -> str:
    """The logits of an MLP; known: which rows are words, (n_texts, n_words)."""
    zero, none = graph.constant(0, np.float32), graph.constant([2])
    mask = graph("Unsqueeze", known, none)
    words = graph("Where", mask, graph.looked_up("rows"), zero)  # (n_texts, n_words, embedding_size)
    if config["pooling"] == "mean":
        counts = graph("ReduceSum", graph("Cast", known, to=TensorProto.FLOAT), graph.constant([1]))
        divisor = graph("Max", counts, graph.constant(1, np.float32))
        pooled = graph("Div", graph("ReduceSum", words, graph.constant([1]), keepdims=0), divisor)
    else:
        size, far = config["embedding_size"], np.iinfo(np.int64).max
        cut = size - size // 2  # where the rotated vector starts
        start, end, last = graph.constant([0]), graph.constant([cut]), graph.constant([far])
        halves = graph("Slice", words, end, last, none), graph("Slice", words, start, end, none)
        padded = graph("Pad", graph("Concat", *halves, axis=2), graph.constant([0, 1, 0, 0, 0, 0]))
        before = graph("Slice", padded, start, graph.constant([-1]), graph.constant([1]))
        pairs = graph("Where", mask, graph("Add", words, before), zero)
        pooled = graph("Relu", graph("ReduceMax", pairs, axes=[1], keepdims=0))
    return graph.layer(graph("Relu", graph.layer(pooled, "hidden")), "output")


def bilstm(graph: _Graph, known: str, config: dict) -> str:
    """The logits of a Bi-LSTM; known: which rows are words, (n_texts, n_words)."""
    lengths = graph("ReduceSum", graph("Cast", known, to=TensorProto.INT32), graph.constant([1]), keepdims=0)
    words = graph.looked_up(graph("Transpose", "rows", perm=[1, 0]))  # (n_words, n_texts, embedding_size)
    gates = [graph.weight(name) for name in ("input_gates", "state_gates", "gates.bias")]
    states = graph("LSTM", words, *gates, lengths, hidden_size=config["hidden"], direction="bidirectional")
    mask = graph("Unsqueeze", graph("Transpose", known, perm=[1, 0]), graph.constant([1, 3]))
    states = graph("Where", mask, states, graph.constant(-1, np.float32))  # a state is above -1
    pooled = graph("Transpose", graph("ReduceMax", states, axes=[0], keepdims=0), perm=[1, 0, 2])
    pooled = graph("Reshape", pooled, graph.constant([0, 2 * config["hidden"]]))
    return graph.layer(graph("Relu", graph.layer(pooled, "dense")), "output")


def gated_cnn(graph: _Graph, known: str, config: dict) -> str:
    """The logits of a gated CNN; known: which rows are words, (n_texts, n_words)."""
    zero, one, marks = graph.constant(0, np.float32), graph.constant([1]), max(1, config["width"] // 2)
    around = graph.constant([0, marks, 0, marks])  # on both sides of each text
    padded = graph("Pad", "rows", around, graph.constant(-1))
    rows = graph("Add", padded, graph.constant(1))  # what is no word becomes row 0, the mark of an end
    within = graph("Unsqueeze", graph("Greater", rows, graph.constant(0)), one)  # (n_texts, 1, n_words + 2 * marks)
    n_frequent, (_, size) = len(graph.weights["embedding"]), graph.weights["embedding"].shape
    frequent = graph.looked_up(graph("Min", rows, graph.constant(n_frequent - 1)))
    rare = graph("Max", graph("Sub", rows, graph.constant(n_frequent)), graph.constant(0))
    zeros = graph.constant([0, 0, 0, 0, 0, size - config["rare_size"]])
    rare = graph("Pad", graph.looked_up(rare, "rare"), zeros)
    is_frequent = graph("Unsqueeze", graph("Less", rows, graph.constant(n_frequent)), graph.constant([2]))
    states = graph("Transpose", graph("Where", is_frequent, frequent, rare), perm=[0, 2, 1])  # channels before places
    start, end, last = (graph.constant([cut]) for cut in (0, config["channels"], 2 * config["channels"]))
    for number in range(config["layers"]):
        weights = graph.weight(f"convolutions.{number}"), graph.weight(f"convolutions.{number}.bias")
        both = graph("Conv", states, *weights, pads=[config["width"] // 2] * 2)
        passed, gate = (graph("Slice", both, *cut, one) for cut in ((start, end), (end, last)))
        gated = graph("Mul", passed, graph("Sigmoid", gate))
        if size == config["channels"]:
            gated = graph("Add", states, gated)
        states, size = graph("Where", within, gated, zero), config["channels"]
    most = graph("ReduceMax", states, axes=[2], keepdims=0)  # 0 at least: what stands at a mark
    counts = graph("ReduceSum", graph("Cast", known, to=TensorProto.FLOAT), one)
    divisor = graph("Max", counts, graph.constant(1, np.float32))
    mean = graph("Div", graph("ReduceSum", states, graph.constant([2]), keepdims=0), divisor)
    return graph.layer(graph("Concat", most, mean, axis=1), "output")


def lstm_gates(weights: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Torch's LSTM weights in ONNX's order: gates i, o, f, c where torch has i, f, c, o; both directions in one."""

    def both(kind: str) -> np.ndarray:
        found = np.stack([weights[f"lstm.{kind}_l0{direction}"] for direction in ("", "_reverse")])
        i, f, c, o = np.split(found, 4, axis=1)
        return np.concatenate([i, o, f, c], axis=1)

    biases = np.concatenate([both("bias_ih"), both("bias_hh")], axis=1)
    return {"input_gates": both("weight_ih"), "state_gates": both("weight_hh"), "gates.bias": biases}


def model_bytes(note: dict, weights: dict[str, np.ndarray], *, int8: bool) -> bytes:
    """A student's ONNX file. Its metadata are the note: class names, rules of a word and, but in int8, vocabulary.

    weights: by the names that AXES and its biases have, float32. In int8 the weights are int8, the sums float32.
    """
    graph = _Graph(weights, int8)
    known = graph("GreaterOrEqual", "rows", graph.constant(0))
    last = {"MLP": mlp, "GatedCNN": gated_cnn, "BiLSTM": bilstm}[note["kind"]](graph, known, note["config"])
    graph.nodes.append(helper.make_node("Identity", [last], ["logits"]))
    rows = helper.make_tensor_value_info("rows", TensorProto.INT64, ["n_texts", "n_words"])
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n_texts", len(note["labels"])])
    constants = [numpy_helper.from_array(np.ascontiguousarray(value), name) for name, value in graph.constants.items()]
    model = helper.make_model(
        helper.make_graph(graph.nodes, "student", [rows], [logits], constants),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="distill_utils",
    )
    left_out = {"words"} if int8 else set()  # they would be a third of the small file: it has student.json beside it
    helper.set_model_props(
        model,
        {
            key: value if isinstance(value, str) else json.dumps(value)
            for key, value in note.items()
            if key not in left_out
        },
    )
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString()
