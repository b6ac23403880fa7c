"""`python -m parallel_cookbook` is the command `cookbook`."""

from parallel_cookbook.cli import main

main()
