"""Folders, here and elsewhere."""

import uuid
from collections.abc import Iterator

import pytest

pytest.importorskip("fsspec", reason="fsspec comes with the extra [ray]")

from slic.fleet import ledger
from slic.fleet.store import Store
from tests.slic.fleet.buckets import BUCKETS


@pytest.fixture(scope="module", params=["disk", "memory", *BUCKETS])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where folders may lie."""
    if request.param in BUCKETS:
        with BUCKETS[request.param]() as url:
            yield url
    else:
        yield "memory:/" if request.param == "memory" else str(tmp_path_factory.mktemp("store"))


@pytest.fixture
def store(place: str) -> Store:
    return Store.at(f"{place}/{uuid.uuid4().hex}/a")


def test_what_is_written_is_named_and_read(store: Store) -> None:
    assert store.names() == []
    for name in ("b.png", "sub/a.png"):
        store.write(name, b"old")
        store.write(name, name.encode())
    assert store.names() == ["b.png", "sub/a.png"]
    assert store.read("sub/a.png") == b"sub/a.png"


def test_a_folder_is_there_once_something_is_in_it(store: Store) -> None:
    assert not Store(store.fs, f"{store.root}/b").there()
    store.write("b/a.png", b"")
    assert Store(store.fs, f"{store.root}/b").there()


def test_what_is_not_there_is_an_error_of_files(store: Store) -> None:
    with pytest.raises(OSError):
        store.read("none.png")


def test_hidden_files_stay_out_unless_they_are_asked_for(store: Store) -> None:
    for name in (".hidden/a", "sub/.a", "sub/b"):
        store.write(name, b"")
    assert store.names() == ["sub/b"]
    assert store.names(".hidden") == [".hidden/a"]


def test_an_output_that_is_gone_or_another_is_made_again(store: Store) -> None:
    store.write("a.slic", b"made")
    record = {"input": "a.png", "output": "a.slic", "settings": "q6", "source": "1", "well": True}
    ledger.note(store, [record | {"target": ledger.digest(b"made")}])
    found = ledger.parse(ledger.known(store)["a.png"])
    assert ledger.is_done(found, "q6", "1", "a.slic", store)
    assert not ledger.is_done(found, "q3", "1", "a.slic", store)
    assert not ledger.is_done(found, "q6", "2", "a.slic", store)
    assert not ledger.is_done(found, "q6", "1", "a.png.slic", store)
    assert not ledger.is_done(ledger.parse(""), "q6", "1", "a.slic", store)
    store.write("a.slic", b"damaged")
    assert not ledger.is_done(found, "q6", "1", "a.slic", store)
    store.fs.rm(f"{store.root}/a.slic")
    assert not ledger.is_done(found, "q6", "1", "a.slic", store)
