"""Addresses of volumes in object stores: `s3://bucket/prefix`."""

import re
from dataclasses import dataclass

from shared.errors import BadConfig

SCHEMES = ("s3", "gs", "az")
"""Stores that have conditional writes: Amazon S3 and what speaks its protocol, Google Cloud Storage, Azure."""


@dataclass(frozen=True)
class Address:
    """A place in an object store: the keys of `bucket` that begin with `prefix/`, or all of them without one."""

    scheme: str
    bucket: str
    prefix: str = ""

    def __str__(self) -> str:
        return "/".join(part for part in (f"{self.scheme}://{self.bucket}", self.prefix) if part)

    def below(self, key: str) -> "Address":
        """Return the address of what is at `key` below this one."""
        return Address(self.scheme, self.bucket, f"{self.prefix}/{key}" if self.prefix else key)


def is_address(text: str) -> bool:
    """Whether a text means a place in some store rather than a folder."""
    return re.match(r"\w+://", text) is not None


def parse(text: str, where: str) -> Address:
    """Return the address that `text` is; `where` names the option in errors. BadConfig for any other text."""
    scheme, _, rest = text.partition("://")
    bucket, _, prefix = rest.partition("/")
    if scheme not in SCHEMES:
        raise BadConfig(f"{where} {text}: want a folder, or {', '.join(f'{known}://BUCKET' for known in SCHEMES)}")
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{1,62}", bucket):
        raise BadConfig(f"{where} {text}: {bucket!r} cannot be a bucket's name; want {scheme}://BUCKET/PREFIX")
    parts = prefix.strip("/").split("/") if prefix.strip("/") else []
    if any(not re.fullmatch(r"\w[\w.-]*", part) for part in parts):
        raise BadConfig(f"{where} {text}: want a prefix of letters, digits, '_', '-' and '.', such as teams/images")
    return Address(scheme, bucket, "/".join(parts))
