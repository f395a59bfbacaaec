-- SPDX-License-Identifier: Apache-2.0
-- StringConverter: text in UTF-8, whatever the schema.
local connect = require "connect"
local codec = require "connect.codec"

local function is_utf8(name) return name:upper():gsub("[-_]", "") == "UTF8" end

return {
  api = 1,
  kind = "converter",
  version = "4.2.0", -- of the Apache class it stands in for: configs name it in *.plugin.version
  class = "org.apache.kafka.connect.storage.StringConverter",
  doc = "Keys or values as plain text.",
  config = {
    { name = "converter.type", type = "string", required = true, values = { "key", "value", "header" },
      importance = "low", doc = "How this converter will be used." },
    { name = "converter.encoding", type = "string", default = "UTF-8", importance = "high", width = "medium",
      display_name = "Encoding",
      doc = "The name of the Java character set to use for encoding strings as byte arrays." },
  },
  configure = function(config, role)
    local names = {
      config["converter.encoding"] or "UTF-8",
      config[role .. ".serializer.encoding"] or "UTF-8",
      config[role .. ".deserializer.encoding"] or "UTF-8",
    }
    for _, name in ipairs(names) do
      if not is_utf8(name) then
        connect.fatal("Unsupported encoding %s: StringConverter knows UTF-8 only", name)
      end
    end
  end,
  decode = function(_, datum) codec.string_decode(datum) end,
  encode = function(_, datum) codec.string_encode(datum) end,
}
