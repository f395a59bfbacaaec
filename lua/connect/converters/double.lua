-- SPDX-License-Identifier: Apache-2.0
-- DoubleConverter: big-endian 64-bit floating point numbers.
local codec = require "connect.codec"
local rows = require "connect.rows"

return {
  api = 1,
  kind = "converter",
  version = "4.2.0", -- of the Apache class it stands in for: configs name it in *.plugin.version
  class = "org.apache.kafka.connect.converters.DoubleConverter",
  doc = "Keys or values as big-endian 64-bit floating point numbers.",
  config = {
    rows.converter_type,
  },
  decode = function(datum) codec.primitive_decode(datum, "float64") end,
  encode = function(datum) codec.primitive_encode(datum, "float64") end,
}
