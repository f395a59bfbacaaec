-- my_converter: lines of name=value as objects. Replace decode and encode by your own format.
local connect = require "connect"

return {
  api = 1,
  kind = "converter",
  version = "0.1.0",
  doc = "Objects of texts as lines of name=value.",

  -- Each row is a key of the config: value.converter=my_converter, value.converter.separator=...
  -- type: string, int, long, short, double, boolean, list, class or password (shown to nobody).
  config = {
    { name = "separator", type = "string", default = "=", non_empty = true, doc = "Between name and value." },
  },

  -- Made once; decode and encode get it.
  configure = function(config) return { separator = config.separator } end,

  -- Bytes to a value: must call datum:set. connect.data_error "why" says that the bytes are none of this format.
  decode = function(datum, state)
    local text = datum:text()
    if not text then return datum:set(connect.null) end
    local object = {}
    for line in text:gmatch "[^\n]+" do
      local at, to = line:find(state.separator, 1, true)
      if not at then connect.data_error("a line without %s: %s", state.separator, line) end
      object[line:sub(1, at - 1)] = line:sub(to + 1)
    end
    datum:set(object)
  end,

  -- A value to bytes: must call datum:set_text; nil is Kafka's null.
  encode = function(datum, state)
    local object = connect.copy(datum:get())
    if object == connect.null then return datum:set_text(nil) end
    if type(object) ~= "table" then connect.data_error("an object is needed, not a %s", type(object)) end
    local lines = {}
    for name, value in pairs(object) do lines[#lines + 1] = name .. state.separator .. connect.text(value) end
    table.sort(lines)
    datum:set_text(table.concat(lines, "\n"))
  end,
}
