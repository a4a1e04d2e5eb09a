"""People and programmes: who takes part in what, as what, with which consents and at which times."""
