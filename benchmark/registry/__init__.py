"""What can be named on the command line."""
