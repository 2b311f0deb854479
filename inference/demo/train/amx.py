"""Compiles the kernels for AMX once and loads them. What they compute between products stays in the processor's cache."""

import ctypes
import functools
import hashlib
import os
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOURCES = [HERE / "amx.cpp", HERE / "attend_amx.cpp", HERE / "experts_amx.cpp"]
FLAGS = ["-O3", "-std=c++17", "-shared", "-fPIC", "-mavx512f", "-mavx512bw", "-mavx512vl", "-mavx512bf16", "-mfma", "-mamx-tile", "-mamx-bf16"]


@functools.cache
def library():
    """The compiled code, or none where the processor or the system does not allow it."""
    features = Path("/proc/cpuinfo")
    if not features.exists() or "amx_bf16" not in features.read_text():
        return None
    text = b"".join(path.read_bytes() for path in [*SOURCES, HERE / "amx.h"]) + " ".join(FLAGS).encode()
    built = HERE / "__pycache__" / f"amx_{hashlib.sha256(text).hexdigest()[:16]}.so"
    if not built.exists():
        built.parent.mkdir(exist_ok=True)
        part = built.with_suffix(f".{os.getpid()}")
        subprocess.run(["g++", *FLAGS, *map(str, SOURCES), "-o", str(part)], check=True)
        part.rename(built)
    code = ctypes.CDLL(str(built))
    return code if code.amx_ready() else None


def addresses(*tensors):
    """Where the data of tensors begins; null for none."""
    return (ctypes.c_void_p(None if t is None else t.data_ptr()) for t in tensors)
