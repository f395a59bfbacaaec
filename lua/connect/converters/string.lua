-- SPDX-License-Identifier: Apache-2.0
-- StringConverter: text in a character set, whatever the schema.
local codec = require "connect.codec"
local errors = require "connect.errors"
local rows = require "connect.rows"

-- Kafka's serializers look for a name of their own first: a setting that is for keys or for values,
-- which headers count as.
local function charset_of(config, role, verb)
  local own = config[(role == "key" and "key." or "value.") .. verb .. ".encoding"]
  local name = type(own) == "string" and own or config["converter.encoding"] or "UTF-8"
  local charset = codec.charset(name)
  if not charset then
    errors.throw("org.apache.kafka.common.errors.SerializationException", "Unsupported encoding %s", name)
  end
  return charset
end

return {
  api = 1,
  kind = "converter",
  version = "4.2.0", -- of the Apache class it stands in for: configs name it in *.plugin.version
  class = "org.apache.kafka.connect.storage.StringConverter",
  doc = "Keys or values as plain text.",
  config = {
    rows.converter_type,
    { name = "converter.encoding", type = "string", default = "UTF-8", importance = "high", width = "medium",
      display_name = "Encoding",
      doc = "Character set of the bytes, by any name Java has for it." },
  },
  configure = function(config, role)
    return { encode = charset_of(config, role, "serializer"), decode = charset_of(config, role, "deserializer") }
  end,
  decode = function(datum, state) codec.string_decode(datum, state.decode) end,
  encode = function(datum, state) codec.string_encode(datum, state.encode) end,
}
