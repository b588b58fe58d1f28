"""Where a page is served, and whose requests it answers: this machine's, by no name that others can point at it."""

import re
import socket
from collections.abc import Collection
from ipaddress import ip_address

from shared.errors import BadConfig

HOST = re.compile(r"(\[[\da-f:.]+\]|[\w.-]+)(:\d+)?", re.IGNORECASE | re.ASCII)
"""A `Host` header: a name or an address, in brackets one of IPv6, and a port."""


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens there; port 0 takes a free one. BadConfig where that is impossible."""
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        why = error.strerror or str(error)
        raise BadConfig(f"--host {host} --port {port}: cannot listen there ({why}); choose another") from error


def address(listener: socket.socket) -> str:
    """Return the address of a page that is served there."""
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def refusal(host: str, origin: str | None, names: Collection[str]) -> str:
    """Return why a request with these headers, `Host` and `Origin`, is not answered; nothing where it is.

    Anybody can let a name of theirs resolve to this machine, whose pages a browser then takes for theirs (DNS
    rebinding). So only addresses, `localhost` and `names` are answered, and no request of another site's page.
    """
    form = HOST.fullmatch(host)
    if form is None:
        return "want a Host header with a name or an address"
    name = form[1].strip("[]").lower()
    if name not in ("localhost", *(each.lower() for each in names)) and not _is_address(name):
        return f"{name}: unknown name of this host; to allow it: --allow-host {name}"
    if origin is not None and origin.partition("://")[2] != host:
        return "a page of another site may not ask this one"
    return ""


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
