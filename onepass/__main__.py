"""``python -m onepass COMMAND``: what people run beside ``dvc repro``."""

from onepass.cli import main

main()
