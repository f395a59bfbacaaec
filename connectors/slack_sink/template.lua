-- SPDX-License-Identifier: Apache-2.0
-- Texts of records: "${topic}: ${value.user.name}". What a record has not is nothing.
local connect = require "connect"
local http_config = require "connect.http_config"

local ROOTS = { key = true, value = true, topic = true, partition = true, offset = true, timestamp = true,
  headers = true }

local function field(x, name) return x[name] end

local function look_up(record, path)
  local x = record
  for name in path:gmatch "[^.]+" do
    local ok, inner = pcall(field, x, name)
    if not ok or type(x) == "string" then return nil end -- no part of it has fields
    x = inner
  end
  return x
end

-- Slack reads these as the beginning of links and names.
local ESCAPED = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;" }

local M = {}

--- What is wrong with a template, nil = nothing.
function M.check(text)
  local template, why = http_config.template(text)
  for _, path in ipairs(template and template.names or {}) do
    if not ROOTS[path:match "^[^.]+"] then
      return ("there is no ${%s}: it is key, value, topic, partition, offset, timestamp, or a field as value.a.b or "
        .. "headers.a"):format(path)
    end
  end
  return why
end

--- A function from a record to its text. escape: what comes from records is plain text, no markup of Slack's.
function M.compile(text, escape)
  local template = assert(http_config.template(text))
  return function(record)
    return template.fill(function(path)
      local x = look_up(record, path)
      if x == nil or x == connect.null then return "" end
      local plain = connect.text(x)
      return escape and plain:gsub("[&<>]", ESCAPED) or plain
    end)
  end
end

return M
