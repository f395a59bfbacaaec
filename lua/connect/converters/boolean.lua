-- SPDX-License-Identifier: Apache-2.0
-- BooleanConverter: a byte: 1 = true, 0 = false.
local codec = require "connect.codec"
local rows = require "connect.rows"

return {
  api = 1,
  kind = "converter",
  version = "4.2.0", -- of the Apache class it stands in for: configs name it in *.plugin.version
  class = "org.apache.kafka.connect.converters.BooleanConverter",
  doc = "Keys or values as a byte: 1 = true, 0 = false.",
  config = {
    rows.converter_type,
  },
  decode = function(datum) codec.primitive_decode(datum, "boolean") end,
  encode = function(datum) codec.primitive_encode(datum, "boolean") end,
}
