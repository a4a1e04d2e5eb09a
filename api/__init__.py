"""The face: GraphQL over HTTP and the command line. Nothing else knows GraphQL or HTTP."""
