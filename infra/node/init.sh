#!/bin/sh
# The node's first process: private mounts, then the supervisor in its place. Arguments: the supervisor's command.
set -eu

mount --make-rshared /
# Sockets, locks and pids of every program: none of them is seen by, or taken from, the machine's own.
mount -t tmpfs tmpfs /run
mkdir -p /run/lock /run/netns
mount -t bpf bpf /sys/fs/bpf

# kubelet and Cilium set these for the whole machine. They find the values that they want, in files of the node's own.
mkdir /run/sysctl
pretend() {
    [ -e "/proc/sys/$1" ] || return 0
    file=/run/sysctl/$(echo "$1" | tr / _)
    echo "$2" > "$file"
    mount --bind "$file" "/proc/sys/$1"
}
pretend vm/overcommit_memory 1
pretend vm/panic_on_oom 0
pretend kernel/panic 10
pretend kernel/panic_on_oops 1
pretend kernel/keys/root_maxkeys 1000000
pretend kernel/keys/root_maxbytes 25000000
pretend kernel/unprivileged_bpf_disabled 1
pretend kernel/timer_migration 0

exec "$@"
