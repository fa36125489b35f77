"""From the name of a target to the implementation it stands for.

`load` takes the bundled names (the keys of `BUNDLED`; `spec` are the definitions themselves),
names in the entry-point group `convspec.implementations`, paths of Python files and importable
modules, in this order.  Each may end in `:object`, an attribute of the module; a class is
instantiated without arguments.  `onnx:` before a module or file and its object makes an
`onnx.backend.base.Backend` an implementation, `exec:` runs a program.  Nothing but the target is
executed, and whatever goes wrong on the way is a `TargetError` of one line.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from hashlib import sha256
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from traceback import extract_tb
from types import ModuleType
from typing import Any, NamedTuple, get_origin

from convspec.operations import OPERATIONS
from convspec.oracle.call import attribute, told

GROUP = "convspec.implementations"

# What has been loaded, and by which name: a reproducer has to load it again.
_LOADED: list[tuple[Any, str]] = []


class TargetError(Exception):
    """A target that cannot be loaded; the message is one line that says why."""


class ArgumentError(ValueError):
    """An argument of `check` that cannot be used; the message is one line that names it."""


class Bundled(NamedTuple):
    """A target that convspec brings along: its module, the packages it needs, how to install
    them, and its object in the module, unless it is the module itself or a target names another.
    """

    module: str
    needs: tuple[str, ...] = ()
    install: str = ""
    object: str = ""


_SCIPY = Bundled("convspec.adapters.scipy", ("scipy",), "pip install scipy")
_ONNX = Bundled(
    "convspec.adapters.onnx_reference", ("onnx",), "pip install 'convspec[onnx]'", "operations"
)
BUNDLED = {
    "spec": Bundled("convspec"),
    "fast": Bundled("convspec.fast"),
    "numpy": Bundled("convspec.adapters.numpy"),
    "scipy": _SCIPY,
    "ndimage": _SCIPY._replace(module="convspec.adapters.ndimage"),
    "torch": Bundled(
        "convspec.adapters.torch",
        ("torch",),
        "pip install 'convspec[torch]' on Python 3.11, pip install torch on another",
    ),
    "onnxruntime": Bundled(
        "convspec.adapters.onnxruntime",
        ("onnxruntime", "onnx"),
        "pip install 'convspec[onnxruntime]'",
        "operations",
    ),
    "onnx-reference": _ONNX,
    "openvino": Bundled(
        "convspec.adapters.openvino", ("openvino",), "pip install 'convspec[openvino]'", "default"
    ),
    "opencv": Bundled(
        "convspec.adapters.opencv",
        ("cv2", "onnx"),
        "pip install 'convspec[opencv]'",
        "operations",
    ),
    "tensorflow": Bundled(
        "convspec.adapters.tensorflow", ("tensorflow",), "pip install 'convspec[tensorflow]'"
    ),
    "jax": Bundled("convspec.adapters.jax", ("jax",), "pip install 'convspec[jax]'"),
    "mlx": Bundled("convspec.adapters.mlx", ("mlx",), "pip install 'convspec[mlx]'"),
    "paddle": Bundled("convspec.adapters.paddle", ("paddle",), "pip install 'convspec[paddle]'"),
    "skimage": Bundled(
        "convspec.adapters.skimage", ("skimage",), "pip install 'convspec[skimage]'"
    ),
}


def load(target: str) -> Any:
    """The implementation that `target` names.

    Raises `TargetError` where there is none, where importing it fails, or where it offers no
    operation of the spec.  The directory of a file, and the working directory for a module, are
    searched for what they import, after all installed packages.

    >>> load("spec").conv([[[1, 2, 3]]], [[[1, 1]]])
    array([[[3, 5]]])
    >>> load("no_such_module")
    Traceback (most recent call last):
    ...
    convspec.oracle.target.TargetError: no_such_module: neither a bundled target (...) nor an \
