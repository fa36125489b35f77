"""Whether the documentation that a defect contradicts still says so, where it is installed."""

from __future__ import annotations

import re
from importlib import import_module
from pkgutil import resolve_name
from typing import Any

from defects.records import Defect

_OPERATOR_SET = re.compile(r'opset_import: \["": (\d+)\]')
_OPERATOR = re.compile(r"operator (\w+) of ONNX")


def stands(defect: Defect, program: str) -> bool:
    """Whether the quoted sentence is in the docstring, or the ONNX operator, named as its source.

    Of an operator, what the operator set says that the program imports.  A web address cannot be
    asked here; where its sentence has been `read` is in the record.
    """
    if not defect.source or "https://" in defect.source:
        return True
    operator = _OPERATOR.fullmatch(defect.source)
    if operator:
        text = _schema(operator[1], operator_set(program))
    else:
        text = resolve_name(defect.source).__doc__
    return _plain(defect.documentation) in _plain(text)


def operator_set(program: str) -> int:
    """The version of ONNX's operators that a program's model imports.

    >>> operator_set('<ir_version: 10, opset_import: ["": 22]>')
    22
    """
    (version,) = set(_OPERATOR_SET.findall(program))
    return int(version)


def _schema(name: str, version: int) -> str:
    """All that ONNX says about an operator in a version of its operators."""
    schema: Any = import_module("onnx.defs").get_schema(name, max_inclusive_version=version)
    parts = [*schema.attributes.values(), *schema.inputs, *schema.outputs]
    return "\n".join([schema.doc, *(part.description for part in parts)])


def _plain(text: str) -> str:
    """Without what distinguishes lines, indents and OpenCV's dots before each line."""
    return " ".join(text.replace("\n.", "\n").replace("*", " ").split())
