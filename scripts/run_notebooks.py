"""Execute notebooks headless with papermill, after checking their parameters.

python scripts/run_notebooks.py                                          # the three parts, into build/run/
python scripts/run_notebooks.py notebooks/1_emotion.ipynb -p seeds 5 -f params/laptop.yml
python scripts/run_notebooks.py --inplace                                # refresh the committed outputs
"""

import argparse
import ast
import logging
import multiprocessing
import os
import re
import resource
import signal
import sys
import tempfile
import time
from pathlib import Path

import nbformat
import papermill
import yaml
from ipykernel.kernelspec import write_kernel_spec
from nbclient.exceptions import DeadKernelError
from papermill.exceptions import PapermillExecutionError

ROOT = Path(__file__).resolve().parent.parent
BOOLEANS = {"true": True, "false": False}
KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
KEPT = ("tags", "alt")  # of a cell's metadata; HTML made of a notebook says `alt` in place of a figure


class Refused(ValueError):
    """A request that cannot be run, said in one line."""


# Parameters: papermill itself injects unknown names with a warning, and `-p FAST true` as a truthy string.


def convert(name: str, value: object, kind: str, typed: bool) -> object:
    """Give `value` the declared type `kind`; `typed` says it comes from YAML and not from a command line."""
    wrong = Refused(f"parameter {name} is {kind}: {value!r} is not")
    if kind == "bool":
        value = BOOLEANS.get(value.lower(), value) if isinstance(value, str) else value
        if not isinstance(value, bool):
            raise wrong
    elif kind in ("int", "float"):
        if isinstance(value, bool):
            raise wrong
        try:
            number = int(value) if kind == "int" else float(value)
        except (TypeError, ValueError, OverflowError):  # the last: infinity for an int
            raise wrong from None
        if not isinstance(value, str) and number != value:  # 2.5 for an int
            raise wrong
        return number
    elif kind == "str":
        if not isinstance(value, str):
            raise Refused(f"{wrong} (quote it)")
    elif isinstance(value, str) and not typed:  # list[int] and the like: a Python literal, or else the text
        try:
            return ast.literal_eval(value)
        except (SyntaxError, ValueError):
            return value
    return value


def literal_type(default: str) -> str:
    """Type name of a default value's source text, for a parameter without an annotation."""
    try:
        return type(ast.literal_eval(default)).__name__
    except (SyntaxError, ValueError):
        return "object"


def check_parameters(notebook: Path, typed: dict, untyped: dict) -> dict:
    """Values for `notebook`, each of its declared type; Refused where a name or a value is impossible."""
    try:
        known = papermill.inspect_notebook(str(notebook)) if typed or untyped else {}
    except (nbformat.reader.NotJSONError, nbformat.ValidationError) as error:
        raise Refused(f"{notebook.name} is no notebook: {one_line(error)}") from None
    checked = {}
    for name, value in {**typed, **untyped}.items():
        if name not in known:
            names = ", ".join(known) or "none"
            raise Refused(f"{notebook.name} has no parameter {name}; it knows: {names}")
        kind = known[name]["inferred_type_name"]
        kind = literal_type(known[name]["default"]) if kind == "None" else kind
        checked[name] = convert(name, value, kind, typed=name not in untyped)
    return checked


def read_parameter_files(paths: list[Path]) -> dict:
    """Parameters of YAML files, later ones winning."""
    merged = {}
    for path in paths:
        try:
            content = yaml.safe_load(path.read_bytes())
        except OSError as error:
            raise Refused(f"{path}: {error.strerror}") from None
        except yaml.YAMLError as error:
            raise Refused(f"{path} is not YAML: {one_line(error)}") from None
        if not isinstance(content, dict):
            raise Refused(f"{path} holds no `name: value` lines")
        merged.update(content)
    return merged


# Committed notebooks keep what a reader sees, and nothing that differs between two equal runs.


def strip(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Drop volatile metadata in place; outputs, counts, ids, tags and the alternative texts of figures stay."""
    language = notebook.metadata.get("language_info", {})
    language.pop("version", None)
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNELSPEC, "language_info": language})
    count = 0
    for cell in notebook.cells:
        kept = {name: value for name, value in cell.metadata.items() if name in KEPT and value}
        cell.metadata = nbformat.from_dict(kept)
        if cell.cell_type != "code":
            continue
        ran = cell.execution_count is not None  # an empty cell has no count
        count += ran
        cell.execution_count = count if ran else None
        cell.outputs = merge_streams(cell.outputs)
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = cell.execution_count
            if "text/html" in output.get("data", {}):  # beside a table, its object's name and address
                output.data["text/plain"] = re.sub(r" at 0x[0-9a-fA-F]+", "", output.data.get("text/plain", ""))
    return notebook


def merge_streams(outputs: list) -> list:
    """Join neighbouring stream outputs of one name: where they break is a matter of timing."""
    merged = []
    for output in outputs:
        last = merged[-1] if merged else None
        if last and output.output_type == last.output_type == "stream" and output.name == last.name:
            last.text += output.text
        else:
            merged.append(output)
    return merged


def replace_with_stripped(notebook: Path, executed: Path) -> None:
    """Put the stripped `executed` in `notebook`'s place, all or nothing."""
    beside = notebook.with_name(f".{notebook.name}.new")
    nbformat.write(strip(nbformat.read(executed, as_version=4)), beside)
    os.replace(beside, notebook)


# Running: one process a notebook, so that its peak memory is its own.


def execute(notebook: Path, executed: Path, parameters: dict, pipe) -> None:
    """Run one notebook and send (error line or None, kernel's peak memory in bytes)."""
    logging.getLogger("papermill").addHandler(logging.NullHandler())  # the error line says it
    logging.getLogger("tornado").setLevel(logging.CRITICAL)  # a kernel's last words may meet a closed socket
    error = None
    try:
        papermill.execute_notebook(
            notebook,
            executed,
            parameters,
            kernel_name="python3",
            cwd=notebook.parent,
            progress_bar=sys.stderr.isatty(),
        )
    except PapermillExecutionError as failure:
        error = f"cell {failure.exec_count} stopped with {failure.ename}: {one_line(failure.evalue)}"
    except KeyboardInterrupt:
        return
    except DeadKernelError:
        error = "the kernel died (out of memory?)"
    except Exception as failure:  # no space left, a notebook that is not one ...
        error = f"{type(failure).__name__}: {one_line(failure)}"
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    pipe.send((error, peak if sys.platform == "darwin" else peak * 1024))


def run(notebook: Path, executed: Path, parameters: dict) -> tuple[str | None, float, int]:
    """Run one notebook in a process of its own: (error line or None, wall seconds, peak bytes)."""
    context = multiprocessing.get_context("fork")  # everything is imported already
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=execute, args=(notebook, executed, parameters, sender))
    start = time.monotonic()
    process.start()
    sender.close()  # the child holds the other copy: if it dies, recv() ends
    try:
        error, peak = receiver.recv()
    except EOFError:
        error, peak = "the run was killed", 0
    except KeyboardInterrupt:
        if process.is_alive():  # a terminal interrupts the child too, `kill -INT` does not
            os.kill(process.pid, signal.SIGINT)
        raise
    finally:
        process.join(timeout=30)
    return error, time.monotonic() - start, peak


