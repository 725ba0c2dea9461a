"""The application: its commands, and how errors leave it."""

from __future__ import annotations

import io
import logging
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Annotated, TextIO, cast

import typer

from benchmark.cli import (
    analyse,
    bridge,
    cache,
    check,
    compare,
    data,
    doctor,
    export,
    leaderboard,
    plot,
    predict,
    pretrain,
    publish,
    reproduce,
    run,
    show,
    submit,
)
from benchmark.cli import list as list_
from benchmark.cli.options import command_group, examples
from benchmark.cli.standard_output import StandardOutput, written_to_its_end
from benchmark.errors import BenchError
from benchmark.text import clean

EPILOG = examples(
    "bench run --upstream logmel --task demo",
    "bench leaderboard",
    "bench list upstreams",
    "bench doctor",
)

app = command_group(
    "bench",
    "A benchmark for speech emotion recognition: upstreams x downstreams x tasks, every score with its interval.",
    EPILOG,
)


def _version(value: bool) -> None:
    if value:
        from benchmark import __version__

        sys.stdout.write(f"serbench {__version__}\n")
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Options of every command; `--debug` stands before the command."""
    del version
    logging.getLogger("huggingface_hub").propagate = False  # it tells by a handler of its own: no line comes twice
    logging.basicConfig(level=logging.DEBUG if debug else logging.WARNING, format="%(levelname)s: %(message)s")
    if debug:
        for chatty in ("matplotlib", "numba", "urllib3", "filelock", "httpcore"):
            logging.getLogger(chatty).setLevel(logging.INFO)


app.command("run", epilog=run.RUN_EPILOG)(run.run)
app.command("predict", epilog=predict.PREDICT_EPILOG)(predict.predict)
app.command("export", epilog=export.EXPORT_EPILOG)(export.export)
app.command("list", epilog=list_.LIST_EPILOG)(list_.list_names)
app.command("show", epilog=show.SHOW_EPILOG)(show.show)
app.command("leaderboard", epilog=leaderboard.LEADERBOARD_EPILOG)(leaderboard.leaderboard)
app.command("bridge", epilog=bridge.BRIDGE_EPILOG)(bridge.bridge)
app.command("compare", epilog=compare.COMPARE_EPILOG)(compare.compare)
app.command("plot", epilog=plot.PLOT_EPILOG)(plot.plot)
app.command("reproduce", epilog=reproduce.REPRODUCE_EPILOG)(reproduce.reproduce)
app.command("pretrain", epilog=pretrain.PRETRAIN_EPILOG)(pretrain.pretrain)
app.command("publish", epilog=publish.PUBLISH_EPILOG)(publish.publish)
app.command("submit", epilog=submit.SUBMIT_EPILOG)(submit.submit)
app.command("check", epilog=check.CHECK_EPILOG)(check.check)
app.command("cache", epilog=cache.CACHE_EPILOG)(cache.cache)
app.command("doctor", epilog=doctor.DOCTOR_EPILOG)(doctor.doctor)
app.add_typer(data.app)
app.add_typer(analyse.app)


def main() -> None:
    """Run the command line: an error is one line on stderr and an exit code."""
    # Of whoever closed them, as a daemon may have, nothing is shown.
    sys.stdout, sys.stderr = (stream or open(os.devnull, "w") for stream in (sys.stdout, sys.stderr))  # noqa: SIM115, PTH123
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that cannot show a character shows its number
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # of Slurm or systemd: it ends like a Ctrl-C
    sys.stdout = cast("TextIO", StandardOutput(sys.stdout))
    code: str | int | None = 0
    said = None
    try:
        app()
    except SystemExit as left:
        code = left.code
    except Exception as error:
        if "--debug" in sys.argv:
            raise
        code, said = getattr(error, "exit_code", BenchError.exit_code), _told(error)
        _say(said)
    if (lost := written_to_its_end()) is not None:
        code = code or BenchError.exit_code
        if lost != said:
            _say(lost)
    sys.exit(code)


def _told(error: Exception) -> str:
    """What an error is, in words."""
    if isinstance(error, BenchError):
        return str(error)
    if isinstance(error, OSError):  # a folder that cannot be read or written, wherever it is met
        named = "" if error.filename is None else f": {error.filename}"  # a stream has none
        return f"{error.strerror or error}{named}"
    if isinstance(error, MemoryError):
        return f"there is not enough memory{f': {error}' if str(error) else ''}"
    if isinstance(error, RecursionError):
        return "something that was read is nested too deeply (bench --debug COMMAND shows what)"
    where = traceback.extract_tb(error.__traceback__)[-1]
    return (
        f"{type(error).__name__}: {error} in {Path(where.filename).name}, line {where.lineno} (a fault of the "
        "benchmark or of a plug-in: bench --debug COMMAND shows where; please report it)"
    )


def _say(message: str) -> None:
    sys.stderr.write(f"error: {clean(message)}\n")
