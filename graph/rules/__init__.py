"""Who may be recommended to whom: the rules, the policies that say how strict they are, and the tiers of programmes."""
