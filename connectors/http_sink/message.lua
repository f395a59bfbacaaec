-- SPDX-License-Identifier: Apache-2.0
-- A record as parts of an HTTP request. What cannot be one is that record's error.
local connect = require "connect"
local http_config = require "connect.http_config"

local M = {}

-- What a variable's first word stands for.
local PARTS = { topic = true, partition = true, offset = true, timestamp = true, key = true, value = true }

--- Whether there is such a variable: ${topic}, ${key}, ${value.customer.id} ...
function M.is_variable(name)
  local part, path = name:match "^(%a+)(.*)$"
  return PARTS[part] == true and (path == "" or (part == "key" or part == "value") and path:find "^%.[^.]" ~= nil
    and not path:find("..", 1, true) and not path:find "%.$")
end

local function is_null(x) return x == nil or x == connect.null end
M.is_null = is_null

local function is_container(x) return type(x) == "table" or type(x) == "cdata" and pcall(connect.fields, x) end

-- The text that a variable stands for. One that is missing must not become /items/ and hit all of them.
local function variable(record, name)
  local x, path = record[name:match "^%a+"], name:match "^%a+%.(.*)$"
  for field in (path or ""):gmatch "[^.]+" do
    x = is_container(x) and x[field] or nil
  end
  if is_null(x) or x == "" then connect.data_error("${%s} is empty in this record", name) end
  if is_container(x) then connect.data_error("${%s} is no text, number or boolean in this record", name) end
  return type(x) == "number" and connect.json.encode(x) or connect.text(x)
end

local function header_text(record, name)
  local text = variable(record, name)
  if text:find "%c" then connect.data_error("${%s} has control characters, which no header may have", name) end
  return text
end

--- The URL and the headers of a record's request, and one text of both, which tells requests to another place apart.
function M.target(templates, record)
  local url = templates.url.fill(function(name) return http_config.escape(variable(record, name)) end)
  if ((url:match "^[^?#]*") .. "/"):find "/%.%.?/" then -- a key of ".." would climb: /items/.. is /
    connect.data_error "the record gives the URL a path with . or .. in it"
  end
  local headers, all = {}, { url }
  for _, header in ipairs(templates.headers) do
    local text = header.template.fill(function(name) return header_text(record, name) end)
    headers[header.name] = text
    all[#all + 1] = text
  end
  return url, headers, table.concat(all, "\n")
end

--- A value as text, and whether that is JSON for sure: text and bytes stay as they are, unless format is json.
function M.body(record, format)
  local value = record.value
  if format == "string" and type(value) == "string" then return value, false end
  local ok, text = pcall(connect.json.encode, value)
  if not ok then connect.data_error("the value cannot be JSON: %s", text) end
  return text, true
end

return M
