#!/bin/sh
# Fills the proxy's folder /etc/nginx/https, here /https: certificate, key and https.conf. It runs each
# time that Compose starts the stack.
set -eu
umask 077
folder=${HTTPS_CERTIFICATES:-}

fail() {
  echo "HTTPS: $1" >&2
  exit 1
}

# An ECDSA key on P-256, and a certificate for a year that cannot sign others (CA:FALSE).
# https://docs.openssl.org/3.5/man1/openssl-req/
make_self_signed() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -days 365 \
    -subj "/CN=${HTTPS_NAME:-localhost}" -keyout "$1/privkey.new" -out "$1/fullchain.new" \
    -config /dev/stdin 2>/dev/null <<CONFIG && mv "$1/privkey.new" "$1/privkey.pem" \
    && mv "$1/fullchain.new" "$1/fullchain.pem"
[req]
distinguished_name = name
x509_extensions = extensions
[name]
[extensions]
subjectAltName = DNS:localhost,IP:127.0.0.1${HTTPS_NAME:+,DNS:$HTTPS_NAME}
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth
CONFIG
}

# Valid for 30 more days, and for the name
is_self_signed_good() {
  [ -f "$1" ] && openssl x509 -in "$1" -noout -checkend 2592000 >/dev/null \
    && openssl x509 -in "$1" -noout -checkhost "${HTTPS_NAME:-localhost}" | grep -q 'does match'
}

if [ -n "$folder" ]; then
  source=/own
  for file in fullchain.pem privkey.pem; do
    # Let's Encrypt's client makes such links
    [ -e "$source/$file" ] || [ ! -L "$source/$file" ] \
      || fail "$folder/$file is a link to another folder. Replace it by a copy of the file."
    [ -e "$source/$file" ] \
      || fail "$folder has no $file. Copy it there, or unset HTTPS_CERTIFICATES."
    [ -r "$source/$file" ] \
      || fail "nginx's user cannot read $folder/$file. Run: chown 101 $folder $folder/*.pem"
  done
else
  source=/https/self-signed
  mkdir -p "$source"
  is_self_signed_good "$source/fullchain.pem" || make_self_signed "$source" \
    || fail "No certificate can be made for ${HTTPS_NAME:-localhost}. Set HTTPS_NAME to a DNS name."
  echo "HTTPS: The certificate is self-signed, so browsers show a warning. For a real one, set" \
    "HTTPS_CERTIFICATES to a folder with fullchain.pem and privkey.pem."
fi

public_key=$(openssl x509 -in "$source/fullchain.pem" -noout -pubkey 2>/dev/null) \
  || fail "${folder:-$source}/fullchain.pem is not a certificate in PEM format."
[ "$public_key" = "$(openssl pkey -in "$source/privkey.pem" -passin pass: -pubout 2>/dev/null)" ] \
  || fail "${folder:-$source}/privkey.pem is not the key of fullchain.pem, or has a password."
until=$(openssl x509 -in "$source/fullchain.pem" -noout -enddate)
openssl x509 -in "$source/fullchain.pem" -noout -checkend 0 >/dev/null \
  || fail "The certificate in $folder expired on ${until#notAfter=}. Renew it."

install -m 400 "$source/privkey.pem" "$source/fullchain.pem" /https

# nginx does not read environment variables. HTTPS_PORT may have an address: 127.0.0.1:8443.
port=${HTTPS_PORT:-443}
port=:${port##*:}
[ "$port" != :443 ] || port=
{ echo "set \$https_port \"$port\";"; cat /usr/local/share/https.conf; } > /https/https.conf
echo "HTTPS: The proxy uses the certificate ${folder:+in $folder, }valid until ${until#notAfter=}."
