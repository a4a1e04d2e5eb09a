"""A real Neo4j Community server that mentorgraph starts, shares and stops itself."""
