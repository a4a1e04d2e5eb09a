"""What a list owes to whoever is shown it: programmes are isolated from each other."""

from datetime import datetime

from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.viewer import Viewer


def isolation(columns: Columns, viewer: Viewer, now: datetime) -> str:
    """What tells a list that may leave out mentors of other programmes from the whole one; empty where it cannot.

    Args:
        columns: The facts.
        viewer: Who is shown the list.
        now: The instant as of which programmes run.
    """
    if viewer.sees_everybody or not columns.tables["programmes"].valid(now.timestamp()).any():
        return ""
    return f"within {' '.join(sorted(viewer.programmes))}"
