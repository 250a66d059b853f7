#!/bin/sh
# Fills environment variables into /etc/nginx/templates/*.template and writes conf.d/*
set -e

[ -d /etc/nginx/templates ] || exit 0

variables=$(env | sed -n 's/^\([A-Za-z_][A-Za-z0-9_]*\)=.*/${\1}/p' | tr '\n' ' ')
for template in /etc/nginx/templates/*.template; do
  [ -e "$template" ] || continue
  target=/etc/nginx/conf.d/$(basename "$template" .template)
  envsubst "$variables" < "$template" > "$target"
done
