"""Transactions that take from the same pools in another order do not wait for each other for ever."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from api.runtime.database import Database
from inventory.network import NetworkStore
from inventory.network_file import load_network_file
from inventory.pool_store import PoolStore
from inventory.pools import PoolKey

ROUNDS = 25
VLANS = PoolKey(allocation="vlan", name="subscriber-vlans")
ADDRESSES = PoolKey(allocation="address", name="residential")


@pytest.mark.db
def test_pools_can_be_taken_in_any_order(either: Database) -> None:
    network = load_network_file(Path(__file__).parent / "network.yml")
    with either.begin() as uow:
        NetworkStore().load(uow, network)

    def take(*order: PoolKey) -> list[tuple[int, ...]]:
        found = []
        for _ in range(ROUNDS):
            with either.begin() as uow:
                found.append(tuple(PoolStore().take(uow, key) for key in order))
        return found

    with ThreadPoolExecutor(2) as threads:
        one = threads.submit(take, VLANS, ADDRESSES)
        other = threads.submit(take, ADDRESSES, VLANS)
        vlans = [pair[0] for pair in one.result()] + [pair[1] for pair in other.result()]
    assert len(set(vlans)) == 2 * ROUNDS
