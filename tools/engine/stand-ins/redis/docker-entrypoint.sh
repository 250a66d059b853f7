#!/bin/sh
# Runs Redis, by default as the user redis; options without a command are for redis-server
set -e

case "$1" in
  -* | *.conf) set -- redis-server "$@" ;;
esac

if [ "$1" = redis-server ]; then
  if [ "$(id -u)" = 0 ]; then
    chown -R redis:redis .
    exec setpriv --reuid=redis --regid=redis --clear-groups --no-new-privs "$0" "$@"
  fi
  umask 0077
  # As in the official image: Docker controls who can reach the port
  set -- "$@" --protected-mode no
fi

exec "$@"
