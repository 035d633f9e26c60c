import pytest

from api.http.prefer import LONGEST_WAIT_S, Preference, preference

DEFAULT_S = 10.0
HEADERS = {
    None: (Preference(), DEFAULT_S, ""),
    "": (Preference(), DEFAULT_S, ""),
    "respond-async": (Preference(respond_async=True), 0.0, "respond-async"),
    "Respond-Async": (Preference(respond_async=True), 0.0, "respond-async"),
    "wait=3": (Preference(wait_s=3), 3.0, "wait=3"),
    'wait="3"': (Preference(wait_s=3), 3.0, "wait=3"),
    "respond-async, wait=3": (Preference(respond_async=True, wait_s=3), 3.0, "respond-async, wait=3"),
    "wait=3, wait=9": (Preference(wait_s=3), 3.0, "wait=3"),
    "wait=9999": (Preference(wait_s=9999), LONGEST_WAIT_S, "wait=300"),
    "wait=soon": (Preference(), DEFAULT_S, ""),
    "wait=-1": (Preference(), DEFAULT_S, ""),
    "return=minimal; foo=bar, respond-async;x": (Preference(respond_async=True), 0.0, "respond-async"),
    "handling=lenient": (Preference(), DEFAULT_S, ""),
}


@pytest.mark.parametrize("header", HEADERS)
def test_what_a_client_prefers(header: str | None) -> None:
    wanted, patience_s, applied = HEADERS[header]
    assert preference(header) == wanted
    assert preference(header).patience_s(DEFAULT_S) == patience_s
    assert preference(header).applied(with_monitor=True) == applied


def test_what_was_not_done_is_not_claimed() -> None:
    assert preference("respond-async, wait=3").applied(with_monitor=False) == "wait=3"
