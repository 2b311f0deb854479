"""Compiles the kernels for this processor once and loads them. What they compute between products stays in the processor's cache."""

import ctypes
import functools
import hashlib
import os
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOURCES = [HERE / "kernels.cpp", HERE / "attend_tiles.cpp", HERE / "experts_tiles.cpp"]
FLAGS = ["-O3", "-std=c++17", "-shared", "-fPIC", "-mavx512f", "-mavx512bw", "-mavx512vl", "-mavx512bf16", "-mfma"]
AMX = ["-mamx-tile", "-mamx-bf16"]


def library():
    """The compiled code, for AMX or for AVX-512 alone; none where the processor or the system allows neither."""
    return _library()[0]


def amx() -> bool:
    """Whether products of bfloat16 numbers are much faster here than those of float32."""
    return _library()[1]


@functools.cache
def _library():
    features = Path("/proc/cpuinfo")
    known = features.read_text() if features.exists() else ""
    for feature, flags in (("amx_bf16", [*FLAGS, *AMX]), ("avx512_bf16", FLAGS)):
        if feature in known and (code := _compiled(flags)).kernels_ready():
            return code, feature == "amx_bf16"
    return None, False


def _compiled(flags: list[str]):
    text = b"".join(path.read_bytes() for path in [*SOURCES, HERE / "tiles.h"]) + " ".join(flags).encode()
    built = HERE / "__pycache__" / f"kernels_{hashlib.sha256(text).hexdigest()[:16]}.so"
    if not built.exists():
        built.parent.mkdir(exist_ok=True)
        part = built.with_suffix(f".{os.getpid()}")
        subprocess.run(["g++", *flags, *map(str, SOURCES), "-o", str(part)], check=True)
        part.rename(built)
    return ctypes.CDLL(str(built))


def addresses(*tensors):
    """Where the data of tensors begins; null for none."""
    return (ctypes.c_void_p(None if t is None else t.data_ptr()) for t in tensors)
