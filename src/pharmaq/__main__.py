"""Run the command line by ``python -m pharmaq``."""

import sys

from pharmaq.cli import main

if __name__ == "__main__":
    sys.exit(main())
