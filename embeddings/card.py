"""The model card of a version: what it was made from, how it was judged, what its chances are worth, in Markdown."""

from collections.abc import Mapping
from typing import Any

from mentorgraph.embeddings.evaluation import EVERYBODY, RULES


def card(manifest: Mapping[str, Any]) -> str:
    """A model card in Markdown (Mitchell et al. 2019, "Model cards for model reporting")."""
    lines = [
        "# Model card",
        "",
        "Ranks mentors for a goal, for mentees and for coordinators; it decides nothing. Taught with past pairings: "
        "the order says who would be chosen, not who would succeed.",
        "",
        f"- Facts: {manifest['snapshot']['counts']['pairings']:,} pairings of people who agreed to training, as of "
        f"{manifest['snapshot']['as_of'][:10]}; taught with what was known before {manifest['taught_before'][:10]}.",
        f"- Judged on {manifest['asks']:,} goals set from then until {manifest['judged_until'][:10]}, each ranking "
        f"all {manifest['candidates']:,} people who had mentored before.",
        f"- Setting: {manifest['setting']}. Goals are read as {manifest['texts']}. Which ranking serves: "
        f"{manifest['ranking']}.",
        f"- The gate: {manifest['gate']['verdict']}",
    ]
    if manifest["forced"]:
        lines.append(f"- Promoted against the gate. Reason given: {manifest['forced']}")
    lines += ["", "| ranking | for | goals | NDCG@10 | 95 % | MRR | HR@10 | Recall@20 | coverage | popularity | Gini |"]
    lines.append("|---" * 11 + "|")
    lines += [
        f"| {row['name']} | {row['group']} | {row['goals']} | {row['ndcg@10']:.4f} | {row['low']:.4f} – "
        f"{row['high']:.4f} | {row['mrr']:.4f} | {row['hr@10']:.4f} | {row['recall@20']:.4f} | "
        f"{row['coverage@10']:.3f} | {row['popularity@10']:.2f} | {row['gini@10']:.3f} |"
        for row in manifest["rows"]
        if row["group"] in EVERYBODY or row["name"] in (manifest["ranking"], RULES)
    ]
    lines += [
        "",
        "Of the first ten: coverage is the share of mentors who are in some list, popularity how much more often than",
        "the mean mentor they had been paired, Gini how unequally lists are spread over mentors.",
    ]
    lines += _chances(manifest["chance"])
    lines += [
        "",
        "Not used: names, attributes of people, anything about people who have not agreed to training. People have no",
        "embedding of their own; they are what they offer, where they belong and whom they have mentored.",
        "",
    ]
    return "\n".join(lines)


def _chances(told: Mapping[str, Any]) -> list[str]:
    """What is known of the chances that a version states."""
    is_stated = all(each["holds"] for each in told["conditions"])
    lines = ["", "## Chances of success", ""]
    if is_stated:
        lines.append(
            f"Stated by the {told['method']} map that {told['outcomes']} outcomes of {told['from'][:10]} to "
            f"{told['until'][:10]} gave, {told['successes']} of them successes. None of them was known when the model "
            "was taught."
        )
    else:
        failed = "; ".join(each["told"] for each in told["conditions"] if not each["holds"])
        lines.append(f"Not stated: {failed}.")
    if told["errors"]:
        lines += [
            "",
            "| for | outcomes | calibration error | of true chances, in the mean | beyond luck | 95 % |",
            "|---|---|---|---|---|---|",
        ]
        lines += [
            f"| {group} | {each['outcomes']} | {each['ece']:.3f} | {each['floor']:.3f} | {each['debiased']:.3f} "
            f"| {each['low']:.3f}–{each['high']:.3f} |"
            for group, each in told["errors"].items()
        ]
    return lines
