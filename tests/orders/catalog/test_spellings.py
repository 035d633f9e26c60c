"""Characteristics in TM Forum's words and back: nothing of what a catalog file says is lost."""

from hypothesis import given
from hypothesis import strategies as st

from orders.catalog.files import CatalogFile, dumped
from orders.catalog.load import examine_shapes
from orders.catalog.model import Catalog
from orders.catalog.spellings import LISTS, told
from orders.catalog.wire import catalog_documents

NUMBERS = st.integers(-1000, 1000) | st.floats(-1000, 1000).map(lambda value: round(value, 2))


@st.composite
def characteristics(draw: st.DrawFn) -> dict[str, object]:
    """Return a characteristic as a catalog file has it, of any legal shape."""
    low, high = sorted((draw(NUMBERS), draw(NUMBERS)))
    kind = draw(st.sampled_from(["string", "number", "boolean"]))
    allowed: list[object] = []
    if kind == "string":
        letters: list[str] = draw(st.lists(st.sampled_from("abc"), unique=True, max_size=3))
        allowed += letters
    found: dict[str, object] = {"name": "x", "valueType": kind, "required": draw(st.booleans()), "allowed": allowed}
    if kind == "number" and draw(st.booleans()):
        found |= {"min": low, "max": high}
    found["maxValues"] = most = draw(st.sampled_from([1, 3, "*"]))
    found["minValues"] = draw(st.integers(0, 1 if most == 1 else 3))
    has_default: bool = draw(st.booleans())
    if allowed and has_default:
        is_list = most != 1
        found["default"] = [allowed[0]] * max(1, int(str(found["minValues"]))) if is_list else allowed[0]
    if draw(st.booleans()):
        found["unit"] = "kg"
    return found


@given(characteristics())
def test_what_a_file_says_comes_back(characteristic: dict[str, object]) -> None:
    entry = {"id": "y", "name": "y", "version": "1", "allocation": "pon", "characteristics": [characteristic]}
    file = CatalogFile.model_validate({"resourceSpecifications": [entry]})
    examined = examine_shapes({"file": file})
    assert examined.problems == ()
    (document,) = catalog_documents(examined.book.catalog)["resourceSpecification"]
    name, values_key = LISTS["resourceSpecification"]
    again = {**entry, "characteristics": [told(each, values_key) for each in document[name]]}
    file_again = CatalogFile.model_validate({"resourceSpecifications": [again]})
    assert dumped(file_again) == dumped(file)


def test_the_shipped_catalog_needs_few_words_of_our_own(catalog: Catalog) -> None:
    documents = catalog_documents(catalog)
    owners = [
        each["name"]
        for kind, (name, _) in LISTS.items()
        for document in documents[kind]
        for each in document[name]
        if "lastmile" in each
    ]
    assert owners == []
