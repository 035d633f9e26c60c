"""Where the core's own resources stand; free of imports, so that who only asks for them loads nothing else."""

from typing import Final

DRIFT_BASE: Final = "/lastmile/v1/drift"
REPAIR_BASE: Final = "/lastmile/v1/repair"
REVIEW_BASE: Final = "/lastmile/v1/review"
