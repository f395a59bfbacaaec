-- SPDX-License-Identifier: Apache-2.0
-- Golden vectors (spec/fixtures/vectors.jsonl): answers of `connect-lua try --json` against what
-- Apache's classes answered. Bytes of JSON converters are compared as JSON: numbers by value, but
-- 1 and 1.0 differ, and so do number texts with decimal.format=NUMERIC; the order of an object's
-- keys counts in record keys only. Messages are compared too, but for Java object identities.
local json = require "dkjson"

local M = {}

-- ------------------------------------------------------- JSON that keeps numbers and order

local function parser(text)
  local at = 1
  local value

  local function fail() error("no JSON at byte " .. at, 0) end
  local function blanks() at = text:find("[^ \t\r\n]", at) or #text + 1 end

  local function string_()
    local from = at
    at = at + 1
    while true do
      local stop = text:find('["\\]', at)
      if not stop then fail() end
      at = stop + 1
      if text:byte(stop) == 34 then break end
      at = at + 1
    end
    return (json.decode(text:sub(from, at - 1)))
  end

  local function list(close, item)
    local out = {}
    at = at + 1
    blanks()
    if text:sub(at, at) == close then
      at = at + 1
      return out
    end
    while true do
      out[#out + 1] = item()
      blanks()
      local c = text:sub(at, at)
      at = at + 1
      if c == close then return out end
      if c ~= "," then fail() end
    end
  end

  local function pair()
    blanks()
    local key = string_()
    blanks()
    if text:sub(at, at) ~= ":" then fail() end
    at = at + 1
    return { key, value() }
  end

  function value()
    blanks()
    local c = text:sub(at, at)
    if c == "{" then return { object = list("}", pair) } end
    if c == "[" then return { array = list("]", value) } end
    if c == '"' then return { string = string_() } end
    local word = text:match("^[-+.%w]+", at)
    if not word then fail() end
    at = at + #word
    if word == "true" or word == "false" or word == "null" then return { word = word } end
    if not tonumber(word) then fail() end
    return { number = word }
  end

  return function()
    local out = value()
    blanks()
    if at <= #text then fail() end
    return out
  end
end

local function parse(text) return parser(text)() end

-- ------------------------------------------------------------------------ comparing

local function is_integer(text) return not text:find "[.eE]" end

-- Digits and exponent without leading and trailing zeros, so that any size compares exactly.
local function canonical(text)
  local sign, whole, fraction, exponent = text:match "^(-?)(%d*)%.?(%d*)[eE]?([-+]?%d*)$"
  local digits = (whole .. fraction):gsub("^0+", "")
  local scale = (tonumber(exponent) or 0) - #fraction
  local kept = digits:gsub("0+$", "")
  return sign .. kept .. "e" .. (kept == "" and 0 or scale + #digits - #kept)
end

local function same_number(a, b, exact)
  if a == b then return true end
  return not exact and is_integer(a) == is_integer(b) and canonical(a) == canonical(b)
end

local function by_key(pairs_)
  local out = {}
  for i, p in ipairs(pairs_) do out[i] = p end
  table.sort(out, function(x, y) return x[1] < y[1] end)
  return out
end

local function same(a, b, options)
  if a.object and b.object then
    local p, q = a.object, b.object
    if #p ~= #q then return false end
    if not options.order then p, q = by_key(p), by_key(q) end
    for i = 1, #p do
      if p[i][1] ~= q[i][1] or not same(p[i][2], q[i][2], options) then return false end
    end
    return true
  elseif a.array and b.array then
    if #a.array ~= #b.array then return false end
    for i = 1, #a.array do
      if not same(a.array[i], b.array[i], options) then return false end
    end
    return true
  elseif a.number and b.number then
    return same_number(a.number, b.number, options.exact)
  end
  return a.string == b.string and a.word == b.word and (a.object or a.array) == (b.object or b.array)
    and a.number == b.number
end

local function bytes_differ(want, got, config, side)
  if want == json.null or got == json.null or want == nil or got == nil then
    return (want == nil or want == json.null) ~= (got == nil or got == json.null)
  end
  if want.b64 ~= got.b64 then return true end
  if want.utf8 == got.utf8 then return false end
  local class = config["out." .. side .. ".converter"] or ""
  if not want.utf8 or not got.utf8 or not class:find "JsonConverter%s*$" then return true end
  local ok, a, b = pcall(function() return parse(want.utf8), parse(got.utf8) end)
  local format = (config["out." .. side .. ".converter.decimal.format"] or ""):upper()
  return not (ok and same(a, b, { order = side == "key", exact = format:find "NUMERIC" ~= nil }))
end

local function nulled(x) if x == json.null then return nil end return x end

local function message(error_)
  local text = nulled(error_.message)
  return text and text:gsub("([%a$;_])@<hash>", "%1@"):gsub("([%a$;_])@%x%x%x%x+", "%1@")
end

local function error_differs(want, got)
  if not got then return "no error" end
  for _, field in ipairs { "stage", "class" } do
    if want[field] ~= got[field] then return field end
  end
  if message(want) ~= message(got) then return "message" end
end

local function record_differs(want, got, config)
  for _, field in ipairs { "topic", "partition", "timestamp" } do
    if nulled(want[field]) ~= nulled(got[field]) then return field end
  end
  for _, side in ipairs { "key", "value" } do
    if bytes_differ(want[side], got[side], config, side) then return side end
  end
  if #want.headers ~= #got.headers then return "headers" end
  for i, header in ipairs(want.headers) do
    if header[1] ~= got.headers[i][1] or bytes_differ(header[2], got.headers[i][2], config, "header") then
      return "header " .. header[1]
    end
  end
end

local function entry_differs(want, got, config)
  if want.error then return error_differs(want.error, got.error) end
  if want.dropped then return got.dropped ~= true and "not dropped" or nil end
  if not got.record then return "no record" end
  return record_differs(want.record, got.record, config)
end

--- What differs, as text; nil = nothing.
function M.differs(vector, answer)
  if vector.configError then
    return error_differs(vector.configError, answer.configError)
  elseif not answer.expect then
    return answer.configError and "configError " .. tostring(answer.configError.message) or "no answer"
  elseif #answer.expect ~= #vector.expect then
    return "number of answers"
  end
  for i, want in ipairs(vector.expect) do
    local what = entry_differs(want, answer.expect[i], vector.config)
    if what then return ("record %d: %s"):format(i, what) end
  end
end

--- Lines of a file, decoded; null is json.null.
function M.read(path)
  local out = {}
  for line in io.lines(path) do out[#out + 1] = assert(json.decode(line, 1, json.null)) end
  return out
end

return M
