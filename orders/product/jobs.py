"""The job kinds of COM."""

from typing import Final

START: Final = "product.start"
FOLLOW_SERVICE_ORDER: Final = "product.follow_service_order"
FOLLOW_CANCEL: Final = "product.follow_cancel"
REFUSED_BELOW: Final = "product.refused_below"
CANCEL: Final = "product.cancel"
WAKE: Final = "product.wake"
