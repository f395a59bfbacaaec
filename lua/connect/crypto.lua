-- SPDX-License-Identifier: Apache-2.0
-- Digests, signatures and what text they are carried as. The work is C's (src/vm/crypto.c, libcrypto).
--
--   crypto.hex(crypto.sha256("text"))                  sha1, sha256, sha384, sha512, md5: bytes of a text
--   crypto.hmac("sha256", key, "text")
--   crypto.base64(bytes), crypto.from_base64(text)     base64url, from_base64url: without padding, for URLs
--   crypto.hex(bytes), crypto.from_hex(text)           from_*: nil and the reason where it is none
--   crypto.random(16), crypto.equal(a, b)              equal takes as long wherever the two differ
--   crypto.sign("RS256", key, "text"), crypto.verify("RS256", key, "text", signature)
--   crypto.jwt({ iss = "me", exp = 1700000000 }, { alg = "RS256", key = pem, kid = "1" })
--
-- All take and give strings of bytes. md5 and sha1 are for etags, Content-MD5 and old interfaces: they prove nothing.
-- A key of RS256 (RS384, RS512) is PEM text, PKCS #8 or PKCS #1, of an RSA key of 2048 bits or more, also with \n in
-- place of line ends, as it is pasted into configs; to verify, a public key or a certificate does. What cannot be used
-- raises, and no message shows a key.

local ffi = require "ffi"

local C = require "connect.host.abi"
local json = require "connect.json"

local MAX_BYTES, MAX_RANDOM, SIGNATURE = 0x7fffffff, 65536, 2048

local DIGESTS = { sha1 = "SHA1", sha256 = "SHA256", sha384 = "SHA384", sha512 = "SHA512", md5 = "MD5" }
local RSA = { RS256 = "SHA256", RS384 = "SHA384", RS512 = "SHA512" }
local MAC = { HS256 = "sha256", HS384 = "sha384", HS512 = "sha512" }

local bytes_t = ffi.typeof "unsigned char[?]"

local crypto = {}

local function check(x, what, level)
  if type(x) ~= "string" then error(what .. " must be a string, not a " .. type(x), level + 1) end
  if #x > MAX_BYTES then error(what .. " is too long", level + 1) end
end

local function failed(level) error(ffi.string(C.cl_ffi_error()), level + 1) end

-- ------------------------------------------------------------------- digests

local out = bytes_t(C.CL_DIGEST_MAX)

