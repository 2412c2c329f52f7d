"""One contestant in an interpreter of its own: it runs the program it is given, then does what it is told.

python worker.py PROGRAM TEXT, in the contestant's folder. PROGRAM defines `answer(texts)`. Orders and replies are lines
of JSON. This file imports nothing that a contestant might not need: its cold start and memory are the contestant's.
"""

import json
import os
import sys
import time


def memory() -> float | None:
    """The most memory this process has held, in MB; None where the system does not tell."""
    try:  # not getrusage: it counts what the parent held when it started this process
        with open("/proc/self/status") as file:
            peak = next(line for line in file if line.startswith("VmHWM"))
    except OSError:
        return None
    return int(peak.split()[1]) / 1024


def main() -> None:
    """Answer the first text, say so, and take orders until there are no more."""
    program, text = sys.argv[1:]
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints is no reply
    sys.path[0] = os.getcwd()
    names = {"__name__": "contestant"}
    exec(program, names)
    answer = names["answer"]
    answer([text])

    def reply(found: object) -> None:
        print(json.dumps(found), file=replies, flush=True)

    reply(memory())
    for line in sys.stdin:
        order = json.loads(line)
        if order["do"] == "answer":
            start = time.perf_counter()
            found = answer(order["texts"])
            seconds = time.perf_counter() - start
            reply({"seconds": seconds, "answers": [str(one) for one in found]})
        else:  # each text alone
            seconds = []
            for text in order["texts"]:
                start = time.perf_counter()
                answer([text])
                seconds.append(time.perf_counter() - start)
            reply(seconds)


main()
