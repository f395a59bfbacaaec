-- SPDX-License-Identifier: Apache-2.0
-- ByteArrayConverter: bytes as they are.
local codec = require "connect.codec"
local rows = require "connect.rows"

return {
  api = 1,
  kind = "converter",
  version = "4.2.0", -- of the Apache class it stands in for: configs name it in *.plugin.version
  class = "org.apache.kafka.connect.converters.ByteArrayConverter",
  doc = "Keys or values as raw bytes, passed through.",
  config = {
    rows.converter_type,
  },
  decode = function(datum) codec.bytes_decode(datum) end,
  encode = function(datum) codec.bytes_encode(datum) end,
}
