"""`python -m groundglass`."""

from groundglass.app.cli import main

main()
