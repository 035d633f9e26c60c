"""A service by whatever people know of it: the id of its product, of itself, or of one of its parts."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

from activation import fragment_store
from activation.checks import CheckResult, CheckState
from activation.service_test import ServiceTest
from activation.store import SERVICES
from inventory.errors import UnknownResource
from inventory.ledger import Transactions
from inventory.store import DocumentStore

LEGAL: Final = "legal: the id of a product (TMF637), of a service (TMF638, TMF640) or of one of its parts"
_WORST: Final = (CheckState.FAILED, CheckState.PASSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceDesk:
    """Finds services and has them tested."""

    tests: ServiceTest
    transactions: Transactions
    products: DocumentStore

    def test(self, key: str) -> dict[str, Any]:
        """Return how the tests of the service that ``key`` means ended.

        Raises:
            UnknownResource: nothing of that id, or nothing of it on any device; says which ids are legal.
        """
        with self.transactions.read() as connection:
            service_id = self._service_id(connection, key)
            state = SERVICES.get(connection, service_id).state
        results = self.tests.run(service_id)
        return {
            "id": key,
            "service": service_id,
            "serviceState": state,
            "state": verdict(results).value,
            "result": [each.document() for each in results],
            "@type": "ServiceTest",
        }

    def _service_id(self, connection: Connection, key: str) -> str:
        if SERVICES.find(connection, key) is not None:
            return key
        if root := fragment_store.owners(connection, [key]).get(key):
            return root
        product = self.products.find(connection, key)
        realizing = product.document.get("realizingService", ()) if product is not None else ()
        found = next((str(each["id"]) for each in realizing if SERVICES.find(connection, str(each["id"]))), "")
        if not found:
            what = "nothing of this product is activated" if product is not None else LEGAL
            raise UnknownResource("service", key, hint=what)
        return found


def verdict(results: tuple[CheckResult, ...]) -> CheckState:
    """Return failed where one test failed, passed where one passed and none failed, else not run."""
    states = {each.state for each in results}
    return next((state for state in _WORST if state in states), CheckState.NOT_RUN)
