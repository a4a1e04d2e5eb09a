"""What is erased for good, where all else ends and stays: words that belong to one person alone."""

from mentorgraph.graph.store.database import Database, Transaction

_BUDGET_S = 60.0


async def erase_notes(database: Database, person: str) -> int:
    """Erases all notes on sessions that somebody wrote, in one transaction.

    Args:
        database: Where they are.
        person: uid of the person.

    Returns:
        How many there were.
    """

    async def work(transaction: Transaction) -> int:
        # All who write wait for the counter, and whoever follows it sees that notes are otherwise.
        await transaction.run("next_change", count=1, kinds=["notes"])
        [row] = await transaction.run("erase_notes", person=person)
        erased: int = row["erased"]
        return erased if erased else transaction.roll_back(0)

    return await database.write(work, budget_s=_BUDGET_S)
