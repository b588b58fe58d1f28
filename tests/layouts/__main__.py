"""Write docs/layouts.md from the table."""

from tests.containers.files import ROOT
from tests.layouts.page import page

if __name__ == "__main__":
    (ROOT / "docs" / "layouts.md").write_text(page(), encoding="utf-8")