for name, openssl in pairs(DIGESTS) do
  crypto[name] = function(data)
    check(data, "data", 2)
    local n = C.cl_ffi_digest(openssl, data, #data, out)
    if n < 0 then failed(2) end
    return ffi.string(out, n)
  end
end

--- The HMAC of data under key, by a digest's name.
function crypto.hmac(digest, key, data)
  local openssl = DIGESTS[digest]
  if not openssl then error("hmac: the digest is sha256, sha384, sha512, sha1 or md5", 2) end
  check(key, "key", 2)
  check(data, "data", 2)
  local n = C.cl_ffi_hmac(openssl, key, #key, data, #data, out)
  if n < 0 then failed(2) end
  return ffi.string(out, n)
end

--- n bytes that nobody can guess, 65536 at most.
function crypto.random(n)
  if type(n) ~= "number" or n < 0 or n > MAX_RANDOM or n % 1 ~= 0 then
    error("random takes a number of bytes up to " .. MAX_RANDOM, 2)
  end
  local to = bytes_t(math.max(1, n))
  if C.cl_ffi_random(to, n) ~= 0 then failed(2) end
  return ffi.string(to, n)
end

--- Whether two texts are equal, without telling by the time it takes where they differ.
function crypto.equal(a, b)
  check(a, "the first text", 2)
  check(b, "the second text", 2)
  return #a == #b and C.cl_ffi_equal(a, b, #a) == 1
end

-- ------------------------------------------------------------------------ text

function crypto.base64(data)
  check(data, "data", 2)
  local n = math.ceil(#data / 3) * 4
  local to = ffi.new("char[?]", math.max(1, n))
  C.cl_ffi_to_base64(data, #data, to)
  return ffi.string(to, n)
end

--- The bytes; nil and the reason when it is no Base64 with its padding.
function crypto.from_base64(text)
  check(text, "text", 2)
  local to = bytes_t(math.floor(#text / 4) * 3 + 3)
  local n = tonumber(C.cl_ffi_from_base64(text, #text, to))
  if n < 0 then return nil, "not Base64" end
  return ffi.string(to, n)
end

local URL = { ["+"] = "-", ["/"] = "_", ["="] = "" }

function crypto.base64url(data)
  check(data, "data", 2)
  return (crypto.base64(data):gsub("[+/=]", URL))
end

function crypto.from_base64url(text)
  check(text, "text", 2)
  if text:find "[^%w_-]" or #text % 4 == 1 then return nil, "not Base64 for URLs" end
  return crypto.from_base64(text:gsub("-", "+"):gsub("_", "/") .. ("="):rep(-#text % 4))
end

local hex = {}
for i = 0, 255 do hex[string.char(i)] = ("%02x"):format(i) end

function crypto.hex(data)
  check(data, "data", 2)
  return (data:gsub(".", hex))
end

function crypto.from_hex(text)
  check(text, "text", 2)
  if #text % 2 == 1 or text:find "%X" then return nil, "not hexadecimal" end
  return (text:gsub("..", function(two) return string.char(tonumber(two, 16)) end))
end

-- ------------------------------------------------------------------ signatures

local size = ffi.new "uint32_t[1]"

local function rsa(alg, level)
  return RSA[alg] or error("the algorithm is RS256, RS384 or RS512", level + 1)
end

local function sign(digest, key, data, password, level)
  check(key, "key", level + 1)
  check(data, "data", level + 1)
  if password ~= nil then check(password, "password", level + 1) end
  local to = bytes_t(SIGNATURE)
  size[0] = SIGNATURE
  if C.cl_ffi_sign(digest, key, password, data, #data, to, size) ~= 0 then failed(level + 1) end
  return ffi.string(to, size[0])
end

--- The signature of data; password: of an encrypted key.
function crypto.sign(alg, key, data, password) return (sign(rsa(alg, 2), key, data, password, 2)) end

--- Whether signature is that of data by the owner of key: a public key, a certificate, or the private key.
function crypto.verify(alg, key, data, signature)
  local digest = rsa(alg, 2)
  check(key, "key", 2)
  check(data, "data", 2)
  check(signature, "signature", 2)
  local rc = C.cl_ffi_verify(digest, key, data, #data, signature, #signature)
  if rc < 0 then failed(2) end
  return rc == 1
end

--- A signed JSON Web Token. options: alg (RS256, RS384, RS512, HS256, HS384 or HS512), key (PEM text, or the shared
-- secret), password (of an encrypted key), kid, header (further fields).
function crypto.jwt(claims, options)
  if type(claims) ~= "table" then error("claims must be a table, not a " .. type(claims), 2) end
  if type(options) ~= "table" then error("options must be a table, not a " .. type(options), 2) end
  local alg, key = options.alg, options.key
  if not RSA[alg] and not MAC[alg] then error("alg is RS256, RS384, RS512, HS256, HS384 or HS512", 2) end
  check(key, "key", 2)
  local header = {}
  for k, v in pairs(type(options.header) == "table" and options.header or {}) do header[k] = v end
  header.alg, header.typ, header.kid = alg, header.typ or "JWT", options.kid or header.kid
  local text = crypto.base64url(json.encode(header)) .. "." .. crypto.base64url(json.encode(claims))
  local signature
  if RSA[alg] then
    signature = sign(RSA[alg], key, text, options.password, 2)
  else
    signature = crypto.hmac(MAC[alg], key, text)
  end
  return text .. "." .. crypto.base64url(signature)
end

return crypto
