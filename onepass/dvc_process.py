"""`dvc` commands one after another in one process, which keeps what takes seconds to import.

Run as a script in a folder, it reads commands from a socket. DVC does all that it does for `dvc repro`; only
a stage of this project, `python -m stages.NAME PATHS`, runs in a fork and not in a new Python: it finds TensorFlow
imported, and is alone in its process all the same, so that it gives the same bytes. A fork is safe for as long as this
process itself computes nothing: TensorFlow starts its threads with the first operation.

``DvcProcess`` is how others see it. The script imports nothing of onepass: the stages of its folder bring theirs.
"""

import gc
import json
import os
import re
import runpy
import signal
import socket
import subprocess
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

STAGE = re.compile(r"python -m (stages\.\w+)((?: [\w./-]+)*)")
SLOW = ("keras", "tensorflow", "scipy.optimize")  # to import; before the next fork, once a stage has
UNBROKEN = getattr(socket, "MSG_NOSIGNAL", 0)  # who writes to one that has died is told, and not killed
UNNEEDED = ("sklearn", "matplotlib")  # what Keras would import only to offer wrappers for it


class DvcProcess:
    """The process, in a folder; to be used as a context, at whose end it ends."""

    def __init__(self, folder: Path, lock: int, stdout: int | None, stderr: int | None) -> None:
        """Starts it.

        Args:
            folder: its current directory.
            lock: a file descriptor that it keeps open for as long as it or a stage of it lives.
            stdout, stderr: as for ``subprocess.Popen``.

        """
        self._socket, there = socket.socketpair()
        with there:
            self._process = subprocess.Popen(
                [sys.executable, "-P", __file__, str(there.fileno())],
                cwd=folder,
                env={**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"},
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                pass_fds=[lock, there.fileno()],
            )
        self._replies = self._socket.makefile()

    def run(self, *command: str) -> bool:
        """Runs ``dvc COMMAND``: whether it went well. False, too, where the process has died."""
        try:
            self._socket.sendall(f"{json.dumps(command)}\n".encode(), UNBROKEN)
            return self._replies.readline() == "0\n"
        except OSError:
            return False

    def __enter__(self) -> "DvcProcess":
        return self

    def __exit__(self, *_: object) -> None:
        """Ends it after the command that is running, if any."""
        self._socket.shutdown(socket.SHUT_WR)
        self._process.wait()
        self._replies.close()
        self._socket.close()


def serve(asked: socket.socket) -> None:
    """Runs the commands that it is asked for, a line of JSON each, and answers each by its exit code."""
    import dvc.stage.run as dvc_run  # noqa: PLC0415 - not where only the client is wanted
    from dvc.cli import main  # noqa: PLC0415

    asked.set_inheritable(False)
    sys.path.insert(0, str(Path.cwd()))  # as `python -m` has it
    in_a_shell = dvc_run._run

    def run(executable: str, command: str, **process: Any) -> None:
        """What DVC does with the command of a stage."""
        stage = STAGE.fullmatch(command)
        if not stage:
            in_a_shell(executable, command, **process)
        elif code := run_stage(stage[1], stage[2].split(), process["env"]):
            raise dvc_run.StageCmdFailedError(command, code)

    dvc_run._run = run
    with asked.makefile() as commands, suppress(KeyboardInterrupt, OSError):  # who asks hears the interrupt, or is gone
        for command in commands:
            code = main(json.loads(command))
            sys.stdout.flush()
            asked.sendall(f"{code}\n".encode(), UNBROKEN)


def run_stage(module: str, arguments: Sequence[str], environment: dict[str, str]) -> int:
    """Runs ``python -m MODULE ARGUMENTS`` in a fork; its exit code."""
    with suppress(Exception):  # the stage itself says what is the matter
        import_module(module)
    sys.modules.pop(module, None)  # it becomes __main__
    sys.stdout.flush()
    sys.stderr.flush()
    learn, tell = os.pipe()
    if not (child := os.fork()):
        _in_the_fork(module, arguments, environment, tell)
    os.close(tell)
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)  # which is for the stage, as it is in a shell
    with os.fdopen(learn) as told:
        imported = told.read().split()
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if new := [name for name in imported if name not in sys.modules]:
        import_quietly(new)
    signal.signal(signal.SIGINT, handler)
    return code


def _in_the_fork(module: str, arguments: Sequence[str], environment: dict[str, str], tell: int) -> None:
    """The stage, and the end of its process, which cleans up nothing that is its parent's."""
    code = 1
    try:
        os.environ.clear()
        os.environ.update(environment)
        sys.argv = [module, *arguments]
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as error:
        if isinstance(error.code, str):
            print(error.code, file=sys.stderr)
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:  # noqa: BLE001 - as Python does at its end
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os.write(tell, " ".join(name for name in SLOW if name in sys.modules).encode())
        os._exit(code)


def import_quietly(names: Sequence[str]) -> None:
    """Imports them as onepass/tensorflow does, but for the devices: those are started in the fork."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    modules: dict[str, Any] = sys.modules
    modules.update(dict.fromkeys(UNNEEDED))  # not installed, as far as Keras can see
    gc.disable()
    try:
        for name in names:
            import_module(name)
    finally:
        for name in UNNEEDED:
            del modules[name]
        gc.enable()
        gc.freeze()  # so that a search for garbage in a fork does not copy it all
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
