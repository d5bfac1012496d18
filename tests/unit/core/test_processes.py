"""A process that has ended is told from one that runs, whoever has its number now."""

import os
import subprocess
import sys
import time

from onepass.core import still_runs


def test_a_process_runs_until_it_ends_though_nobody_has_asked_how() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert still_runs(child.pid, time.time())
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it stays a zombie
    assert not still_runs(child.pid, time.time())
    child.communicate()
    assert not still_runs(child.pid, time.time())


def test_a_number_that_was_given_to_another_process_since_is_not_the_one_that_is_named() -> None:
    assert still_runs(os.getpid(), time.time())
    assert not still_runs(os.getpid(), time.time() - 86_400)
