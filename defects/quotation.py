"""Whether the documentation that a defect contradicts still says so, where it is installed."""

from __future__ import annotations

import re
from importlib import import_module
from pkgutil import resolve_name
from typing import Any

from defects.records import Defect

_OPERATOR = re.compile(r"operator (\w+) of ONNX")


def stands(defect: Defect) -> bool:
    """Whether the quoted sentence is in the docstring, or the ONNX operator, named as its source.

    A web address cannot be asked here, and is taken at its word.
    """
    if not defect.source or "https://" in defect.source:
        return True
    operator = _OPERATOR.fullmatch(defect.source)
    text = _schema(operator[1]) if operator else resolve_name(defect.source).__doc__
    return _plain(defect.documentation) in _plain(text)


def _schema(name: str) -> str:
    """All that ONNX says about an operator."""
    schema: Any = import_module("onnx.defs").get_schema(name)
    parts = [*schema.attributes.values(), *schema.inputs, *schema.outputs]
    return "\n".join([schema.doc, *(part.description for part in parts)])


def _plain(text: str) -> str:
    """Without what distinguishes lines, indents and OpenCV's dots before each line."""
    return " ".join(text.replace("\n.", "\n").replace("*", " ").split())
