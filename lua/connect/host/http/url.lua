-- SPDX-License-Identifier: Apache-2.0
-- URLs: their parts (src/net/url.c), and text made for them.

local ffi = require "ffi"

local C = require "connect.host.abi"

local url = {}

local parts = ffi.new "struct cl_url"

local function str(s) return ffi.string(s.p, s.len) end

--- { url, origin ("https://host:443"), user (nil = none), password }; nil and the reason when text, which is relative
-- to base unless that is nil, is no URL of http or https.
function url.parse(text, base)
  if text:find "%z" then return nil, "not a URL: it has a NUL" end
  if C.cl_ffi_url(base, text, parts) ~= 0 then return nil, ffi.string(C.cl_ffi_error()) end
  local user = str(parts.user)
  local out = { url = str(parts.url), origin = str(parts.origin), user = user ~= "" and user or nil,
    password = str(parts.password) }
  C.cl_ffi_url_clear(parts)
  return out
end

--- An origin as people write it.
function url.shown(origin) return (origin:gsub("^(http:.*):80$", "%1"):gsub("^(https:.*):443$", "%1")) end

local function percent(c) return ("%%%02X"):format(c:byte()) end

local function escaped(x) return (tostring(x):gsub("[^%w%-._~]", percent)) end

local function pair(out, name, value)
  if type(value) ~= "string" and type(value) ~= "number" and type(value) ~= "boolean" then
    error(("the value of %s must be a string, a number or a boolean, not a %s"):format(name, type(value)), 0)
  end
  out[#out + 1] = escaped(name) .. "=" .. escaped(value)
end

--- "a=1&b=x%20y" of a table, names in order, a list for a name that comes more than once.
function url.form(fields)
  local names, out = {}, {}
  for name in pairs(fields) do
    if type(name) ~= "string" then error("names are strings, not a " .. type(name), 0) end
    names[#names + 1] = name
  end
  table.sort(names)
  for _, name in ipairs(names) do
    local value = fields[name]
    if type(value) == "table" then
      for _, x in ipairs(value) do pair(out, name, x) end
    else
      pair(out, name, value)
    end
  end
  return table.concat(out, "&")
end

--- text with the fields behind its query.
function url.with_query(text, fields)
  local query = url.form(fields)
  if query == "" then return text end
  local head, fragment = text:match "^([^#]*)(.*)$"
  local between = not head:find("?", 1, true) and "?" or head:find "[?&]$" and "" or "&"
  return head .. between .. query .. fragment
end

--- text below base; a whole URL stays what it is.
function url.below(base, text)
  if not base or text:find "^%a[%w+.-]*://" then return text end
  if text == "" then return base end
  if text:find "^[?#]" then return base .. text end
  return base:gsub("/+$", "") .. "/" .. text:gsub("^/+", "")
end

return url
