# Makes the database cluster the first time, and leaves it alone ever after.
set -eu
[ ! -s "$PGDATA/PG_VERSION" ] || exit 0
rm -rf "$PGDATA"
password=/tmp/password
(umask 077; printf %s "$POSTGRES_PASSWORD" > "$password")
initdb --username=mlflow --pwfile="$password" --auth=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 > /dev/null
rm "$password"
echo "host all all all scram-sha-256" >> "$PGDATA/pg_hba.conf"
for database in mlflow mlflow_auth; do
  echo "CREATE DATABASE $database" | postgres --single -D "$PGDATA" postgres > /dev/null
done
