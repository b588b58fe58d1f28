"""A client of an object store: whole objects and ranges, conditional puts, listings.

obstore does the requests: it retries what fails for a while, and reads credentials and the endpoint from the
environment. Here its errors become those of `shared.errors`, and a conditional put says for certain whether it held.
"""

import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, ParamSpec, TypeVar

from shared.disk.steps import step
from shared.errors import BadInput, HalfrealError
from shared.objects.address import Address
from shared.objects.connection import connected

if TYPE_CHECKING:
    from obstore import UpdateVersion

P = ParamSpec("P")
T = TypeVar("T")

TRIES = 3
"""How often a store is asked that does not answer; obstore asks again after an answer of 5xx, too."""

AT_ONCE = 64 * 2**20
"""Bytes up to which a file is put in one request; a larger one in parts of PART bytes."""
PART = 16 * 2**20
PARTS_AT_ONCE = 4

REFUSED = ("InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "AccessDenied")
ELSEWHERE = ("PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException")


@dataclass(frozen=True)
class Version:
    """Which content of an object is meant: `e_tag` changes with the content, `version` is Google's number of it."""

    e_tag: str | None
    version: str | None = None

    def is_same(self, other: "Version | None") -> bool:
        """Whether both are of one content: a listing has no numbers, so that the tags decide."""
        return other is not None and self.e_tag == other.e_tag


@dataclass(frozen=True)
class Found:
    """An object that was read."""

    payload: bytes
    version: Version


class _NoAnswerError(HalfrealError):
    """No answer came, or none that is whole."""


def _again(ask: Callable[P, T]) -> Callable[P, T]:
    """Ask again where no answer came, at most TRIES times in all; every call here may be repeated.

    obstore does so for some calls alone: neither for puts nor for the body of a listing.
    """

    @wraps(ask)
    def asked(*words: P.args, **named: P.kwargs) -> T:
        for _ in range(TRIES - 1):
            with suppress(_NoAnswerError):
                return ask(*words, **named)
        return ask(*words, **named)

    return asked


class Store:
    """The objects below an address, by keys that begin there. Each call may take minutes while requests are retried.

    Each raises BadInput for what retrying cannot help (a missing bucket, credentials), HalfrealError for the rest.
    """

    def __init__(self, address: Address) -> None:
        self.address = address
        self._store = connected(address)

    @_again
    def get(self, key: str) -> Found | None:
        """Return an object; None where there is none."""
        import obstore

        def ask() -> Found:
            result = obstore.get(self._store, key)
            return Found(bytes(result.bytes()), _version(result.meta))

        return self._if_there(key, ask)

    @_again
    def version(self, key: str) -> Version | None:
        """Return which content an object has, without reading it; None where there is none."""
        import obstore

        return self._if_there(key, lambda: _version(obstore.head(self._store, key)))

    @_again
    def read_range(self, key: str, start: int, length: int) -> bytes | None:
        """Return `length` bytes of an object from byte `start` on, fewer at its end; None where there is none."""
        import obstore

        return self._if_there(key, lambda: bytes(obstore.get_range(self._store, key, start=start, length=length)))

    @_again
    def put_file(self, key: str, path: Path) -> None:
        """Put the content of a file in the place of what is there."""
        import obstore

        in_parts = path.stat().st_size > AT_ONCE
        step("put", Path(key))
        try:
            obstore.put(self._store, key, path, use_multipart=in_parts, chunk_size=PART, max_concurrency=PARTS_AT_ONCE)
        except Exception as error:
            self._explain(error, key)

    @_again
    def put_if(self, key: str, payload: bytes, there: Version | None) -> Version | None:
        """Put `payload` if the object's content is still the one that was `there`, None: if there is no object.

        Returns the new content's version, None where another content was there. A payload that is there already counts
        as put: so does one whose answer was lost on the way.
        """
        import obstore
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        want: UpdateVersion = {}
        if there is not None:
            want = {"e_tag": there.e_tag} if there.version is None else {"e_tag": there.e_tag, "version": there.version}
        step("put", Path(key))
        try:
            return _version(obstore.put(self._store, key, payload, mode=want or "create", use_multipart=False))
        except (AlreadyExistsError, PreconditionError):
            return self._own(key, payload)
        except Exception as error:
            self._explain(error, key)

    def _own(self, key: str, payload: bytes) -> Version | None:
        found = self.get(key)
        return found.version if found is not None and found.payload == payload else None

    @_again
    def listed(self, prefix: str) -> dict[str, Version]:
        """Return the keys below `prefix/`, each with its content's version; one request for each 1,000 keys."""
        import obstore

        try:
            return {meta["path"]: _version(meta) for page in obstore.list(self._store, prefix) for meta in page}
        except Exception as error:
            self._explain(error, prefix)

    @_again
    def folders(self, prefix: str) -> list[str]:
        """Return what comes between `prefix/` and the next `/` of the keys below, each once."""
        import obstore

        try:
            found = obstore.list_with_delimiter(self._store, prefix)["common_prefixes"]
        except Exception as error:
            self._explain(error, prefix)
        return sorted(name.rstrip("/").rpartition("/")[2] for name in found)

    @_again
    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects; those that are not there are no error."""
        import obstore

        names = list(keys)
        try:
            for start in range(0, len(names), 1000):
                obstore.delete(self._store, names[start : start + 1000])
        except Exception as error:
            self._explain(error, names[0])

    def _if_there(self, key: str, ask: Callable[[], T]) -> T | None:
        """Return what the store says of an object; None where there is none."""
        try:
            return ask()
        except FileNotFoundError as error:
            self._check_bucket(error)
            return None
        except Exception as error:
            self._explain(error, key)

    def _check_bucket(self, error: Exception) -> None:
        """Raise BadInput where the bucket is what is missing."""
        if _code(error) == "NoSuchBucket":
            self._explain(error, "")

    def _explain(self, error: Exception, key: str) -> NoReturn:
        """Raise what to say of an error of obstore; any other error as it is."""
        from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError

        if not isinstance(error, BaseError | FileNotFoundError):
            raise error
        code, status, place = _code(error), _status(error), f"{self.address.scheme}://{self.address.bucket}"
        if code == "NoSuchBucket" or (code is None and isinstance(error, FileNotFoundError)):
            raise BadInput(f"{place}: no such bucket; make it, or choose another --data-root") from error
        if code in ELSEWHERE:
            raise BadInput(f"{place}: is in another region ({code}); set AWS_REGION to the bucket's") from error
        if isinstance(error, PermissionDeniedError | UnauthenticatedError) or status in (401, 403) or code in REFUSED:
            said = code or f"status {status}"
            raise BadInput(
                f"{place}: the store refuses these credentials ({said})\n"
                "check the variables that hold them (docs/object-stores.md), and what they allow on this bucket"
            ) from error
        if status is not None and 400 <= status < 500 and status not in (408, 429):
            raise BadInput(
                f"{place}/{key}: the store refuses the request ({code or status}): {_short(error)}"
            ) from error
        came = f"answers {status} ({code})" if status else f"does not answer ({_short(error)})"
        kind = HalfrealError if status else _NoAnswerError
        raise kind(
            f"{self.address}: the store {came}, after retries; nothing is half written\n"
            "check the network and AWS_ENDPOINT_URL, then run the same command again"
        ) from error


def _version(found: Any) -> Version:
    return Version(found["e_tag"], found["version"])


def _code(error: Exception) -> str | None:
    """Return the name that the store gave its answer, such as NoSuchBucket."""
    found = re.search(r"<Code>(\w+)</Code>", str(error))
    return found[1] if found else None


def _status(error: Exception) -> int | None:
    """Return the HTTP status that an error is about; None where no answer came."""
    found = re.search(r"status code: (\d{3})", str(error))
    return int(found[1]) if found else None


def _short(error: Exception) -> str:
    return str(error).split("\n\nDebug source", 1)[0].rpartition(" - ")[2].split("\n", 1)[0][:120]
