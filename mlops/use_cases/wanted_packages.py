"""What the steps of a pipeline lack of packages here; noted, for whoever builds environments next."""

from __future__ import annotations

from mlops.account import Here
from mlops.check.packages_here import Packages, packages
from mlops.ir import Checked


def wanted_packages(checked: Checked, here: Here) -> Packages:
    """``checked`` has values for its parameters."""
    found = packages(checked, here.is_built, here.read_code)
    for need in found.needs:
        here.want_image(need)
    return found
