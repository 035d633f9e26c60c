"""The life cycle of catalog entries, as TM Forum draws it. Pure."""

import re
from enum import StrEnum
from typing import Final

from inventory.lifecycle import Lifecycle


class Status(StrEnum):
    """Where a catalog entry stands; :func:`orders.catalog.wire.status_on_wire` spells it for clients."""

    IN_STUDY = "inStudy"
    IN_DESIGN = "inDesign"
    IN_TEST = "inTest"
    ACTIVE = "active"
    LAUNCHED = "launched"
    RETIRED = "retired"
    OBSOLETE = "obsolete"
    REJECTED = "rejected"


DRAFTS: Final = frozenset({Status.IN_STUDY, Status.IN_DESIGN, Status.IN_TEST})
"""Nothing was ever sold by it: it is changed in place."""

ENTRY: Final = Lifecycle(
    name="catalog entry",
    initial=frozenset({*DRAFTS, Status.ACTIVE, Status.LAUNCHED}),
    transitions={
        Status.IN_STUDY: frozenset({Status.IN_DESIGN, Status.REJECTED}),
        Status.IN_DESIGN: frozenset({Status.IN_TEST, Status.REJECTED}),
        Status.IN_TEST: frozenset({Status.IN_DESIGN, Status.ACTIVE, Status.REJECTED}),
        Status.ACTIVE: frozenset({Status.LAUNCHED, Status.RETIRED}),
        Status.LAUNCHED: frozenset({Status.RETIRED}),
        Status.RETIRED: frozenset({Status.OBSOLETE}),
    },
)


def status_of(text: str) -> Status | None:
    """Return the state that a client means by ``In design``, ``inDesign`` or ``IN_DESIGN``; None: there is none."""
    bare = re.sub(r"[\s_-]", "", text).lower()
    return next((each for each in Status if each.lower() == bare), None)
