"""The command line. stdout carries the answer, stderr the progress; every command's help ends with examples."""

from benchmark.cli.app import app, main

__all__ = ["app", "main"]
