"""`mentorgraph serve`: answer GraphQL over HTTP."""

import errno
import os
import sys

import click

from mentorgraph.api.commands.session import sentences
from mentorgraph.api.settings import KNOWN, BadSettings, read_settings
from mentorgraph.graph.home import mentorgraph_home


@click.command()
@click.option("--host", help="The name or address to listen on; 127.0.0.1 if nothing is set.")
@click.option("--port", type=click.IntRange(0, 65_535), help="0 takes a free one; 8000 if nothing is set.")
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    help="Processes that answer, 1 if nothing is set. With more than one, a supervisor replaces any that dies.",
)
@click.option("--demo", is_flag=True, default=None, help="Let everyone on this machine ask everything, unsigned.")
@click.option(
    "--dev",
    is_flag=True,
    default=None,
    help="Take tokens of mentorgraph token and API keys, from callers on this machine alone.",
)
@click.option("--trusted-documents-only", is_flag=True, default=None, help="Refuse all documents but trusted ones.")
@click.option("--access-log", is_flag=True, default=None, help="Log each request.")
@click.option("--log-format", type=click.Choice(["text", "json"]), help="The form of the log; text if nothing is set.")
def serve(**options: object) -> None:
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
    lives, /readyz while the database answers as well. What is not given here is taken from the environment and from
    mentorgraph.toml, see mentorgraph config show.
    """  # noqa: D301 (click wants the backspace itself)
    from mentorgraph.api import server  # here, so that the other commands start without a web server
    from mentorgraph.api.app import sign_in_of

    given = {
        KNOWN[f"serve.{name}"].variable: str(int(value) if isinstance(value, bool) else value)
        for name, value in options.items()
        if value is not None
    }
    environment = {**os.environ, **given}
    try:
        chosen = read_settings(environment).serve
    except BadSettings as error:
        raise click.ClickException("\n  ".join(["the settings cannot be used:", *error.faults])) from None
    demo, dev, host, port = chosen.demo, chosen.dev, chosen.host, chosen.port
    if demo and dev:
        raise click.UsageError("--demo asks nobody to sign in, --dev does: choose one of them.")
    with sentences():
        sign_in_of(mentorgraph_home(), chosen, environment)
    try:
        if (demo or dev) and not server.is_loopback(host):
            why = "--demo asks nobody to sign in" if demo else "--dev takes tokens that anybody with this home can make"
            raise click.ClickException(f"{why}, so it listens on this machine only; {host} can be reached from others.")
        listener = server.listen(host, port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise click.ClickException(f"port {port} of {host} is taken; choose another one with --port.") from error
        raise click.ClickException(f"cannot listen on port {port} of {host}: {error.strerror}.") from error
    os.environ |= given  # the workers read the settings from there
    shown_host = f"[{host}]" if ":" in host else host
    click.echo(f"GraphQL on http://{shown_host}:{listener.getsockname()[1]}/graphql (Ctrl-C ends it)", err=True)
    sys.exit(
        server.serve(
            "mentorgraph.api.app:from_environment", listener, workers=chosen.workers, log_format=chosen.log_format
        )
    )
