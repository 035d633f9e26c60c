"""The TMF622 shapes of prices and terms: the platform computes nothing with them, and gives them back as they came."""

from pydantic import Field

from orders.inbound import DateTime, Inbound, ReferenceBody


class MoneyBody(Inbound):
    """An amount of money."""

    unit: str | None = None
    value: float | None = None


class PriceBody(Inbound):
    """What something costs, or what part of that is taken off."""

    percentage: float | None = None
    tax_rate: float | None = None
    duty_free_amount: MoneyBody | None = None
    tax_included_amount: MoneyBody | None = None


class _DescribedBody(Inbound):
    name: str | None = None
    description: str | None = None


class _ChargeBody(_DescribedBody):
    recurring_charge_period: str | None = None
    unit_of_measure: str | None = None
    product_offering_price: ReferenceBody | None = None


class PriceAlterationBody(_ChargeBody):
    """A discount, or an allowance."""

    application_duration: int | None = None
    priority: int | None = None
    price_type: str
    price: PriceBody


class OrderPriceBody(_ChargeBody):
    """A price of an order or of an item."""

    price_type: str | None = None
    billing_account: ReferenceBody | None = None
    price: PriceBody | None = None
    price_alteration: list[PriceAlterationBody] = Field(default_factory=list)


class ProductPriceBody(_ChargeBody):
    """A price of a product."""

    price_type: str
    billing_account: ReferenceBody | None = None
    price: PriceBody
    product_price_alteration: list[PriceAlterationBody] = Field(default_factory=list)


class QuantityBody(Inbound):
    """So much of something."""

    amount: float | None = None
    units: str | None = None


class PeriodBody(Inbound):
    """From when to when."""

    start_date_time: DateTime | None = None
    end_date_time: DateTime | None = None


class OrderTermBody(_DescribedBody):
    """What an item binds its customer to."""

    duration: QuantityBody | None = None


class ProductTermBody(OrderTermBody):
    """What a product binds its customer to."""

    valid_for: PeriodBody | None = None
