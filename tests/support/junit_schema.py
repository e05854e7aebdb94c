"""What Jenkins' ``junit-10.xsd`` asks of a report, as far as a reader relies on it.

Written down from the schema's rules, so that tests need no validator: which elements may contain which,
which attributes each may have and must have, where text may be, and how a time is written.
"""

import re
from typing import Final
from xml.etree.ElementTree import Element, fromstring

_RERUNS: Final = {"rerunFailure", "rerunError", "flakyFailure", "flakyError"}
_RESULTS: Final = {"skipped", "error", "failure", "system-out", "system-err"} | _RERUNS
_CHILDREN: Final[dict[str, set[str]]] = {
    "testsuites": {"testsuite"},
    "testsuite": {"testsuite", "properties", "testcase", "system-out", "system-err"},
    "testcase": _RESULTS,
    "properties": {"property"},
}
_REQUIRED: Final = {
    "testsuite": {"name", "tests", "failures", "errors"},
    "testcase": {"name"},
    **{name: {"type"} for name in _RERUNS},
    "property": {"name", "value"},
}
_OPTIONAL: Final = {
    "testsuites": {"name", "time", "tests", "failures", "errors"},
    "testsuite": {"group", "time", "skipped", "timestamp", "hostname", "id", "package", "file", "log", "url"},
    "testcase": {"time", "classname", "group"},
    "skipped": {"type", "message"},
    "error": {"type", "message"},
    "failure": {"type", "message"},
    **{name: {"message"} for name in _RERUNS},
}
_TEXT: Final = _RESULTS
_TIME: Final = re.compile(r"(([0-9]{0,3},)*[0-9]{3}|[0-9]{0,3})*(\.[0-9]*)?")


def validate_junit(text: str) -> Element:
    """The root of a report that is valid.

    Raises:
        ParseError: It is not XML.
        AssertionError: The schema forbids it.
    """
    root = fromstring(text.encode())
    assert root.tag in ("testsuites", "testsuite")
    for element in root.iter():
        _check(element)
    return root


def _check(element: Element) -> None:
    name = element.tag
    required = _REQUIRED.get(name, set())
    assert required <= set(element.keys()) <= required | _OPTIONAL.get(name, set()), name
    assert {inner.tag for inner in element} <= _CHILDREN.get(name, set()), name
    pieces = [element.text, *(inner.tail for inner in element)]
    assert name in _TEXT or not any((piece or "").strip() for piece in pieces), name
    if name in ("testsuites", "testsuite") and "time" in element.attrib:
        assert _TIME.fullmatch(element.attrib["time"])
