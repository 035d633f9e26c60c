"""Where the platform's own resources stand, for those who serve them and those who ask."""

from typing import Final

CHECKS: Final = "/tmf-api/serviceQualificationManagement/v4/checkServiceQualification"
DEVICES: Final = "/lastmile/v1/device"
PLAN: Final = "/lastmile/v1/plan"
TRANSACTIONS: Final = "/lastmile/v1/transaction"
