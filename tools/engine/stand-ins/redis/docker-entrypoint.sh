#!/bin/sh
# Runs Redis, as the user redis where nobody chose another; options alone mean redis-server
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
  # Built into the official image: what can reach a container's port has been let in by Docker
  set -- "$@" --protected-mode no
fi

exec "$@"
