-- SPDX-License-Identifier: Apache-2.0
-- JsonConverter: JSON with Connect's schema envelope, or plain JSON.
local codec = require "connect.codec"
local rows = require "connect.rows"

return {
  api = 1,
  kind = "converter",
  version = "4.2.0", -- of the Apache class it stands in for: configs name it in *.plugin.version
  class = "org.apache.kafka.connect.json.JsonConverter",
  doc = "Keys or values as JSON, with or without a schema beside the payload.",
  config = {
    rows.converter_type,
    { name = "schemas.enable", type = "boolean", default = true, importance = "high", group = "Schemas", order = 0,
      width = "medium", display_name = "Enable Schemas",
      doc = "Whether the JSON has a schema beside the payload." },
    { name = "schemas.cache.size", type = "int", default = 1000, importance = "high", group = "Schemas", order = 1,
      width = "medium", display_name = "Schema Cache Size",
      doc = "Most schemas that the converter remembers, in each direction." },
    { name = "schema.content", type = "string", importance = "high", group = "Schemas", order = 2,
      width = "medium", display_name = "Schema Content",
      doc = "Schema, as JSON, of all that is read: then messages are the payload alone. Sinks only, and with "
        .. "schemas.enable." },
    { name = "decimal.format", type = "string", default = "BASE64", importance = "low",
      values = { "NUMERIC", "BASE64" }, ignore_case = true,
      group = "Serialization", order = 0, width = "medium", display_name = "Decimal Format",
      doc = "How decimals are written: BASE64 (their bytes) or NUMERIC (a number). Both are read." },
    { name = "replace.null.with.default", type = "boolean", default = true, importance = "low",
      group = "Serialization", order = 1, width = "medium", display_name = "Replace null with default",
      doc = rows.replace_null.doc },
  },
  configure = function(config, role)
    local format = config["decimal.format"] or "BASE64"
    return codec.json {
      schemas_enable = config["schemas.enable"],
      schemas_cache_size = config["schemas.cache.size"],
      schema_content = config["schema.content"],
      decimal_numeric = format:upper() == "NUMERIC",
      replace_null_with_default = config["replace.null.with.default"],
      is_key = role == "key",
    }
  end,
  decode = function(datum, json) codec.json_decode(datum, json) end,
  encode = function(datum, json) codec.json_encode(datum, json) end,
}
