#!/bin/sh
# Make .venv with the Python that was asked for. Debian ships venv apart: install it when we may, else say what to do.
set -eu
python=$1

if ! command -v "$python" >/dev/null || ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "winback needs Python 3.11 or newer; '$python' is not. Name another: make PYTHON=python3.12 ..." >&2
    exit 2
fi

rm -rf .venv
if ! "$python" -m venv .venv 2>/dev/null; then
    package=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
    if [ "$(id -u)" = 0 ]; then
        sudo=
    elif sudo -n true 2>/dev/null; then
        sudo="sudo -n"
    else
        echo "Python's venv module is missing. Install it as root: apt-get install $package" >&2
        exit 2
    fi
    echo "installing $package"
    $sudo apt-get update -qq
    DEBIAN_FRONTEND=noninteractive $sudo apt-get install -qq -y --no-install-recommends "$package" >/dev/null
    rm -rf .venv
    "$python" -m venv .venv
fi
touch .venv/made
