"""Whether the process that a file names still runs; its number may have been given to another one since."""

CLOCKS = 1  # seconds by which the clock of processes and that of files may differ


def still_runs(number: int, written: float) -> bool:
    """Whether the process of this number was there when a file was written, and has not ended.

    One that was killed and that its parent has not asked for (a zombie) has ended.

    Args:
        number: of the process.
        written: the file's time of writing, in seconds since 1970.

    """
    import psutil  # noqa: PLC0415 - seldom needed

    try:
        process = psutil.Process(number)
        return bool(process.create_time() <= written + CLOCKS and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.AccessDenied:  # somebody else's
        return True
    except psutil.Error:
        return False
