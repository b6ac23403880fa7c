"""Grades as JUnit's XML, which every continuous integration reads: for a classroom."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from parallel_cookbook.report.practice import grade_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from parallel_cookbook.practice.result import Grade

_WIDTH = 100
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML document may contain, not even as a reference."""


def junit_xml(suites: Mapping[str, Sequence[Grade]]) -> str:
    """Return an XML document with a suite for each name, and a case for each grade in it.

    What is not proven within its limits is a failure, too; what cannot be graded is an error.
    """
    root = ET.Element("testsuites", name="cookbook practice")
    for name, grades in suites.items():
        root.append(_suite(name, grades))
    _count(root, [grade for grades in suites.values() for grade in grades])
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _suite(name: str, grades: Sequence[Grade]) -> ET.Element:
    suite = ET.Element("testsuite", name=_clean(name))
    _count(suite, grades)
    for grade in grades:
        case = ET.SubElement(
            suite,
            "testcase",
            classname=_clean(name),
            name=grade.exercise,
            file=_clean(grade.file),
            time=f"{grade.seconds:.3f}",
        )
        if not grade.passed:
            tag = "error" if grade.verdict == "error" else "failure"
            told = ET.SubElement(case, tag, type=grade.kind, message=_clean(grade.message))
            told.text = _clean(grade_text(grade, _WIDTH))
    return suite


def _count(element: ET.Element, grades: Sequence[Grade]) -> None:
    verdicts = [grade.verdict for grade in grades]
    element.set("tests", str(len(verdicts)))
    element.set("failures", str(verdicts.count("fail") + verdicts.count("unknown")))
    element.set("errors", str(verdicts.count("error")))
    element.set("skipped", "0")
    element.set("time", f"{sum(grade.seconds for grade in grades):.3f}")


def _clean(text: str) -> str:
    return _NOT_XML.sub("�", text)
