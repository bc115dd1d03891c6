#!/bin/sh
# Install the Debian packages of the real servers that the tests talk to, and of the browser that shows them our pages,
# if they are missing and we may.
set -eu
PATH="$PATH:/usr/sbin:/sbin"

packages=
command -v dovecot >/dev/null || packages="$packages dovecot-imapd dovecot-lmtpd"
command -v smtp-sink >/dev/null || packages="$packages postfix"
command -v openssl >/dev/null || packages="$packages openssl"
command -v chromium >/dev/null || packages="$packages chromium"
[ -z "$packages" ] && exit 0

if ! command -v apt-get >/dev/null; then
    echo "no apt-get here: tests that need$packages will say that they are skipped" >&2
    exit 0
fi
if [ "$(id -u)" = 0 ]; then
    sudo=
elif sudo -n true 2>/dev/null; then
    sudo="sudo -n"
else
    echo "not root: tests that need$packages will say that they are skipped" >&2
    exit 0
fi
echo "installing$packages for the tests"
$sudo apt-get update -qq
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive $sudo apt-get install -qq -y --no-install-recommends $packages >/dev/null
