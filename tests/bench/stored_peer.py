"""The way of FastAPI's tutorial: an ORM session per request, models in, ``response_model`` out."""

import json
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Annotated, Any, Final

from fastapi import Depends, FastAPI
from sqlalchemy import Column, MetaData, Table, Text, create_engine, event, func, select
from sqlalchemy.orm import Session, registry

from api.storage import DATABASE_FILE
from api.wiring import PRODUCT_ORDERING
from orders.product.bodies import ProductOrderBody
from orders.product.tables import product_orders
from tests.bench.rig import Rig

COLLECTION: Final = f"{PRODUCT_ORDERING}/productOrder"
POSTED: Final = Table("peer_order", MetaData(), Column("id", Text, primary_key=True), Column("document", Text))


class StoredOrder:
    """An order of the platform."""

    document: str


class PostedOrder:
    """An order posted to the peer; nothing follows from it."""

    def __init__(self, key: str, document: str) -> None:
        self.id, self.document = key, document


def peer(rig: Rig, stack: ExitStack) -> FastAPI:
    """Return an application over the rig's own database file; what it writes goes into a table of its own."""
    mapper = registry()
    stack.callback(mapper.dispose)
    mapper.map_imperatively(StoredOrder, product_orders)
    mapper.map_imperatively(PostedOrder, POSTED)
    engine = create_engine(f"sqlite:///{rig.system.settings.data / DATABASE_FILE}")
    stack.callback(engine.dispose)
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=FULL"))
    POSTED.metadata.create_all(engine)

    def session() -> Iterator[Session]:
        with Session(engine) as opened:
            yield opened

    app = FastAPI()
    _add_routes(app, session)
    return app


def _add_routes(app: FastAPI, session: Any) -> None:
    given = Annotated[Session, Depends(session)]

    def read_page(opened: given, limit: int = 100) -> list[dict[str, Any]]:
        opened.scalar(select(func.count()).select_from(StoredOrder))
        here = product_orders.c
        found = opened.scalars(select(StoredOrder).order_by(here.created_at, here.id).limit(limit))
        return [json.loads(each.document) for each in found]

    def read_one(opened: given, key: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(opened.get_one(StoredOrder, key).document)
        return found

    def post(opened: given, body: ProductOrderBody) -> dict[str, Any]:
        document = {**body.model_dump(by_alias=True, exclude_none=True), "id": str(uuid.uuid4())}
        opened.add(PostedOrder(document["id"], json.dumps(document)))
        opened.commit()
        return document

    app.add_api_route(COLLECTION, read_page, methods=["GET"], response_model=list[ProductOrderBody])
    app.add_api_route(COLLECTION + "/{key}", read_one, methods=["GET"], response_model=ProductOrderBody)
    app.add_api_route(COLLECTION, post, methods=["POST"], response_model=ProductOrderBody, status_code=201)
