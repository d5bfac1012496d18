"""The one exception for mistakes that the user can mend."""


class UserError(SystemExit):
    """Ends the stage with a message for the person who must act, and no traceback.

    The message says what was expected, what was found, where, and what to do next.
    """

    def __init__(self, message: str) -> None:
        super().__init__(f"\nonepass: {message}\n")


def listed(items: list[str], most: int = 5) -> str:
    """At most ``most`` of ``items``, a line each, and how many more there are."""
    lines = [f"  {item}" for item in items[:most]]
    if len(items) > most:
        lines.append(f"  ... and {len(items) - most} more")
    return "\n".join(lines)