installed one, a file or a module
    """
    scheme, colon, _ = target.partition(":")
    if colon and scheme in SCHEMES:
        implementation = SCHEMES[scheme](target)
    else:
        name, path = _split(target)
        if name in BUNDLED:
            path = path or BUNDLED[name].object
        implementation = _instance(target, _attribute(target, _module(target, name), path))
    _check_offer(target, implementation)
    _LOADED.append((implementation, target))
    return implementation


def target_of(implementation: Any) -> str | None:
    """The name that an implementation was loaded by; None for one that `load` did not make.

    >>> target_of(load("spec")), target_of(object())
    ('spec', None)
    """
    names = (target for loaded, target in reversed(_LOADED) if loaded is implementation)
    return next(names, None)


def operations_offered(implementation: Any) -> list[str]:
    """Names of the operations, `_vjp` included, that an implementation has a function for.

    >>> from types import SimpleNamespace
    >>> operations_offered(SimpleNamespace(conv=print, conv_vjp=print, other=print))
    ['conv', 'conv_vjp']
    """
    names = [name for row in OPERATIONS for name in (row, f"{row}_vjp")]
    return [name for name in names if callable(attribute(implementation, name))]


def installed_targets() -> list[str]:
    """Names in the entry-point group `convspec.implementations`.

    >>> "torch" in installed_targets()  # bundled, so it need not be there
    False
    """
    return sorted(entry_points(group=GROUP).names)


def _onnx_backend(target: str) -> Any:
    name, path = _split(target.partition(":")[2])
    adapter = _import(target, "convspec.adapters.onnx_backend", _ONNX)
    backend = _attribute(target, _outside(target, name), path)
    for method in ("is_compatible", "prepare"):
        if not callable(getattr(backend, method, None)):
            raise TargetError(f"{target}: no onnx.backend.base.Backend: it has no {method}")
    return adapter.of_backend(backend, target)


def _program(target: str) -> Any:
    from convspec.oracle.processes.program import ProgramError, load_program

    try:
        return load_program(target.partition(":")[2])
    except ProgramError as error:
        raise TargetError(f"{target}: {error}") from error


SCHEMES: dict[str, Callable[[str], Any]] = {"onnx": _onnx_backend, "exec": _program}


def _split(target: str) -> tuple[str, str]:
    """`name` and `object` of `name:object`; the colon of a Windows drive is part of its path."""
    match = re.fullmatch(r"(.*\.py)(?::([^:]+))?", target) or re.fullmatch(
        r"([^:]+)(?::([^:]+))?", target
    )
    if match is None:
        raise TargetError(
            f"{target!r}: must be a name, package.module, package.module:object, path/to/file.py "
            f"or path/to/file.py:object"
        )
    return match[1], match[2] or ""


def _module(target: str, name: str) -> Any:
    if name in BUNDLED:
        return _import(target, BUNDLED[name].module, BUNDLED[name])
    for entry in entry_points(group=GROUP, name=name):
        return _load_entry(target, entry)
    return _outside(target, name)


def _outside(target: str, name: str) -> ModuleType:
    """The module of a file or of a name."""
    if name.endswith(".py") or Path(name).is_file():
        return import_file(target, Path(name))
    if "/" in name or "\\" in name:
        raise TargetError(f"{target}: no such file")
    _search_last(Path.cwd())
    return _import(target, name)


def _import(target: str, name: str, bundled: Bundled | None = None) -> ModuleType:
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        package = (error.name or "").split(".")[0]
        if bundled and package in bundled.needs:
            raise TargetError(
                f"{target}: needs the package {package}, which is not installed: {bundled.install}"
            ) from error
        if error.name is not None and f"{name}.".startswith(f"{error.name}."):
            raise TargetError(
                f"{target}: neither a bundled target ({', '.join(sorted(BUNDLED))}) nor an "
                f"installed one, a file or a module"
            ) from error
        raise TargetError(f"{target}: cannot be imported: {_said(error)}") from error
    except (Exception, SystemExit) as error:
        raise TargetError(f"{target}: cannot be imported: {_said(error)}") from error


def _load_entry(target: str, entry: EntryPoint) -> Any:
    try:
        return entry.load()
    except (Exception, SystemExit) as error:
        raise TargetError(
            f"{target}: the entry point {entry.value} cannot be loaded: {_said(error)}"
        ) from error


def import_file(target: str, path: Path) -> ModuleType:
    """The module in a file, under a name that no other module has; whatever it offers.

    Raises `TargetError` where there is no such file, or running it fails.
    """
    if not path.is_file():
        raise TargetError(f"{target}: no such file")
    digest = sha256(str(path.resolve()).encode()).hexdigest()[:12]
    name = f"convspec_target_{path.stem}_{digest}"
    spec = spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise TargetError(f"{target}: not a Python file: its name must end in .py")
    module = module_from_spec(spec)
    _search_last(path.resolve().parent)
    # Dataclasses and pickle look a module up by its name.
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise TargetError(f"{target}: cannot be run: {_said(error, path)}") from error
    return module


def _search_last(directory: Path) -> None:
    """Let imports find `directory`, after everything installed: it must not shadow a package."""
    if str(directory) not in sys.path:
        sys.path.append(str(directory))


def _attribute(target: str, holder: Any, path: str) -> Any:
    for name in path.split(".") if path else ():
        try:
            holder = getattr(holder, name)
        except AttributeError:
            inside = getattr(holder, "__dict__", {}).items()
            offering = [
                key
                for key, value in inside
                if get_origin(value) is None and operations_offered(value)
            ]
            there = f"; there is {', '.join(offering)}" if offering else ""
            raise TargetError(f"{target}: there is no {name}{there}") from None
        except Exception as error:  # a module's or a class's own __getattr__
            raise TargetError(f"{target}: {name} cannot be had: {_said(error)}") from error
    return holder


def _instance(target: str, found: Any) -> Any:
    if not isinstance(found, type):
        return found
    try:
        return found()
    except (Exception, SystemExit) as error:
        raise TargetError(
            f"{target}: {found.__name__}() failed, and a class must be made without arguments: "
            f"{_said(error)}"
        ) from error


def _check_offer(target: str, implementation: Any) -> None:
    if not operations_offered(implementation):
        hint = (
            "; it is a function itself: name the module or class that holds it"
            if callable(implementation) and hasattr(implementation, "__name__")
            else ""
        )
        raise TargetError(f"{target}: offers none of {', '.join(OPERATIONS)}{hint}")
    dtypes = getattr(implementation, "dtypes", ())
    try:
        named = not isinstance(dtypes, str) and all(isinstance(name, str) for name in dtypes)
    except Exception:  # whatever the implementation's own code raises
        named = False
    if not named:
        raise TargetError(f"{target}: dtypes={told(dtypes, repr)}: must be a tuple of dtype names")


def _said(error: BaseException, path: Path | None = None) -> str:
    """An exception as one line, with the line of the file where it was raised."""
    if isinstance(error, SyntaxError):
        return f"{type(error).__name__} in line {error.lineno} of {error.filename}: {error.msg}"
    text = " ".join(f"{type(error).__name__}: {error}".split()).rstrip(": ")
    frames = extract_tb(error.__traceback__) if path else ()
    lines = [f.lineno for f in frames if path and Path(f.filename) == path.absolute()]
    return f"line {lines[-1]}: {text}" if lines else text
