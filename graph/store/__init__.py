"""The database as the domain sees it: a connection, migrations, and every read and write."""
