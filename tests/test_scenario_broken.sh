#!/bin/sh
# Broken scenarios of every kind end with exit status 2 and with file and line: see tests/broken_scenarios.py.
exec python3 "$(dirname "$0")/broken_scenarios.py" "$B"
