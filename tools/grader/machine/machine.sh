#!/bin/sh
# Starts the machine's Docker engine, prints "ready", and exits when its stdin is closed: if the
# program that started the machine dies, the machine stops, too.
set -eu

# Everything that the engine builds and runs is in one control group: a fork bomb leaves the engine
# enough processes and memory to stop it.
max_processes=2048
max_memory=3G
groups=/sys/fs/cgroup
if [ -e "$groups/cgroup.controllers" ]; then
  # In version 2, a group with limited children must not contain processes:
  # https://docs.kernel.org/admin-guide/cgroup-v2.html
  mkdir -p "$groups/machine" "$groups/graded"
  while read -r process; do
    echo "$process" > "$groups/machine/cgroup.procs" || true
  done < "$groups/cgroup.procs"
  sed 's/^/+/; s/ / +/g' "$groups/cgroup.controllers" > "$groups/cgroup.subtree_control"
  echo "$max_processes" > "$groups/graded/pids.max"
  echo "$max_memory" > "$groups/graded/memory.max"
else
  mkdir -p "$groups/pids/graded" "$groups/memory/graded"
  echo "$max_processes" > "$groups/pids/graded/pids.max"
  echo "$max_memory" > "$groups/memory/graded/memory.limit_in_bytes"
fi

# The engine's disk is a file of limited size in a volume, which keeps base images and build layers
# for the next grading. It is replaced if it is damaged or more than half full. Without loop devices,
# the volume itself is the disk, and its size is not limited.
disk=/disk/engine.img
engine=/var/lib/docker
mount_disk() { mount -o loop,discard "$disk" "$engine"; }
new_disk() {
  rm -f "$disk"
  truncate -s "${DISK_SIZE:-20G}" "$disk"
  mkfs.ext4 -q -m 0 -O ^has_journal "$disk"
  mount_disk || mount --bind "$(dirname "$disk")" "$engine"
}
mkdir -p "$engine"
if dumpe2fs -h "$disk" 2> /dev/null | grep -q 'state: *clean$' && mount_disk; then
  used=$(df --output=pcent "$engine" | tr -dc 0-9)
  if [ "$used" -gt 50 ]; then
    umount "$engine"
    new_disk
  fi
else
  new_disk
fi

# Packets of nested networks must fit into those of the machine's network
mtu=$(cat /sys/class/net/eth0/mtu)
dockerd --mtu "$mtu" --default-network-opt "bridge=com.docker.network.driver.mtu=$mtu" \
  > /var/log/dockerd.log 2>&1 &
engine_pid=$!
until docker version > /dev/null 2>&1; do
  if ! kill -0 "$engine_pid" 2> /dev/null; then
    tail -n 1 /var/log/dockerd.log >&2
    exit 1
  fi
  sleep 0.1
done

# Remove what a killed grading has left
docker ps --all --quiet | xargs -r docker rm --force --volumes > /dev/null
docker network prune --force > /dev/null
docker volume prune --all --force > /dev/null
docker image ls --quiet --filter 'reference=softy-pinko-grader-*' | sort -u | xargs -r docker rmi --force > /dev/null

echo ready
cat > /dev/null
