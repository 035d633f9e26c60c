"""Lists of what is no stored TMF resource: filters, order, page and fields as every collection has them."""

from collections.abc import Sequence

from fastapi import Request, Response

from api.http.list_query import ListRequest, list_request, select_fields
from api.http.requests import JSON
from inventory.documents import Document, json_text
from inventory.query import sort_value, sorted_by


def listed(request: Request, documents: Sequence[Document], attributes: frozenset[str]) -> Response:
    """Return what a request for a list asks for of all ``documents``: in their order and whole where it says nothing.

    Raises:
        BadRequest: offset or limit is no number in range, or an attribute is unknown; names what is legal.
    """
    wanted = list_request(request, attributes)
    query = wanted.query
    matching = [
        (tuple(sort_value(document, key.attribute) for key in query.order), str(number))
        for number, document in enumerate(documents)
        if query.holds(document)
    ]
    end = query.offset + query.limit if "limit" in request.query_params else None
    numbers = sorted_by(query.order, matching)[query.offset : end]
    return paged(wanted, [documents[int(number)] for number in numbers], len(matching))


def paged(wanted: ListRequest, documents: Sequence[Document], total: int) -> Response:
    """Return the answer with one page of ``documents``, of ``total`` that there are."""
    headers = {"X-Total-Count": str(total), "X-Result-Count": str(len(documents))}
    told = [select_fields(each, wanted.fields) if wanted.fields else each for each in documents]
    return Response(json_text(told), media_type=JSON, headers=headers)
