-- SPDX-License-Identifier: Apache-2.0
-- JsonConverter: JSON with Connect's schema envelope, or plain JSON.
local codec = require "connect.codec"

return {
  api = 1,
  kind = "converter",
  version = "4.2.0", -- of the Apache class it stands in for: configs name it in *.plugin.version
  class = "org.apache.kafka.connect.json.JsonConverter",
  doc = "Keys or values as JSON, with or without a schema beside the payload.",
  config = {
    { name = "converter.type", type = "string", required = true, values = { "key", "value", "header" },
      importance = "low", doc = "How this converter will be used." },
    { name = "schemas.enable", type = "boolean", default = true, importance = "high", group = "Schemas", order = 0,
      width = "medium", display_name = "Enable Schemas",
      doc = "Include schemas within each of the serialized values and keys." },
    { name = "schemas.cache.size", type = "int", default = 1000, importance = "high", group = "Schemas", order = 1,
      width = "medium", display_name = "Schema Cache Size",
      doc = "The maximum number of schemas that can be cached in this converter instance." },
    { name = "schema.content", type = "string", importance = "high", group = "Schemas", order = 2,
      width = "medium", display_name = "Schema Content",
      doc = "When set, this is used as the schema for all messages, and the schemas within each of the message will "
        .. "be ignored.Otherwise, the schema will be included in the content of each message. This configuration "
        .. "applies only 'schemas.enable' is true, and it exclusively affects the sink connector." },
    { name = "decimal.format", type = "string", default = "BASE64", importance = "low",
      values = { "NUMERIC", "BASE64" }, ignore_case = true,
      group = "Serialization", order = 0, width = "medium", display_name = "Decimal Format",
      doc = "Controls which format this converter will serialize decimals in. This value is case insensitive and can "
        .. "be either 'BASE64' (default) or 'NUMERIC'" },
    { name = "replace.null.with.default", type = "boolean", default = true, importance = "low",
      group = "Serialization", order = 1, width = "medium", display_name = "Replace null with default",
      doc = "Whether to replace fields that have a default value and that are null to the default value. When set to "
        .. "true, the default value is used, otherwise null is used." },
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
