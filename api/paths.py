"""Where the platform's own resources stand, for those who serve them and those who ask."""

from typing import Final

CHECKS: Final = "/tmf-api/serviceQualificationManagement/v4/checkServiceQualification"
DEVICES: Final = "/lastmile/v1/device"
PLAN: Final = "/lastmile/v1/plan"
TRANSACTIONS: Final = "/lastmile/v1/transaction"
LAST_DRIFT: Final = "/lastmile/v1/lastDrift"
SERVING: Final = "/lastmile/v1/servingDevice"
SERVICE_CLAIMS: Final = "/lastmile/v1/serviceClaim"
SERVICE_TESTS: Final = "/lastmile/v1/serviceTest"
DEAD_LETTERS: Final = "/lastmile/v1/deadLetter"
