"""The number format of teachers, and of Bi-LSTMs in training: the processor decides, nothing is measured."""

from pathlib import Path

import torch

CPUINFO = Path("/proc/cpuinfo")  # Linux only; other systems are taken to have no bfloat16 unit
BF16_UNITS = ("amx_bf16", "avx512_bf16", "bf16")  # the last one is Arm's


def bf16_units() -> tuple[str, ...]:
    """The bfloat16 instructions that this processor lists, such as ("amx_bf16", "avx512_bf16")."""
    if not CPUINFO.is_file():
        return ()
    for line in CPUINFO.read_text().splitlines():
        name, _, flags = line.partition(":")
        if name.strip() in ("flags", "Features"):  # one such line a core: the first speaks for all
            return tuple(unit for unit in BF16_UNITS if unit in flags.split())
    return ()


def fast_dtype() -> torch.dtype:
    """bfloat16 where the processor or GPU has units for it, else float32.

    Whole models are then 2 to 3 times faster; without such units bfloat16 is emulated, 3 times slower. The choice is in
    no cache key: answers are kept at float16 precision, whichever format they were computed in.
    """
    if torch.cuda.is_available():
        found = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        found = bool(bf16_units())
    return torch.bfloat16 if found else torch.float32


def precision() -> str:
    """One phrase for a notebook's version line, such as "teachers compute in bfloat16 (avx512_bf16)"."""
    units = [torch.cuda.get_device_name()] if torch.cuda.is_available() else bf16_units()
    where = f" ({', '.join(units)})" if units else ""
    return f"teachers compute in {str(fast_dtype()).removeprefix('torch.')}{where}"
