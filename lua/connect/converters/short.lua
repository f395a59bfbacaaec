-- SPDX-License-Identifier: Apache-2.0
-- ShortConverter: big-endian 16-bit integers.
local codec = require "connect.codec"
local rows = require "connect.rows"

return {
  api = 1,
  kind = "converter",
  version = "4.2.0", -- of the Apache class it stands in for: configs name it in *.plugin.version
  class = "org.apache.kafka.connect.converters.ShortConverter",
  doc = "Keys or values as big-endian 16-bit integers.",
  config = {
    rows.converter_type,
  },
  decode = function(datum) codec.primitive_decode(datum, "int16") end,
  encode = function(datum) codec.primitive_encode(datum, "int16") end,
}
