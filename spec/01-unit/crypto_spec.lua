-- SPDX-License-Identifier: Apache-2.0
-- connect.crypto, against published vectors and the openssl program.
local connect = require "connect"
local helpers = require "spec.helpers"

local crypto = connect.crypto

describe("connect.crypto", function()
  it("digests", function()
    assert.equal("900150983cd24fb0d6963f7d28e17f72", crypto.hex(crypto.md5 "abc"))
    assert.equal("a9993e364706816aba3e25717850c26c9cd0d89d", crypto.hex(crypto.sha1 "abc"))
    assert.equal("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", crypto.hex(crypto.sha256 "abc"))
    assert.equal("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", crypto.hex(crypto.sha256 ""))
    assert.equal(48, #crypto.sha384 "abc")
    assert.equal("ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
      .. "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f", crypto.hex(crypto.sha512 "abc"))
    assert.not_equal(crypto.sha256 "a\0b", crypto.sha256 "a\0c")
    assert.has_error(function() crypto.sha256(5) end, "data must be a string, not a number")
  end)

  it("makes an HMAC", function() -- RFC 4231, case 2
    assert.equal("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
      crypto.hex(crypto.hmac("sha256", "Jefe", "what do ya want for nothing?")))
    assert.equal(20, #crypto.hmac("sha1", "", ""))
    assert.has_error(function() crypto.hmac("sha3", "k", "d") end, "hmac: the digest is sha256, sha384, sha512, sha1 or md5")
  end)

  it("writes and reads Base64 and hexadecimal", function()
    local all = {}
    for i = 0, 255 do all[#all + 1] = string.char(i) end
    all = table.concat(all)
    for n = 0, 256 do
      local data = all:sub(1, n)
      assert.equal(data, crypto.from_base64(crypto.base64(data)))
      assert.equal(data, crypto.from_base64url(crypto.base64url(data)))
      assert.equal(data, crypto.from_hex(crypto.hex(data)))
    end
    assert.equal("Zm9vYg==", crypto.base64 "foob")
    assert.equal("Zm9vYg", crypto.base64url "foob")
    assert.equal("-_-_", crypto.base64url "\251\255\191")
    assert.same({ nil, "not Base64" }, { crypto.from_base64 "Zm9vYg" })
    assert.same({ nil, "not Base64 for URLs" }, { crypto.from_base64url "Zm9vY" })
    assert.same({ nil, "not Base64 for URLs" }, { crypto.from_base64url "Zm9+" })
    assert.same({ nil, "not hexadecimal" }, { crypto.from_hex "0g" })
    assert.same({ nil, "not hexadecimal" }, { crypto.from_hex "0" })
  end)

  it("has random bytes and compares", function()
    assert.equal(16, #crypto.random(16))
    assert.equal("", crypto.random(0))
    assert.not_equal(crypto.random(16), crypto.random(16))
    for _, n in ipairs { -1, 65537, 1.5, 0 / 0, math.huge } do assert.has_error(function() crypto.random(n) end) end
    assert.is_true(crypto.equal("abc", "abc"))
    assert.is_true(crypto.equal("", ""))
    assert.is_false(crypto.equal("abc", "abd"))
    assert.is_false(crypto.equal("abc", "abcd"))
  end)

  describe("with an RSA key", function()
    local keys = {}

    setup(function()
      local folder = helpers.folder()
      helpers.write(folder .. "/make.sh", [[set -e; cd "$1"
        openssl genrsa -out key.pem 2048
        openssl rsa -in key.pem -traditional -out pkcs1.pem
        openssl rsa -in key.pem -pubout -out public.pem
        openssl req -new -x509 -key key.pem -subj /CN=x -days 2 -out cert.pem
        openssl pkcs8 -topk8 -in key.pem -passout pass:open-sesame -out locked.pem
        openssl genrsa -out short.pem 1024
        openssl ecparam -genkey -name prime256v1 -noout -out ec.pem]])
      local out, code = helpers.shell(("bash %s/make.sh %s"):format(folder, folder))
      assert(code == 0, out)
      for _, name in ipairs { "key", "pkcs1", "public", "cert", "locked", "short", "ec" } do
        keys[name] = helpers.read(("%s/%s.pem"):format(folder, name))
      end
      keys.folder = folder
    end)

    it("signs as openssl does", function()
      local signature = crypto.sign("RS256", keys.key, "some text")
      helpers.write(keys.folder .. "/sig", signature)
      helpers.write(keys.folder .. "/text", "some text")
      local out, code = helpers.shell(("cd %s && openssl dgst -sha256 -verify public.pem -signature sig text"):format(keys.folder))
      assert.equal(0, code, out)
      assert.equal(signature, crypto.sign("RS256", keys.pkcs1, "some text"))
      assert.equal(signature, crypto.sign("RS256", (keys.key:gsub("\n", "\\n")), "some text"))
      assert.equal(signature, crypto.sign("RS256", (keys.key:gsub("\n", " ")), "some text"))
      assert.equal(signature, crypto.sign("RS256", keys.locked, "some text", "open-sesame"))
    end)

    it("verifies with a public key, a certificate or the key itself", function()
      local signature = crypto.sign("RS512", keys.key, "some text")
      for _, name in ipairs { "public", "cert", "key", "pkcs1" } do
        assert.is_true(crypto.verify("RS512", keys[name], "some text", signature), name)
        assert.is_false(crypto.verify("RS512", keys[name], "some texT", signature), name)
        assert.is_false(crypto.verify("RS256", keys[name], "some text", signature), name)
        assert.is_false(crypto.verify("RS512", keys[name], "some text", ""), name)
      end
    end)

    it("makes tokens", function()
      local jwt = crypto.jwt({ iss = "me", exp = 1700000000 }, { alg = "RS256", key = keys.key, kid = "k1" })
      local head, claims, signature = jwt:match "^([%w_-]+)%.([%w_-]+)%.([%w_-]+)$"
      assert.same({ alg = "RS256", typ = "JWT", kid = "k1" }, connect.json.decode(crypto.from_base64url(head)))
      assert.equal('{"exp":1700000000,"iss":"me"}', crypto.from_base64url(claims))
      assert.is_true(crypto.verify("RS256", keys.public, head .. "." .. claims, crypto.from_base64url(signature)))
    end)

    it("says what is wrong with a key, and shows nothing of it", function()
      local body = keys.key:match "\n([^\n]+)\n"
      for text, key in pairs {
        ["the key is no PEM text: it begins with -----BEGIN, and all of it is needed"] = body,
        ["the PEM text holds no private key that can be read"] = keys.key:gsub("\n%w%w%w%w", "\nAAAA", 1),
        ["the key is encrypted and needs its password"] = keys.locked,
        ["the RSA key is too short: 2048 bits are needed"] = keys.short,
        ["the key is no RSA key"] = keys.ec,
      } do
        assert.has_error(function() crypto.sign("RS256", key, "x") end, text)
      end
      assert.has_error(function() crypto.sign("RS256", keys.public, "x") end, "the PEM text holds no private key that can be read")
      assert.has_error(function() crypto.sign("RS256", keys.locked, "x", "wrong-one") end, "the key's password is not the right one")
      assert.has_error(function() crypto.sign("none", keys.key, "x") end, "the algorithm is RS256, RS384 or RS512")
      assert.has_error(function() crypto.verify("RS256", "x", "x", "x") end,
        "the key is no PEM text of a public key or certificate")
    end)
  end)

  it("makes tokens of a shared secret", function() -- RFC 7515, A.1 signs other white space: this is jwt.io's
    assert.equal("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0."
      .. crypto.base64url(crypto.hmac("sha256", "secret",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0")),
      crypto.jwt({ sub = "1234567890" }, { alg = "HS256", key = "secret" }))
    assert.has_error(function() crypto.jwt({}, { alg = "none", key = "" }) end,
      "alg is RS256, RS384, RS512, HS256, HS384 or HS512")
  end)
end)
