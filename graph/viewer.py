"""On whose behalf the domain is asked; every entry point takes one, whatever way it was obtained."""

from dataclasses import dataclass

SEES_EVERYBODY = frozenset({"coordinator", "data_scientist", "auditor"})


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who asks.

    Attributes:
        person: uid of the person, empty where a service asks.
        roles: Roles that the caller acts in.
        programmes: uids of the programmes that the caller may see; empty for all.
        scopes: What the caller's credentials allow at most; empty for everything.
    """

    person: str = ""
    roles: frozenset[str] = frozenset()
    programmes: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()

    @property
    def sees_everybody(self) -> bool:
        """Whether reasons may name third people."""
        return bool(self.roles & SEES_EVERYBODY)

    @property
    def coordinates(self) -> bool:
        """Whether facts about others may be told; seeing everybody is not enough."""
        return "coordinator" in self.roles


COORDINATOR = Viewer(roles=frozenset({"coordinator"}))
"""Who may see everything; the viewer of the shell and of the demonstration."""
