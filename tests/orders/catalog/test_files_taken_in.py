"""What changed catalog files do to a catalog that was changed over the API: a table of three views."""

import pytest

from orders.catalog.files_taken_in import _Merge
from orders.catalog.stored import StoredEntry


def entry(text: str) -> StoredEntry:
    return StoredEntry(section="productOfferings", entry={"id": "x", "name": text, "version": "1"})


KEY = entry("").key
# file now, file when it was taken in last, stored → (taken, dropped, words for people)
CASES: dict[str, tuple[str, str, str, tuple[bool, bool, str]]] = {
    "nothing happened": ("a", "a", "a", (False, False, "")),
    "new": ("a", "", "", (True, False, "")),
    "the file changed": ("b", "a", "a", (True, False, "")),
    "changed over the API": ("a", "a", "c", (False, False, "")),
    "deleted over the API": ("a", "a", "", (False, False, "")),
    "both changed": ("b", "a", "c", (False, False, "was changed")),
    "both changed alike": ("b", "a", "b", (False, False, "")),
    "the file changed, deleted over the API": ("b", "a", "", (False, False, "was deleted")),
    "made over the API first": ("a", "", "c", (False, False, "was changed")),
    "gone from the file": ("", "a", "a", (False, True, "")),
    "gone from the file, changed over the API": ("", "a", "c", (False, False, "")),
    "made over the API": ("", "", "c", (False, False, "")),
}


@pytest.mark.parametrize("case", CASES)
def test_nothing_that_was_changed_over_the_api_is_overwritten(case: str) -> None:
    file, base, stored, (is_taken, is_dropped, words) = CASES[case]
    merge = _Merge(
        files={KEY: entry(file)} if file else {},
        base={KEY: entry(base).digest} if base else {},
        stored={KEY: entry(stored)} if stored else {},
    )
    merge.run()
    assert (bool(merge.taken), bool(merge.dropped)) == (is_taken, is_dropped)
    assert [words in each for each in merge.kept] == ([True] if words else [])
    # Started again with the same files, nothing more happens, but for what is said to people.
    after = _Merge(
        files=merge.files,
        base=merge.noted,
        stored={each.key: each for each in (*merge.stored.values(), *merge.taken) if each not in merge.dropped},
    )
    after.run()
    assert (after.taken, after.dropped, after.kept) == ([], [], merge.kept)
