"""What readers are told about a list as a whole where the question says little."""

from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.columns.question import Question
from mentorgraph.graph.columns.table import NONE

REST = "so the order rests on units, time and experience."


def thin_question(columns: Columns, asked: Question) -> str:
    """What an order rests on where neither skills nor words say what is sought; empty where something does."""
    if asked.wishes:
        return ""
    if asked.goal == NONE:
        return f"This person has no open goal and wants no skill yet, {REST}"
    if columns.goal_words.is_empty(asked.goal):
        return f"This goal needs no skill and its words say nothing, nor does this person want a skill, {REST}"
    return ""
