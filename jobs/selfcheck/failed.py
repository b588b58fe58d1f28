"""How a check fails."""

from shared.errors import HalfrealError


class SelfcheckFailed(HalfrealError):
    """A check found something wrong."""

    exit_code = 1
