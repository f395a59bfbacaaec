-- my_transform: puts a text into a field of each value. Replace what apply does by your own change.
local connect = require "connect"

return {
  api = 1,
  kind = "transform",
  version = "0.1.0",
  doc = "Puts a text into a field of each value.",

  -- Each row is a key of the config, under the alias: transforms.x.type=my_transform, transforms.x.field=...
  -- type: string, int, long, short, double, boolean, list, class or password (shown to nobody).
  config = {
    { name = "field", type = "string", default = "seen_by", non_empty = true, doc = "The field that gets the text." },
    { name = "text", type = "string", required = true, importance = "high", doc = "The text." },
  },

  -- Called for each record: answer it, or nil to drop it. connect.data_error "why" says that it cannot be done.
  --   record.topic, key, value, timestamp, headers   can be read and assigned
  --   record.value.field = nil                       removes a field; connect.null writes null
  apply = function(record, config)
    if record.value == connect.null then return record end -- a tombstone has no fields
    record.value[config.field] = config.text
    return record
  end,

  -- configure = function(config) return state end   makes what apply gets in place of config, once
}
