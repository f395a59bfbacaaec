-- SPDX-License-Identifier: Apache-2.0
-- A plugin's page: what it says of itself, its config rows and an example.

local json = require "connect.json"

local WHAT = { source = "Source connector", sink = "Sink connector", transform = "Transform", predicate = "Predicate",
  converter = "Converter" }

local function cell(text) return (tostring(text):gsub("[\r\n]+", " "):gsub("|", "\\|")) end

local function code(text) return "`" .. cell(text) .. "`" end

local function shown(x)
  if type(x) == "table" then return table.concat(x, ",") end
  if type(x) == "number" and x % 1 == 0 and math.abs(x) < 1e15 then return ("%d"):format(x) end
  return tostring(x)
end

local function default_of(row)
  if row.required then return "required" end
  if row.default == nil then return "none" end
  local text = shown(row.default)
  return text == "" and "empty" or code(text)
end

local function codes(list)
  local out = {}
  for i, x in ipairs(list) do out[i] = code(x) end
  return table.concat(out, ", ")
end

-- What a value must be, in words.
local function valid_of(row)
  local out = {}
  local function add(text) out[#out + 1] = text end
  if row.min and row.max then
    add(shown(row.min) .. " to " .. shown(row.max))
  elseif row.min then
    add("at least " .. shown(row.min))
  elseif row.max then
    add("at most " .. shown(row.max))
  end
  if row.values then add(codes(row.values) .. (row.ignore_case and ", in any case" or "")) end
  if row.non_empty then add "not empty" end
  if row.regex then add "a regular expression" end
  if row.unique then add "each once" end
  if row.non_null then add "not null" end
  return table.concat(out, ", ")
end

-- A config's text for a row, as an example.
local PLACEHOLDER = { string = "...", int = 1, short = 1, long = 1, double = 1, boolean = true, list = "a,b",
  class = "...", password = "${file:/etc/connect/secrets.properties:password}" }

local function example_value(row)
  if row.default ~= nil then return shown(row.default) end
  if row.values then return row.values[1] end
  local x = PLACEHOLDER[row.type or "string"]
  if type(x) == "number" and row.min and row.min > x then x = row.min end
  return shown(x)
end

local function is_connector(plugin) return plugin.kind == "source" or plugin.kind == "sink" end

-- Rows that an example shows: what must be there, and of a connector what matters most.
local function example_rows(plugin)
  local out = {}
  for _, row in ipairs(plugin.config) do
    if row.required or is_connector(plugin) and row.importance == "high" then
      out[#out + 1] = { row.name, example_value(row) }
    end
  end
  return out
end

-- JSON with keys in the order they are to be read.
local function connector_example(plugin, lines)
  local simple = plugin.aliases[1] or plugin.class
  local config = { { "connector.class", simple }, { "tasks.max", "1" } }
  local seen = {}
  local rows = example_rows(plugin)
  for _, row in ipairs(rows) do seen[row[1]] = true end
  if plugin.kind == "sink" and not seen.topics then config[#config + 1] = { "topics", "my-topic" } end
  for _, row in ipairs(rows) do config[#config + 1] = row end
  lines[#lines + 1] = "```json"
  lines[#lines + 1] = "{\n  \"name\": \"my-" .. plugin.kind .. "\",\n  \"config\": {"
  for i, pair in ipairs(config) do
    lines[#lines + 1] = ("    %s: %s%s"):format(json.encode(pair[1]), json.encode(pair[2]), i < #config and "," or "")
  end
  lines[#lines + 1] = "  }\n}\n```"
end

local PREFIX = { transform = "transforms", predicate = "predicates" }

local function properties_example(plugin, lines)
  local class = plugin.class .. (plugin.sides and "$Value" or "")
  lines[#lines + 1] = "```properties"
  local prefix = PREFIX[plugin.kind] and PREFIX[plugin.kind] .. ".x." or "value.converter."
  if PREFIX[plugin.kind] then
    lines[#lines + 1] = PREFIX[plugin.kind] .. "=x"
    lines[#lines + 1] = prefix .. "type=" .. class
  else
    if plugin.headers_only then prefix = "header.converter." end
    lines[#lines + 1] = prefix:sub(1, -2) .. "=" .. class
  end
  for _, row in ipairs(example_rows(plugin)) do
    if row[1] ~= "converter.type" then lines[#lines + 1] = prefix .. row[1] .. "=" .. row[2] end -- the worker's to set
  end
  lines[#lines + 1] = "```"
end

local function rows_table(plugin, lines)
  lines[#lines + 1] = "| Name | Type | Default | Valid | Importance | |"
  lines[#lines + 1] = "| --- | --- | --- | --- | --- | --- |"
  for _, row in ipairs(plugin.config) do
    local cells = { code(row.name), row.type or "string", default_of(row), valid_of(row), row.importance or "medium",
      cell(row.doc or "") }
    lines[#lines + 1] = "| " .. table.concat(cells, " | ") .. " |"
  end
end

--- The page of a manifest that connect.kit.catalogue has read.
return function(plugin)
  local lines = { "# " .. (plugin.class:match "[^.]+$"), "", plugin.doc, "" }
  local classes = plugin.sides and code(plugin.class .. "$Key") .. ", " .. code(plugin.class .. "$Value")
    or code(plugin.class)
  local also = #plugin.aliases > 0 and ", also " .. codes(plugin.aliases) or ""
  lines[#lines + 1] = ("%s, version %s: %s%s."):format(WHAT[plugin.kind], plugin.version, classes, also)
  lines[#lines + 1] = "\n## Configuration\n"
  if #plugin.config > 0 then rows_table(plugin, lines) else lines[#lines + 1] = "It has no keys of its own." end
  lines[#lines + 1] = "\n## Example\n"
  local example = is_connector(plugin) and connector_example or properties_example
  example(plugin, lines)
  return table.concat(lines, "\n") .. "\n"
end
