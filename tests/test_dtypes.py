"""Which number format teachers compute in: what the processor lists decides, nothing is timed."""

import time

import pytest
import torch

from distill_utils import dtypes


@pytest.fixture
def cpuinfo(tmp_path, monkeypatch):
    file = tmp_path / "cpuinfo"
    monkeypatch.setattr(dtypes, "CPUINFO", file)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    return file


@pytest.mark.parametrize(
    ("listed", "units", "dtype"),
    [
        ("model name\t: x\nflags\t\t: fpu avx512_bf16 amx_bf16\n", ("amx_bf16", "avx512_bf16"), torch.bfloat16),
        ("flags\t\t: fpu avx512_bf16\n\nflags\t\t: fpu avx512_bf16\n", ("avx512_bf16",), torch.bfloat16),
        ("Features\t: fp asimd bf16\n", ("bf16",), torch.bfloat16),
        ("flags\t\t: fpu avx2 avx512f avx512_vnni\n", (), torch.float32),
        ("", (), torch.float32),
    ],
)
def test_the_processor_s_flags_decide(cpuinfo, listed, units, dtype):
    cpuinfo.write_text(listed)
    assert dtypes.bf16_units() == units
    assert dtypes.fast_dtype() == dtype


def test_a_system_that_lists_no_flags_computes_in_float32(cpuinfo):
    assert dtypes.bf16_units() == () and dtypes.fast_dtype() == torch.float32


def test_the_choice_is_not_timed(cpuinfo, monkeypatch):
    cpuinfo.write_text("flags\t\t: avx512_bf16\n")
    for clock in ("time", "perf_counter", "process_time", "monotonic"):
        monkeypatch.setattr(time, clock, lambda: pytest.fail("a clock was read"))
    assert dtypes.fast_dtype() == torch.bfloat16


def test_a_gpu_that_only_emulates_bfloat16_computes_in_float32(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "Tesla T4")
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: including_emulation)
    assert dtypes.fast_dtype() == torch.float32
    assert dtypes.precision() == "teachers compute in float32 (Tesla T4)"


def test_the_version_line(cpuinfo):
    assert dtypes.precision() == "teachers compute in float32"
    cpuinfo.write_text("flags\t\t: avx512_bf16 amx_bf16\n")
    assert dtypes.precision() == "teachers compute in bfloat16 (amx_bf16, avx512_bf16)"
