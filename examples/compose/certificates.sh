#!/bin/sh
# Makes the certificates of an engine that takes only clients with a certificate, in the folder "certificates" beside this script:
#
#   ./certificates.sh build.example 192.168.1.20
#
# The arguments are the names and addresses by which clients call the engine. "server" goes to the engine's machine, "client" to dockAPI, and
# authority/ca-key.pem, which can make more of both, to a safe place. Run again, it makes new certificates of the same authority.
set -eu

[ $# -gt 0 ] || { echo "usage: $0 NAME-OR-ADDRESS-OF-THE-ENGINE..." >&2; exit 2; }
folder=${CERTIFICATES:-$(dirname "$0")/certificates}
days=${DAYS:-365}
umask 077
mkdir -p "$folder/authority" "$folder/server" "$folder/client"
cd "$folder"

key() {
  openssl ecparam -name prime256v1 -genkey -noout -out "$1"
}

# issue FOLDER COMMON-NAME EXTENSIONS
issue() {
  key "$1/key.pem"
  openssl req -new -key "$1/key.pem" -subj "/CN=$2" -out "$1/request.pem"
  printf '%s\n' "$3" > "$1/extensions"
  openssl x509 -req -in "$1/request.pem" -CA authority/ca.pem -CAkey authority/ca-key.pem -CAcreateserial -days "$days" -extfile "$1/extensions" -out "$1/cert.pem"
  rm "$1/request.pem" "$1/extensions"
  cp authority/ca.pem "$1/ca.pem"
  chmod 644 "$1/ca.pem" "$1/cert.pem"
}

if [ ! -f authority/ca-key.pem ]; then
  key authority/ca-key.pem
  openssl req -x509 -new -key authority/ca-key.pem -days "$days" -subj "/CN=authority of $1" -out authority/ca.pem
fi

names=
for name in "$@"; do
  case $name in
    *:*) kind=IP ;;
    *[!0-9.]*) kind=DNS ;;
    *) kind=IP ;;
  esac
  names=$names${names:+,}$kind:$name
done

issue server "$1" "subjectAltName=$names
extendedKeyUsage=serverAuth"
issue client dockapi extendedKeyUsage=clientAuth
echo "made $folder/server and $folder/client for $names"
