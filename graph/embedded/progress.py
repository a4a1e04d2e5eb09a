"""Says what is being done and how much is left, for anything that takes longer than two seconds."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

Report = Callable[[str, int, int], None]
"""Called with what is being done, how much is done and how much there is (0 where nobody knows)."""


def no_report(message: str, done: int = 0, total: int = 0) -> None:
    """Say nothing."""


@contextmanager
def shown_on_terminal() -> Iterator[Report]:
    """Show reports on standard error: one bar per activity that goes when done, or one line each in a log file."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[left]}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        tasks: dict[str, TaskID] = {}

        def report(message: str, done: int = 0, total: int = 0) -> None:
            if message not in tasks:
                for task in tasks.values():
                    bars.update(task, visible=False)
                tasks[message] = bars.add_task(message, total=None, left="")
                if not console.is_terminal:
                    console.print(f"{message} …", highlight=False)
            left = f"{done} of {total} done, {total - done} left" if total else ""
            bars.update(tasks[message], completed=done, total=total or None, left=left, visible=True)

        yield report
