"""The report as JUnit XML, which CI servers show: a test case an operation, and one a difference.

An operation fails where it differs and is an error where it crashed; what is not offered, and a
difference that was accepted, is skipped.
"""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from convspec.cli.words import KINDS, circumstances, explained
from convspec.draw.text import draw
from convspec.oracle.call import ENDINGS
from convspec.oracle.report import Difference, OperationReport, Report

# What XML 1.0 has no way to write.
_NO_CHARACTER = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(report: Report) -> str:
    """The report as the text of an XML file.

    >>> junit(Report("m", None, "3.13.0", "quick", 0, 0.0, {})).splitlines()[0]
    "<?xml version='1.0' encoding='utf-8'?>"
    """
    suites = Element("testsuites", name="convspec")
    suite = SubElement(suites, "testsuite", name=_clean(report.target))
    properties = SubElement(suite, "properties")
    for name in ("python", "numpy", "convspec", "version", "level", "seed"):
        value = getattr(report, name)
        if value is not None:
            SubElement(properties, "property", name=name, value=_clean(str(value)))
    for operation in report.operations.values():
        _operation(suite, report, operation)
        for difference in operation.differences:
            _difference(suite, report, operation.name, difference)
    SubElement(suite, "system-out").text = circumstances(report)
    for element in (suites, suite):
        element.attrib |= _counts(suite)
        element.set("time", f"{report.seconds:.3f}")
    indent(suites)
    written: bytes = tostring(suites, encoding="utf-8", xml_declaration=True)
    return written.decode() + "\n"


def _counts(suite: Element) -> dict[str, str]:
    found = {"tests": len(suite.findall("testcase"))}
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        found[name] = len(suite.findall(f"testcase/{tag}"))
    return {name: str(count) for name, count in found.items()}


def _testcase(suite: Element, report: Report, name: str, seconds: float) -> Element:
    return SubElement(
        suite, "testcase", classname=_clean(report.target), name=name, time=f"{seconds:.3f}"
    )


def _operation(suite: Element, report: Report, operation: OperationReport) -> None:
    case = _testcase(suite, report, operation.name, operation.seconds)
    count = sum(not difference.accepted for difference in operation.differences)
    if operation.status == "differs":
        SubElement(case, "failure", type="differs", message=f"differences from the spec: {count}")
    elif operation.status == "crashed":
        SubElement(case, "error", type="crashed", message="calls crashed or hung")
    elif operation.status == "unsupported":
        why = operation.unsupported_rule or "nothing could be judged"
        SubElement(case, "skipped", message=_clean(why))


def _difference(suite: Element, report: Report, operation: str, difference: Difference) -> None:
    named = f": {difference.diagnosis}" if difference.diagnosis else ""
    title = f"{operation}: {KINDS[difference.kind]}{named} [{difference.id}]"
    case = _testcase(suite, report, _clean(title), 0.0)
    message = _clean(difference.message)
    if difference.accepted:
        SubElement(case, "skipped", message=f"accepted: {message}")
        return
    tag = "error" if difference.kind in ENDINGS else "failure"
    told = SubElement(case, tag, type=difference.kind, message=message)
    picture = draw(difference.case, difference.expected, difference.actual)
    parts = [*explained(difference, difference.dtype), "", picture, "", difference.reproducer]
    told.text = _clean("\n".join(parts))


def _clean(text: str) -> str:
    """Text that XML can hold: what it cannot is replaced.

    >>> _clean("\x1b[31mred")
    '\ufffd[31mred'
    """
    return _NO_CHARACTER.sub("\ufffd", text)
