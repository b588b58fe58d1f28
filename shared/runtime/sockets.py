"""Where a page is served: an address that a browser can open."""

import socket

from shared.errors import BadConfig


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
