#!/bin/sh
# Runs the scripts in /docker-entrypoint.d in order, then nginx
set -e

case "$1" in
  nginx | nginx-debug)
    for script in /docker-entrypoint.d/*; do
      case "$script" in
        *.envsh) [ -x "$script" ] && . "$script" ;;
        *.sh) [ -x "$script" ] && "$script" ;;
      esac
    done
    echo "$0: Configuration complete; ready for start up"
    ;;
esac

exec "$@"
