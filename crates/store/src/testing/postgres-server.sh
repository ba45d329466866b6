# Runs a PostgreSQL server in a folder of its own until standard input closes, then removes the folder.
#
#   sh postgres-server.sh BIN FOLDER [SETTING=VALUE ...]
#
# Says "ready" when the server takes connections. Whoever starts this holds the other end of standard
# input, and the system closes it however that process ends; so no server outlives its tests.
set -eu
bin=$1
folder=$2
shift 2
cd "$folder"

# A collation that is not C, where the server has one to offer: statements must not lean on it.
locale='--no-locale'
if "$bin/initdb" --help | grep -q -e --icu-locale; then
  locale='--locale=C --locale-provider=icu --icu-locale=en'
fi
# shellcheck disable=SC2086 # several words on purpose
"$bin/initdb" --pgdata=data --username=tenantwatch --auth=trust --encoding=UTF8 --no-sync $locale >&2

# One account needs a password, so that tests can give a wrong one.
{ echo 'host all guarded 127.0.0.1/32 scram-sha-256' && cat data/pg_hba.conf; } >hba
mv hba data/pg_hba.conf
printf "listen_addresses = '127.0.0.1'\nunix_socket_directories = '%s'\n" "$folder" >>data/postgresql.conf
for setting in "$@"; do
  printf "%s = '%s'\n" "${setting%%=*}" "${setting#*=}" >>data/postgresql.conf
done

if ! "$bin/pg_ctl" --pgdata=data --log=log --wait --silent start </dev/null >/dev/null 2>&1; then
  cat log >&2
  exit 1
fi
echo ready
cat >/dev/null
"$bin/pg_ctl" --pgdata=data --mode=immediate --wait --silent stop </dev/null >/dev/null 2>&1 || true
cd /
rm -rf "$folder"
