"""Every event that a test publishes against the official definitions, without the test asking for it."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final
from unittest import mock

from jsonschema_rs import Draft4Validator

from api.hub.topics import EVENTS, TOPICS, Topic
from api.runtime.history import tmf_event
from api.runtime.ledger import LedgerUnit
from inventory.documents import json_text
from inventory.ledger import Event
from tests.api.strict import FILES

TMF688: Final = "TMF688-v4.0.0.json"


@dataclass(slots=True, kw_only=True)
class SeenEvents:
    """What was published while the tests ran.

    Attributes:
        checked: how often an event of a type was found to be as its official definition says.
        faults: what was wrong, until a test has failed for it.
    """

    folder: Path
    checked: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def look(self, row: Mapping[str, Any]) -> None:
        """Check an event as each hub sends it, whose API's file knows its type."""
        event = tmf_event({**row, "document": json_text(row["document"])})  # type: ignore[arg-type]  # a row in memory
        for topic in TOPICS.values():
            if event["eventType"] in topic.types and topic.domain in {"", event["domain"]}:
                self._look_at(topic, topic.spell(event))

    def _look_at(self, topic: Topic, event: Mapping[str, Any]) -> None:
        validator = _validator(self.folder, topic.base, event["eventType"])
        if validator is None:
            return
        plain = json.loads(json_text(event))
        found = [f"{'/'.join(map(str, each.instance_path))}: {each.message}" for each in validator.iter_errors(plain)]
        if found:
            self.faults.append(f"{topic.base}: {event['title']}: {found}")
        else:
            self.checked[event["eventType"]] += 1


@cache
def _validator(folder: Path, base: str, event_type: str) -> Draft4Validator | None:
    api = base.split("/")[2]
    file, definition = (TMF688, "Event") if base.startswith(EVENTS) else (FILES.get(api), event_type)
    if file is None:
        return None
    loaded = json.loads((folder / "tmf" / file).read_text(encoding="utf-8"), object_hook=_with_paths)
    if definition not in loaded["definitions"]:
        return None
    return Draft4Validator({"definitions": loaded["definitions"], "$ref": f"#/definitions/{definition}"})


def _with_paths(schema: dict[str, Any]) -> dict[str, Any]:
    # TM Forum's own samples name each other by path alone, as ours do.
    return {**schema, "format": "uri-reference"} if schema.get("format") == "uri" else schema


@contextmanager
def watching(folder: Path) -> Iterator[SeenEvents]:
    """Look at every event that this process publishes while the block runs."""
    seen, publish = SeenEvents(folder=folder), LedgerUnit.publish

    def published(self: LedgerUnit, event: Event) -> None:
        publish(self, event)
        seen.look(self._events.entries[-1])

    with mock.patch.object(LedgerUnit, "publish", published):
        yield seen
