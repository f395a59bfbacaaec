-- my_predicate: whether a value has a field. Replace what test does by your own question.
local connect = require "connect"

return {
  api = 1,
  kind = "predicate",
  version = "0.1.0",
  doc = "Holds for values that have a field.",

  -- Each row is a key of the config, under the alias: predicates.x.type=my_predicate, predicates.x.field=...
  -- type: string, int, long, short, double, boolean, list, class or password (shown to nobody).
  config = {
    { name = "field", type = "string", required = true, non_empty = true, importance = "high", doc = "The field." },
  },

  -- Called for each record: whether the transform with predicate=x is to be applied.
  test = function(record, config)
    if record.value == connect.null then return false end -- a tombstone has no fields
    return record.value[config.field] ~= nil
  end,

  -- configure = function(config) return state end   makes what test gets in place of config, once
}
