import pytest

from api.errors import NotAllowed
from api.roles import ANONYMOUS, Actor, Role, allowed, authorize

ORDERS = "/tmf-api/productOrderingManagement/v4/productOrder"
SERVICE = "/tmf-api/ServiceActivationAndConfiguration/v4/service"
ALL, ORDERING, REVIEWING, ADMIN = set(Role), {Role.OPERATOR, Role.ADMIN}, {Role.REVIEWER, Role.ADMIN}, {Role.ADMIN}
LAYERS = {Role.LAYER, Role.ADMIN}
CASES = {
    "reading": ("GET", "/lastmile/v1/device", ALL),
    "a dry run": ("POST", "/lastmile/v1/plan", ALL),
    "an order": ("POST", ORDERS, ORDERING),
    "an order, with a slash": ("POST", ORDERS + "/", ORDERING),
    "a cancellation": ("POST", "/tmf-api/serviceOrdering/v4/cancelServiceOrder", ORDERING | LAYERS),
    "a service": ("POST", SERVICE, ORDERING | LAYERS),
    "a service changed": ("PATCH", SERVICE + "/7", ORDERING | LAYERS),
    "a service ended": ("DELETE", SERVICE + "/7/", ORDERING | LAYERS),
    "an approval": ("POST", "/lastmile/v1/review/7/approve", REVIEWING),
    "a rejection": ("POST", "/lastmile/v1/review/7/reject", REVIEWING),
    "a subscription": ("POST", "/tmf-api/event/v4/hub", LAYERS),
    "something nobody thought of": ("POST", "/lastmile/v1/explode", ADMIN),
    "something below an order": ("POST", ORDERS + "/7/approve", ADMIN),
}


@pytest.mark.parametrize("case", CASES)
def test_the_table_says_who_may(case: str) -> None:
    method, path, roles = CASES[case]
    assert allowed(method, path) == roles


def test_a_refusal_names_the_actor_and_who_may() -> None:
    with pytest.raises(NotAllowed, match=r"'carol' has the role 'reviewer'; POST .* takes one of: admin, operator"):
        authorize(Actor(name="carol", role=Role.REVIEWER), "POST", ORDERS)


def test_everybody_is_admin_where_nobody_needs_a_token() -> None:
    authorize(ANONYMOUS, "POST", "/lastmile/v1/explode")
