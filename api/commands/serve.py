"""`mentorgraph serve`: answer GraphQL over HTTP."""

import errno
import os
import sys

import click


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The name or address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65_535), help="0 takes a free one.")
@click.option(
    "--workers",
    default=1,
    show_default=True,
    type=click.IntRange(1, 64),
    help="Processes that answer. With more than one, a supervisor replaces any that dies.",
)
@click.option("--demo", is_flag=True, help="Let everyone on this machine ask everything, without signing in.")
@click.option("--access-log", is_flag=True, help="Log each request.")
def serve(host: str, port: int, workers: int, demo: bool, access_log: bool) -> None:
    """Answer GraphQL on /graphql until Ctrl-C.

    \b
    Try it, here and in another terminal:
      mentorgraph serve --demo
      curl 127.0.0.1:8000/graphql -H 'content-type: application/json' -d '{"query": "{ __typename }"}'

    /why/ and the id of a recommendation is a page that says why it was given. /healthz answers 200 while the process
    lives, /readyz while the database answers as well.
    """  # noqa: D301 (click wants the backspace itself)
    from mentorgraph.api import server  # here, so that the other commands start without a web server
    from mentorgraph.api.app import DEMO_VARIABLE

    if not demo:
        raise click.ClickException("serving without sign-in exists only as --demo on this machine; sign-in is to come.")
    try:
        if not server.is_loopback(host):
            raise click.ClickException(
                f"--demo asks nobody to sign in, so it listens on this machine only; {host} can be reached from others."
            )
        listener = server.listen(host, port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise click.ClickException(f"port {port} of {host} is taken; choose another one with --port.") from error
        raise click.ClickException(f"cannot listen on port {port} of {host}: {error.strerror}.") from error
    os.environ[DEMO_VARIABLE] = "1"
    shown_host = f"[{host}]" if ":" in host else host
    click.echo(f"GraphQL on http://{shown_host}:{listener.getsockname()[1]}/graphql (Ctrl-C ends it)", err=True)
    sys.exit(server.serve("mentorgraph.api.app:from_environment", listener, workers=workers, access_log=access_log))
