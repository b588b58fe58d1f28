"""How a store is reached: credentials, endpoint and patience, all from the environment."""

import os
from datetime import timedelta
from functools import lru_cache
from typing import Any

from shared.errors import BadConfig, BadInput
from shared.objects.address import Address

TIMEOUT = "HALFREAL_STORE_TIMEOUT_S"
"""The variable with the seconds after which a store that is silent counts as not answering."""

TIMEOUT_S = 30.0
LONGEST_REQUEST = timedelta(hours=1)
RETRIES = 8
CONNECT_S = 10.0

CREDENTIALS = {
    "s3": (
        ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN"),
        ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",),
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI",),
        ("AWS_METADATA_ENDPOINT",),
        ("AWS_SKIP_SIGNATURE",),
    )
}
"""The variables that say where credentials come from, sets of them by scheme: one set is enough.

Without any, the library would ask the metadata service of a machine in Amazon's cloud, and wait for it elsewhere.
"""


@lru_cache(maxsize=8)
def _connected_in(process: int, address: Address, timeout_s: float) -> Any:
    from obstore.store import from_url

    options: Any = {
        "timeout": LONGEST_REQUEST,
        "read_timeout": timedelta(seconds=timeout_s),
        "connect_timeout": timedelta(seconds=min(timeout_s, CONNECT_S)),
        # a private store in the same network; by default requests are encrypted
        "allow_http": any(os.environ.get(name, "").startswith("http://") for name in ENDPOINTS),
    }
    # waits between retries grow to a sixth of the timeout, 5 s of 30
    backoff: Any = {"init_backoff": timedelta(seconds=timeout_s / 300), "max_backoff": timedelta(seconds=timeout_s / 6)}
    retries: Any = {"max_retries": RETRIES, "retry_timeout": timedelta(seconds=4 * timeout_s), "backoff": backoff}
    return from_url(str(address), client_options=options, retry_config=retries)


ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
"""The variables that may name another server than Amazon's; a volume there is another volume."""


def connected(address: Address) -> Any:
    """Return obstore's client, whose connections are kept for the next call; BadInput without credentials."""
    sets = CREDENTIALS.get(address.scheme, ())
    if sets and not any(all(os.environ.get(name) for name in names) for names in sets):
        raise BadInput(
            f"{address}: no credentials in the environment; set {' and '.join(sets[0])} (docs/object-stores.md has "
            "the other ways)"
        )
    # a connection does not survive a fork
    return _connected_in(os.getpid(), address, _timeout_s())


def _timeout_s() -> float:
    text = os.environ.get(TIMEOUT, "")
    try:
        seconds = float(text or TIMEOUT_S)
    except ValueError:
        seconds = 0.0
    if not 0.1 <= seconds <= 3600:
        raise BadConfig(f"{TIMEOUT}={text}: want seconds, from 0.1 to 3600")
    return seconds
