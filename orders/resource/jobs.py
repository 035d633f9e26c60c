"""The job kinds of ROM."""

from typing import Final

START: Final = "resource.start"
CANCEL: Final = "resource.cancel"
WAKE: Final = "resource.wake"
