"""The official definitions as validators."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft4Validator


@cache
def _definitions(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(path.read_text())
    return loaded


def faults(shared: Path, file: str, definition: str, document: object) -> list[str]:
    """Return what the official definition finds wrong with ``document``; Swagger 2 speaks JSON Schema draft 4."""
    root = {**_definitions(shared / "tmf" / file), "$ref": f"#/definitions/{definition}"}
    plain = json.loads(json.dumps(document))
    return [f"{'/'.join(map(str, each.path))}: {each.message}" for each in Draft4Validator(root).iter_errors(plain)]
