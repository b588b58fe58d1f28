"""Whose requests a page answers: those by an address or a name of this machine, from its own page."""

import pytest

from shared.runtime.sockets import refusal


@pytest.mark.fault(13)
@pytest.mark.parametrize(
    "host",
    [
        "evil.example:7860",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "",
        "a b",
        "127.0.0.1@evil.example",
        "[::1",
    ],
)
def test_a_foreign_name_is_refused(host: str) -> None:
    """A name that anybody may point at this machine is answered with what to do, never with the page."""
    assert refusal(host, None, ["gpu-box"])


@pytest.mark.parametrize(
    "host", ["localhost:7860", "127.0.0.1", "[::1]:7860", "10.0.0.7:80", "gpu-box", "GPU-Box:7860"]
)
def test_addresses_and_known_names_are_answered(host: str) -> None:
    """Addresses cannot be rebound; names are those of the loopback interface and those that were allowed."""
    assert refusal(host, None, ["gpu-box"]) == ""
    assert refusal(host, f"http://{host}", ["gpu-box"]) == ""


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:8080", "http://127.0.0.1"])
def test_a_page_of_another_site_is_refused(origin: str) -> None:
    """A browser names the site whose page asks: another port of this machine is another site, too."""
    assert refusal("127.0.0.1:7860", origin, []) == "a page of another site may not ask this one"


def test_what_is_refused_says_how_to_allow_it() -> None:
    """Only a name that can be allowed is repeated."""
    assert refusal("gpu-box:7860", None, []).endswith("to allow it: --allow-host gpu-box")
    assert "<script>" not in refusal("<script>", None, [])
