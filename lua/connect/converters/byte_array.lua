-- SPDX-License-Identifier: Apache-2.0
-- ByteArrayConverter: bytes as they are.
local connect = require "connect"
local codec = require "connect.codec"

return {
  api = 1,
  kind = "converter",
  version = connect.version,
  class = "org.apache.kafka.connect.converters.ByteArrayConverter",
  doc = "Keys or values as raw bytes, passed through.",
  config = {
    { name = "converter.type", type = "string", required = true, values = { "key", "value", "header" },
      importance = "low", doc = "How this converter will be used." },
  },
  decode = function(_, datum) codec.bytes_decode(datum) end,
  encode = function(_, datum) codec.bytes_encode(datum) end,
}
