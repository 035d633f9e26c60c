"""The job kinds of SOM."""

from typing import Final

START: Final = "service.start"
FOLLOW_RESOURCE_ORDER: Final = "service.follow_resource_order"
FOLLOW_MONITOR: Final = "service.follow_monitor"
CANCEL: Final = "service.cancel"
UNDO_AGAIN: Final = "service.undo_again"
WAKE: Final = "service.wake"
ESCALATE: Final = "service.escalate"
TELL_LATE: Final = "service.tell_late"
