#!/bin/sh
# A node: a Docker engine in a container
set -eu

# A control group (version 2) cannot limit its children while it has processes itself, so move the
# processes of this container into a child
groups=/sys/fs/cgroup
if [ -e "$groups/cgroup.controllers" ]; then
  mkdir -p "$groups/machine"
  while read -r process; do
    echo "$process" > "$groups/machine/cgroup.procs" || true
  done < "$groups/cgroup.procs"
  sed 's/^/+/; s/ / +/g' "$groups/cgroup.controllers" > "$groups/cgroup.subtree_control"
fi

# A restarted container still has these files
rm -rf /run/docker /run/containerd /run/docker.pid

# Swarm has no `security_opt` for a service, so set it for the whole engine
exec dockerd --no-new-privileges
