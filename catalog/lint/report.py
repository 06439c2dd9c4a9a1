"""Findings as text for people, as plain data, and as a SARIF log for code hosts and editors."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from catalog.lint.rules import RULES
from catalog.source import Finding

_SARIF = "https://json.schemastore.org/sarif-2.1.0.json"


def as_text(findings: Iterable[Finding]) -> str:
    """Return a line for each finding: where it is, its severity and rule, what is wrong and what to do."""
    return "\n".join(map(_line, findings))


def _line(one: Finding) -> str:
    path = f"{one.path}: " if one.path else ""
    return f"{one.where}: {one.severity} {one.rule}: {path}{one.message}. {one.remedy}"


def as_json(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """Return the findings as plain JSON."""
    return [one.model_dump(mode="json") for one in findings]


def as_sarif(findings: Iterable[Finding]) -> dict[str, Any]:
    """Return a SARIF 2.1.0 log (OASIS) with one run, its rules and its results."""
    rules = [
        {"id": one.id, "shortDescription": {"text": one.description}, "defaultConfiguration": {"level": one.severity}}
        for one in RULES.values()
    ]
    order = {name: at for at, name in enumerate(RULES)}
    results = [_result(one, order[one.rule]) for one in findings]
    driver = {"name": "commissary catalog lint", "rules": rules}
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": _SARIF, "version": "2.1.0", "runs": [run]}


def _result(one: Finding, rule_index: int) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": one.file}}
    if one.line is not None:
        place["region"] = {"startLine": one.line, "startColumn": one.column or 1}
    return {
        "ruleId": one.rule,
        "ruleIndex": rule_index,
        "level": one.severity,
        "message": {"text": str(one).removeprefix(f"{one.where}: ")},
        "locations": [{"physicalLocation": place}],
    }
