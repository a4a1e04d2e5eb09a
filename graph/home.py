"""Where mentorgraph keeps what it creates: one folder, named by `MENTORGRAPH_HOME`."""

import os
from collections.abc import Mapping
from pathlib import Path


def mentorgraph_home(environment: Mapping[str, str] = os.environ) -> Path:
    """The folder for the database, the models and the logs; `.mentorgraph` in the working folder unless set."""
    return Path(environment.get("MENTORGRAPH_HOME") or ".mentorgraph").expanduser().absolute()
