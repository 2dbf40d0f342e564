"""Loads the libraries of its arguments, and uses them until its standard input ends."""

import ctypes
import sys

libraries = [ctypes.CDLL(path) for path in sys.argv[1:]]
for library in libraries:
    library.StartWork()
print("READY", flush=True)
sys.stdin.read()
