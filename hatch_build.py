"""Compile the innermost modules of the check when a wheel is built, if this machine can.

They are plain Python and work as they are; mypyc makes C of them, which takes two fifths off the time of
an execution. Nobody needs a compiler: without one, or if compiling fails, or if COOKBOOK_COMPILE is 0, the
wheel has the source alone. With COOKBOOK_COMPILE=1 a failure is an error. An editable install is never
compiled, so that an edit counts.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKAGE = "parallel_cookbook"
COMPILED = (
    "check/container_hooks.py",
    "check/execution.py",
    "check/hooks.py",
    "check/insides.py",
    "check/memory.py",
    "check/name_hooks.py",
    "check/natures.py",
    "check/program.py",
    "check/prologue.py",
    "check/space.py",
    "check/surroundings.py",
    "check/type_table.py",
    "kernel/operation.py",
    "kernel/record.py",
    "kernel/scheduler.py",
    "kernel/task.py",
    "simulation/builtin.py",
    "simulation/registry.py",
    "strategies/dpor.py",
)
"""What takes the time of an execution; classes that programs make subclasses of are left out."""
TOOLS = ["mypy>=1.13", "setuptools>=69"]
_COMPILE = """\
import sys
from mypyc.build import mypycify
from setuptools import setup
extensions = mypycify(
    ["--ignore-missing-imports", "--follow-imports=silent", *sys.argv[1:]],
    opt_level="3",
    debug_level="0",
)
setup(
    name="core",
    packages=[],
    ext_modules=extensions,
    script_args=["--quiet", "build_ext", "--build-lib", "built", "--build-temp", "objects"],
)
"""


class CompileHook(BuildHookInterface[Any]):
    """Adds the compiled modules to a wheel, beside their source."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Return what the hook needs, which is nothing where it has nothing to do."""
        return TOOLS if self.target_name == "wheel" and can_compile() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and say which files go where in the wheel."""
        if version == "editable" or not can_compile():
            return
        self._scratch = Path(tempfile.mkdtemp())
        try:
            built = compile_core(Path(self.root) / "src", self._scratch)
        except subprocess.CalledProcessError as error:
            if _wish() == "1":
                raise
            self.app.display_warning(f"not compiled, which is slower but works:\n{error.stderr}")
            return
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
        build_data["force_include"] |= {
            str(file): str(file.relative_to(self._scratch / "built")) for file in built
        }

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what was made on the way."""
        del version, build_data, artifact_path
        if hasattr(self, "_scratch"):
            shutil.rmtree(self._scratch, ignore_errors=True)


def _wish() -> str:
    return os.environ.get("COOKBOOK_COMPILE", "")


def can_compile() -> bool:
    """Whether there seems to be a C compiler for this Python, which is CPython, and nobody objects."""
    if _wish() in {"0", "1"}:
        return _wish() == "1"
    compiler = (os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc").split()[0]
    header = Path(sysconfig.get_path("include")) / "Python.h"
    return (
        sys.implementation.name == "cpython"
        and shutil.which(compiler) is not None
        and header.is_file()
    )


def compile_core(source: Path, scratch: Path) -> list[Path]:
    """Compile the modules of `source` in the folder `scratch`; return the files made, below `built`.

    Raises CalledProcessError, with what the compiler said.
    """
    shutil.copytree(source / PACKAGE, scratch / PACKAGE)
    command = [sys.executable, "-c", _COMPILE, *(f"{PACKAGE}/{file}" for file in COMPILED)]
    subprocess.run(command, cwd=scratch, check=True, capture_output=True, text=True)
    return sorted(path for path in (scratch / "built").rglob("*") if path.is_file())
