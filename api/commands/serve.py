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
@click.option(
    "--dev", is_flag=True, help="Take tokens of mentorgraph token and API keys, from callers on this machine alone."
)
@click.option("--access-log", is_flag=True, help="Log each request.")
def serve(host: str, port: int, workers: int, demo: bool, dev: bool, access_log: bool) -> None:
    """Answer GraphQL on /graphql until Ctrl-C.

    \b
    Try it, here and in another terminal:
      mentorgraph serve --demo
      curl 127.0.0.1:8000/graphql -H 'content-type: application/json' -d '{"query": "{ __typename }"}'
    With sign-in:
      mentorgraph serve --dev
      curl 127.0.0.1:8000/graphql -H "authorization: Bearer $(mentorgraph token --role coordinator)" -d ...

    Without --demo and --dev callers sign in with tokens of the service that MENTORGRAPH_ISSUER, MENTORGRAPH_AUDIENCE
    and MENTORGRAPH_JWKS name, or with the keys of mentorgraph keys.

    /why/ and the id of a recommendation is a page that says why it was given. /healthz answers 200 while the process
    lives, /readyz while the database answers as well.
    """  # noqa: D301 (click wants the backspace itself)
    from mentorgraph.api import server  # here, so that the other commands start without a web server
    from mentorgraph.api.app import DEMO_VARIABLE, DEVELOPMENT_VARIABLE, sign_in_of
    from mentorgraph.api.commands.session import sentences
    from mentorgraph.graph.home import mentorgraph_home

    if demo and dev:
        raise click.UsageError("--demo asks nobody to sign in, --dev does: choose one of them.")
    for name, is_chosen in ((DEMO_VARIABLE, demo), (DEVELOPMENT_VARIABLE, dev)):
        os.environ[name] = "1" if is_chosen else ""  # the workers read it
    with sentences():
        sign_in_of(mentorgraph_home(), os.environ)
    try:
        if (demo or dev) and not server.is_loopback(host):
            why = "--demo asks nobody to sign in" if demo else "--dev takes tokens that anybody with this home can make"
            raise click.ClickException(f"{why}, so it listens on this machine only; {host} can be reached from others.")
        listener = server.listen(host, port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise click.ClickException(f"port {port} of {host} is taken; choose another one with --port.") from error
        raise click.ClickException(f"cannot listen on port {port} of {host}: {error.strerror}.") from error
    shown_host = f"[{host}]" if ":" in host else host
    click.echo(f"GraphQL on http://{shown_host}:{listener.getsockname()[1]}/graphql (Ctrl-C ends it)", err=True)
    sys.exit(server.serve("mentorgraph.api.app:from_environment", listener, workers=workers, access_log=access_log))