def use_this_python(folder: Path) -> None:
    """Make the kernel `python3` mean the interpreter running this script, whatever else is installed."""
    write_kernel_spec(folder / "kernels" / "python3", extra_arguments=["--log-level=CRITICAL"])
    os.environ["JUPYTER_PATH"] = os.pathsep.join(filter(None, [str(folder), os.environ.get("JUPYTER_PATH")]))


# Telling the user.


def one_line(message: object, limit: int = 400) -> str:
    """The message without line breaks and terminal colours, cut at `limit`."""
    text = " ".join(re.sub(r"\x1b\[[0-9;]*m", "", str(message)).split())
    return text if len(text) <= limit else text[: limit - 3] + "..."


def shown(path: Path) -> str:
    """The path as a reader at the repository's root would type it."""
    path = path.resolve()
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def first_print(executed: Path) -> str:
    """What a notebook prints first: by convention its profile, and where data and teacher come from."""
    for cell in nbformat.read(executed, as_version=4).cells:
        for output in cell.get("outputs", []):
            if output.output_type == "stream" and output.name == "stdout":
                return "\n".join("    " + line for line in output.text.strip().splitlines()[:8])
    return ""


def written_since(folder: Path, start: float) -> list[Path]:
    """Results and figures in `folder` that are newer than `start`."""
    files = [*folder.glob("results/**/*.json"), *folder.glob("images/**/*.*")]
    return sorted(path for path in files if path.stat().st_mtime >= start)


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Execute notebooks headless with papermill.")
    parser.add_argument("notebooks", nargs="*", type=Path, help="default: notebooks/[0-9]*.ipynb")
    pair = ("NAME", "VALUE")
    parser.add_argument("-p", nargs=2, action="append", default=[], metavar=pair, dest="parameters")
    parser.add_argument("-f", action="append", default=[], type=Path, metavar="PARAMS.yml", dest="files")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "run", help="default: build/run")
    parser.add_argument("--inplace", action="store_true", help="write the executed notebooks back, stripped")
    options = parser.parse_args(arguments)
    options.notebooks = options.notebooks or sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
    return options


def run_all(options: argparse.Namespace) -> int:
    """Check every request, then run one notebook after the other; the exit code."""
    if options.inplace and (options.parameters or options.files):
        raise Refused("--inplace takes no parameters: a committed notebook shows the run of its own")
    if not options.notebooks:
        raise Refused("no notebooks to run in notebooks/")
    for notebook in options.notebooks:
        if not notebook.is_file():
            raise Refused(f"{notebook}: no such notebook")
    typed, untyped = read_parameter_files(options.files), dict(options.parameters)
    jobs = [(path.resolve(), check_parameters(path, typed, untyped)) for path in options.notebooks]

    out = Path(os.path.expanduser(options.out)).resolve()
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Refused(f"--out {options.out}: {error.strerror}") from None
    results = Path(os.path.expanduser(os.environ.setdefault("DISTILL_OUTPUT", str(out))))
    start, lines = time.time(), []
    with tempfile.TemporaryDirectory() as folder:
        use_this_python(Path(folder))
        for notebook, parameters in jobs:
            executed = out / notebook.name
            print(f"running {shown(notebook)}", flush=True)
            error, seconds, peak = run(notebook, executed, parameters)
            if error:
                where = f" (executed so far: {shown(executed)})" if executed.is_file() else ""
                print(f"{shown(notebook)}: {error}{where}", file=sys.stderr)
                return 1
            if banner := first_print(executed):
                print(banner, flush=True)
            if options.inplace:
                replace_with_stripped(notebook, executed)
            target = notebook if options.inplace else executed
            lines.append(f"  {shown(target)}  {seconds:.0f} s, peak memory {peak / 2**30:.1f} GiB")
    print("\nexecuted notebooks:", *lines, sep="\n")
    print("results and figures:")
    print("\n".join(f"  {shown(path)}" for path in written_since(results, start)) or "  none written")
    return 0


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; 0 done, 1 a notebook failed, 2 refused, 130 interrupted."""
    try:
        return run_all(parse(arguments))
    except Refused as refusal:
        print(refusal, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted; the notebooks that were not finished are as before", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
