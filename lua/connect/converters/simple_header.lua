-- SPDX-License-Identifier: Apache-2.0
-- SimpleHeaderConverter: headers as text; what is read gets the type it looks like.
local codec = require "connect.codec"

return {
  api = 1,
  kind = "converter",
  headers_only = true,
  version = "4.2.0", -- of the Apache class it stands in for: configs name it in *.plugin.version
  class = "org.apache.kafka.connect.storage.SimpleHeaderConverter",
  doc = "Headers as text: numbers, booleans, dates, lists and maps are recognised, all else is a string.",
  config = {},
  decode = function(datum) codec.header_decode(datum) end,
  encode = function(datum) codec.header_encode(datum) end,
}
