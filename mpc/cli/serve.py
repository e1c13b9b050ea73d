"""mpc serve: this host's party, or the dealer, kept up for job after job. mpc submit: ask for one."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

import click

from mpc.cli.log import Log
from mpc.errors import Error

_FOLDER = click.option("--folder", type=click.Path(file_okay=False), help="The service's folder. [default: NAME.serve]")


@click.command()
@click.option("--cluster", required=True, type=click.Path(dir_okay=False, resolve_path=True), help="The cluster file.")
@click.option("--as", "name", required=True, help="Which party, or dealer, of the cluster this host is.")
@click.option("--key", type=click.Path(dir_okay=False, resolve_path=True), help="This host's key file. [default: NAME.key]")
@click.option(
    "--programs", type=click.Path(dir_okay=False, resolve_path=True), help="The list of programs that this party admits."
)
@_FOLDER
@click.option("--keep", default=50, show_default=True, type=click.IntRange(1), help="How many jobs' folders are kept.")
@click.option("--queue", default=16, show_default=True, type=click.IntRange(1), help="How many jobs may wait.")
@click.option(
    "--job-timeout", type=click.FloatRange(0, 1e6, min_open=True), help="How many seconds a job may take. [default: any]"
)
@click.option("--check-dealer", default=0, show_default=True, metavar="K", help="Versions of what is dealt that are checked.")
@click.option("--insecure-transport", is_flag=True, help="Neither encrypt nor authenticate links: for tests, on loopback alone.")
@click.option("--log-json", is_flag=True, help="Tell what happens as one JSON object a line, on standard error.")
def serve(
    cluster: str,
    name: str,
    key: str | None,
    programs: str | None,
    folder: str | None,
    keep: int,
    queue: int,
    job_timeout: float | None,
    check_dealer: int,
    insecure_transport: bool,
    log_json: bool,
) -> None:
    """Keep this host's party, or the dealer, ready for jobs, one after the other, until SIGTERM.

    A job is asked for at any party, by `mpc submit`. It begins where every party's own list of programs has it, each by
    its SHA-256; the dealer needs no list. What a job printed and wrote is kept in the service's folder.
    """
    from mpc.serve import Options, Service  # other commands need not load it

    log = Log(log_json)
    try:
        options = Options(
            cluster,
            name,
            key or str(Path(f"{name}.key").absolute()),
            str(_folder(name, folder)),
            programs,
            keep,
            queue,
            job_timeout,
            check_dealer,
            insecure_transport,
        )

        def tell(name: str, text: str = "", **facts: object) -> None:
            with suppress(OSError):  # a log on a full disk ends no service
                log.event(name, text, **facts)

        Service(options, tell).serve()
    except Error as error:
        log.event("failed", str(error), error=type(error).__name__)
        sys.exit(1)


@click.command()
@click.argument("program")
@click.argument("args", nargs=-1, type=click.UNPROCESSED)
@click.option("--as", "name", required=True, help="Which party of the cluster this host is.")
@_FOLDER
def submit(program: str, args: tuple[str, ...], name: str, folder: str | None) -> None:
    """Ask all parties for a job, and wait for its end: PROGRAM, by its name in this host's list of programs.

    ARGS are this party's, in place of those in its list; the other parties' are in theirs. Shows what this party's
    program prints. Exits with 0; 1 where the job failed; 3 where it never began.
    """
    from mpc.serve import submit as submit_job

    try:
        status, text = submit_job(_folder(name, folder), program, args, _show, lambda text: click.echo(f"mpc: {text}", err=True))
    except Error as error:
        status, text = 1, str(error)
    except KeyboardInterrupt:
        status, text = 130, "the job goes on, if it has begun; its folder will have what it printed"
    if text:
        click.echo(f"mpc: {text}", err=True)
    sys.exit(status)


def _show(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.flush()


def _folder(name: str, folder: str | None) -> Path:
    return Path(folder or f"{name}.serve").absolute()
