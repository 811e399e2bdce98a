#!/usr/bin/env bash
# usage: up.sh DIR SHARED   (root)
# A one-node Slurm with accounting in DIR: munge, MariaDB and slurmdbd below the cluster that SHARED/slurm_up.sh starts.
set -euo pipefail
B=$(realpath -m "$1") SHARED=$2
[ -e /etc/slurm/slurm.conf ] && { echo "refusing: /etc/slurm/slurm.conf exists" >&2; exit 1; }
mkdir -p "$B"/{etc,log,run,db,munge}
chmod 711 "$B/run"
chmod 700 "$B/munge"

wait_for() { for _ in $(seq 150); do "$@" >/dev/null 2>&1 && return; sleep 0.2; done; echo "no answer: $*" >&2; return 1; }

head -c 128 /dev/urandom > "$B/munge/key"
chmod 400 "$B/munge/key"
munged --force --key-file="$B/munge/key" --socket="$B/run/munge.socket" --pid-file="$B/run/munged.pid" \
  --log-file="$B/munge/log" --seed-file="$B/munge/seed" 2> "$B/log/munged.err"

[ -d "$B/db/mysql" ] || mariadb-install-db --no-defaults --user=root --datadir="$B/db" --skip-test-db > "$B/log/db_install.log" 2>&1
mariadbd --no-defaults --user=root --datadir="$B/db" --skip-networking --socket="$B/run/db.socket" \
  --pid-file="$B/run/mariadbd.pid" --innodb-flush-log-at-trx-commit=0 > "$B/log/mariadbd.log" 2>&1 < /dev/null &
wait_for mariadb-admin --no-defaults --socket="$B/run/db.socket" ping

cat > "$B/etc/slurmdbd.conf" <<CONF
AuthType=auth/munge
AuthInfo=socket=$B/run/munge.socket
DbdHost=localhost
DbdAddr=127.0.0.1
SlurmUser=root
LogFile=$B/log/slurmdbd.log
PidFile=$B/run/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageUser=root
CONF
chmod 600 "$B/etc/slurmdbd.conf"
# The names are right before slurm_up.sh writes the file: slurmdbd looks for its own beside it.
touch "$B/etc/slurm.conf"
SLURM_CONF="$B/etc/slurm.conf" MYSQL_UNIX_PORT="$B/run/db.socket" slurmdbd 2> "$B/log/slurmdbd.err"
wait_for grep -q "started" "$B/log/slurmdbd.log"

# The same cluster, with accounts that are checked and remembered.
sed -e "s|^AuthType=auth/none|AuthType=auth/munge\nAuthInfo=socket=$B/run/munge.socket|" \
  -e "s|^CredType=cred/none|CredType=cred/munge|" \
  -e "s|^AccountingStorageType=accounting_storage/none|AccountingStorageType=accounting_storage/slurmdbd\nAccountingStorageHost=localhost\nAccountingStoragePass=$B/run/munge.socket\nAccountingStorageTRES=gres/gpu|" \
  "$SHARED/slurm_up.sh" > "$B/slurm_up.sh"
[ "$(grep -c -e auth/munge -e cred/munge -e accounting_storage/slurmdbd "$B/slurm_up.sh")" = 3 ]
bash "$B/slurm_up.sh" "$B"
sacctmgr -i add account repalign Description=tests Organization=tests > /dev/null
sacctmgr -i add user "$(id -un)" account=repalign > /dev/null
