#!/usr/bin/env bash
# usage: down.sh DIR SHARED   (root): stop what up.sh started there.
set -u
B=$(realpath -m "$1")
bash "$2/slurm_down.sh" "$B"
for daemon in slurmdbd mariadbd munged; do
  pid=$(cat "$B/run/$daemon.pid" 2>/dev/null) || continue
  kill "$pid" 2>/dev/null
  for _ in $(seq 100); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
  kill -9 "$pid" 2>/dev/null
done
true
