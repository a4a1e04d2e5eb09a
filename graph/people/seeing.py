"""Which nodes a viewer may see: what is nobody's, what is their own, and the people whom they may meet.

Whatever a question leads to, a node is shown by this rule alone, so that no path through the graph leads to the people
of a programme in which the viewer takes no part.
"""

from mentorgraph.graph.rules.evaluator import PairFacts, may_be_shown
from mentorgraph.graph.store.store import NodeRecord
from mentorgraph.graph.viewer import Viewer

OPEN_KINDS = frozenset({"Skill", "OrganisationUnit", "Programme", "Priority", "Tier", "Training", "OnboardingStep"})
"""Kinds of node that belong to nobody."""

OWN_KINDS = frozenset({"Request", "Pairing", "Session", "Milestone"})
"""Kinds of node that those whom they are about may see, and whoever facilitates their programme."""


def may_see(viewer: Viewer, node: NodeRecord) -> bool:
    """Whether a viewer may be shown a node where an answer leads to it."""
    if viewer.sees_everybody or node.kind in OPEN_KINDS:
        return True
    if node.kind == "Person":
        return viewer.may_meet(node.uid, node.programmes)
    if node.kind == "Goal":
        return viewer.may_meet(node.owner, node.programmes)
    if node.kind not in OWN_KINDS:
        return False
    parties = (*node.helpers, *(uid for name, uid in node.parties.items() if name != "goal"))
    return (bool(viewer.person) and viewer.person in parties) or any(map(viewer.oversees, node.programmes))


def may_hear_of(viewer: Viewer, mentor: str, pair: PairFacts) -> bool:
    """Whether a mentee may read of a mentor: the pair may be shown, and their programmes let them meet."""
    return may_be_shown(pair) and viewer.may_meet(mentor, pair.programmes)


def may_look_up(viewer: Viewer, node: NodeRecord) -> bool:
    """Whether a viewer may ask for a node by its id, which takes more than being led to it.

    Participants look up themselves, those with whom they have a pairing or a request, mentors, and their own goals.
    """
    if not may_see(viewer, node):
        return False
    if node.kind == "Person":
        is_known = node.uid == viewer.person or node.uid in viewer.acquaintances
        return viewer.sees_everybody or is_known or "mentor" in node.roles
    return node.kind != "Goal" or viewer.sees_everybody or node.owner == viewer.person
