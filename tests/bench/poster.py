"""The clients of ``post_order``, in a process of their own: ``python -m tests.bench.poster URL COUNT CLIENTS``.

Prints the seconds it took.
"""

import itertools
import sys
import threading
import time

import httpx

from api.wiring import PRODUCT_ORDERING
from tests.bench.orders import order

COLLECTION = f"{PRODUCT_ORDERING}/productOrder"


def main() -> None:
    """Post that many orders and print how long it took."""
    url, count, clients = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    numbers = itertools.count()

    def work() -> None:
        with httpx.Client(base_url=url, trust_env=False) as client:
            while (number := next(numbers)) < count:
                client.post(COLLECTION, json=order(number)).raise_for_status()

    threads = [threading.Thread(target=work) for _ in range(clients)]
    started_s = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sys.stdout.write(f"{time.perf_counter() - started_s}\n")


if __name__ == "__main__":
    main()
