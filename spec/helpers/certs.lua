-- SPDX-License-Identifier: Apache-2.0
--
-- Certificates for the specs of TLS, made by openssl in a folder: two authorities, a server's key in every
-- kind of store, and clients.
local helpers = require "spec.helpers"

local certs = {}

local script = [[
set -e
cd "$1"
authority() { openssl req -x509 -newkey rsa:2048 -nodes -keyout "$1.key" -out "$1.pem" -days 2 -subj "/CN=$1"; }
signed() { # name, authority, extensions
  openssl req -newkey rsa:2048 -nodes -keyout "$1.key" -out "$1.csr" -subj "/CN=$1"
  printf '%s\n' "$3" > "$1.ext"
  openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -CAcreateserial -days 2 -extfile "$1.ext" -out "$1.crt"
  cat "$1.key" "$1.crt" > "$1.pem"
}
authority ca
authority other
signed server ca 'subjectAltName=IP:127.0.0.1,DNS:localhost'
signed client ca 'extendedKeyUsage=clientAuth'
signed serving ca 'extendedKeyUsage=serverAuth'
signed stranger other 'extendedKeyUsage=clientAuth'
openssl pkcs12 -export -inkey server.key -in server.crt -certfile ca.pem -name server -passout pass:s3cret-store -out server.p12
openssl pkcs12 -export -nokeys -in ca.pem -passout pass:s3cret-trust -out trust.p12
openssl pkcs8 -topk8 -in server.key -passout pass:s3cret-key -out server.locked
cat server.locked server.crt > locked.pem
]]

--- The folder they are in; removed with the test's other folders.
function certs.make()
  local folder = helpers.folder()
  helpers.write(folder .. "/make.sh", script)
  local out, code = helpers.shell(("bash %s/make.sh %s"):format(folder, folder))
  assert(code == 0, out)
  return folder
end

--- The worker's keys for the server's key as PEM; `more` is added. prefix: "" or "listeners.https.".
function certs.keys(folder, prefix, more)
  local keys = {
    ["listeners"] = "https://127.0.0.1:0",
    [prefix .. "ssl.keystore.type"] = "PEM",
    [prefix .. "ssl.keystore.location"] = folder .. "/server.pem",
  }
  return certs.merge(keys, more)
end

--- Keys with those of more over them.
function certs.merge(keys, more)
  for key, value in pairs(more or {}) do keys[key] = value end
  return keys
end

return certs
