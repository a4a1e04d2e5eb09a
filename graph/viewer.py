"""On whose behalf the domain is asked; every entry point takes one, whatever way it was obtained."""

from collections.abc import Iterable
from dataclasses import dataclass

SEES_EVERYBODY = frozenset({"coordinator", "data_scientist", "auditor"})

READ, WRITE = SCOPES = ("read", "write")
"""What credentials may be bounded to: to ask, and to tell."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who asks.

    Attributes:
        person: uid of the person, empty where a service asks.
        roles: Roles that the caller acts in.
        programmes: uids of the programmes that run and in which they take part.
        acquaintances: uids of the people with whom they have or had a pairing or a request.
        scopes: What the caller's credentials allow at most, of `SCOPES`; empty for everything.
    """

    person: str = ""
    roles: frozenset[str] = frozenset()
    programmes: frozenset[str] = frozenset()
    acquaintances: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()

    @property
    def sees_everybody(self) -> bool:
        """Whether reasons may name third people."""
        return bool(self.roles & SEES_EVERYBODY)

    @property
    def coordinates(self) -> bool:
        """Whether facts about others may be told; seeing everybody is not enough."""
        return "coordinator" in self.roles

    def allows(self, scope: str) -> bool:
        """Whether the caller's credentials allow something of `SCOPES`."""
        return not self.scopes or scope in self.scopes

    def oversees(self, programme: str) -> bool:
        """Whether lists of what goes on in a programme are theirs to read: they see everybody, or facilitate it.

        Args:
            programme: Its uid; empty for all programmes at once.
        """
        return self.sees_everybody or ("facilitator" in self.roles and programme in self.programmes)

    def may_meet(self, person: str, programmes: Iterable[str]) -> bool:
        """Whether the viewer may learn that somebody exists: programmes are isolated from each other.

        Args:
            person: uid of the other one.
            programmes: uids of the programmes that run and in which the other one takes part. Who takes part in none
                belongs to the whole organisation.
        """
        if self.sees_everybody or person == self.person or person in self.acquaintances:
            return True
        elsewhere = frozenset(programmes)
        return not elsewhere or not elsewhere.isdisjoint(self.programmes)


COORDINATOR = Viewer(roles=frozenset({"coordinator"}))
"""Who may see everything; the viewer of the shell and of the demonstration."""
