#!/bin/sh
# A machine with a Docker engine, in a container.
set -eu

# Control groups of version 2 limit a group's children only while it has no process itself: those of
# this container, this one first of all, move into a child
groups=/sys/fs/cgroup
if [ -e "$groups/cgroup.controllers" ]; then
  mkdir -p "$groups/machine"
  while read -r process; do
    echo "$process" > "$groups/machine/cgroup.procs" || true
  done < "$groups/cgroup.procs"
  sed 's/^/+/; s/ / +/g' "$groups/cgroup.controllers" > "$groups/cgroup.subtree_control"
fi

# A machine that restarts has none of these; a container keeps its files
rm -rf /run/docker /run/containerd /run/docker.pid

# What Compose says with `security_opt` of a container, Swarm can say only of all of an engine's
exec dockerd --no-new-privileges
